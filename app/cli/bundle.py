"""`mik bundle`: all that a check without network needs, as a folder to carry along."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app import jws
from app.certificates import status_list_store
from app.certificates.status_list import list_name
from app.certificates.status_list_service import StatusLists
from app.cli import bundle_files
from app.cli.frame import in_words, load_settings, opened, stop
from app.core.dates import utc_now
from app.db import Database
from app.errors import UnsafeToStart
from app.keys import KeyRing, did_document
from app.ledger import reading, store
from app.ledger import service as ledger
from app.ledger.keeper import KeyKeeper
from app.ledger.key_files import KeyFiles
from app.settings import Settings


def bundle(
    folder: Annotated[Path, typer.Argument(help="made anew; an older bundle there is exchanged")],
) -> None:
    """Write keys, DID document, status lists, checkpoint and proofs for `mik verify --offline --bundle`.

    Its lists are good for four days: make it anew every day.
    """
    settings = load_settings()
    with in_words(), opened(settings) as database:
        with database.read_session() as session:
            issuer = ledger.stored_issuer(session)
        if issuer is None:
            raise UnsafeToStart("The register has no issuer yet: start it with `mik serve`.")
        try:
            count = bundle_files.write(folder, issuer, _files(database, settings, issuer), utc_now())
        except OSError as why:
            stop(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{count} files in {folder}. The lists are good for four days.")


def _files(database: Database, settings: Settings, issuer: str) -> Iterator[tuple[str, bytes]]:
    with database.read_session() as session:
        ring = KeyRing.of(ledger.known_keys(session).values())
    yield "jwks.json", jws.dump_json(ring.jwks())
    yield "did.json", jws.dump_json(did_document(issuer, ring))
    yield from _log(database)
    # The lists last: they tell of every certificate that the log has by now.
    with database.read_session() as session:
        names = [list_name(*each) for each in status_list_store.every_list(session)]
    keeper = KeyKeeper(database, KeyFiles(settings.keys_dir, issuer))
    lists = StatusLists(database, keeper.signer, issuer, settings.base_url, utc_now)
    for name in names:
        yield bundle_files.list_file(name), lists.published(name).encode()


def _log(database: Database) -> Iterator[tuple[str, bytes]]:
    """Checkpoint, and for each certificate the proof of its issue with the entry itself, of one moment."""
    with database.read_session() as session:
        yield "log/vkey", f"{reading.vkey(session)}\n".encode()
        yield "log/checkpoint", reading.checkpoint(session).encode()
        for number, entry in store.every_issue(session):
            head, _, rest = reading.inclusion(session, number).text.partition("\n")
            extra = base64.b64encode(entry).decode("ascii")
            yield bundle_files.proof_file(number), f"{head}\nextra {extra}\n{rest}".encode()
