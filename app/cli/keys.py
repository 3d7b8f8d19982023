"""Implement `mik keys …`: manage the keys that sign certificates. Workers see a change within a second."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.cli.common import fail, handle_errors, load_settings, open_database, write_session
from app.core.actor import SYSTEM
from app.core.crypto.keyring import KeyState
from app.core.dates import format_utc, utc_now
from app.core.errors import UnsafeToStart
from app.core.settings import Settings
from app.signing import key_lifecycle, signing_repository
from app.signing.key_files import KeyFileMissing, KeyFiles
from app.signing.model import SigningKey
from app.transparency import log_repository

Kid = Annotated[str, typer.Argument(help="The kid, its thumbprint, or the first letters of the thumbprint.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_SHORTEST = 6


def list_keys(as_json: JsonOption = False) -> None:
    """List every key with its state and its number of certificates.

    Also shows since when it is in this state, and whether its file is missing on this machine.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database, database.read_session() as session:
        files, counts = KeyFiles(settings.keys_dir, find_issuer(session)), certificate_repository.count_by_key(session)
        rows = [
            {
                "kid": key.kid,
                "state": key.state,
                "since": format_utc(key.state_since),
                "certificates": counts.get(key.kid, 0),
                "file": _is_here(files, key.kid),
            }
            for key in signing_repository.list_keys(session)
        ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        here = "" if row["file"] else "  (no file here)"
        typer.echo(f"{row['state']:12}{row['since']}  {row['certificates']:>8} certificates  {row['kid']}{here}")


def show(kid: Kid) -> None:
    """Show the history of one key and every certificate that it signed.

    The history is the one in the public log.
    """
    with handle_errors(), open_database(load_settings()) as database, database.read_session() as session:
        key = find_key(session, kid)
        typer.echo(f"{key.kid}\n{json.dumps(key.public_jwk, sort_keys=True)}")
        for entry in log_repository.list_key_entries(session, key.kid):
            typer.echo(f"{format_utc(entry.at)}  {entry.event}  (entry {entry.seq} of the log)")
        for number in certificate_repository.numbers_signed_by(session, key.kid):
            typer.echo(number)


def next_key() -> None:
    """Make a new key and publish it.

    It signs once it is activated, a day from now.
    """
    with _key_session() as (session, settings):
        if any(key.state == KeyState.NEXT for key in signing_repository.list_keys(session)):
            fail("A key is published already and waits to be activated: see `mik keys list`.")
        signer = KeyFiles(settings.keys_dir, find_issuer(session)).create_key()
        key_lifecycle.publish_key(session, SYSTEM, signer, utc_now())
    typer.echo(f"Published: {signer.kid}")
    typer.echo("Bring its file to every machine that serves, then activate it a day from now.")


def activate(
    kid: Kid,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Do not wait a day until all clients have the key.")
    ] = False,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Activate it alone, without the two owners. The history shows it.")
    ] = False,
) -> None:
    """Let the published key sign from now on, without the two owners, in an emergency.

    Otherwise one owner proposes it (POST /v1/proposals, kind key-activation) and another confirms. The key that signed
    until now is retired, and its certificates stay valid.
    """
    if not emergency:
        fail(
            "Two owners activate a key: one proposes it at POST /v1/proposals (kind key-activation), another confirms. "
            "In an emergency add --emergency."
        )
    with _key_session() as (session, settings):
        key = find_key(session, kid)
        files = KeyFiles(settings.keys_dir, find_issuer(session))
        files.get_signer(key.kid)  # without its file nothing could be issued
        key_lifecycle.activate_key(session, SYSTEM, key.kid, at_once=at_once, now=utc_now())
    typer.echo(f"Active: {key.kid}")


def retire(kid: Kid) -> None:
    """Retire the active key without activating another one.

    No certificate can be issued until a key is activated.
    """
    with _key_session() as (session, _):
        key = find_key(session, kid)
        key_lifecycle.retire_key(session, SYSTEM, key.kid, utc_now())
    typer.echo(f"Retired: {key.kid}. Nothing can be issued until a key is activated.")


def compromise(
    kid: Kid,
    since: Annotated[
        str, typer.Option(help="When others may have got it, such as 2026-11-22T17:00:00Z; otherwise now.")
    ] = "",
) -> None:
    """Declare that others may hold the key.

    What the public log contains from before that moment stays valid. What it contains from later is `key_compromised`
    until `mik keys reissue` has signed it anew; what it does not contain is forged. This cannot be undone.
    """
    with _key_session() as (session, _):
        now = utc_now()
        key = find_key(session, kid)
        was_active = key.state == KeyState.ACTIVE
        key_lifecycle.mark_key_compromised(
            session, SYSTEM, key.kid, since=_read_moment(since) if since else now, now=now
        )
        kid = key.kid
    typer.echo(f"Compromised: {kid}")
    if was_active:
        typer.echo(
            "Nothing can be issued until another key is activated: mik keys next; "
            "mik keys activate --emergency --at-once …"
        )
    typer.echo(f"Then sign the certificates anew that were logged since: mik keys reissue --kid {kid}")


@contextmanager
def _key_session() -> Iterator[tuple[Session, Settings]]:
    settings = load_settings()
    with handle_errors(), write_session(settings) as session:
        yield session, settings


def find_issuer(session: Session) -> str:
    """Return the stored issuer. Raises `UnsafeToStart` before the first start of the service."""
    issuer = signing_repository.get_issuer(session)
    if issuer is None:
        raise UnsafeToStart("The database has no issuer yet: it is set at the first start of the service.")
    return issuer


def find_key(session: Session, text: str) -> SigningKey:
    """Return the key by its kid or the beginning of its thumbprint; ends where none or several match."""
    found = [
        key
        for key in signing_repository.list_keys(session)
        if text == key.kid or (len(text) >= _SHORTEST and key.kid.rpartition("#")[2].startswith(text))
    ]
    if len(found) != 1:
        fail(f"{'No key' if not found else 'More than one key'} is named so: see `mik keys list`.")
    return found[0]


def _is_here(files: KeyFiles, kid: str) -> bool:
    try:
        files.get_signer(kid)
    except KeyFileMissing:
        return False
    return True


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail("Give a moment such as 2026-11-22T17:00:00Z.")
    if moment.tzinfo is None:
        fail("Add the time zone: 2026-11-22T17:00:00Z, or with an offset such as +04:00.")
    return moment
