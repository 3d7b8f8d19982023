"""Read the body of a request up to a limit. Raises `TooLarge` as soon as the body states or shows that it is longer."""

from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Scope

from app.core.messages import Message
from app.errors import Invalid, TooLarge


def limit_body(scope: Scope, receive: Receive, max_bytes: int, refusal: str | None = None) -> Receive:
    """Return a `receive` that counts the bytes of the body. `refusal` replaces the sentence of the refusal."""
    too_large = TooLarge(refusal or Message("The body is larger than %(limit)s bytes.", limit=max_bytes))
    stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if stated.isdigit() and (len(stated) > 15 or int(stated) > max_bytes):
        raise too_large
    length = 0

    async def receive_counted() -> AsgiMessage:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > max_bytes:
            raise too_large
        return message

    return receive_counted


async def read_body(scope: Scope, receive: Receive, max_bytes: int, refusal: str | None = None) -> bytes:
    """Read the whole body. Raises `TooLarge`, and `Invalid` when the client disconnects before its end."""
    receive = limit_body(scope, receive, max_bytes, refusal)
    pieces, has_more = [], True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The request ended before its body did.")
        pieces.append(message.get("body", b""))
        has_more = message.get("more_body", False)
    return b"".join(pieces)
