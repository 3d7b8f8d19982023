"""Implement `mik witness serve`: a witness of logs (C2SP tlog-witness), with one command and one folder."""

import json
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.cli.common import fail, handle_errors
from app.core.dates import utc_now
from app.transparency.signed_note import NoteRejected, Verifier, parse_vkey
from app.transparency.witness.node import Witness, WitnessAnswer, WitnessFolder
from app.transparency.witness.protocol import MAX_BODY_BYTES


def serve(
    folder: Annotated[Path, typer.Option(help="Folder of the witness: keys, state and evidence. Keep a backup of it.")],
    log_vkey: Annotated[
        list[str], typer.Option("--log-vkey", help="Key of a log to follow, as /log/vkey gives it; may be repeated.")
    ],
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    name: Annotated[
        str | None, typer.Option(help="Name of the witness, such as witness.customs.example/w1; at the first run.")
    ] = None,
) -> None:
    """Cosign checkpoints of logs that only grow.

    Serves a witness (C2SP tlog-witness): it signs a checkpoint after a proof that the log only grew. Needs no database
    and no account. The first run creates two keys (Ed25519 and ML-DSA-44); every run prints their verifier keys, for
    the policy file of the log and of its readers. A signed checkpoint that contradicts what was cosigned before is
    refused and kept in FOLDER/evidence.
    """
    logs = [_parse(vkey) for vkey in log_vkey]
    with handle_errors():
        try:
            opened = WitnessFolder(folder, name, logs)
        except OSError as why:
            fail(f"{folder} cannot be used: {why.strerror}.")
    for each in opened.cosigners:
        typer.echo(each.verifier.vkey)
    try:
        uvicorn.run(
            witness_app(Witness(opened, logs, utc_now)),
            host=host,
            port=port,
            server_header=False,
            log_level="warning",
            ws="none",
        )
    finally:
        opened.close()


def witness_app(witness: Witness) -> Starlette:
    """Return the ASGI application of a witness, with the one route of the protocol."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return _response(WitnessAnswer(400, f"The request has more than {MAX_BODY_BYTES} bytes.\n"))
        answer = await run_in_threadpool(witness.add_checkpoint, body)
        typer.echo(json.dumps({"status": answer.status, "bytes": len(body)}), err=True)
        return _response(answer)

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def _response(answer: WitnessAnswer) -> Response:
    return Response(answer.body, answer.status, headers={"Content-Type": answer.media_type})


async def _read(request: Request) -> bytes | None:
    """Return the body; None for one that is too large or was cut off."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _parse(vkey: str) -> Verifier:
    try:
        return parse_vkey(vkey.strip())
    except NoteRejected as why:
        fail(f"--log-vkey {vkey}: {why} Take it from the address /log/vkey of the service.")
