"""The public door of verification: `/v1/verify`, also for many at once. Plain Starlette routes: nothing is asked more.

A forged or mistyped thing is a result (200), not an error. Refusals (413, 415, 422) are raised in the domain's words
and become problem documents in the one table of `app/web/problems.py`.
"""

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app import strict_json
from app.errors import Invalid, TooLarge, Unavailable, UnsupportedMedia
from app.verification.answer import answer, answer_many, answer_with_expectation
from app.verification.desk import VerificationDesk
from app.verification.questions import read_batch, read_question

MAX_BODY_BYTES = 65_536
MAX_BATCH_BYTES = 8_388_608
BATCHES_AT_ONCE = 2
"""In one worker. More would only share the same processor, and keep everybody waiting for single checks."""
BATCHES_WAITING = 16


def routes(
    desk: VerificationDesk, *, max_body_bytes: int = MAX_BODY_BYTES, max_batch_bytes: int = MAX_BATCH_BYTES
) -> list[Route]:
    """`GET`, `HEAD /v1/verify/{number}`, `POST /v1/verify` and `POST /v1/verify/batch`."""
    batches = anyio.Semaphore(BATCHES_AT_ONCE)

    async def get(request: Request) -> Response:
        body, etag = answer(await desk.by_number(request.path_params["number"]), desk.base_url)
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if _matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    async def post(request: Request) -> Response:
        asked, expected = read_question(_parse(await _read_body(request, max_body_bytes)))
        judgement = await (desk.by_number(asked.text) if asked.kind == "number" else desk.by_token(asked.text))
        if expected is None:
            body, _ = answer(judgement, desk.base_url)
        else:
            body = answer_with_expectation(judgement, desk.base_url, expected)
        return _json(body)

    async def batch(request: Request) -> Response:
        body = await _read_body(request, max_batch_bytes)
        if batches.statistics().tasks_waiting >= BATCHES_WAITING:
            raise Unavailable("Too many batches are waiting. Try again shortly.")
        async with batches:
            asked = await anyio.to_thread.run_sync(lambda: read_batch(_parse(body)))
            return _json(await desk.many(asked, lambda judged: answer_many(judged, desk.base_url)))

    # `:path`, because a slash in what somebody typed is a wrong character and not another address.
    return [
        Route("/v1/verify/{number:path}", get, methods=["GET"]),
        Route("/v1/verify", post, methods=["POST"]),
        Route("/v1/verify/batch", batch, methods=["POST"]),
    ]


def _json(body: bytes) -> Response:
    return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")


def _matches(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110 §13.1.2: weak comparison with any of a list, or `*`."""
    if if_none_match is None:
        return False
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in if_none_match.split(","))


async def _read_body(request: Request, limit: int) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMedia("Send this as application/json.")
    too_large = TooLarge(f"The body is larger than {limit} bytes.")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and (len(stated) > 15 or int(stated) > limit):
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large
    except ClientDisconnect:
        raise Invalid("The request ended before its body did.") from None
    return bytes(body)


def _parse(body: bytes) -> object:
    try:
        return strict_json.loads(body)
    except ValueError as error:
        raise Invalid(str(error)) from None
