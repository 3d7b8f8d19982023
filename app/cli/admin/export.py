"""Implement `mik admin export-log` and `export-bundle`: files for verification without this service."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.certificates import status_list_repository
from app.certificates.read_model.status_list_bits import StatusListBits
from app.certificates.status_list import list_name
from app.certificates.status_list_publisher import StatusListPublisher
from app.cli.common import fail, handle_errors, load_settings, open_database
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRing
from app.core.database import Database
from app.core.dates import utc_now
from app.core.errors import UnsafeToStart
from app.core.files import replace_file
from app.core.settings import Settings
from app.signing import issuer_identity
from app.signing.key_documents import did_document
from app.signing.key_files import KeyFiles
from app.signing.key_provider import KeyProvider
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency import log_repository, reader, tiles
from app.transparency.verified_log import VerifiedLog
from app.verification import offline_bundle
from app.verification.snapshot_setup import load_snapshot_key


def export_log(
    folder: Annotated[Path, typer.Argument(help="Folder to write; serve it as the prefix of the log.")],
) -> None:
    """Write the public log as plain files.

    Writes checkpoint, key and tiles in the layout of tlog-tiles, for any web server or archive. A later run writes only
    new files. The checkpoint is written last, so that everything it covers exists.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database, database.read_session() as session:
        head = log_repository.get_head(session)
        if head is None or head.checkpoint is None:
            raise UnsafeToStart("There is no public log here yet: it begins with the first start of the service.")
        size, signed, vkey = head.size, head.checkpoint, head.vkey
        written = 0
        try:
            for tile in tiles.all_tiles(size):
                path = folder / "tile" / tile.path
                if not path.exists():
                    _write(path, reader.read_tile(session, tile))
                    written += 1
            _write(folder / "vkey", f"{vkey}\n".encode())
            _write(folder / "checkpoint", signed.encode())
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{size} entries in {folder}: {written} tiles are new.")


def _write(path: Path, content: bytes) -> None:
    """Replace the file atomically, so that a reader never sees an incomplete file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content, 0o644)  # world-readable, because the folder is published


def export_bundle(
    folder: Annotated[Path, typer.Argument(help="Folder to write; an older bundle there is replaced.")],
) -> None:
    """Write a folder for checks without a network.

    Writes keys, DID document, status lists, checkpoint and proofs for `mik verify --offline --bundle FOLDER`. The lists
    are valid for four days: run it every day.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        with database.read_session() as session:
            issuer = issuer_identity.get_stored_issuer(session)
        if issuer is None:
            raise UnsafeToStart("The database has no issuer yet: start the service with `mik serve`.")
        try:
            count = offline_bundle.write_bundle(folder, issuer, _bundled(database, settings, issuer), utc_now())
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{count} files in {folder}. The lists are valid for four days.")


def _bundled(database: Database, settings: Settings, issuer: str) -> Iterator[tuple[str, bytes]]:
    log = open_verified_log(database, LogKeyFile(settings.log_key), settings.verified_checkpoint)
    log.require_intact()  # a bundle is made only of what the log proves
    with database.read_session() as session:
        ring = KeyRing.from_keys(issuer_identity.load_keys(session, log).values())
    yield "jwks.json", jws.dump_json(ring.jwks())
    yield "did.json", jws.dump_json(did_document(issuer, ring))
    yield from _bundled_log(database, log)
    # The lists are written last: they cover every certificate that the exported log contains.
    with database.read_session() as session:
        names = [list_name(*each) for each in status_list_repository.list_all(session)]
    keeper = KeyProvider(database, KeyFiles(settings.keys_dir, issuer), log)
    bits = StatusListBits(log, load_snapshot_key(settings), keeper.keyring)
    lists = StatusListPublisher(database, keeper.active_signer, issuer, settings.base_url, utc_now, bits)
    for name in names:
        yield offline_bundle.status_list_path(name), lists.get_token(name).encode()


def _bundled_log(database: Database, log: VerifiedLog) -> Iterator[tuple[str, bytes]]:
    """Yield the checkpoint and, for each certificate, the entry of its issue with proof, all of one moment."""
    with database.read_session() as session:
        yield "log/vkey", f"{log.vkey}\n".encode()
        yield "log/checkpoint", reader.get_checkpoint(session).encode()
        for number, entry in log_repository.iterate_issue_entries(session):
            head, _, rest = reader.inclusion_proof(session, number).text.partition("\n")
            extra = base64.b64encode(entry).decode("ascii")
            yield offline_bundle.proof_path(number), f"{head}\nextra {extra}\n{rest}".encode()
