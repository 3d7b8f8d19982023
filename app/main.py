"""Compose the application. START HERE: `app/bootstrap.py` prepares an installation once, `create_asgi_app` serves it.

A request passes `VerifyFastPath`, then the middleware, then the routes of `app/api` and `app/pages`. Their services are
in one `Container`.
"""

import gc
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from app import database_schema, proposal_kinds, startup_checks
from app.api import openapi
from app.api.account import authorities, passkeys, sign_on
from app.api.company import (
    api_clients,
    applications,
    claims,
    events,
    imports,
    inbox,
    me,
    members,
    my_lists,
    precedents,
    products,
    registration,
    sites,
    token,
    trial_assessment,
    webhooks,
)
from app.api.public import (
    bulk_export,
    certificates,
    closed_lists,
    credential_schemas,
    digital_link,
    documents,
    event_feeds,
    health,
    reports,
    schemes_and_parks,
    status_lists,
    transparency_log,
    watches,
    well_known,
)
from app.api.shared import evidence, manifests, matters
from app.api.staff import (
    assignment,
    audit_events,
    cases,
    certificate_status,
    holiday_calendar,
    jobs,
    mail_deliveries,
    organisations,
    proposals,
    residencies,
    rules_impact,
    sanctions,
    staff_credentials,
    staff_users,
)
from app.applications.evidence import virus_scanner
from app.applications.evidence.file_store import EvidenceFileStore
from app.applications.evidence.quotas import Quotas
from app.audit import recorder
from app.auth.access_tokens import AccessTokens
from app.auth.credentials.confirmations import CONFIRMATION_KEY, UsedDocuments, WebAuthnConfirmation
from app.auth.credentials.passwords import PasswordHasher
from app.auth.credentials.relying_party import RelyingParty
from app.auth.proposals import ProposalService
from app.auth.sign_on.flow import SignOn
from app.auth.sign_on.provider_client import ProviderClient
from app.bootstrap import require_migrated
from app.certificates.issuance import IssuerContext
from app.certificates.read_model import projector
from app.certificates.read_model.status_list_bits import StatusListBits
from app.certificates.status_list_publisher import StatusListPublisher
from app.commit_pipeline import open_database
from app.core.crypto.row_macs import ROW_MACS, load_row_macs
from app.core.crypto.secret_box import SecretBox
from app.core.crypto.signer import access_signer
from app.core.database import Database
from app.core.dates import utc_now
from app.core.errors import UnsafeToStart
from app.core.settings import Profile, Settings
from app.core.text.marking import SANDBOX_PREFIX
from app.core.version import VERSION
from app.documents.artifact_cache import ArtifactCache
from app.documents.pdf import signing_certificate
from app.documents.render_pool import RenderPool
from app.documents.renderer import DocumentRenderer
from app.documents.upload_reader import UploadReader
from app.notifications import outbox
from app.notifications.delivery import create_mail_delivery
from app.organisations.sanctions import screening
from app.pages.error_pages import ErrorPageMiddleware
from app.pages.public import apply, badge, confirm, home, problem_pages, register, report, watch
from app.pages.public.verify import VerifyPages
from app.pages.rendering import PageRenderer, PageServices
from app.pages.scheme_summaries import SchemeSummaries
from app.sandbox import routes
from app.sandbox.installation import sandbox_clock, sandbox_settings
from app.sandbox.mount import SandboxMount
from app.sandbox.robots import ROBOT_JOBS, Robots
from app.signing import issuer_identity
from app.signing.key_documents import KeyDocuments
from app.signing.key_files import KeyFiles
from app.signing.key_provider import KeyProvider
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency import appender
from app.transparency.witness_client import WitnessClient, load_policy
from app.transparency.witness_rounds import WitnessRounds
from app.verification.evaluation import ProvenRecords
from app.verification.handler import VerifyHandler, batch_route
from app.verification.metrics import VerdictCounter
from app.verification.service import VerificationService
from app.verification.snapshot_setup import create_snapshot_writer
from app.verification.snapshots import SnapshotCheck
from app.verification.static_export import StaticExport
from app.verification.stores.factory import create_snapshot_store
from app.web import observability
from app.web.body import read_body
from app.web.container import Container
from app.web.limits import concurrency
from app.web.limits.concurrency import ConcurrencyLimits, UploadLimits
from app.web.limits.rate_limit import RateLimiter
from app.web.middleware import CommonResponseMiddleware, PublicCorsMiddleware, RequestIdGenerator
from app.web.problems import problem_details
from app.web.read_audit import ReadAudit
from app.web.routes import PublicRouter, paths_of
from app.web.verify_fast_path import VerifyFastPath
from app.webhooks.addresses import AddressRules
from app.webhooks.sender import WebhookSender
from app.worker.handlers import build_worker

