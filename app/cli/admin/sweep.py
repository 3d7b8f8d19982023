"""Implement `mik admin sweep`: run all due tasks. It may run late, twice, or concurrently.

Each task is a transaction of its own and is checked again under its lock. Deadlines are computed when they are read;
the sweep only applies the consequences of passed ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.applications import application_deadlines, claims
from app.applications.application_deadlines import ExpiringApplication
from app.applications.evidence import certificate_evidence, evidence_documents
from app.applications.evidence.file_store import EvidenceFileStore
from app.auth import session_repository, user_sessions
from app.certificates import certificate_repository, residency_cascade
from app.cli.admin import mail
from app.cli.common import handle_errors, load_settings, open_database, renew_snapshots
from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.dates import baku_day, utc_now
from app.core.settings import Settings
from app.events import reminder_service
from app.notifications import mail_repository
from app.notifications.delivery import RETENTION
from app.transparency import appender
from app.transparency.witness_client import WitnessClient, load_policy
from app.web import idempotency_repository

RESPONSE_RETENTION = timedelta(days=1)
UNDONE = 1
TIME_TO = {"draft": "submit", "answer": "answer"}
"""What the applicant had to do, by the step that lapses."""


@dataclass(frozen=True, slots=True)
class DueTask:
    """Hold one due task. `do` runs it in a session and returns what was done, or None for nothing."""

    what: str
    do: Callable[[Session], str | None]


def sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what falls due; change nothing.")] = False,
) -> None:
    """Do what falls due; run it every hour.

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
    undone = done = 0
    for due in _due(database, now, files):
        if dry_run:
            report(f"due: {due.what}")
            done += 1
            continue
        try:
            with database.session() as session:
                result = due.do(session)
                session.commit()
        except OperationalError as why:
            report(f"in use, left for the next run: {due.what} ({why.orig.__class__.__name__})")
            undone += 1
            continue
        if result:
            report(result)
            done += 1
    if not dry_run:
        undone += _log_history(database, now, report)
    report(f"{done} due; nothing was changed." if dry_run else f"{done} done.")
    return undone


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
        with database.session() as session:
            appender.append_audit_head(session, now)
            session.commit()
    except OperationalError as why:
        report(f"in use, left for the next run: the head of the history ({why.orig.__class__.__name__})")
        return 1
    return 0


