"""`mik audit check` and `mik audit rights`: is the history whole, and what keeps it so on PostgreSQL."""

import json
import re
from typing import Annotated

import typer

from app import audit, schema
from app.cli.frame import in_words, load_settings, opened, stop

BROKEN = 1


def check(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of sentences.")] = False,
) -> None:
    """Derive the whole chain of events anew. Ends with 0 if it holds, with 1 and the first broken row if not."""
    settings = load_settings()
    with in_words(), opened(settings) as database, database.read_session() as session:
        report = audit.check(session)
    broken = report.broken
    if as_json:
        found = {"seq": broken.seq, "fault": broken.fault, "detail": broken.detail} if broken else None
        typer.echo(json.dumps({"events": report.events, "head": report.head, "broken": found}))
    elif broken:
        typer.echo(f"Broken at event {broken.seq} ({broken.fault}): {broken.detail}")
        typer.echo(f"{report.events} events before it hold; the last good hash is {report.head}.")
    else:
        typer.echo(f"{report.events} events hold. Head: {report.head}")
    if broken:
        raise typer.Exit(BROKEN)


def rights(
    role: Annotated[str, typer.Option(help="The database role that the service connects as.")] = "mik_app",
) -> None:
    """Print the SQL that lets a role run the service and not rewrite history (PostgreSQL, run it as the owner).

    Whoever owns a table may do everything with it, so rights help only if the service does not own its tables: migrate
    as the owner, serve as this role. Run it again after a migration.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        stop("A role has small letters, digits and underscores, and begins with no digit.")
    typer.echo(schema.rights_of(role))
