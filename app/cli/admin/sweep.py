"""Implement `mik admin sweep`: run all due tasks now, as the background jobs do."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError

from app.applications.evidence.file_store import EvidenceFileStore
from app.cli.admin import mail
from app.cli.common import handle_errors, load_settings, open_database, renew_snapshots
from app.core.database import Database
from app.core.dates import utc_now
from app.core.settings import Settings
from app.transparency.witness_client import WitnessClient, load_policy
from app.worker import due_tasks
from app.worker.due_tasks import FINDERS

UNDONE = 1


def sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what falls due; change nothing.")] = False,
) -> None:
    """Do now what the background jobs do when it falls due.

    Ends applications that waited too long, suspends and resumes certificates with their residencies, opens matters
    about evidence that ended, erases uploads of refused claims, removes files that no document names, deletes old
    responses, sessions and messages, renews stored answers whose time has passed, sends waiting messages, and shows
    the public log to its witnesses. Ends with 1 if something was in use, not delivered or not cosigned, and waits for
    the next run.
    """
    settings = load_settings()
    files = EvidenceFileStore(settings.evidence_dir, settings.evidence_max_bytes)
    with handle_errors(), open_database(settings) as database:
        undone = run(database, utc_now(), dry_run=dry_run, report=typer.echo, files=files)
        if not dry_run:
            renewed = renew_snapshots(settings, database, utc_now())
            typer.echo(f"{renewed} answers to verifications renewed.")
            sent = mail.send_due(settings, database, utc_now())
            undone += sent.failed
            typer.echo(f"{sent.sent} messages sent, {sent.failed} not delivered.")
            undone += ask_witnesses(settings, database, typer.echo)
    if undone:
        raise typer.Exit(UNDONE)


def run(
    database: Database,
    now: datetime,
    *,
    dry_run: bool,
    report: Callable[[str], None],
    files: EvidenceFileStore | None = None,
) -> int:
    """Run everything that is due as of now. Return how many tasks were locked and wait for the next run.

    Without `files`, uploads of refused claims and files that no document names are left alone.
    """
    totals = due_tasks.run_tasks(database, FINDERS.values(), now, files=files, report=report, dry_run=dry_run)
    if not dry_run:
        totals.left += _log_history(database, now, report)
    report(f"{totals.done} due; nothing was changed." if dry_run else f"{totals.done} done.")
    return totals.left


def ask_witnesses(settings: Settings, database: Database, report: Callable[[str], None]) -> int:
    """Show the newest checkpoint to every witness that has not seen it. Returns how many did not cosign it."""
    policy = load_policy(settings.witness_policy)
    outcomes = WitnessClient(database, policy, refusals=settings.refusals_dir, clock=utc_now).run_round()
    refused = [each for each in outcomes if each.error is not None]
    for each in refused:
        report(f"witness {each.witness.name} has not cosigned the log: {each.error}")
    if outcomes:
        report(f"{len(outcomes) - len(refused)} of {len(outcomes)} witnesses have cosigned the log.")
    return len(refused)


def _log_history(database: Database, now: datetime, report: Callable[[str], None]) -> int:
    """Append the head of the audit chain to the public log, so that a cut is detected. Returns 1 when deferred."""
    try:
        due_tasks.log_history(database, now)
    except OperationalError as why:
        report(f"in use, left for the next run: the head of the history ({why.orig.__class__.__name__})")
        return 1
    return 0