def _due(database: Database, now: datetime, files: EvidenceFileStore | None) -> Sequence[DueTask]:
    with database.read_session() as session:
        due = [
            DueTask(
                f"application {each.number}: the time to {TIME_TO[each.step]} expired on {_day(each.due_at)}",
                _lapse(each, now),
            )
            for each in application_deadlines.list_expiring(session, now)
        ]
        for residency_id in certificate_repository.expired_residency_ids(session, baku_day(now)):
            hits = residency_cascade.expire_residency(session, SYSTEM, residency_id=residency_id, dry_run=True, now=now)
            numbers = ", ".join(hit.number for hit in hits)
            due.append(DueTask(f"residency {residency_id} has ended: suspend {numbers}", _suspend(residency_id, now)))
        for residency_id in certificate_repository.returned_residency_ids(session, baku_day(now)):
            hits = residency_cascade.activate_residency(
                session, SYSTEM, residency_id=residency_id, dry_run=True, now=now
            )
            numbers = ", ".join(f"{hit.number} {hit.effect}" for hit in hits)
            due.append(DueTask(f"residency {residency_id} has begun: {numbers}", _resume(residency_id, now)))
        for evidence_id in certificate_evidence.list_ended_documents(session, baku_day(now)):
            due.append(DueTask(f"evidence {evidence_id} has ended: open a matter", _open_matters(evidence_id, now)))
        if files is not None:
            for claim_id in claims.claims_to_erase(session, now):
                due.append(DueTask(f"claim {claim_id} was refused: erase its uploads", _erase(claim_id, files, now)))
            if found := evidence_documents.list_orphan_files(session, files, now):
                what = f"{len(found)} files that no document names, older than a day: remove them"
                due.append(DueTask(what, _remove(found, files, now)))
        if count := reminder_service.count_due(session, now):
            runs = -(-count // reminder_service.MAX_IN_TRANSACTION)
            due += [DueTask(f"reminders of deadlines ({count}): record them", _remind(now)) for _ in range(runs)]
        due += _expired_records(session, now)
    return due


def _expired_records(session: Session, now: datetime) -> Iterator[DueTask]:
    """Yield the deletion of records whose retention has passed."""
    if idempotency_repository.has_expired_records(session, now - RESPONSE_RETENTION):
        yield DueTask("responses stored for retries, older than a day: delete them", _delete_responses(now))
    if user_sessions.has_expired_sessions(session, now):
        yield DueTask("sessions ended more than a month ago: delete them", _delete_sessions(now))
    if session_repository.has_old_confirmations(session, now - RETENTION):
        yield DueTask("confirmed addresses, older than a month: delete them", _delete_confirmations(now))
    if mail_repository.has_messages_before(session, now - RETENTION):
        yield DueTask("messages delivered or void, older than a month: delete them", _delete_messages(now))


def _day(moment: datetime) -> str:
    return baku_day(moment - timedelta(microseconds=1)).isoformat()


def _lapse(each: ExpiringApplication, now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        lapsed = application_deadlines.lapse_application(session, SYSTEM, each.application_id, now)
        return f"application {each.number} has lapsed" if lapsed else None

    return do


def _suspend(residency_id: UUID, now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        hits = residency_cascade.expire_residency(session, SYSTEM, residency_id=residency_id, dry_run=False, now=now)
        numbers = ", ".join(f"{hit.number} {hit.effect}" for hit in hits)
        return f"residency {residency_id} has ended: {numbers}" if hits else None

    return do


def _resume(residency_id: UUID, now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        hits = residency_cascade.activate_residency(session, SYSTEM, residency_id=residency_id, dry_run=False, now=now)
        numbers = ", ".join(f"{hit.number} {hit.effect}" for hit in hits)
        return f"residency {residency_id} has begun: {numbers}" if hits else None

    return do


def _open_matters(evidence_id: UUID, now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        numbers = ", ".join(certificate_evidence.open_matters_for_ended_document(session, SYSTEM, evidence_id, now=now))
        return f"evidence {evidence_id} has ended: a matter is open about {numbers}" if numbers else None

    return do


def _remind(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        count = reminder_service.record_due(session, SYSTEM, now)
        return f"reminders of deadlines: {count} recorded" if count else None

    return do


def _erase(claim_id: UUID, files: EvidenceFileStore, now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        hashes = claims.erase_uploads(session, SYSTEM, claim_id, now)
        for sha256 in hashes:  # before the commit: a failure after it would leave the file for ever
            files.erase(sha256)
        return f"claim {claim_id} was refused: its uploads are erased"

    return do


def _remove(found: Sequence[Path], files: EvidenceFileStore, now: datetime) -> Callable[[Session], str | None]:
    def do(_session: Session) -> str | None:
        removed = sum(files.remove_unreferenced(path, now.timestamp()) for path in found)
        return f"{removed} files that no document named are removed" if removed else None

    return do


def _delete_responses(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        idempotency_repository.delete_expired_records(session, now - RESPONSE_RETENTION)
        return "responses stored for retries are deleted"

    return do


def _delete_sessions(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        user_sessions.delete_expired_sessions(session, now)
        return "sessions ended more than a month ago are deleted"

    return do


def _delete_messages(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        mail_repository.delete_messages_before(session, now - RETENTION)
        return "messages delivered or void for more than a month are deleted"

    return do


def _delete_confirmations(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        session_repository.delete_old_confirmations(session, now - RETENTION)
        return "confirmed addresses older than a month are deleted"

    return do