Clock = Callable[[], datetime]

ROUTERS = (
    token.router,
    sign_on.router,
    me.router,
    sign_on.session_router,
    sign_on.identities_router,
    passkeys.sign_in_router,
    passkeys.router,
    members.router,
    authorities.router,
    staff_users.router,
    proposals.router,
    staff_credentials.router,
    registration.registration_router,
    sites.router,
    products.router,
    my_lists.products_router,
    my_lists.certificates_router,
    my_lists.applications_router,
    imports.router,
    imports.templates_router,
    applications.router,
    api_clients.router,
    events.router,
    inbox.router,
    webhooks.router,
    trial_assessment.trial_router,
    cases.router,
    organisations.router,
    sanctions.router,
    claims.router,
    evidence.router,
    residencies.router,
    residencies.imports_router,
    assignment.router,
    precedents.router,
    holiday_calendar.router,
    audit_events.router,
    jobs.router,
    mail_deliveries.router,
    certificate_status.router,
    matters.router,
    manifests.router,
    reports.router,
    documents.router,
    bulk_export.router,
    certificates.router,
    event_feeds.router,
    watches.router,
    schemes_and_parks.router,
    health.router,
    closed_lists.router,
    rules_impact.router,
    credential_schemas.router,
    status_lists.router,
    transparency_log.router,
    well_known.router,
    digital_link.router,
    badge.router,
    home.router,
    register.router,
    report.router,
    watch.router,
    apply.router,
    confirm.router,
    problem_pages.router,
)
"""Routers in the order of matching and of the OpenAPI document."""

_PUBLIC_PATHS = frozenset({"/openapi.json", "/v1/verify/batch", "/v1/verify/file"})
"""Public paths outside the routers that every origin may read."""

SWITCH_SECONDS = 0.0001
"""Seconds until a computing thread yields. The default, 5 ms, is the time of a hundred verifications: while one thread
prepares a decision, each verification would wait that long after its database query (docs/decisions/0042)."""

GARBAGE_THRESHOLDS = (10_000, 20, 50)
"""Of `gc.set_threshold`. A collection of everything stops every thread for a quarter of a second, since code and tables
are half a million objects: they are left out (`gc.freeze`), and a request alone starts no collection."""


def from_environment() -> ASGIApp:
    """Create the ASGI application for uvicorn's workers."""
    sys.setswitchinterval(SWITCH_SECONDS)
    service = create_asgi_app(Settings())
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    return service


def create_asgi_app(settings: Settings, clock: Clock = utc_now) -> ASGIApp:
    """Create the ASGI application of a prepared installation. `clock` returns aware datetimes; tests pass their own."""
    container = build_container(settings, clock)
    service = _asgi_of(container, _app_of(container))
    return _with_sandbox(service, settings, clock) if settings.sandbox else service


def _with_sandbox(service: ASGIApp, settings: Settings, clock: Clock) -> ASGIApp:
    """Put the sandbox, which is an installation of its own, beside the service."""
    own = sandbox_settings(settings)
    container = build_container(own, sandbox_clock(own, clock))
    app = _app_of(container)
    return SandboxMount(
        service, _asgi_of(container, app), lambda: app.router.lifespan_context(app), Robots(container).wake
    )


