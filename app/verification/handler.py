"""Answer `/v1/verify`: single verifications for the fast path, and the route of batches.

A forged or mistyped thing is a result (200), not an error. Refusals (413, 415, 422) are raised in the domain's words
and become problem documents in the one table of `app/web/problems/problem_details.py`.
"""

from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope

from app.core import strict_json
from app.core.errors import Invalid, Unavailable, UnsupportedMedia
from app.verification.metrics import VerdictCounter
from app.verification.request_parser import parse_batch, parse_request
from app.verification.response import encode_batch, encode_with_comparison
from app.verification.service import VerificationService

MAX_BODY_BYTES = 65_536
MAX_BATCH_BYTES = 8_388_608
MAX_CONCURRENT_BATCHES = 2
"""In one worker. More would only share the same processor, and keep everybody waiting for single checks."""
MAX_QUEUED_BATCHES = 16
_JSON_HEADER = (b"content-type", b"application/json")
_NO_CACHE_HEADER = (b"cache-control", b"no-cache")


Header = tuple[bytes, bytes]
BodyReader = Callable[[Scope, Receive, int], Awaitable[bytes]]
"""Read the body of a request up to so many bytes. Errors: TooLarge, Invalid."""


class VerifyHandler:
    """Answer single verifications for `app/web/verify_fast_path.py`: one look-up, no session, no route."""

    def __init__(
        self,
        desk: VerificationService,
        tally: VerdictCounter,
        read_body: BodyReader,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._service = desk
        self._counter = tally
        self._read_body = read_body
        self._max_body_bytes = max_body_bytes

    async def handle_get(self, text: str, if_none_match: bytes | None) -> tuple[int, list[Header], bytes]:
        """Status, headers and body for a number as it stands in the address, percent-decoded."""
        verdict, body, etag = self._service.render_now(text) or await self._service.render_number(text)
        self._counter.increment(verdict)
        if if_none_match is not None and _etag_matches(if_none_match, etag):
            return 304, [(b"etag", etag), _NO_CACHE_HEADER], b""
        return 200, [_JSON_HEADER, (b"content-length", b"%d" % len(body)), (b"etag", etag), _NO_CACHE_HEADER], body

    async def handle_post(self, scope: Scope, receive: Receive) -> tuple[int, list[Header], bytes]:
        """The same for `POST /v1/verify`."""
        _require_json(scope)
        asked, expected = parse_request(_parse_json(await self._read_body(scope, receive, self._max_body_bytes)))
        desk, is_number = self._service, asked.kind == "number"
        if expected is None:
            verdict, body, _ = await (desk.render_number(asked.text) if is_number else desk.render_token(asked.text))
        else:
            judgement = await (desk.verify_number(asked.text) if is_number else desk.verify_token(asked.text))
            body = encode_with_comparison(judgement, desk.base_url, expected, demo=desk.demo)
            verdict = judgement.verdict
        self._counter.increment(verdict)
        return 200, [_JSON_HEADER, (b"content-length", b"%d" % len(body)), _NO_CACHE_HEADER], body


def batch_route(
    desk: VerificationService, tally: VerdictCounter, read_body: BodyReader, *, max_bytes: int = MAX_BATCH_BYTES
) -> Route:
    """`POST /v1/verify/batch`."""
    batches = anyio.Semaphore(MAX_CONCURRENT_BATCHES)

    async def batch(request: Request) -> Response:
        _require_json(request.scope)
        body = await read_body(request.scope, request.receive, max_bytes)
        if batches.statistics().tasks_waiting >= MAX_QUEUED_BATCHES:
            raise Unavailable("Too many batches are waiting. Try again shortly.")
        async with batches:
            asked = await anyio.to_thread.run_sync(lambda: parse_batch(_parse_json(body)))
            printed = await desk.render_many(asked)
        for verdict, _, _ in printed:
            tally.increment(verdict)
        body = encode_batch(body for _, body, _ in printed)
        return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")

    return Route("/v1/verify/batch", batch, methods=["POST"])


def _etag_matches(if_none_match: bytes, etag: bytes) -> bool:
    """RFC 9110 §13.1.2: weak comparison with any of a list, or `*`."""
    if if_none_match == etag:
        return True
    return any(tag.strip().removeprefix(b"W/") in {etag, b"*"} for tag in if_none_match.split(b","))


def _require_json(scope: Scope) -> None:
    """Raises `UnsupportedMedia` for a body of any other type."""
    for name, value in scope["headers"]:
        if name == b"content-type":  # of two the first
            if value == _JSON_HEADER[1] or value.partition(b";")[0].strip().lower() == _JSON_HEADER[1]:
                return
            break
    raise UnsupportedMedia("Send this as application/json.")


def _parse_json(body: bytes) -> object:
    try:
        return strict_json.loads(body)
    except ValueError as error:
        raise Invalid(str(error)) from None
