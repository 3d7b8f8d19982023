"""Composition root. START HERE: `prepare` brings a register to life once, `create_app` serves it in every worker."""

import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

from app import production, schema
from app.access.passwords import Passwords
from app.access.seal import Seal
from app.access.tokens import AccessTokens
from app.api import (
    account,
    applicant,
    auditor,
    auth,
    calendar,
    caseload,
    claims,
    context,
    documents,
    evidence,
    goods,
    impact,
    lists,
    matters,
    members,
    open_data,
    openapi,
    owner,
    precedents,
    programs,
    public,
    registrar,
    reports,
    residencies,
    reviewer,
    status_lists,
    users,
)
from app.api import keys as key_routes
from app.api import log as log_routes
from app.applications.files import EvidenceFiles
from app.applications.quotas import Quotas
from app.certificates import extracts, logged
from app.certificates.issuing import Issuance
from app.certificates.status_list_service import StatusLists
from app.commit_pipeline import open_database
from app.core.version import VERSION
from app.db import Database
from app.documents import organisation
from app.documents.drawer import Drawer
from app.documents.file_box import FileBox
from app.documents.press import Press
from app.errors import UnsafeToStart
from app.keys import access_signer
from app.ledger import log, log_key
from app.ledger import service as ledger
from app.ledger.keeper import KeyKeeper
from app.ledger.key_files import KeyFiles
from app.ledger.log_key import LogKeyFile
from app.notifications import outbox
from app.notifications.delivery import mail_delivery
from app.pages import apply, badge, register, report, start
from app.pages import problems as problem_pages
from app.pages.faults import FaultPages
from app.pages.frame import Frame
from app.pages.marks import Marks
from app.pages.verify import VerifyPages
from app.registry import places
from app.schemes import service as schemes
from app.schemes.scheme_file import load_schemes
from app.settings import Profile, Settings
from app.verification import lane
from app.verification.desk import VerificationDesk
from app.verification.lane import Lane
from app.verification.stores import certificate_store
from app.verification.tally import Tally
from app.web import gate, observability, problems
from app.web.deps import utc_now
from app.web.door import Door, Service
from app.web.gate import Gates
from app.web.limits import Limiter
from app.web.middleware import Envelope, PublicCors, RequestIds
from app.web.reading_trail import ReadingTrail
from app.web.routing import Uploads

Clock = Callable[[], datetime]


