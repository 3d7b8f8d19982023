"""Implement `mik sandbox reset`."""

from typing import Annotated

import typer

from app.cli.common import fail, handle_errors, load_settings
from app.core.dates import utc_now
from app.sandbox.installation import prepare_sandbox, reset_sandbox


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it nothing happens.")] = False,
) -> None:
    """Delete everything of the sandbox and prepare an empty one with new keys.

    Its companies, applications, certificates, log, files and clock are deleted. The real service keeps all of its own.
    Stop the service first and start it afterwards.
    """
    settings = load_settings()
    if not settings.sandbox:
        fail("There is no sandbox: MIK_SANDBOX is off.")
    if not yes:
        fail("This deletes everything of the sandbox. Stop the service, then say --yes.")
    with handle_errors():
        reset_sandbox(settings)
        prepare_sandbox(settings, utc_now)
    typer.echo("The sandbox is empty and has new keys. Start the service.")
