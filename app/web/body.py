"""Read the body of a request up to a limit. Raises `TooLarge` as soon as the body states or shows that it is longer."""

from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Scope

from app.core.errors import Invalid, TooLarge
from app.core.messages import Message


def limit_body(scope: Scope, receive: Receive, max_bytes: int, refusal: str | None = None) -> Receive:
    """Return a `receive` that counts the bytes of the body. `refusal` replaces the message of the error."""
    _check_stated_length(scope, max_bytes, refusal)
    length = 0

    async def receive_counted() -> AsgiMessage:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > max_bytes:
            raise _too_large(max_bytes, refusal)
        return message

    return receive_counted


async def read_body(scope: Scope, receive: Receive, max_bytes: int, refusal: str | None = None) -> bytes:
    """Read the whole body. Raises `TooLarge`, and `Invalid` when the client disconnects before its end.

    Counts the bytes itself: another `receive` around the server's would cost a tenth of a posted verification.
    """
    _check_stated_length(scope, max_bytes, refusal)
    pieces, length, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The request ended before its body did.")
        pieces.append(message.get("body", b""))
        length += len(pieces[-1])
        if length > max_bytes:
            raise _too_large(max_bytes, refusal)
        has_more = message.get("more_body", False)
    return b"".join(pieces)


def _check_stated_length(scope: Scope, max_bytes: int, refusal: str | None) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if value.isdigit() and (len(value) > 15 or int(value) > max_bytes):
                raise _too_large(max_bytes, refusal)
            return


def _too_large(max_bytes: int, refusal: str | None) -> TooLarge:
    return TooLarge(refusal or Message("The body is larger than %(limit)s bytes.", limit=max_bytes))
