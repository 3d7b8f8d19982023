"""`mik status-lists check`: do the published lists say what the certificates say?"""

import json
from typing import Annotated

import typer

from app.certificates import status_list_check
from app.cli.frame import in_words, load_settings, opened
from app.ledger import service as ledger

BROKEN = 1


def check(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of sentences.")] = False,
) -> None:
    """Hold every bit against the status of its certificate. Ends with 0 if all agree, with 1 and the first if not."""
    settings = load_settings()
    with in_words(), opened(settings) as database, database.read_session() as session:
        keys = {kid: key.public for kid, key in ledger.known_keys(session).items()}
        report = status_list_check.check(session, keys)
    if as_json:
        counts = {"lists": report.lists, "certificates": report.certificates, "wrong": report.wrong}
        typer.echo(json.dumps(counts))
    else:
        typer.echo(f"Wrong: {report.wrong}" if report.wrong else f"{report.lists} lists agree with all certificates.")
    if report.wrong:
        raise typer.Exit(BROKEN)
