"""`mik admin issuance`: stop certifying for a while, with a reason that approvers are told."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli.common import fail, handle_errors, load_settings, write_session
from app.core.actor import SYSTEM
from app.core.dates import utc_now
from app.signing import issuance_pause
from app.web.schema_types import Text500


def pause(reason: Annotated[str, typer.Option(help="Shown to approvers.")]) -> None:
    """Let nothing be issued until further notice.

    Approving answers 503 with the reason. Every check goes on.
    """
    try:
        text = TypeAdapter(Text500).validate_python(reason)
    except ValidationError as why:
        fail(f"--reason: {why.errors()[0]['msg'].removeprefix('Value error, ')}")
    with handle_errors(), write_session(load_settings()) as session:
        issuance_pause.pause_issuance(session, SYSTEM, text, utc_now())
    typer.echo("Issuance is paused.")


def resume() -> None:
    """Let certificates be issued again."""
    with handle_errors(), write_session(load_settings()) as session:
        issuance_pause.resume_issuance(session, SYSTEM, utc_now())
    typer.echo("Certificates are issued again.")
