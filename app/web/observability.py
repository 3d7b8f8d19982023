"""Write structured log lines and an access log, and serve Prometheus metrics, all without personal data.

No address, name, number or token is in any of them. An access log line has request id, method, route template, status,
duration and the id of the user or API client. `mik serve` serves the metrics of all workers at an address of their own
(docs/decisions/0067).
"""

import json
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.certificates import status_list_repository
from app.core.database import Database
from app.core.dates import utc_now
from app.core.errors import UnsafeToStart
from app.core.settings import Profile, Settings
from app.core.version import VERSION
from app.jobs import job_repository
from app.notifications import mail_repository
from app.signing import signing_repository
from app.transparency import log_repository
from app.verification.verdict import Verdict

REGISTRY = CollectorRegistry()
REQUESTS = Counter("mik_requests", "Answered requests.", ("method", "route", "status"), registry=REGISTRY)
DURATION = Histogram(
    "mik_request_duration_seconds",
    "Time from the request to the end of its answer.",
    ("method", "route"),
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=REGISTRY,
)
VERDICTS = Counter("mik_verdicts", "Verifications by verdict.", ("verdict",), registry=REGISTRY)
CONNECTIONS = Gauge(
    "mik_database_connections",
    "Database connections in use.",
    ("pool",),
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
UNMATCHED: Final = "(none)"
"""Route of a request that no route matches; its path may contain anything."""

Event = MutableMapping[str, Any]
_PERSONAL: Final = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"), "[token]"),
    (re.compile(r"(?<![\w-])(?![0-9a-f]{8}-[0-9a-f]{4}-)[\w-]{32,}"), "[secret]"),  # not a UUID
    (re.compile(r"(?<![\w.-])\d{10}(?![\w-]|\.\d)"), "[number]"),  # as long as a VÖEN
)


def mask_personal_data(_logger: object, _method: str, event: Event) -> Event:
    """Replace what looks like an e-mail address, a token, a secret or a VÖEN in messages and tracebacks."""
    for name in ("event", "exception"):
        text = event.get(name)
        if isinstance(text, str):
            for pattern, replacement in _PERSONAL:
                text = pattern.sub(replacement, text)
            event[name] = text
    return event


def _add_version(_logger: object, _method: str, event: Event) -> Event:
    event["version"] = VERSION
    return event


