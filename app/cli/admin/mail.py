"""Implement `mik admin mail`: list, show and send messages to users."""

import asyncio
import time
from datetime import datetime
from typing import Annotated

import typer

from app.cli.common import fail, handle_errors, load_settings, open_database
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.dates import utc_now
from app.core.settings import Settings
from app.notifications import inbox_follower, mail_repository
from app.notifications.delivery import DeliveryTotals, create_mail_delivery
from app.notifications.transport import MailFile, list_mail_files

MOST_LISTED = 1_000
BETWEEN_LOOKS = 0.2
"""Seconds."""


def list_messages() -> None:
    """List the messages that wait or were written.

    Shows waiting messages with their last error and, where no mail server is set, messages written to files.
    """
    settings = load_settings()
    with handle_errors():
        for each in list_mail_files(settings.mail_dir):
            typer.echo(f"{each.name}  {each.recipient}  {each.subject}")
        with open_database(settings) as database, database.read_session() as session:
            for message in mail_repository.list_waiting(session, MOST_LISTED):
                typer.echo(
                    f"waits: {message.id}  {message.recipient}  {message.kind}  attempts: {message.attempts}  "
                    f"{message.last_error or ''}".rstrip()
                )


def show(
    which: Annotated[str, typer.Argument(help="Name of the file as listed, or an address: the newest one to it.")],
    code: Annotated[bool, typer.Option("--code", help="Print only the one-time code in it.")] = False,
    wait: Annotated[float, typer.Option(min=0, max=600, help="Seconds to wait for such a message.")] = 0,
) -> None:
    """Show a message that was written to a file.

    Messages are written to files where no mail server is set. Ends with 2 if there is no such message.
    """
    settings = load_settings()
    until = time.monotonic() + wait
    while (found := newest(settings, which, with_code=code)) is None:
        if time.monotonic() >= until:
            fail(f"There is no such message in {settings.mail_dir}.")
        time.sleep(BETWEEN_LOOKS)
    if code:
        typer.echo(code_in(found))
        return
    typer.echo(f"To: {found.recipient}\nDate: {found.sent_at}\nSubject: {found.subject}\n\n{found.body}", nl=False)


def newest(settings: Settings, which: str, *, with_code: bool = False) -> MailFile | None:
    """Return the newest message with this name or recipient; `with_code`: only one with a one-time code."""
    matching = [each for each in list_mail_files(settings.mail_dir) if which in {each.name, each.recipient}]
    return next((each for each in reversed(matching) if not with_code or code_in(each)), None)


def code_in(message: MailFile) -> str:
    """Return the one-time code of a message, which is on a line of its own; empty when there is none."""
    return next((line for line in message.body.splitlines() if line.startswith("mik") and "_" in line[:6]), "")


def send() -> None:
    """Send every message that is due now.

    `mik admin sweep` does so too. Ends with 1 if some were not delivered; they are sent again later.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        result = send_due(settings, database, utc_now())
    typer.echo(f"{result.sent} sent, {result.failed} not delivered.")
    if result.failed:
        raise typer.Exit(1)


def send_due(settings: Settings, database: Database, now: datetime) -> DeliveryTotals:
    inbox_follower.follow_all(database, now)
    delivery = create_mail_delivery(settings, database, SecretBox.from_folder(settings.keys_dir), lambda: now)
    return asyncio.run(delivery.send_due())
