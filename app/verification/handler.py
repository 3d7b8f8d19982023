"""Answer `/v1/verify`: single verifications for the fast path, and the route of batches.

A forged or mistyped certificate is a result (200), not an error. Domain errors (413, 415, 422) become problem documents
in `app/web/problems/problem_details.py`.
"""

from collections import Counter
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
"""Per worker. More would share the same processor and delay single verifications."""
MAX_QUEUED_BATCHES = 16
_JSON_HEADER = (b"content-type", b"application/json")
_NO_CACHE_HEADER = (b"cache-control", b"no-cache")


Header = tuple[bytes, bytes]
BodyReader = Callable[[Scope, Receive, int], Awaitable[bytes]]
"""Read the body of a request up to a number of bytes. Raises `TooLarge`, `Invalid`."""


class VerifyHandler:
    """Answer single verifications for the fast path (`app/web/verify_fast_path.py`).

    One look-up, no session, no route.
    """

    def __init__(
        self,
        service: VerificationService,
        counter: VerdictCounter,
        read_body: BodyReader,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._service = service
        self._counter = counter
        self._read_body = read_body
        self._max_body_bytes = max_body_bytes

    async def handle_get(self, text: str, if_none_match: bytes | None) -> tuple[int, list[Header], bytes]:
        """Return status, headers and body for a number from the path, percent-decoded."""
        verdict, body, etag = self._service.render_now(text) or await self._service.render_number(text)
        self._counter.increment(verdict)
        if if_none_match is not None and _etag_matches(if_none_match, etag):
            return 304, [(b"etag", etag), _NO_CACHE_HEADER], b""
        return 200, [_JSON_HEADER, (b"content-length", b"%d" % len(body)), (b"etag", etag), _NO_CACHE_HEADER], body

    async def handle_post(self, scope: Scope, receive: Receive) -> tuple[int, list[Header], bytes]:
        """Return status, headers and body for `POST /v1/verify`."""
        _require_json(scope)
        item, expected = parse_request(_parse_json(await self._read_body(scope, receive, self._max_body_bytes)))
        service, is_number = self._service, item.kind == "number"
        if expected is None:
            verdict, body, _ = await (
                service.render_number(item.text) if is_number else service.render_token(item.text)
            )
        else:
            result = await (service.verify_number(item.text) if is_number else service.verify_token(item.text))
            body = encode_with_comparison(result, service.base_url, expected, marking=service.marking)
            verdict = result.verdict
        self._counter.increment(verdict)
        return 200, [_JSON_HEADER, (b"content-length", b"%d" % len(body)), _NO_CACHE_HEADER], body


def batch_route(
    service: VerificationService, counter: VerdictCounter, read_body: BodyReader, *, max_bytes: int = MAX_BATCH_BYTES
) -> Route:
    """Build the route `POST /v1/verify/batch`."""
    batches = anyio.Semaphore(MAX_CONCURRENT_BATCHES)

    async def batch(request: Request) -> Response:
        _require_json(request.scope)
        body = await read_body(request.scope, request.receive, max_bytes)
        if batches.statistics().tasks_waiting >= MAX_QUEUED_BATCHES:
            raise Unavailable("Too many batches are waiting. Try again shortly.")
        async with batches:
            items = await anyio.to_thread.run_sync(lambda: parse_batch(_parse_json(body)))
            responses = await service.render_many(items)
        for verdict, count in Counter(verdict for verdict, _, _ in responses).items():
            counter.increment(verdict, count)
        body = encode_batch(body for _, body, _ in responses)
        return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")

    return Route("/v1/verify/batch", batch, methods=["POST"])


def _etag_matches(if_none_match: bytes, etag: bytes) -> bool:
    """Compare weakly with every tag of a list, or with `*` (RFC 9110 §13.1.2)."""
    if if_none_match == etag:
        return True
    return any(tag.strip().removeprefix(b"W/") in {etag, b"*"} for tag in if_none_match.split(b","))


def _require_json(scope: Scope) -> None:
    """Check that the body is JSON. Raises `UnsupportedMedia` for any other type."""
    for name, value in scope["headers"]:
        if name == b"content-type":  # if the header is repeated, the first one counts
            if value == _JSON_HEADER[1] or value.partition(b";")[0].strip().lower() == _JSON_HEADER[1]:
                return
            break
    raise UnsupportedMedia("Send this as application/json.")


def _parse_json(body: bytes) -> object:
    try:
        return strict_json.loads(body)
    except ValueError as error:
        raise Invalid(str(error)) from None
