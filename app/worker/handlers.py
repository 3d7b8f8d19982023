"""Give each type of job its handler. A package that enqueues defines the type; its handler is entered here."""

import hashlib
import logging
import random
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from app.bulk.manifests import RUN_MANIFEST, ManifestRunner
from app.certificates import certificate_repository
from app.certificates.read_model import projector
from app.certificates.registers import intake, sanctions_alarm
from app.certificates.registers.intake import RESIDENTS, TAX
from app.core.crypto.jwk import parse_jwks
from app.core.dates import baku_day
from app.core.errors import Invalid
from app.core.files import replace_file
from app.jobs import port
from app.jobs.job_type import Handler, JobPostponed, JobRun, JobType
from app.jobs.job_worker import JobWorker
from app.notifications import inbox_follower
from app.notifications.inbox_follower import FOLLOW_EVENTS
from app.organisations.registers.sources import source_from
from app.organisations.sanctions import screening
from app.verification.snapshots import SnapshotWriter
from app.watches.follower import FOLLOW_WATCHES, follow_all
from app.web.container import Container
from app.webhooks.delivery import DELIVER, WebhookDeliveries
from app.worker import due_tasks
from app.worker.due_tasks import FINDERS, Finder

LOG_HISTORY = JobType("log.append-audit-head", every=timedelta(hours=1))
READ_RESIDENTS = JobType("registers.read-residents", every=timedelta(hours=1))
READ_TAXPAYERS = JobType("registers.read-taxpayers", every=timedelta(hours=1))
SCREEN_HOLDERS = JobType("sanctions.screen-holders", every=timedelta(hours=1))
RENEW_SNAPSHOTS = JobType("snapshots.renew", every=timedelta(minutes=15))

logger = logging.getLogger(__name__)


def build_handlers(container: Container) -> Mapping[JobType, Handler]:
    """Return the handlers of all types, with the services of this process."""
    due = {job_type: partial(_do_due, container, finder) for job_type, finder in FINDERS.items()}
    return due | {
        LOG_HISTORY: partial(_log_history, container),
        RENEW_SNAPSHOTS: partial(_renew_snapshots, container),
        READ_RESIDENTS: partial(_read_register, container, RESIDENTS),
        READ_TAXPAYERS: partial(_read_register, container, TAX),
        SCREEN_HOLDERS: partial(_screen_holders, container),
        RUN_MANIFEST: partial(_run_manifest, container),
        FOLLOW_EVENTS: partial(_follow_events, container),
        FOLLOW_WATCHES: lambda run: follow_all(container.database, container.secret_box, run.now),
        DELIVER: _webhook_deliveries(container).run,
    }


def build_worker(container: Container, more: Mapping[JobType, Handler] = MappingProxyType({})) -> JobWorker:
    """Return the worker of this process; commits of its sessions wake it. `more`: handlers of a sandbox."""
    worker = JobWorker(
        container.database,
        {**build_handlers(container), **more},
        clock=container.clock,
        jitter=random.random,
        look_every=container.settings.job_seconds,
    )
    container.database.attach_session_info({port.WAKE_KEY: worker.wake})
    return worker


class TasksLeft(Exception):
    """Some tasks were in use by others; the job is tried again."""


def _do_due(container: Container, finder: Finder, run: JobRun) -> None:
    totals = due_tasks.run_tasks(
        container.database, [finder], run.now, files=container.evidence_files, report=lambda _: None
    )
    if totals.done:
        logger.info("%s due tasks done.", totals.done)
    if totals.left:
        raise TasksLeft(f"{totals.left} tasks were in use.")


def _log_history(container: Container, run: JobRun) -> None:
    due_tasks.log_history(container.database, run.now)


def _renew_snapshots(container: Container, run: JobRun) -> None:
    with container.database.session() as session:
        writer: SnapshotWriter = session.info[projector.WRITER_KEY]
        writer.renew(session, run.now)
        session.commit()


def _follow_events(container: Container, run: JobRun) -> None:
    inbox_follower.follow_all(container.database, run.now)


def _webhook_deliveries(container: Container) -> WebhookDeliveries:
    return WebhookDeliveries(
        container.database,
        container.webhook_sender,
        container.secret_box,
        clock=container.clock,
        jitter=random.random,
    )


def _read_register(container: Container, register: str, run: JobRun) -> None:
    """Take what a register of others answers and was not taken yet. Staff see a register that is not available."""
    settings = container.settings
    address = settings.resident_register if register == RESIDENTS else settings.tax_register
    if not address:
        return
    keys = parse_jwks(Path(settings.register_keys).read_bytes()) if settings.register_keys else {}
    for answer in source_from(register, address, keys, settings.evidence_max_bytes).read(run.now):
        with container.database.read_session() as session:
            is_known = intake.is_known(session, register, answer)
        if is_known:
            continue
        settings.registers_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(settings.registers_dir / answer.sha256, answer.content)  # before the row that names it
        try:
            with container.database.session() as session:
                intake.take_answer(session, register, answer, settings.evidence_max_bytes, run.now)
                session.commit()
        except Invalid as why:
            logger.warning("An answer of the register %s was refused: %s", register, why.message)
            with container.database.session() as session:
                intake.store_refused(session, register, answer, why, run.now)
                session.commit()


def _screen_holders(container: Container, run: JobRun) -> None:
    """Load the file of the sanctions list if it changed, and open a matter where a holder resembles an entry.

    A file that cannot be read or used is a failure that staff see; the list loaded last stays in force.
    """
    settings = container.settings
    if settings.sanctions_list:
        content = Path(settings.sanctions_list).read_bytes()
        with container.database.session() as session:
            sha256 = hashlib.sha256(content).hexdigest()
            screening.load_list(session, content, sha256, settings.sanctions_threshold, run.now)
            session.commit()
    with container.database.read_session() as session:
        if not screening.has_list(session):
            return
        holders = certificate_repository.list_holders_in_force(session, baku_day(run.now))
    for done, organisation_id in enumerate(holders):
        run.report_progress(done, len(holders))
        with container.database.read_session() as session:
            if not screening.has_open_match(session, organisation_id):
                continue  # decided without the write lock: nearly all
        with container.database.session() as session:
            if opened := sanctions_alarm.open_matters(session, organisation_id, run.now):
                logger.warning("A holder resembles the sanctions list: %s matters opened.", opened)
            session.commit()


def _run_manifest(container: Container, run: JobRun) -> None:
    runner = ManifestRunner(
        container.database,
        container.verification,
        container.log,
        container.keys.lock_active_signer,
        container.issuance.issuer,
        container.clock,
    )
    if not runner.run(UUID(run.payload["manifest_id"]), run.is_stopping, run.report_progress):
        raise JobPostponed(run.now)
