"""Implement `mik admin issuance`: pause and resume the issue of certificates."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli.common import fail, handle_errors, load_settings, write_session
from app.core.actor import SYSTEM
from app.core.dates import utc_now
from app.signing import issuance_pause
from app.web.schema_types import Text500


def pause(reason: Annotated[str, typer.Option(help="Shown to approvers.")]) -> None:
    """Pause the issue of certificates until it is resumed.

    Approvals are answered with 503 and the reason. Verifications continue.
    """
    try:
        text = TypeAdapter(Text500).validate_python(reason)
    except ValidationError as why:
        fail(f"--reason: {why.errors()[0]['msg'].removeprefix('Value error, ')}")
    with handle_errors(), write_session(load_settings()) as session:
        issuance_pause.pause_issuance(session, SYSTEM, text, utc_now())
    typer.echo("Issuance is paused.")


def resume() -> None:
    """Resume the issue of certificates."""
    with handle_errors(), write_session(load_settings()) as session:
        issuance_pause.resume_issuance(session, SYSTEM, utc_now())
    typer.echo("Certificates are issued again.")