def configure_logging(settings: Settings) -> None:
    """Send all log lines to standard error: as JSON in production, readable in the demo."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    form: list[Any] = [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)]
    if settings.profile is Profile.PRODUCTION:
        form = [_add_version, structlog.processors.JSONRenderer(ensure_ascii=False)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_personal_data,
            *form,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)  # two lines for each readiness check
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # addresses of webhooks, which may contain secrets
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def access_logger(settings: Settings) -> structlog.typing.FilteringBoundLogger:
    """Make the logger of the access log, which writes each line to standard error without the `logging` module.

    A line holds only what `_Observed` passes, so that nothing has to be masked and no traceback formatted.
    """
    form: list[Any] = [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)]
    if settings.profile is Profile.PRODUCTION:
        form = [_add_version, _encode_line]
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            _add_access_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *form,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
    ).bind()
    return logger


def _add_access_name(_logger: object, _method: str, event: Event) -> Event:
    event["logger"] = "mik.access"
    return event


_encode = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` with options makes an encoder for every line


def _encode_line(_logger: object, _method: str, event: Event) -> str:
    return _encode(event)


def count_verdict(verdict: Verdict, count: int = 1) -> None:
    VERDICTS.labels(verdict.value).inc(count)


def observed(app: ASGIApp, routes: Mapping[Any, str], database: Database, settings: Settings) -> ASGIApp:
    """Return the app wrapped in access log and metrics; the app itself when both are off.

    `routes`: route templates by endpoint.
    """
    logs = settings.profile is Profile.PRODUCTION or settings.log_level == "debug"
    if not logs and not settings.metrics_port:
        return app
    return _Observed(app, routes, database, access_logger(settings) if logs else None)


class RouteOf:
    """Store the matched route and the request id for the outermost middleware and log lines. Innermost middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "mik.observed" not in scope:
            await self._app(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(request_id=scope.get("mik.request_id")):
            try:
                await self._app(scope, receive, send)
            finally:
                scope["mik.observed"]["endpoint"] = scope.get("endpoint")


class _Observed:
    def __init__(
        self,
        app: ASGIApp,
        routes: Mapping[Any, str],
        database: Database,
        log: structlog.typing.FilteringBoundLogger | None,
    ) -> None:
        self.app, self._routes, self._log = app, routes, log
        self._pools = {"write": database.write_engine.pool, "read": database.read_engine.pool}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen: dict[str, Any] = {}
        state = scope.setdefault("state", {})
        scope["mik.observed"] = seen
        status, request_id, started = 0, None, time.perf_counter()

        async def look(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = next((value.decode() for name, value in message["headers"] if name == b"x-request-id"), "")
            await send(message)

        try:
            await self.app(scope, receive, look)
        finally:
            self._note(scope, seen, state, status, request_id, time.perf_counter() - started)

    def _note(
        self,
        scope: Scope,
        seen: Mapping[str, Any],
        state: Mapping[str, Any],
        status: int,
        request_id: str | None,
        seconds: float,
    ) -> None:
        """Write the access log line and metrics. `status` 0: the client disconnected before a response."""
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = self._routes.get(seen.get("endpoint")) or _fast_path(
            method, scope["path"], is_routed="endpoint" in seen
        )
        REQUESTS.labels(method, route, str(status)).inc()
        DURATION.labels(method, route).observe(seconds)
        for name, pool in self._pools.items():
            CONNECTIONS.labels(name).set(getattr(pool, "checkedout", int)())
        if self._log is not None:
            actor = state.get("actor")
            with suppress(OSError, ValueError):  # a full disk or a closed stream must not fail the request
                self._log.info(
                    "request",
                    request_id=request_id,
                    method=method,
                    route=route,
                    status=status,
                    duration_ms=round(seconds * 1000, 2),
                    actor=str(actor.id) if actor is not None else None,
                )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _fast_path(method: str, path: str, *, is_routed: bool) -> str:
    """Return the route of a verification that the fast path answered."""
    if is_routed:
        return UNMATCHED
    if method == "POST" and path == "/v1/verify":
        return path
    return "/v1/verify/{number}" if method in {"GET", "HEAD"} and path.startswith("/v1/verify/") else UNMATCHED


class RegisterState(Collector):
    """Collect ages and queue lengths from the database at each scrape, in the exporter process only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        readable = 1.0
        moments: dict[str, datetime | None] = {}
        waiting, failed, figures = 0, 0, None
        try:
            with self._database.read_session() as session:
                moments = {
                    "log_entry": log_repository.newest_entry_at(session),
                    "status_list": status_list_repository.oldest_signature_at(session),
                    "signing_key": signing_repository.active_key_since(session),
                    "due_job": (figures := job_repository.queue_figures(session, utc_now())).due_since,
                    "mail": mail_repository.oldest_waiting_at(session),
                }
                waiting, failed = mail_repository.waiting_count(session), mail_repository.failed_count(session)
        except SQLAlchemyError:
            readable = 0.0
        yield GaugeMetricFamily("mik_database_readable", "1 where the database answered this scrape.", readable)
        ages = GaugeMetricFamily(
            "mik_timestamp_seconds",
            "When made or due: newest log entry, oldest status list, active key, oldest due job, oldest message.",
            labels=("of",),
        )
        for name, moment in moments.items():
            if moment is not None:
                ages.add_metric((name,), moment.timestamp())
        yield ages
        if figures is not None:
            jobs = GaugeMetricFamily("mik_jobs", "Background jobs that are not done, by state.", labels=("state",))
            for state in ("waiting", "running", "parked"):
                jobs.add_metric((state,), float(getattr(figures, state)))
            yield jobs
            yield GaugeMetricFamily(
                "mik_jobs_failing", "Types with a failed job to retry.", float(len(figures.failing))
            )
        if readable:
            yield GaugeMetricFamily("mik_mail_waiting", "Messages that wait to be sent.", float(waiting))
            yield GaugeMetricFamily("mik_mail_failed", "Messages whose newest attempt failed.", float(failed))


class _Own(Collector):
    """Collect the metrics of this process when it is the only worker."""

    def collect(self) -> Iterator[Any]:
        return iter(list(REGISTRY.collect()))


@contextmanager
def metrics_served(settings: Settings, workers: int, database: Database) -> Iterator[None]:
    """Serve the metrics of all workers while the block runs. Raises `UnsafeToStart` when the port is taken."""
    with tempfile.TemporaryDirectory(prefix="mik-metrics-") as folder:
        registry = CollectorRegistry()
        if workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # prometheus_client reads it when a worker imports it
            MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # not annotated
        else:
            registry.register(_Own())
        registry.register(RegisterState(database))
        try:
            server, thread = start_http_server(settings.metrics_port, addr=settings.metrics_address, registry=registry)
        except OSError as why:
            raise UnsafeToStart(
                f"MIK_METRICS_PORT={settings.metrics_port}: the address cannot be used ({why.strerror})"
            ) from why
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
