"""Implement `mik admin export-log`, `export-files` and `export-bundle`: files for verification without this service."""

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
from app.core.settings import Settings
from app.signing import issuer_identity
from app.signing.key_files import KeyFiles
from app.signing.key_provider import KeyProvider
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency import reader, tiles
from app.transparency.witness import cosigned
from app.transparency.witness_client import load_policy
from app.verification import offline_bundle
from app.verification.evaluation import ProvenRecords
from app.verification.snapshot_setup import load_snapshot_key
from app.verification.snapshots import SnapshotCheck
from app.verification.static_export import StaticExport, write_log


def export_log(
    folder: Annotated[Path, typer.Argument(help="Folder to write; serve it as the prefix of the log.")],
) -> None:
    """Write the public log as plain files.

    Writes checkpoint, key and tiles in the layout of tlog-tiles, for any web server or archive. A later run writes only
    new files. The checkpoint is written last, so that everything it covers exists.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database, database.read_session() as session:
        log = open_verified_log(database, LogKeyFile(settings.log_key), settings.verified_checkpoint)
        log.require_intact()
        if not log.size:
            raise UnsafeToStart("There is no public log here yet: it begins with the first start of the service.")
        try:
            written = write_log(session, folder, log.vkey, load_policy(settings.witness_policy), utc_now())
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{log.size} entries in {folder}: {written} files are new.")


def export_files(
    folder: Annotated[Path, typer.Argument(help="Folder to write; serve it as the root of a web server.")],
) -> None:
    """Write all answers as signed files for a web server.

    Writes answers, signed ranges, status lists, keys and the public log at the paths that the service serves them at;
    a later run writes only what changed. Ranges are good for a day: run it every hour, or set MIK_EXPORT_FOLDER, and
    the service writes every change within two seconds.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        parts = _Parts(database, settings)
        export = StaticExport(
            folder,
            database,
            parts.log,
            parts.keys,
            parts.lists,
            ProvenRecords(database, parts.log),
            SnapshotCheck(load_snapshot_key(settings), parts.log),
            load_policy(settings.witness_policy),
            utc_now,
            marking=settings.marking,
        )
        try:
            written = export.run_round()
        except OSError as why:
            fail(f"{folder} cannot be written: {why.strerror}.")
        finally:
            export.close()
    typer.echo(f"{written} files are new in {folder}. The signed ranges are good for a day.")


class _Parts:
    """What signs and proves files, for this installation. Raises `UnsafeToStart` before the first start."""

    def __init__(self, database: Database, settings: Settings) -> None:
        with database.read_session() as session:
            issuer = issuer_identity.get_stored_issuer(session)
        if issuer is None:
            raise UnsafeToStart("The database has no issuer yet: start the service with `mik serve`.")
        self.issuer = issuer
        self.log = open_verified_log(database, LogKeyFile(settings.log_key), settings.verified_checkpoint)
        self.keys = KeyProvider(database, KeyFiles(settings.keys_dir, issuer), self.log)
        bits = StatusListBits(self.log, load_snapshot_key(settings), self.keys.keyring)
        self.lists = StatusListPublisher(database, self.keys.active_signer, issuer, settings.base_url, utc_now, bits)


def export_bundle(
    archive: Annotated[Path, typer.Argument(help="File to write, such as bundle.tar; an older one is replaced.")],
) -> None:
    """Write an archive for checks without a network.

    Writes keys, status lists, checkpoint and the whole log for `mik verify --offline --bundle ARCHIVE`. The lists are
    valid for four days: run it every day. Prints the thumbprint of the log, which readers give or compare.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        parts = _Parts(database, settings)
        try:
            count = offline_bundle.write_bundle(archive, _bundled(database, settings, parts))
        except OSError as why:
            fail(f"{archive} cannot be written: {why.strerror}.")
        thumbprint = offline_bundle.log_thumbprint(parts.log.vkey)
    typer.echo(f"{count} files in {archive}. The lists are valid for four days.")
    typer.echo(f"thumbprint of the log: {thumbprint}")


def _bundled(database: Database, settings: Settings, parts: _Parts) -> Iterator[tuple[str, bytes]]:
    """Yield the members in their order. The lists are signed first, so that the log is never older than they are."""
    log, lists = parts.log, parts.lists
    log.require_intact()  # a bundle is made only of what the log proves
    with database.read_session() as session:
        names = [list_name(*each) for each in status_list_repository.list_all(session)]
    signed = [(offline_bundle.status_list_path(name), lists.get_token(name).encode()) for name in sorted(names)]
    policy, now = load_policy(settings.witness_policy), utc_now()
    with database.read_session() as session:
        ring = KeyRing.from_keys(issuer_identity.load_keys(session, log).values())
        newest = cosigned.get_newest(session, policy, now)
        witnessed = cosigned.find_witnessed(session, policy, log.verifier, now)
        yield offline_bundle.INDEX, offline_bundle.index_bytes(parts.issuer)
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
