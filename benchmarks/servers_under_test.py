"""Define the servers under test: bare server, fast path alone, and the same response by FastAPI and ORM."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.certificates import certificate_number, certificate_repository
from app.certificates.read_model.record import CertificateRecord
from app.commit_pipeline import open_database
from app.core.crypto.keyring import KeyRing
from app.core.dates import utc_now
from app.core.settings import Settings
from app.signing.issuer_identity import load_keys
from app.transparency import log_repository
from app.verification.evaluation import ProvenRecords
from app.verification.handler import VerifyHandler
from app.verification.metrics import VerdictCounter
from app.verification.response import to_dict
from app.verification.service import VerificationService
from app.verification.snapshot_setup import load_snapshot_key
from app.verification.snapshots import SnapshotCheck
from app.verification.stores.factory import create_snapshot_store
from app.verification.verdict import MISTYPED, evaluate_number
from app.web.body import read_body
from tests.helpers import verified_log

BODY = b"x" * int(os.environ.get("BENCH_BODY_BYTES", "1200"))
"""As long as a usual response."""
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a constant response without reading the request: the best that uvicorn can do in Python."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def bare_reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a constant response after reading the whole body of the request."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message: Message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def fast_path_only() -> ASGIApp:
    """Serve verifications alone, without request id, security headers or rate limit."""
    settings = Settings()
    database = open_database(settings.sqlalchemy_url)
    log = verified_log(database)
    with database.read_session() as session:
        keys = KeyRing.from_keys(load_keys(session, log).values())
    store = create_snapshot_store(settings.sqlalchemy_url)
    check = SnapshotCheck(load_snapshot_key(settings), log)
    records = ProvenRecords(database, log)
    service = VerificationService(store, records, check, lambda: keys, utc_now, settings.base_url, demo=True)
    handler = VerifyHandler(service, VerdictCounter(), read_body)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await store.open()
            await _lifespan(receive, send)
            await store.close()
            return
        status, headers, body = await handler.handle_get(scope["path"][len("/v1/verify/") :], None)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


_ANY_THREAD = {True: {"check_same_thread": False}, False: {}}


def fastapi_and_orm() -> FastAPI:
    """Serve verifications as in the FastAPI manual: session per request, ORM, response model; no ETag, few headers."""
    settings = Settings()
    database = open_database(settings.sqlalchemy_url)
    with database.read_session() as session:
        keys = KeyRing.from_keys(load_keys(session, verified_log(database)).values())
    # A connection for each of the 64 clients: otherwise threads that wait for one block those that would release one.
    engine = sa.create_engine(settings.sqlalchemy_url, pool_size=80, connect_args=_ANY_THREAD[database.is_sqlite])
    app = FastAPI()

    def open_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    @app.get("/v1/verify/{number}")
    def verify(number: str, session: Annotated[Session, Depends(open_session)]) -> Response:
        parsed = certificate_number.parse_number(number)
        row = certificate_repository.by_number(session, str(parsed)) if parsed else None
        record = None
        if row and (entry := log_repository.find_issue_entry(session, row.number)):
            values = {name: getattr(row, name) for name in CertificateRecord._fields if hasattr(row, name)}
            record = CertificateRecord(**(values | {"logged_at": entry.at, "logged_sha256": entry.sha256}))
        result = evaluate_number(record, keys, utc_now()) if parsed else MISTYPED
        return Response.model_validate(to_dict(result, settings.base_url, demo=True))

    return app


class Scheme(BaseModel):
    code: str
    name: str


class Holder(BaseModel):
    name: str
    name_az: str | None
    voen: str | None


class Product(BaseModel):
    name: dict[str, str]
    hs6: str
    gtin: str | None


class Site(BaseModel):
    park: str | None
    district: str


class Certificate(BaseModel):
    number: str
    scheme: Scheme
    holder: Holder
    product: Product
    site: Site
    country: str
    origin_criterion: str
    valid_from: date
    valid_until: date
    status: str
    status_since: datetime
    reason: str | None


class Check(BaseModel):
    name: str
    passed: bool
    detail: str


class Links(BaseModel):
    credential: str | None
    page: str | None


class Response(BaseModel):
    verdict: str
    message: str
    as_of: datetime | None
    certificate: Certificate | None
    checks: list[Check]
    links: Links
    demo: bool  # the datasets are of the demo profile
