"""Find what falls due by time, and do it: in the background or by `mik admin sweep`.

It may run late, twice, or concurrently. Each task is a transaction of its own and is checked again under its lock.
Deadlines are computed when they are read; this only applies the consequences of passed ones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.applications import application_deadlines, claims
from app.applications.application_deadlines import ExpiringApplication
from app.applications.evidence import certificate_evidence, evidence_documents, virus_scanner
from app.applications.evidence.file_store import EvidenceFileStore
from app.auth import session_repository, user_sessions
from app.auth.sign_on import sign_on_repository
from app.bulk import manifest_repository, manifests
from app.certificates import certificate_repository, residency_cascade
from app.core.actor import SYSTEM
from app.core.database import Database
from app.core.dates import baku_day
from app.events import reminder_service
from app.jobs import job_repository
from app.jobs.job_type import JobType
from app.notifications import mail_repository
from app.notifications.delivery import RETENTION
from app.transparency import appender
from app.watches import watch_repository, watches
from app.web import idempotency_repository
from app.webhooks import endpoints, webhook_repository

RESPONSE_RETENTION = timedelta(days=1)
TICKET_RETENTION = timedelta(hours=1)
"""The clocks of workers may differ by less."""
JOB_RETENTION = timedelta(days=30)
"""How long a job that is done keeps its key."""
TIME_TO = {"draft": "submit", "answer": "answer"}
"""What the applicant had to do, by the step that lapses."""


@dataclass(frozen=True, slots=True)
class DueTask:
    """Hold one due task. `do` runs it in a session and returns what was done, or None for nothing."""

    what: str
    do: Callable[[Session], str | None]


Finder = Callable[[Session, datetime, EvidenceFileStore | None], Iterator[DueTask]]
"""Yields what is due. Without files, uploads of refused claims and files that no document names are left alone."""


@dataclass(slots=True)
class TaskTotals:
    """`left`: how many were locked by others and wait for the next run."""

    done: int = 0
    left: int = 0


def run_tasks(
    database: Database,
    finders: Iterable[Finder],
    now: datetime,
    *,
    files: EvidenceFileStore | None,
    report: Callable[[str], None],
    dry_run: bool = False,
) -> TaskTotals:
    """Do what these finders find as of now; `dry_run`: only report it."""
    totals = TaskTotals()
    with database.read_session() as session:
        due = [task for find in finders for task in find(session, now, files)]
    for task in due:
        if dry_run:
            report(f"due: {task.what}")
            totals.done += 1
            continue
        try:
            with database.session() as session:
                result = task.do(session)
                session.commit()
        except OperationalError as why:
            report(f"in use, left for the next run: {task.what} ({why.orig.__class__.__name__})")
            totals.left += 1
            continue
        if result:
            report(result)
            totals.done += 1
    return totals


def log_history(database: Database, now: datetime) -> None:
    """Append the head of the audit chain to the public log, so that a cut is detected."""
    with database.session() as session:
        appender.append_audit_head(session, now)
        session.commit()


def _expired_applications(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    for each in application_deadlines.list_expiring(session, now):
        what = f"application {each.number}: the time to {TIME_TO[each.step]} expired on {_day(each.due_at)}"
        yield DueTask(what, _lapse(each, now))


def _changed_residencies(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    for residency_id in certificate_repository.expired_residency_ids(session, baku_day(now)):
        hits = residency_cascade.expire_residency(session, SYSTEM, residency_id=residency_id, dry_run=True, now=now)
        numbers = ", ".join(hit.number for hit in hits)
        yield DueTask(f"residency {residency_id} has ended: suspend {numbers}", _suspend(residency_id, now))
    for residency_id in certificate_repository.returned_residency_ids(session, baku_day(now)):
        hits = residency_cascade.activate_residency(session, SYSTEM, residency_id=residency_id, dry_run=True, now=now)
        numbers = ", ".join(f"{hit.number} {hit.effect}" for hit in hits)
        yield DueTask(f"residency {residency_id} has begun: {numbers}", _resume(residency_id, now))


def _ended_evidence(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    for evidence_id in certificate_evidence.list_ended_documents(session, baku_day(now)):
        yield DueTask(f"evidence {evidence_id} has ended: open a matter", _open_matters(evidence_id, now))


def _refused_claims(session: Session, now: datetime, files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if files is not None:
        for claim_id in claims.claims_to_erase(session, now):
            yield DueTask(f"claim {claim_id} was refused: erase its uploads", _erase(claim_id, files, now))


def _orphan_files(session: Session, now: datetime, files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if files is not None and (found := evidence_documents.list_orphan_files(session, files, now)):
        what = f"{len(found)} files that no document names, older than a day: remove them"
        yield DueTask(what, _remove(found, files, now))


def _due_reminders(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if count := reminder_service.count_due(session, now):
        for _ in range(-(-count // reminder_service.MAX_IN_TRANSACTION)):
            yield DueTask(f"reminders of deadlines ({count}): record them", _remind(now))


def _unscanned_files(session: Session, now: datetime, files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if files is not None:
        for sha256 in virus_scanner.list_waiting(session):
            yield DueTask(f"file {sha256} waits for the virus scanner: scan it", _scan(sha256, files, now))


def _expired_responses(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if idempotency_repository.has_expired_records(session, now - RESPONSE_RETENTION):
        yield DueTask("responses stored for retries, older than a day: delete them", _delete_responses(now))


def _expired_sessions(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if user_sessions.has_expired_sessions(session, now):
        yield DueTask("sessions ended more than a month ago: delete them", _delete_sessions(now))


def _expired_tickets(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if sign_on_repository.has_tickets_expired_before(session, now - TICKET_RETENTION):
        yield DueTask("used tickets of sign-ins, expired for an hour: delete them", _delete_tickets(now))


def _old_confirmations(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if session_repository.has_old_confirmations(session, now - RETENTION):
        yield DueTask("confirmed addresses, older than a month: delete them", _delete_confirmations(now))


def _old_messages(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if mail_repository.has_messages_before(session, now - RETENTION):
        yield DueTask("messages delivered or void, older than a month: delete them", _delete_messages(now))


def _old_manifests(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if manifest_repository.has_ended_before(session, now - manifests.RETENTION):
        yield DueTask("manifests ended more than a month ago: delete them", _delete_manifests(now))


def _unconfirmed_watches(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if watch_repository.has_unconfirmed_before(session, now - watches.CONFIRM_WITHIN):
        yield DueTask("addresses that follow certificates, not confirmed in time: delete them", _delete_watches(now))


def _old_deliveries(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if webhook_repository.has_finished_before(session, now - endpoints.RETENTION):
        yield DueTask("deliveries to webhooks ended more than a month ago: delete them", _delete_deliveries(now))


def _finished_jobs(session: Session, now: datetime, _files: EvidenceFileStore | None) -> Iterator[DueTask]:
    if job_repository.has_finished_before(session, now - JOB_RETENTION):
        yield DueTask("jobs done more than a month ago: delete them", _delete_jobs(now))


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


def _remind(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        count = reminder_service.record_due(session, SYSTEM, now)
        return f"reminders of deadlines: {count} recorded" if count else None

    return do


def _scan(sha256: str, files: EvidenceFileStore, now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        result = virus_scanner.scan_waiting(session, sha256, files, now)
        if result is None:
            return None
        found = f"the virus scanner found {result.signature}" if result.signature else "clean"
        return f"file {sha256} is scanned: {found}"

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


def _delete_tickets(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        sign_on_repository.delete_tickets_expired_before(session, now - TICKET_RETENTION)
        return "used tickets of sign-ins are deleted"

    return do


def _delete_messages(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        mail_repository.delete_messages_before(session, now - RETENTION)
        return "messages delivered or void for more than a month are deleted"

    return do


def _delete_manifests(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        manifest_repository.delete_ended_before(session, now - manifests.RETENTION)
        return "manifests that ended more than a month ago are deleted"

    return do


def _delete_watches(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        watch_repository.delete_unconfirmed_before(session, now - watches.CONFIRM_WITHIN)
        return "addresses that were not confirmed in time are deleted"

    return do


def _delete_deliveries(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        webhook_repository.delete_finished_before(session, now - endpoints.RETENTION)
        return "deliveries to webhooks that ended more than a month ago are deleted"

    return do


def _delete_confirmations(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        session_repository.delete_old_confirmations(session, now - RETENTION)
        return "confirmed addresses older than a month are deleted"

    return do


def _delete_jobs(now: datetime) -> Callable[[Session], str | None]:
    def do(session: Session) -> str | None:
        job_repository.delete_finished_before(session, now - JOB_RETENTION)
        return "jobs done for more than a month are deleted"

    return do


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

FINDERS: Mapping[JobType, Finder] = MappingProxyType(
    {
        JobType("applications.lapse", every=HOUR): _expired_applications,
        JobType("certificates.follow-residencies", every=HOUR): _changed_residencies,
        JobType("certificates.open-matters-of-ended-evidence", every=HOUR): _ended_evidence,
        JobType("claims.erase-uploads", every=HOUR): _refused_claims,
        JobType("evidence.remove-orphan-files", every=DAY): _orphan_files,
        JobType("events.record-reminders", every=HOUR): _due_reminders,
        JobType("evidence.scan", every=MINUTE): _unscanned_files,
        JobType("responses.delete-expired", every=HOUR): _expired_responses,
        JobType("sessions.delete-expired", every=DAY): _expired_sessions,
        JobType("sign-on.delete-used-tickets", every=HOUR): _expired_tickets,
        JobType("addresses.delete-confirmed", every=DAY): _old_confirmations,
        JobType("messages.delete-old", every=DAY): _old_messages,
        JobType("manifests.delete-old", every=DAY): _old_manifests,
        JobType("watches.delete-unconfirmed", every=DAY): _unconfirmed_watches,
        JobType("webhooks.delete-old", every=DAY): _old_deliveries,
        JobType("jobs.delete-finished", every=DAY): _finished_jobs,
    }
)
"""What looks for due tasks, by the job that does so in the background."""
