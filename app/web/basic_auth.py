"""Read the id and secret of an API client from `Authorization: Basic` (RFC 6749 §2.3.1, RFC 7617). Pure."""

import base64
import binascii
from typing import NamedTuple
from urllib.parse import unquote_plus

CHALLENGE = 'Basic realm="API clients", charset="UTF-8"'


class ClientCredentials(NamedTuple):
    client_id: str
    secret: str


def read_basic(authorization: str | None) -> ClientCredentials | None:
    """Id and secret, each form-urlencoded before they were joined; None for another scheme or no header.

    Raises ValueError, in words for the developer of the client, where the header cannot be read.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        read = ClientCredentials(unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict"))
    except (binascii.Error, UnicodeError) as why:
        raise ValueError("The Authorization header is no Basic authentication by RFC 7617.") from why
    if not (colon and read.client_id.isprintable() and read.client_id and read.secret):
        raise ValueError("Basic authentication names the client's id and its secret, joined by a colon.")
    return read