def prepare(settings: Settings, now: datetime) -> None:
    """Once, before the workers start: tables (demo only), issuer, keys, marks with their rules, parks.

    What is older than the public log is entered into it, and what has no extract for checks gets one.

    Running it again changes nothing. Errors: UnsafeToStart says what to do.
    """
    if settings.profile is Profile.DEMO:
        production.mark_demo_keys(settings)
    database = open_database(settings.sqlalchemy_url)
    try:
        if settings.profile is Profile.DEMO:
            schema.migrate(database)
        _refuse_unmigrated(database)
        database.carry({log.SIGNER: LogKeyFile(settings.log_key)})
        with database.session() as session:
            stored = ledger.stored_issuer(session)
            demo_issuer = stored or settings.default_issuer if settings.profile is Profile.DEMO else ""
            issuer = ledger.fix_issuer(session, settings.issuer or demo_issuer, now)
            log_key.adopt(session, settings.log_key)
            ledger.adopt_keys(session, KeyFiles(settings.keys_dir, issuer), now)
            schemes.publish(session, load_schemes().values(), now)
            logged.catch_up(session, now)
            places.seed_reference(session)
            session.commit()
        with database.session() as session:  # what was just logged is there now
            extracts.catch_up(session)
            session.commit()
    finally:
        database.dispose()


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """The service over a prepared register. `clock` gives aware moments; tests hand in their own."""
    observability.configure_logging(settings)
    if settings.profile is Profile.PRODUCTION:
        production.refuse(settings, clock())
    database = open_database(settings.sqlalchemy_url)
    _refuse_unmigrated(database)
    seal = Seal.of(settings.keys_dir)
    mail = mail_delivery(settings, database, seal, clock)
    database.carry({log.SIGNER: LogKeyFile(settings.log_key), outbox.WAKE: mail.wake})
    issuer = _issuer(database)
    keeper = KeyKeeper(database, KeyFiles(settings.keys_dir, issuer))
    store = certificate_store(settings.sqlalchemy_url)
    tally = Tally(also=observability.count_verdict) if settings.metrics_port else Tally()
    desk = VerificationDesk(
        store=store,
        keys=keeper.ring,
        reread=keeper.reread,
        clock=clock,
        base_url=settings.base_url,
        demo=settings.profile is Profile.DEMO,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await store.open()
        async with mail.in_background(settings.mail_seconds):
            yield
        tally.report()
        await store.close()
        app.state.reading_trail.close()
        database.dispose()

    app = Service(
        title="Made in Karabakh – certification service",
        version=VERSION,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        openapi_tags=openapi.TAGS,
        servers=[{"url": settings.base_url}],
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.database = database
    _set_access(app, settings)
    app.state.seal, app.state.mail, app.state.reading_trail = seal, mail, ReadingTrail(database)
    app.state.gates = Gates(gate.at_work(one_writer=database.is_sqlite), hashers=settings.password_hashers)
    app.state.issuance = Issuance(keeper.signer_in, issuer, settings.base_url, secrets.randbelow)
    app.state.status_lists = StatusLists(database, keeper.signer, issuer, settings.base_url, clock)
    signing = organisation.of_settings(settings, clock())
    app.state.press = Press(
        signer=keeper.signer,
        organisation=signing,
        drawer=Drawer(settings.papers_dir),
        timestamp_url=settings.timestamp_url,
        demo=settings.profile is Profile.DEMO,
    )
    app.state.bench = documents.Bench()
    app.state.evidence_files = EvidenceFiles(settings.evidence_dir, settings.evidence_max_bytes)
    app.state.uploads, app.state.quotas = Uploads(), Quotas.of(settings)
    app.state.keys = keeper.ring
    app.state.key_documents = key_routes.KeyDocuments()
    app.state.pages = Frame(base_url=settings.base_url, demo=settings.profile is Profile.DEMO)
    app.state.keeper = keeper
    app.state.desk = desk
    app.state.marks, app.state.migrated = Marks(database), schema.migrated

    pages = VerifyPages(
        desk, settings.all_own_hosts, FileBox((signing.fingerprint,) if signing else ()), app.state.marks, tally
    )
    problems.install(app)
    app.router.routes.extend(
        lane.routes(desk, tally, max_body_bytes=settings.body_max_bytes, max_batch_bytes=settings.batch_max_bytes)
    )
    app.router.routes.extend([app.state.pages.assets.route(), *pages.routes()])
    for router in (
        auth.router,
        account.router,
        members.router,
        users.router,
        applicant.registration,
        goods.router,
        applicant.router,
        programs.router,
        applicant.trial,
        reviewer.router,
        registrar.router,
        claims.router,
        evidence.router,
        residencies.router,
        residencies.imports,
        caseload.router,
        precedents.router,
        calendar.router,
        auditor.router,
        owner.router,
        matters.router,
        reports.router,
        documents.router,
        open_data.router,
        public.router,
        lists.router,
        impact.router,
        context.router,
        status_lists.router,
        log_routes.router,
        key_routes.router,
        badge.router,
        start.router,
        register.router,
        report.router,
        apply.router,
        problem_pages.router,
    ):
        # The routes as they are: including a router would analyse every signature anew, for each app at its first use.
        app.router.routes.extend(router.routes)
    openapi.install(app)
    _wrap(app, Lane(desk, tally, max_body_bytes=settings.body_max_bytes), settings)
    return app


def _set_access(app: Service, settings: Settings) -> None:
    app.state.passwords = Passwords(settings.password_hashers)
    app.state.tokens = AccessTokens(
        access_signer(settings.access_key), issuer=settings.base_url, minutes=settings.access_token_minutes
    )


def _issuer(database: Database) -> str:
    with database.read_session() as session:
        issuer = ledger.stored_issuer(session)
    if issuer is None:
        raise UnsafeToStart("The register has no issuer yet: start it with `mik serve`.")
    return issuer


def _wrap(app: Service, single: Lane, settings: Settings) -> None:
    https = settings.base_url.startswith("https://")
    ids = RequestIds()

    def envelope(inner: ASGIApp) -> ASGIApp:
        return FaultPages(Envelope(PublicCors(observability.RouteOf(inner)), https=https, ids=ids))

    app.add_middleware(envelope)
    limiter = Limiter(settings.verify_per_minute, filter(None, settings.trusted_proxies.split(",")))
    door = Door(app.behind_the_door, single, limiter, ids, https=https, base_url=settings.base_url)
    templates = {route.endpoint: route.path for route in app.routes if isinstance(route, Route)}
    app.door = observability.observed(door, templates, app.state.database, settings)


SWITCH_SECONDS = 0.0001
"""After how long a thread that computes lets another go on. The default, 5 ms, is a hundred checks: while one thread
prepares a decision, each check would wait so long after its look into the register (docs/decisions/0042)."""


def from_environment() -> FastAPI:
    """For uvicorn's workers."""
    sys.setswitchinterval(SWITCH_SECONDS)
    return create_app(Settings())


def _refuse_unmigrated(database: Database) -> None:
    if not schema.migrated(database):
        raise UnsafeToStart("The database is not migrated to this version of the service: run `mik migrate` first.")
