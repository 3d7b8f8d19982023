"""Implement `mik admin export-log` and `export-bundle`: files for verification without this service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from app.certificates import status_list_repository
from app.certificates.read_model.status_list_bits import StatusListBits
from app.certificates.status_list import list_name
from app.certificates.status_list_publisher import StatusListPublisher
from app.cli.common import fail, handle_errors, load_settings, open_database, stderr
from app.core.crypto import jws
from app.core.crypto.jwk import build_jwks
from app.core.crypto.keyring import KeyRing
from app.core.database import Database
from app.core.dates import utc_now
from app.core.errors import UnsafeToStart
from app.core.files import replace_file
from app.core.settings import Settings
from app.signing import issuer_identity
from app.signing.key_files import KeyFiles
from app.signing.key_provider import KeyProvider
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency import log_repository, reader, tiles
from app.transparency.witness import cosigned
from app.transparency.witness_client import load_policy
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
        size, vkey = head.size, head.vkey
        policy = load_policy(settings.witness_policy)
        written = 0
        try:
            for tile in tiles.all_tiles(size):
                path = folder / "tile" / tile.path
                if not path.exists():
                    _write(path, reader.read_tile(session, tile))
                    written += 1
            _write(folder / "vkey", f"{vkey}\n".encode())
            _write(folder / "checkpoint", cosigned.get_newest(session, policy, utc_now()).note.encode())
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{size} entries in {folder}: {written} tiles are new.")


def _write(path: Path, content: bytes) -> None:
    """Replace the file atomically, so that a reader never sees an incomplete file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content, 0o644)  # world-readable, because the folder is published


def export_bundle(
    archive: Annotated[Path, typer.Argument(help="File to write, such as bundle.tar; an older one is replaced.")],
) -> None:
    """Write an archive for checks without a network.

    Writes keys, status lists, checkpoint and the whole log for `mik verify --offline --bundle ARCHIVE`. The lists are
    valid for four days: run it every day. Prints the thumbprint of the log, which readers give or compare.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        with database.read_session() as session:
            issuer = issuer_identity.get_stored_issuer(session)
        if issuer is None:
            raise UnsafeToStart("The database has no issuer yet: start the service with `mik serve`.")
        try:
            count = offline_bundle.write_bundle(archive, _bundled(database, settings, issuer))
        except OSError as why:
            fail(f"{archive} cannot be written: {why.strerror}.")
        with database.read_session() as session:
            thumbprint = offline_bundle.log_thumbprint(reader.get_vkey(session))
    typer.echo(f"{count} files in {archive}. The lists are valid for four days.")
    typer.echo(f"thumbprint of the log: {thumbprint}")


def _bundled(database: Database, settings: Settings, issuer: str) -> Iterator[tuple[str, bytes]]:
    """Yield the members in their order. The lists are signed first, so that the log is never older than they are."""
    log = open_verified_log(database, LogKeyFile(settings.log_key), settings.verified_checkpoint)
    log.require_intact()  # a bundle is made only of what the log proves
    with database.read_session() as session:
        names = [list_name(*each) for each in status_list_repository.list_all(session)]
    keeper = KeyProvider(database, KeyFiles(settings.keys_dir, issuer), log)
    bits = StatusListBits(log, load_snapshot_key(settings), keeper.keyring)
    lists = StatusListPublisher(database, keeper.active_signer, issuer, settings.base_url, utc_now, bits)
    signed = [(offline_bundle.status_list_path(name), lists.get_token(name).encode()) for name in sorted(names)]
    policy, now = load_policy(settings.witness_policy), utc_now()
    with database.read_session() as session:
        ring = KeyRing.from_keys(issuer_identity.load_keys(session, log).values())
        newest = cosigned.get_newest(session, policy, now)
        witnessed = cosigned.find_witnessed(session, policy, now)
        yield offline_bundle.INDEX, offline_bundle.index_bytes(issuer)
        yield offline_bundle.VKEY, f"{log.vkey}\n".encode()
        yield offline_bundle.CHECKPOINT, newest.note.encode()
        yield offline_bundle.WITNESSED, witnessed.note.encode() if witnessed else b""
        yield offline_bundle.KEYS, jws.dump_json(build_jwks(dict(sorted(ring.all_public.items()))))
        yield from signed
        with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
            task = progress.add_task("entries of the log", total=newest.size)
            for first in range(0, newest.size, tiles.WIDTH):
                tile = tiles.Tile(None, first // tiles.WIDTH, min(tiles.WIDTH, newest.size - first))
                yield offline_bundle.tile_path(tile), reader.read_tile(session, tile)
                progress.advance(task, tile.width)
