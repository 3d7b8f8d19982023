"""`mik admin export-log` and `export-bundle`: what others need to check certificates without this service."""

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
from app.cli.common import fail, handle_errors, load_settings, open_database
from app.core.dates import utc_now
from app.core.files import replace_file
from app.db import Database
from app.errors import UnsafeToStart
from app.keys import KeyRing, did_document
from app.ledger import reading, store, tiles
from app.ledger import service as ledger
from app.ledger.keeper import KeyKeeper
from app.ledger.key_files import KeyFiles
from app.settings import Settings


def export_log(
    folder: Annotated[Path, typer.Argument(help="Folder to write; serve it as the prefix of the log.")],
) -> None:
    """Write the public log as plain files.

    Writes checkpoint, key and tiles in the layout of tlog-tiles, for any web server or archive. Running it again writes
    only what is new. The checkpoint comes last: what it promises is there already.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database, database.read_session() as session:
        head = store.head(session)
        if head is None or head.checkpoint is None:
            raise UnsafeToStart("There is no public log here yet: it begins with the first start of the service.")
        size, signed, vkey = head.size, head.checkpoint, head.vkey
        written = 0
        try:
            for tile in tiles.all_of(size):
                path = folder / "tile" / tile.path
                if not path.exists():
                    _write(path, reading.tile(session, tile))
                    written += 1
            _write(folder / "vkey", f"{vkey}\n".encode())
            _write(folder / "checkpoint", signed.encode())
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{size} entries in {folder}: {written} tiles are new.")


def _write(path: Path, content: bytes) -> None:
    """Write the file whole or not at all: a reader of the folder never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content, 0o644)  # made to be published


def export_bundle(
    folder: Annotated[Path, typer.Argument(help="Folder to write; an older bundle there is replaced.")],
) -> None:
    """Write a folder for checks without a network.

    Writes keys, DID document, status lists, checkpoint and proofs for `mik verify --offline --bundle FOLDER`. The lists
    are good for four days: run it every day.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        with database.read_session() as session:
            issuer = ledger.stored_issuer(session)
        if issuer is None:
            raise UnsafeToStart("The register has no issuer yet: start it with `mik serve`.")
        try:
            count = bundle_files.write(folder, issuer, _bundled(database, settings, issuer), utc_now())
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{count} files in {folder}. The lists are good for four days.")


def _bundled(database: Database, settings: Settings, issuer: str) -> Iterator[tuple[str, bytes]]:
    with database.read_session() as session:
        ring = KeyRing.of(ledger.known_keys(session).values())
    yield "jwks.json", jws.dump_json(ring.jwks())
    yield "did.json", jws.dump_json(did_document(issuer, ring))
    yield from _bundled_log(database)
    # The lists last: they tell of every certificate that the log has by now.
    with database.read_session() as session:
        names = [list_name(*each) for each in status_list_store.every_list(session)]
    keeper = KeyKeeper(database, KeyFiles(settings.keys_dir, issuer))
    lists = StatusLists(database, keeper.signer, issuer, settings.base_url, utc_now)
    for name in names:
        yield bundle_files.list_file(name), lists.published(name).encode()


def _bundled_log(database: Database) -> Iterator[tuple[str, bytes]]:
    """Checkpoint, and for each certificate the proof of its issue with the entry itself, of one moment."""
    with database.read_session() as session:
        yield "log/vkey", f"{reading.vkey(session)}\n".encode()
        yield "log/checkpoint", reading.checkpoint(session).encode()
        for number, entry in store.every_issue(session):
            head, _, rest = reading.inclusion(session, number).text.partition("\n")
            extra = base64.b64encode(entry).decode("ascii")
            yield bundle_files.proof_file(number), f"{head}\nextra {extra}\n{rest}".encode()
