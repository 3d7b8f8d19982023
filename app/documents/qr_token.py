"""Sign and verify QR tokens: signed data in a QR code, for verification without a network.

**Address in the code.** `{base_url}/v/{number}#{token}`. A phone's camera opens the page of the certificate; the part
after `#` never reaches the server, and the page verifies it by itself. Small labels carry `{base_url}/v/{number}`
alone.

**Format.** A compact JWS (RFC 7515), ES256, at most 480 ASCII characters: `header.payload.signature`, each in unpadded
base64url. What is signed is the ASCII text `header.payload`; the signature is R || S, 64 bytes (as WebCrypto takes it).

Header, exactly these members in this order, without spaces:

    {"alg":"ES256","kid":"73voMXFN","typ":"stamp+jwt"}

`kid` is the first 8 characters of the RFC 7638 thumbprint of the key. In `/.well-known/jwks.json` the `kid` of the same
key is `<DID>#<thumbprint>`: the right key is the one whose `kid` has these 8 characters after `#`.

Payload, UTF-8 JSON, exactly these members in this order, without spaces; only `"` and `\\` are escaped:

| member | meaning |
|---|---|
| `n` | certificate number in display form, `MIK-2026-000042-Y` |
| `h` | holder, cut |
| `p` | product, cut: the English name, else the Azerbaijani one, else the first by language code |
| `c` | HS subheading, 6 digits |
| `f` | first day of validity, `2026-11-22`, Asia/Baku |
| `u` | last day of validity, inclusive |
| `s` | `[list, index]`: index in the lists `{base_url}/v1/status-lists/revocation-{list}` and `suspension-{list}` |

A text is *cut* where its JSON form would take more than 40 bytes: it then ends in `…` (U+2026), and all before it is
the beginning of the text as registered.

A QR token states what was certified, never today's status: only an online verification shows that. It is a copy of
public facts and no secret; a copied QR token leads to the certificate from which it was copied, and a comparison with
the goods reveals the copy.

Pure.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self
from urllib.parse import quote

from app.certificates import certificate_number
from app.certificates.status_list import LIST_LENGTH
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jwk import short_kid
from app.core.crypto.jws import PublicKey
from app.core.crypto.signer import Signer
from app.core.errors import MikError

MAX_CHARS: Final = 480
MAX_TEXT_BYTES: Final = 40
MAX_LIST_ID: Final = 999_999
ELLIPSIS: Final = "…"
_JOINERS: Final = "\u200c\u200d"
_MEMBERS: Final = ("n", "h", "p", "c", "f", "u", "s")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class QrTokenRejected(MikError):
    """The text is not a QR token signed by this service. The reason is not disclosed."""

    code = "stamp-refused"

    def __init__(self) -> None:
        super().__init__("The QR token on this document was not issued by this service. Do not rely on the document.")


@dataclass(frozen=True, slots=True)
class QrToken:
    """Content of a QR token.

    `holder` and `product` are already cut; both days are inclusive, Asia/Baku.
    """

    number: str
    holder: str
    product: str
    hs6: str
    valid_from: date
    valid_until: date
    list_id: int
    index: int

    @classmethod
    def from_certificate(
        cls,
        *,
        number: str,
        holder_name: str,
        product_names: Mapping[str, str],
        hs6: str,
        valid_from: date,
        valid_until: date,
        list_id: int,
        index: int,
    ) -> Self:
        """Build the QR token of a certificate; `product_names` is by language and not empty."""
        product = product_names.get("en") or product_names.get("az") or product_names[min(product_names)]
        return cls(number, truncate(holder_name), truncate(product), hs6, valid_from, valid_until, list_id, index)

    def payload(self) -> bytes:
        """Return exactly the bytes that are signed."""
        return jws.dump_json(
            {
                "n": self.number,
                "h": self.holder,
                "p": self.product,
                "c": self.hs6,
                "f": self.valid_from.isoformat(),
                "u": self.valid_until.isoformat(),
                "s": [self.list_id, self.index],
            }
        )


def sign_qr_token(qr_token: QrToken, signer: Signer) -> str:
    """Sign a QR token and verify it as any reader would.

    Raises `ValueError` for values that no certificate can have: a token that readers would reject is never signed.
    """
    _parse_payload(strict_json.loads(qr_token.payload()))
    text = signer.sign(qr_token.payload(), typ=jws.TYP_QR_TOKEN, short=True)
    if len(text) > MAX_CHARS:
        raise ValueError(f"the QR token would be longer than {MAX_CHARS} characters")
    if verify_qr_token(text, {signer.kid: signer.public}) != qr_token:
        raise ValueError("the QR token does not verify as it was written")
    return text


def verify_qr_token(text: object, keys: Mapping[str, PublicKey]) -> QrToken:
    """Verify a QR token and return its content. `keys` are by full `kid`.

    Raises `QrTokenRejected`.
    """
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        raise QrTokenRejected
    try:
        verified = jws.verify(text, typ=jws.TYP_QR_TOKEN, keys={short_kid(kid): key for kid, key in keys.items()})
        return _parse_payload(verified.payload)
    except (jws.TokenRejected, ValueError):
        raise QrTokenRejected from None


def page_url(base_url: str, number: str) -> str:
    """Return the short address of a certificate, for labels."""
    return f"{base_url}/v/{quote(number, safe='')}"


def url_with_token(page: str, qr_token: str) -> str:
    """Return the address in a PDF certificate's QR code: the page, with the token after `#`."""
    return f"{page}#{qr_token}"


def truncate(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Return the text, cut with an ellipsis where its JSON form exceeds `max_bytes` of UTF-8.

    The cut is never inside a character, nor between a letter and its marks.
    """
    if _json_length(text) <= max_bytes:
        return text
    available = max_bytes - _json_length(ELLIPSIS)
    length = 0
    while _json_length(text[: length + 1]) <= available:
        length += 1
    while length and unicodedata.category(text[length])[0] == "M":
        length -= 1
    return text[:length].rstrip(_JOINERS + " ") + ELLIPSIS


def _json_length(text: str) -> int:
    """Return the bytes of the JSON form without its quotes."""
    return len(jws.dump_json(text)) - 2


def _parse_payload(payload: Any) -> QrToken:
    """Parse a payload. Raises `ValueError` for anything that `QrToken.payload` does not write."""
    if tuple(payload) != _MEMBERS:
        raise ValueError("the members are not those of a QR token")
    *texts, list_index = payload.values()
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("a text is missing")
    number, holder, product, hs6, first, last = texts
    if str(certificate_number.parse_number(number)) != number or not re.fullmatch("[0-9]{6}", hs6):
        raise ValueError("number or HS subheading have another format")
    if truncate(holder) != holder or truncate(product) != product:
        raise ValueError("a name is longer than a QR token allows")
    qr_token = QrToken(
        number, holder, product, hs6, _parse_day(first), _parse_day(last), *_parse_list_index(list_index)
    )
    if qr_token.valid_until < qr_token.valid_from:
        raise ValueError("it ends before it begins")
    return qr_token


def _parse_day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError("a day has another format")
    return date.fromisoformat(text)


def _parse_list_index(list_index: object) -> tuple[int, int]:
    # `type(…) is int`, because True is an int as well.
    if not isinstance(list_index, list) or [type(part) for part in list_index] != [int, int]:
        raise ValueError("the index in the status list has another format")
    list_id, index = list_index
    if not 1 <= list_id <= MAX_LIST_ID or not 0 <= index < LIST_LENGTH:
        raise ValueError("the index is outside the status lists")
    return list_id, index
