"""The stamp: what a QR code on paper carries, so that one code serves a phone online and a check without a network.

**Address in the code.** `{base_url}/v/{number}#{stamp}`. A phone's camera opens the page of the certificate; the part
after `#` never reaches the server, and the page checks it by itself. Small labels carry `{base_url}/v/{number}` alone.

**Form.** A compact JWS (RFC 7515), ES256, at most 480 characters of ASCII: `header.payload.signature`, each in unpadded
base64url. What is signed is the ASCII text `header.payload`; the signature is R || S, 64 bytes (as WebCrypto takes it).

Header, exactly these members in this order, without spaces:

    {"alg":"ES256","kid":"73voMXFN","typ":"stamp+jwt"}

`kid` is the first 8 characters of the RFC 7638 thumbprint of the key. In `/.well-known/jwks.json` the `kid` of the same
key is `<DID>#<thumbprint>`: the right key is the one whose `kid` has these 8 characters after `#`.

Payload, UTF-8 JSON, exactly these members in this order, without spaces; only `"` and `\\` are escaped:

| member | meaning |
|---|---|
| `n` | number of the certificate in its display form, `MIK-2026-000042-Y` |
| `h` | holder, cut |
| `p` | product, cut: the English name, else the Azerbaijani one, else the first by code of language |
| `c` | HS subheading, 6 digits |
| `f` | first day of validity, `2026-11-22`, Asia/Baku |
| `u` | last day of validity, inclusive |
| `s` | `[list, index]`: place in the lists `{base_url}/v1/status-lists/revocation-{list}` and `suspension-{list}` |

A text is *cut* where its JSON form would take more than 40 bytes: it then ends in `…` (U+2026), and all before it is
the beginning of the text as registered.

A stamp says what was certified, never what holds today: only the register knows that. It is a copy of public facts and
no secret; a copied stamp leads to the certificate it was copied from, and there a comparison with the goods shows it.

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
    """The text is no stamp of ours. Why is of no use to whoever holds the paper."""

    code = "stamp-refused"

    def __init__(self) -> None:
        super().__init__("The stamp on this paper was not made by us. Do not rely on the paper.")


@dataclass(frozen=True, slots=True)
class QrToken:
    """What a stamp says. `holder` and `product` are cut already; both days are inclusive, Asia/Baku."""

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
        """The stamp of a certificate: names as registered, `product_names` by language and not empty."""
        product = product_names.get("en") or product_names.get("az") or product_names[min(product_names)]
        return cls(number, truncate(holder_name), truncate(product), hs6, valid_from, valid_until, list_id, index)

    def payload(self) -> bytes:
        """The very bytes that are signed."""
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


def sign_qr_token(stamp: QrToken, signer: Signer) -> str:
    """Sign a stamp, and check it as any reader would before it is handed out.

    Raises ValueError for what no certificate can hold: nothing is signed that a reader would refuse.
    """
    _parse_payload(strict_json.loads(stamp.payload()))
    text = signer.sign(stamp.payload(), typ=jws.TYP_QR_TOKEN, short=True)
    if len(text) > MAX_CHARS:
        raise ValueError(f"the stamp would be longer than {MAX_CHARS} characters")
    if verify_qr_token(text, {signer.kid: signer.public}) != stamp:
        raise ValueError("the stamp does not read as it was written")
    return text


def verify_qr_token(text: object, keys: Mapping[str, PublicKey]) -> QrToken:
    """The content of a stamp that one of our keys signed; `keys` by their whole `kid`. Raises StampRefused."""
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        raise QrTokenRejected
    try:
        verified = jws.verify(text, typ=jws.TYP_QR_TOKEN, keys={short_kid(kid): key for kid, key in keys.items()})
        return _parse_payload(verified.payload)
    except (jws.TokenRejected, ValueError):
        raise QrTokenRejected from None


def page_url(base_url: str, number: str) -> str:
    """The short address of a certificate, for labels."""
    return f"{base_url}/v/{quote(number, safe='')}"


def url_with_token(page: str, stamp: str) -> str:
    """The address in the QR code of a paper: the same page, with the stamp after `#`."""
    return f"{page}#{stamp}"


def truncate(text: str, most: int = MAX_TEXT_BYTES) -> str:
    """The text, or its beginning with an ellipsis where its JSON form has more than `most` bytes of UTF-8.

    Never inside a character, nor between a letter and the marks that belong to it.
    """
    if _json_length(text) <= most:
        return text
    room = most - _json_length(ELLIPSIS)
    taken = 0
    while _json_length(text[: taken + 1]) <= room:
        taken += 1
    while taken and unicodedata.category(text[taken])[0] == "M":
        taken -= 1
    return text[:taken].rstrip(_JOINERS + " ") + ELLIPSIS


def _json_length(text: str) -> int:
    """Bytes of the JSON form, without its quotes."""
    return len(jws.dump_json(text)) - 2


def _parse_payload(payload: Any) -> QrToken:
    """Raises ValueError for anything that `Stamp.payload` does not write."""
    if tuple(payload) != _MEMBERS:
        raise ValueError("the members are not those of a stamp")
    *texts, place = payload.values()
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("a text is missing")
    number, holder, product, hs6, first, last = texts
    if str(certificate_number.parse_number(number)) != number or not re.fullmatch("[0-9]{6}", hs6):
        raise ValueError("number or HS subheading have another form")
    if truncate(holder) != holder or truncate(product) != product:
        raise ValueError("a name is longer than a stamp takes")
    stamp = QrToken(number, holder, product, hs6, _day(first), _day(last), *_place(place))
    if stamp.valid_until < stamp.valid_from:
        raise ValueError("it ends before it begins")
    return stamp


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError("a day has another form")
    return date.fromisoformat(text)


def _place(place: object) -> tuple[int, int]:
    # `type(…) is int`, because True is an int as well.
    if not isinstance(place, list) or [type(each) for each in place] != [int, int]:
        raise ValueError("the place in the status list has another form")
    list_id, index = place
    if not 1 <= list_id <= MAX_LIST_ID or not 0 <= index < LIST_LENGTH:
        raise ValueError("the place is outside the status lists")
    return list_id, index
