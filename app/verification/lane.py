"""The public door of verification: `/v1/verify`. Plain Starlette routes: this is asked for more than all else.

A forged or mistyped thing is a result (200), not an error. Refusals (413, 415, 422) are raised in the domain's words
and become problem documents in the one table of `app/web/problems.py`.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app import strict_json
from app.errors import Invalid, TooLarge, UnsupportedMedia
from app.verification.answer import answer
from app.verification.desk import VerificationDesk

MAX_BODY_BYTES = 65_536


def routes(desk: VerificationDesk, *, max_body_bytes: int = MAX_BODY_BYTES) -> list[Route]:
    """`GET`, `HEAD /v1/verify/{number}` and `POST /v1/verify`."""

    async def get(request: Request) -> Response:
        body, etag = answer(await desk.by_number(request.path_params["number"]), desk.base_url)
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if _matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    async def post(request: Request) -> Response:
        name, text = _asked(await _read_json_body(request, max_body_bytes))
        judgement = await (desk.by_number(text) if name == "number" else desk.by_token(text))
        body, _ = answer(judgement, desk.base_url)
        return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")

    # `:path`, because a slash in what somebody typed is a wrong character and not another address.
    return [Route("/v1/verify/{number:path}", get, methods=["GET"]), Route("/v1/verify", post, methods=["POST"])]


def _matches(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110 §13.1.2: weak comparison with any of a list, or `*`."""
    if if_none_match is None:
        return False
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in if_none_match.split(","))


async def _read_json_body(request: Request, limit: int) -> object:
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
    try:
        return strict_json.loads(bytes(body))
    except ValueError as error:
        raise Invalid(str(error)) from None


def _asked(body: object) -> tuple[str, str]:
    """Exactly one of `number` and `token`, a string; other members are refused, so that a slip is not passed over."""
    if not isinstance(body, dict):
        raise Invalid("Send an object with either “number” or “token”.")
    if unknown := body.keys() - {"number", "token"}:
        raise Invalid(f"Send “number” or “token” and nothing else: {len(unknown)} other members were found.")
    if len(body) != 1:
        raise Invalid("Send exactly one of “number” and “token”.")
    ((name, value),) = body.items()
    if not isinstance(value, str):
        raise Invalid.at(f"/{name}", f"“{name}” must be a string.")
    return name, value
