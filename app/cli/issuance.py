"""`mik issuance pause` and `resume`: stop certifying for a while, with a reason that everybody who asks is told."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.actor import SYSTEM
from app.cli.frame import in_words, load_settings, stop, writing
from app.core.dates import utc_now
from app.ledger import pause as pauses
from app.web.fields import Sentence


def pause(reason: Annotated[str, typer.Option(help="shown to approvers")]) -> None:
    """Let nothing be issued until further notice: approving answers 503 with the reason. Every check goes on."""
    try:
        text = TypeAdapter(Sentence).validate_python(reason)
    except ValidationError as why:
        stop(f"--reason: {why.errors()[0]['msg'].removeprefix('Value error, ')}")
    with in_words(), writing(load_settings()) as session:
        pauses.pause(session, SYSTEM, text, utc_now())
    typer.echo("Issuance is paused.")


def resume() -> None:
    """Let certificates be issued again."""
    with in_words(), writing(load_settings()) as session:
        pauses.resume(session, SYSTEM, utc_now())
    typer.echo("Certificates are issued again.")
