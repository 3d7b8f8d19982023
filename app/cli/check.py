"""`mik check`: what would keep the service from starting in production, without starting it."""

from typing import Annotated

import typer

from app import production
from app.cli.frame import load_settings, stop
from app.core.dates import utc_now
from app.production import AsGiven
from app.settings import Profile, Settings


def check(
    workers: Annotated[int, typer.Option(min=1, max=64, help="As you would give it to `mik serve`.")] = 1,
) -> None:
    """Look at settings, folder, keys, database and clock as production would. Ends with 0 if it may start, else 2."""
    settings = load_settings(AsGiven)
    if settings.profile is Profile.PRODUCTION:
        stop_if_unsafe(settings, workers)
        typer.echo("Checks passed: `mik serve` may start.")
        return
    typer.echo("The demo profile starts in any case. With MIK_PROFILE=production these would be configuration errors:")
    for line in production.refusals(settings, utc_now(), workers=workers):
        typer.echo(f"- {line}")


def stop_if_unsafe(settings: Settings, workers: int) -> None:
    """Every reason at once, each with what to do, and exit code 2."""
    if found := production.refusals(settings, utc_now(), workers=workers):
        lines = "\n".join(f"- {line}" for line in found)
        stop(f"Configuration errors:\n{lines}")
