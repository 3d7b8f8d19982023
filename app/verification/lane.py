"""The public door of verification: `/v1/verify`, also for many at once. Plain Starlette routes: nothing is asked more.

A forged or mistyped thing is a result (200), not an error. Refusals (413, 415, 422) are raised in the domain's words
and become problem documents in the one table of `app/web/problems.py`.
"""

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import strict_json
from app.core.messages import Message
from app.errors import Invalid, TooLarge, Unavailable, UnsupportedMedia
from app.verification.answer import answer_many, answer_with_expectation
from app.verification.desk import VerificationDesk
from app.verification.questions import read_batch, read_question
from app.verification.tally import Tally

MAX_BODY_BYTES = 65_536
MAX_BATCH_BYTES = 8_388_608
BATCHES_AT_ONCE = 2
"""In one worker. More would only share the same processor, and keep everybody waiting for single checks."""
BATCHES_WAITING = 16
_JSON = (b"content-type", b"application/json")
_NO_CACHE = (b"cache-control", b"no-cache")


Header = tuple[bytes, bytes]


class Lane:
    """Single checks: nothing stands between the server and the look-up.

    The front door (`app/web/door.py`) calls it before any route is looked for; the routes are there for whatever comes
    another way. As an ASGI application it is `GET`, `HEAD /v1/verify/{number}`.
    """

    def __init__(self, desk: VerificationDesk, tally: Tally, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._desk = desk
        self._tally = tally
        self._max_body_bytes = max_body_bytes

    async def answer(self, text: str, if_none_match: bytes | None) -> tuple[int, list[Header], bytes]:
        """Status, headers and body for a number as it stands in the address, percent-decoded."""
        verdict, body, etag = self._desk.print_at_once(text) or await self._desk.print_number(text)
        self._tally.count(verdict)
        if if_none_match is not None and _matches(if_none_match, etag):
            return 304, [(b"etag", etag), _NO_CACHE], b""
        return 200, [_JSON, (b"content-length", b"%d" % len(body)), (b"etag", etag), _NO_CACHE], body

    async def answer_posted(self, scope: Scope, receive: Receive) -> tuple[int, list[Header], bytes]:
        """The same for `POST /v1/verify`."""
        asked, expected = read_question(_parse(await _read_body(scope, receive, self._max_body_bytes)))
        desk, is_number = self._desk, asked.kind == "number"
        if expected is None:
            verdict, body, _ = await (desk.print_number(asked.text) if is_number else desk.print_token(asked.text))
        else:
            judgement = await (desk.by_number(asked.text) if is_number else desk.by_token(asked.text))
            body = answer_with_expectation(judgement, desk.base_url, expected, demo=desk.demo)
            verdict = judgement.verdict
        self._tally.count(verdict)
        return 200, [_JSON, (b"content-length", b"%d" % len(body)), _NO_CACHE], body

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        wanted = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
        status, headers, body = await self.answer(scope["path_params"]["number"], wanted)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def routes(
    desk: VerificationDesk,
    tally: Tally | None = None,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_batch_bytes: int = MAX_BATCH_BYTES,
) -> list[Route]:
    """`GET`, `HEAD /v1/verify/{number}`, `POST /v1/verify` and `POST /v1/verify/batch`."""
    batches = anyio.Semaphore(BATCHES_AT_ONCE)
    tally = tally or Tally()
    lane = Lane(desk, tally, max_body_bytes=max_body_bytes)

    async def post(request: Request) -> Response:
        _, _, body = await lane.answer_posted(request.scope, request.receive)
        return _json(body)

    async def batch(request: Request) -> Response:
        body = await _read_body(request.scope, request.receive, max_batch_bytes)
        if batches.statistics().tasks_waiting >= BATCHES_WAITING:
            raise Unavailable("Too many batches are waiting. Try again shortly.")
        async with batches:
            asked = await anyio.to_thread.run_sync(lambda: read_batch(_parse(body)))
            printed = await desk.print_many(asked)
        for verdict, _, _ in printed:
            tally.count(verdict)
        return _json(answer_many(body for _, body, _ in printed))

    # `:path`, because a slash in what somebody typed is a wrong character and not another address.
    return [
        Route("/v1/verify/{number:path}", lane, methods=["GET"]),
        Route("/v1/verify", post, methods=["POST"]),
        Route("/v1/verify/batch", batch, methods=["POST"]),
    ]


def _json(body: bytes) -> Response:
    return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    """RFC 9110 §13.1.2: weak comparison with any of a list, or `*`."""
    if if_none_match == etag:
        return True
    return any(tag.strip().removeprefix(b"W/") in {etag, b"*"} for tag in if_none_match.split(b","))


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    media_type, stated = b"", b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            media_type = media_type or value
        elif name == b"content-length":
            stated = value
    if media_type != _JSON[1] and media_type.partition(b";")[0].strip().lower() != _JSON[1]:
        raise UnsupportedMedia("Send this as application/json.")
    too_large = Message("The body is larger than %(limit)s bytes.", limit=limit)
    if stated.isdigit() and (len(stated) > 15 or int(stated) > limit):
        raise TooLarge(too_large)
    pieces, length, goes_on = [], 0, True
    while goes_on:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The request ended before its body did.")
        pieces.append(message.get("body", b""))
        length += len(pieces[-1])
        if length > limit:
            raise TooLarge(too_large)
        goes_on = message.get("more_body", False)
    return b"".join(pieces)


def _parse(body: bytes) -> object:
    try:
        return strict_json.loads(body)
    except ValueError as error:
        raise Invalid(str(error)) from None
