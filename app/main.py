"""Composition root. START HERE: `app/bootstrap.py` prepares an installation once, `create_asgi_app` serves it.

A request passes `Door` (the fast path of verifications), then the middleware, then the routes of `app/api` and
`app/pages`. The services that they use are in one `Container`.
"""

import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
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
from app.bootstrap import require_migrated
from app.certificates.issuing import Issuance
from app.certificates.status_list_service import StatusLists
from app.commit_pipeline import open_database
from app.core.dates import utc_now
from app.core.version import VERSION
from app.db import Database
from app.documents import organisation
from app.documents.drawer import Drawer
from app.documents.file_box import FileBox
from app.documents.press import Press
from app.documents.render_pool import RenderPool
from app.errors import UnsafeToStart
from app.keys import access_signer
from app.ledger import log
from app.ledger import service as ledger
from app.ledger.keeper import KeyKeeper
from app.ledger.key_documents import KeyDocuments
from app.ledger.key_files import KeyFiles
from app.ledger.log_key import LogKeyFile
from app.notifications import outbox
from app.notifications.delivery import mail_delivery
from app.pages import apply, badge, register, report, start
from app.pages import problems as problem_pages
from app.pages.faults import FaultPages
from app.pages.frame import Frame, PageServices
from app.pages.marks import Marks
from app.pages.verify import VerifyPages
from app.settings import Profile, Settings
from app.verification.desk import VerificationDesk
from app.verification.lane import Lane, batch_route
from app.verification.stores import certificate_store
from app.verification.tally import Tally
from app.web import gate, observability, problems
from app.web.body import read_body
from app.web.container import Container
from app.web.door import Door
from app.web.gate import Gates, Uploads
from app.web.limits import Limiter
from app.web.middleware import Envelope, PublicCors, RequestIds
from app.web.reading_trail import ReadingTrail
from app.web.routing import PublicRouter, paths_of

Clock = Callable[[], datetime]

ROUTERS = (
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
)
"""In the order in which routes are looked for and described."""

_PUBLIC_PATHS = frozenset({"/openapi.json", "/v1/verify/batch", "/v1/verify/file"})
"""Addresses outside the routers that every web page may read."""

SWITCH_SECONDS = 0.0001
"""After how long a thread that computes lets another go on. The default, 5 ms, is a hundred checks: while one thread
prepares a decision, each check would wait so long after its look into the register (docs/decisions/0042)."""


def from_environment() -> ASGIApp:
    """For uvicorn's workers."""
    sys.setswitchinterval(SWITCH_SECONDS)
    return create_asgi_app(Settings())


def create_asgi_app(settings: Settings, clock: Clock = utc_now) -> ASGIApp:
    """Serve a prepared installation. `clock` returns aware moments; tests hand in their own."""
    container = build_container(settings, clock)
    lane = Lane(container.verification, container.verdict_counts, read_body, max_body_bytes=settings.body_max_bytes)
    limiter = Limiter(settings.verify_per_minute, filter(None, settings.trusted_proxies.split(",")))
    app = _app_of(container)
    fast_path = Door(app, lane, limiter, container.request_ids, base_url=settings.base_url)
    templates = {route.endpoint: route.path for route in app.routes if isinstance(route, Route)}
    return observability.observed(fast_path, templates, container.database, settings)


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """The FastAPI application alone: it lacks the single verifications, which the fast path answers."""
    return _app_of(build_container(settings, clock))


def build_container(settings: Settings, clock: Clock) -> Container:
    """Build every service of a worker. Raises `UnsafeToStart`, which says what to do."""
    observability.configure_logging(settings)
    if settings.profile is Profile.PRODUCTION:
        production.refuse(settings, clock())
    database = open_database(settings.sqlalchemy_url)
    require_migrated(database)
    secret_box = Seal.of(settings.keys_dir)
    mail = mail_delivery(settings, database, secret_box, clock)
    database.carry({log.SIGNER: LogKeyFile(settings.log_key), outbox.WAKE: mail.wake})
    issuer = _issuer(database)
    keys = KeyKeeper(database, KeyFiles(settings.keys_dir, issuer))
    is_demo = settings.profile is Profile.DEMO
    return Container(
        settings=settings,
        clock=clock,
        database=database,
        is_migrated=schema.migrated,
        secret_box=secret_box,
        passwords=Passwords(settings.password_hashers),
        access_tokens=AccessTokens(
            access_signer(settings.access_key), issuer=settings.base_url, minutes=settings.access_token_minutes
        ),
        concurrency=Gates(gate.at_work(one_writer=database.is_sqlite), hashers=settings.password_hashers),
        uploads=Uploads(),
        keys=keys,
        key_documents=KeyDocuments(),
        issuance=Issuance(keys.signer_in, issuer, settings.base_url, secrets.randbelow),
        status_lists=StatusLists(database, keys.signer, issuer, settings.base_url, clock),
        verification=VerificationDesk(
            store=certificate_store(settings.sqlalchemy_url),
            keys=keys.ring,
            reread=keys.reread,
            clock=clock,
            base_url=settings.base_url,
            demo=is_demo,
        ),
        verdict_counts=Tally(also=observability.count_verdict) if settings.metrics_port else Tally(),
        evidence_files=EvidenceFiles(settings.evidence_dir, settings.evidence_max_bytes),
        quotas=Quotas.of(settings),
        documents=Press(
            signer=keys.signer,
            organisation=organisation.of_settings(settings, clock()),
            drawer=Drawer(settings.papers_dir),
            timestamp_url=settings.timestamp_url,
            demo=is_demo,
        ),
        render_pool=RenderPool(),
        reading_trail=ReadingTrail(database),
        mail=mail,
        request_ids=RequestIds(),
    )


def _issuer(database: Database) -> str:
    with database.read_session() as session:
        issuer = ledger.stored_issuer(session)
    if issuer is None:
        raise UnsafeToStart("The register has no issuer yet: start it with `mik serve`.")
    return issuer


def _app_of(container: Container) -> FastAPI:
    settings, database, verification = container.settings, container.database, container.verification

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await verification.store.open()
        async with container.mail.in_background(settings.mail_seconds):
            yield
        container.verdict_counts.report()
        await verification.store.close()
        container.reading_trail.close()
        database.dispose()

    app = FastAPI(
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
    app.state.container = container
    problems.install(app)
    frame = Frame(base_url=settings.base_url, demo=settings.profile is Profile.DEMO)
    page_services = PageServices(frame, Marks(database))
    signing = container.documents.organisation
    files = FileBox((signing.fingerprint,) if signing else ())
    counts = container.verdict_counts
    verify_pages = VerifyPages(verification, settings.all_own_hosts, files, page_services.marks, counts)
    batches = batch_route(verification, counts, read_body, max_bytes=settings.batch_max_bytes)
    # The routes as they are: including a router would analyse every signature anew, for each app at its first use.
    app.router.routes.extend([batches, frame.assets.route(), *verify_pages.routes()])
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    openapi.install(app)
    public = paths_of(_public_routes(app))

    def envelope(inner: ASGIApp) -> ASGIApp:
        cors = PublicCors(observability.RouteOf(inner), public)
        return FaultPages(Envelope(cors, https=_is_https(settings), ids=container.request_ids), page_services)

    app.add_middleware(envelope)
    return app


def _public_routes(app: FastAPI) -> Iterator[BaseRoute]:
    for router in ROUTERS:
        if isinstance(router, PublicRouter):
            yield from router.routes
    yield from (route for route in app.routes if getattr(route, "path", "") in _PUBLIC_PATHS)


def _is_https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")