def _asgi_of(container: Container, app: FastAPI) -> ASGIApp:
    settings = container.settings
    handler = VerifyHandler(
        container.verification, container.verdict_counts, read_body, max_body_bytes=settings.body_max_bytes
    )
    limiter = RateLimiter(settings.verify_per_minute, filter(None, settings.trusted_proxies.split(",")))
    fast_path = VerifyFastPath(app, handler, limiter, container.request_ids, base_url=settings.base_url)
    templates = {route.endpoint: route.path for route in app.routes if isinstance(route, Route)}
    return observability.observed(fast_path, templates, container.database, settings)


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """Create the FastAPI application without single verifications, which the fast path answers."""
    return _app_of(build_container(settings, clock))


def build_container(settings: Settings, clock: Clock) -> Container:
    """Build every service of a worker. Raises `UnsafeToStart` with what to do."""
    if not settings.is_sandbox:  # it runs in the process of the service, whose log lines it shares
        observability.configure_logging(settings)
    if settings.profile is Profile.PRODUCTION:
        startup_checks.require_safe_to_start(settings, clock())
    database = open_database(settings.sqlalchemy_url)
    require_migrated(database)
    secret_box = SecretBox.from_folder(settings.keys_dir)
    mail = create_mail_delivery(settings, database, secret_box, clock)
    log_key = LogKeyFile(settings.log_key)
    log = open_verified_log(database, log_key, settings.verified_checkpoint)
    policy = load_policy(settings.witness_policy)
    witnesses = WitnessRounds(
        WitnessClient(database, policy, lambda: log.verifier, refusals=settings.refusals_dir, clock=clock)
    )
    relying_party = RelyingParty.of(settings.base_url)
    confirmation = WebAuthnConfirmation(relying_party, log, UsedDocuments(settings.used_confirmations))
    issuer = _issuer(database)
    prefix = SANDBOX_PREFIX if settings.is_sandbox else ""
    key_files = KeyFiles(settings.keys_dir, issuer)
    keys = KeyProvider(database, key_files, log)
    writer = create_snapshot_writer(settings, log, keys.keyring, keys.reload, clock)
    scanner = virus_scanner.scanner_from(settings.virus_scanner)
    check, records = SnapshotCheck(writer.key, log), ProvenRecords(database, log)
    bits = StatusListBits(log, writer.key, keys.keyring)
    status_lists = StatusListPublisher(database, keys.active_signer, issuer, settings.base_url, clock, bits)
    database.attach_session_info(
        {
            appender.SIGNER_KEY: log_key,
            appender.GUARD_KEY: log,
            appender.WITNESS_WAKE_KEY: witnesses.wake,
            projector.WRITER_KEY: writer,
            outbox.WAKE_KEY: mail.wake,
            recorder.WAKE_KEY: (mail.wake,),
            CONFIRMATION_KEY: confirmation,
            ROW_MACS: load_row_macs(settings.row_key),
            virus_scanner.SCANNER_KEY: scanner,
            screening.REQUIRED_KEY: bool(settings.sanctions_list),
        }
    )
    return Container(
        settings=settings,
        clock=clock,
        database=database,
        is_migrated=database_schema.is_migrated,
        secret_box=secret_box,
        passwords=PasswordHasher(settings.password_hashers),
        access_tokens=AccessTokens(
            access_signer(settings.access_key), issuer=settings.base_url, minutes=settings.access_token_minutes
        ),
        concurrency=ConcurrencyLimits(
            concurrency.limits_for(one_writer=database.is_sqlite), hashers=settings.password_hashers
        ),
        uploads=UploadLimits(),
        log=log,
        keys=keys,
        key_documents=KeyDocuments(),
        issuance=IssuerContext(keys.lock_active_signer, issuer, settings.base_url, secrets.randbelow, prefix),
        proposals=ProposalService(proposal_kinds.build_kinds(key_files), timedelta(days=settings.proposal_days)),
        relying_party=relying_party,
        sign_on=SignOn(
            {each.name: ProviderClient(each) for each in settings.identity_providers},
            secret_box,
            settings.base_url,
            secrets.token_bytes,
        ),
        status_lists=status_lists,
        static_export=StaticExport(
            Path(settings.export_folder),
            database,
            log,
            keys,
            status_lists,
            records,
            check,
            policy,
            clock,
            marking=settings.marking,
        )
        if settings.export_folder
        else None,
        verification=VerificationService(
            store=create_snapshot_store(settings.sqlalchemy_url),
            records=records,
            check=check,
            keys=keys.keyring,
            reload_keys=keys.reload,
            clock=clock,
            base_url=settings.base_url,
            marking=settings.marking,
        ),
        verdict_counts=VerdictCounter(also=observability.count_verdict) if settings.metrics_port else VerdictCounter(),
        evidence_files=EvidenceFileStore(settings.evidence_dir, settings.evidence_max_bytes),
        virus_scanner=scanner,
        quotas=Quotas.from_settings(settings),
        documents=DocumentRenderer(
            signer=keys.active_signer,
            signing_identity=signing_certificate.identity_from_settings(settings, clock()),
            cache=ArtifactCache(settings.artifacts_dir),
            timestamp_url=settings.timestamp_url,
            marking=settings.marking,
        ),
        render_pool=RenderPool(),
        reading_trail=ReadAudit(database),
        mail=mail,
        witnesses=witnesses,
        webhook_sender=WebhookSender(AddressRules.of(settings.webhook_ports, settings.webhook_inner_addresses)),
        request_ids=RequestIdGenerator(),
    )


