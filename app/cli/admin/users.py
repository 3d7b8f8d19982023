"""Implement `mik admin users`: create staff and reset passwords on the machine of the service."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.auth import user_repository, users
from app.auth.credentials import mfa, password_resets, staff_credentials
from app.auth.credentials.passwords import PasswordHasher
from app.auth.credentials.relying_party import RelyingParty
from app.cli.common import fail, handle_errors, load_settings, write_session
from app.core import strict_json
from app.core.actor import STAFF_ROLES, SYSTEM, Role
from app.core.dates import utc_now
from app.notifications import notices
from app.notifications.model import MessageKind


def create(
    email: Annotated[str, typer.Option(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    role: Annotated[list[Role], typer.Option(help="Role of staff; may be given more than once.")],
) -> None:
    """Create a member of staff.

    The password is prompted for, or read from standard input or MIK_NEW_PASSWORD. There is no option for it, because
    every user of the machine could read it on the command line.
    """
    if unknown := sorted(set(role) - STAFF_ROLES):
        fail(f"{', '.join(unknown)} cannot be granted; staff roles are {', '.join(sorted(STAFF_ROLES))}.")
    if "@" not in email or not email.isprintable() or not name.strip() or not name.isprintable():
        fail("Give an e-mail address and a name.")
    settings = load_settings()
    password = _password()
    with handle_errors():
        password_hash = PasswordHasher(settings.password_hashers).hash(password)
        with write_session(settings) as session:
            users.create_staff(
                session,
                SYSTEM,
                email=email,
                full_name=name.strip(),
                password_hash=password_hash,
                roles=role,
                now=utc_now(),
            )
    typer.echo(f"{users.normalize_email(email)} created with role {', '.join(sorted(role))}.")


def authenticator(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    registration: Annotated[Path, typer.Option(help="File that `mik authenticator register` printed.")],
    name: Annotated[str, typer.Option(help="Name by which the person knows it.")] = "Key file",
) -> None:
    """Register the authenticator of a member of staff.

    With it the person confirms decisions. For the first owners, whom no other owner can confirm; it takes the key of
    the public log on this machine. Everyone else sends the registration to POST /v1/me/credentials.
    """
    settings = load_settings()
    try:
        content = strict_json.loads(registration.read_bytes())
    except (OSError, ValueError) as why:
        fail(f"{registration} cannot be read as JSON: {why}")
    if not isinstance(content, dict):
        fail(f"{registration} does not hold a registration.")
    with handle_errors(), write_session(settings) as session:
        user = user_repository.find_user_by_email(session, users.normalize_email(email))
        if user is None or not user.is_staff:
            fail("There is no member of staff with this address.")
        found = staff_credentials.read_registration(
            content, account=user.email, user_id=user.id, name=name, party=RelyingParty.of(settings.base_url)
        )
        now = utc_now()
        row = staff_credentials.register_credential(session, SYSTEM, found, now)
        notices.notify_authenticator(session, MessageKind.AUTHENTICATOR_REGISTERED, user, now=now)
    typer.echo(f"{user.email} confirms decisions with this authenticator; the public log names it {row.sha256}.")


def reset(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    lost: Annotated[bool, typer.Option("--second-factor", help="The authenticator is lost as well.")] = False,
) -> None:
    """Print a one-time token that sets a password.

    Use it where no other owner can issue one. POST /v1/auth/password-reset accepts it for a day. With --second-factor
    the authenticator is removed.
    """
    settings = load_settings()
    with handle_errors(), write_session(settings) as session:
        now = utc_now()
        user = user_repository.find_user_by_email(session, users.normalize_email(email))
        if user is None:
            fail("There is no user with this address.")
        if lost:
            mfa.delete_enrolment(session, SYSTEM, user.id, now)
        _, _, token = password_resets.issue_reset(session, SYSTEM, user.id, now)
    typer.echo(token)


def _password() -> str:
    if given := os.environ.get("MIK_NEW_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked
