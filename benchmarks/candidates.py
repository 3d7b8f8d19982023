"""What is measured: the bare server, the whole service, the lane without what surrounds it, and the usual way."""

import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.db import Database
from app.keys import KeyRing
from app.ledger.service import known_keys
from app.settings import Settings
from app.verification.desk import VerificationDesk
from app.verification.lane import NumberLane
from app.verification.store import certificate_store
from app.verification.tally import Tally
from app.web.deps import utc_now

BODY = b"x" * int(os.environ.get("BENCH_BODY_BYTES", "1200"))
"""As long as a usual answer."""
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """What uvicorn can do at best in Python: it answers without looking."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def bare_reading(scope: Scope, receive: Receive, send: Send) -> None:
    """The same, after it has taken the whole body of the request."""
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


def lane_only() -> ASGIApp:
    """The look-up and its answer with nothing around them: no id, no headers of security, no limit."""
    settings = Settings()
    database = Database(settings.sqlalchemy_url)
    with database.read_session() as session:
        keys = KeyRing.of(known_keys(session).values())
    database.dispose()
    store = certificate_store(settings.sqlalchemy_url)
    numbers = NumberLane(VerificationDesk(store, lambda: keys, utc_now, settings.base_url), Tally())

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await store.open()
            await _lifespan(receive, send)
            await store.close()
            return
        status, headers, body = await numbers.answer(scope["path"][len("/v1/verify/") :], None)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
