"""`mik log check` and `mik log export`: is the public log what was promised, and its tiles as plain files."""

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app import audit
from app.certificates import examine as certificates
from app.cli.frame import in_words, load_settings, opened, stop
from app.core.files import replace_file
from app.errors import UnsafeToStart
from app.jws import PublicKey
from app.ledger import examine as ledger
from app.ledger import log_key, reading, store, tiles
from app.ledger import service as keys
from app.ledger.checkpoint import Checkpoint, read_checkpoint
from app.ledger.examine import Wrong
from app.ledger.note import NoteRefused, Verifier, parse_vkey
from app.schemes import service as schemes
from app.settings import Settings

BROKEN = 1
MAX_CHECKPOINT_BYTES = 65_536


def check(
    against: Annotated[
        Path | None, typer.Option(help="a checkpoint that was kept elsewhere, e.g. by curl from /log/checkpoint")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of sentences.")] = False,
) -> None:
    """Derive the public log anew, and compare certificates, keys, rules and history with it.

    Ends with 0 if all hold, with 1 and the first wrong row of each part if not.
    """
    settings = load_settings()
    with in_words(), opened(settings) as database, database.read_session() as session:
        history = audit.check(session)  # first: on PostgreSQL it begins the one snapshot that all read
        verifier = _verifier(session, settings)
        kept = _kept(against, verifier) if against else None
        derived = ledger.derive(session, verifier, kept)
        held, wrong_certificate = certificates.compare(session, _public_keys(session))
        broken = history.broken
        found = (
            derived.wrong,
            wrong_certificate,
            ledger.compare_keys(session),
            schemes.compare_with_log(session),
            Wrong(f"audit event {broken.seq}", broken.detail) if broken else None,
            ledger.compare_history(session, derived.histories),
        )
    wrong = list(dict.fromkeys(each for each in found if each is not None))
    if as_json:
        rows = [{"row": each.row, "detail": each.detail} for each in wrong]
        counts = {"entries": derived.size, "certificates": held, "events": history.events}
        typer.echo(json.dumps({**counts, "root": derived.root.hex(), "wrong": rows}))
    else:
        for each in wrong:
            typer.echo(f"Wrong: {each.row}: {each.detail}")
        verb = "hold before the first wrong row of each" if wrong else "hold"
        typer.echo(f"{derived.size} entries, {held} certificates and {history.events} events {verb}.")
    if wrong:
        raise typer.Exit(BROKEN)


def _verifier(session: Session, settings: Settings) -> Verifier:
    """By the key file where it is at hand: the key in the database could have been exchanged with all the rest."""
    head = store.head(session)
    if settings.log_key.exists():
        return log_key.LogKeyFile(settings.log_key)(session).verifier
    if head is None or head.vkey is None:
        raise UnsafeToStart("There is no public log here yet: it begins with the first start of the service.")
    try:
        return parse_vkey(head.vkey)
    except NoteRefused as why:
        raise UnsafeToStart(f"The stored key of the public log cannot be used: {why}") from why


def _kept(path: Path, verifier: Verifier) -> Checkpoint:
    try:
        with path.open("rb") as file:
            return read_checkpoint(file.read(MAX_CHECKPOINT_BYTES).decode(), verifier)
    except OSError as why:
        stop(f"{path} cannot be read: {why.strerror}.")
    except UnicodeDecodeError:
        stop(f"{path} is not a checkpoint: it is not UTF-8.")
    except NoteRefused as why:
        stop(f"{path} is refused: {why}")


def _public_keys(session: Session) -> dict[str, PublicKey]:
    return {kid: key.public for kid, key in keys.known_keys(session).items()}


def export(
    folder: Annotated[Path, typer.Argument(help="made if need be; serve it as the prefix of the log")],
) -> None:
    """Write checkpoint, key and tiles as plain files in the layout of tlog-tiles, for any web server or archive.

    Running it again writes only what is new. The checkpoint comes last: what it promises is there already.
    """
    settings = load_settings()
    with in_words(), opened(settings) as database, database.read_session() as session:
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
            stop(f"{folder} cannot be written: {why.strerror}.")
    typer.echo(f"{size} entries in {folder}: {written} tiles are new.")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content, 0o644)  # made to be published