def _issuer(database: Database) -> str:
    with database.read_session() as session:
        issuer = issuer_identity.get_stored_issuer(session)
    if issuer is None:
        raise UnsafeToStart("The database has no issuer yet: start the service with `mik serve`.")
    return issuer


def _app_of(container: Container) -> FastAPI:
    settings, database, verification = container.settings, container.database, container.verification
    robots = {each: Robots(container).run for each in ROBOT_JOBS} if settings.is_sandbox else {}
    job_worker = build_worker(container, robots)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await verification.store.open()
        with job_worker.run_in_background(settings.job_threads):
            async with (
                container.mail.run_in_background(settings.mail_seconds),
                container.witnesses.run_in_background(settings.witness_seconds),
                container.static_export.run_in_background() if container.static_export else nullcontext(),
            ):
                yield
        container.verdict_counts.log_totals()
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
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    )
    app.state.container = container
    problem_details.register_exception_handlers(app)
    frame = PageRenderer(base_url=settings.base_url, marking=settings.marking)
    page_services = PageServices(frame, SchemeSummaries(database))
    signing = container.documents.signing_identity
    files = UploadReader((signing.fingerprint,) if signing else ())
    counts = container.verdict_counts
    verify_pages = VerifyPages(verification, settings.all_own_hosts, files, page_services.marks, counts)
    batches = batch_route(verification, counts, read_body, max_bytes=settings.batch_max_bytes)
    # Use the routes directly: including a router would analyse every signature again for each app.
    app.router.routes.extend([batches, frame.assets.route(), *verify_pages.routes()])
    for router in (*ROUTERS, routes.router) if settings.is_sandbox else ROUTERS:
        app.router.routes.extend(router.routes)
    openapi.install_openapi(app)
    public = paths_of(_public_routes(app))

    def envelope(inner: ASGIApp) -> ASGIApp:
        cors = PublicCorsMiddleware(observability.RouteOf(inner), public)
        return ErrorPageMiddleware(
            CommonResponseMiddleware(cors, https=_is_https(settings), ids=container.request_ids), page_services
        )

    app.add_middleware(envelope)
    return app


def _public_routes(app: FastAPI) -> Iterator[BaseRoute]:
    for router in ROUTERS:
        if isinstance(router, PublicRouter):
            yield from router.routes
    yield from (route for route in app.routes if getattr(route, "path", "") in _PUBLIC_PATHS)


def _is_https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")
