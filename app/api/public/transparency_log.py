"""Serve the public transparency log (C2SP tlog-tiles) to witnesses and auditors."""

import base64
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.certificates.certificate_number import parse_number
from app.core.errors import NotFound
from app.transparency import reader, tiles
from app.transparency.witness import cosigned
from app.transparency.witness_policy import WitnessJudgement
from app.web.dependencies import NowDep, SessionDep, WitnessPolicyDep, get_container
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute, PublicRouter
from app.web.schema_types import ResponseModel

router = PublicRouter(tags=["transparency log"], route_class=GuardedRoute)

TEXT_MEDIA_TYPE = "text/plain; charset=utf-8"
OCTETS_MEDIA_TYPE = "application/octet-stream"
CACHE_FIVE_SECONDS = {"Cache-Control": "public, max-age=5"}
CACHE_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
WITNESSES_HEADER = "Mik-Witnesses"
_AS_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
MAX_TREE_SIZE = 2**62


@router.get(
    "/log/checkpoint",
    summary="Get the signed checkpoint of the log",
    response_class=Response,
    responses={200: _AS_TEXT, **error_responses(404, 503)},
)
def get_log_checkpoint(
    request: Request,
    session: SessionDep,
    now: NowDep,
    policy: WitnessPolicyDep,
    witnessed: Annotated[
        bool, Query(description="the newest that enough witnesses have seen, instead of the newest")
    ] = False,
) -> Response:
    """A signed note (C2SP tlog-checkpoint): name of the log, number of entries, root hash of the Merkle tree; then the
    signature of the log, and those of the witnesses that have seen it. `Mik-Witnesses` says how many have."""
    log = get_container(request).log
    log.require_intact()
    newest = cosigned.get_newest(session, policy, now)  # 404 before the first entry, when there may be no key yet
    found = cosigned.require_witnessed(session, policy, log.verifier, now) if witnessed else newest
    judged = cosigned.judge_entry(session, found.size - 1, found, log.verifier, now)
    return Response(found.note, media_type=TEXT_MEDIA_TYPE, headers=CACHE_FIVE_SECONDS | _witness_header(judged))


@router.get(
    "/log/vkey",
    summary="Get the key that verifies checkpoints",
    response_class=Response,
    responses={200: _AS_TEXT, **error_responses(404, 503)},
)
def get_log_key(request: Request, session: SessionDep) -> Response:
    """One line: name, key id, Ed25519 key (C2SP signed-note). It never changes: store it to detect another log."""
    reader.get_vkey(session)  # 404 before the first entry
    text = get_container(request).log.vkey + "\n"
    return Response(text, media_type=TEXT_MEDIA_TYPE, headers={"Cache-Control": "public, max-age=3600"})


@router.get(
    "/log/tile/{coordinates:path}",
    summary="Get a tile of hashes or of entries",
    response_class=Response,
    responses={
        200: {"content": {OCTETS_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
        **error_responses(404, 503),
    },
)
def get_log_tile(
    coordinates: Annotated[
        str, Path(description="`{level}/{N}` or `entries/{N}`, with `.p/{W}` for an incomplete tile")
    ],
    session: SessionDep,
) -> Response:
    """`{level}/{N}` contains 256 hashes of 32 bytes, `entries/{N}` contains 256 entries, each after its length in two
    bytes. N is in groups of three digits (`x001/234`); `.p/{W}` returns the first W of an incomplete tile. Entries are
    canonical JSON without personal data."""
    wanted = tiles.parse_path(coordinates)
    if wanted is None:
        raise NotFound.of("tile")
    return Response(reader.read_tile(session, wanted), media_type=OCTETS_MEDIA_TYPE, headers=CACHE_IMMUTABLE)


class ConsistencyProofResponse(ResponseModel):
    first: int
    second: int
    hashes: list[str] = Field(description="hashes in base64, in the order of RFC 9162 §2.1.4.2")


@router.get(
    "/log/consistency",
    summary="Get a consistency proof between two checkpoints",
    responses=error_responses(404, 422, 503),
)
def get_log_consistency_proof(
    session: SessionDep,
    response: Response,
    first: Annotated[int, Query(ge=0, le=MAX_TREE_SIZE, description="size of the earlier checkpoint", examples=[1])],
    second: Annotated[int, Query(ge=0, le=MAX_TREE_SIZE, description="size of the later checkpoint", examples=[2])],
) -> ConsistencyProofResponse:
    """Proves that the log of the later checkpoint contains that of the earlier one unchanged."""
    hashes = reader.consistency_proof(session, first, second)
    response.headers.update(CACHE_IMMUTABLE)
    return ConsistencyProofResponse(
        first=first, second=second, hashes=[base64.b64encode(each).decode("ascii") for each in hashes]
    )


@router.get(
    "/v1/certificates/{number}/log-proof",
    summary="Get the inclusion proof of a certificate",
    response_class=Response,
    responses={200: _AS_TEXT, **error_responses(404, 503)},
)
def get_certificate_log_proof(
    number: str, request: Request, session: SessionDep, now: NowDep, policy: WitnessPolicyDep
) -> Response:
    """A `tlog-proof`: index of the entry `certificate.issued`, or of `certificate.reissued` where it was signed anew,
    path of hashes, checkpoint. Verifiable offline.

    The checkpoint is the newest that enough witnesses have seen, if it contains the entry. `Mik-Witnesses` says how
    many have: `seen by 2 of 3 witnesses at 2026-11-28T06:00:00Z`, or `not yet witnessed, age 5 min`.
    """
    parsed = parse_number(number)
    if parsed is None:
        raise NotFound.of("certificate")
    proof, judged = cosigned.judge_issue(session, str(parsed), policy, get_container(request).log.verifier, now)
    return Response(proof.text, media_type=TEXT_MEDIA_TYPE, headers=CACHE_FIVE_SECONDS | _witness_header(judged))


def _witness_header(judged: WitnessJudgement | None) -> dict[str, str]:
    """Return the header for readers; empty without a policy."""
    return {WITNESSES_HEADER: judged.text} if judged is not None else {}
