"""Parse and build GS1 Digital Link URIs of trade items: `/01/{gtin}[/22/{variant}][/10/{lot}][/21/{serial}]`. Pure.

The order of the qualifiers is fixed. Data attributes in the query (`?17=…`) say nothing about a certificate and are
ignored.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

from stdnum import ean

from app.core.errors import Invalid
from app.core.messages import Message

PRIMARY_KEY: Final = "01"
QUALIFIER_NAMES: Mapping[str, str] = MappingProxyType({"22": "variant", "10": "lot", "21": "serial number"})
"""Application identifiers that may follow a GTIN, in their order."""
_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_VALUE = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}""")  # GS1's character set 82
_GTIN_LENGTHS = (14, 13, 12, 8)


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A trade item, or a variant, lot or single item of it. `gtin` has 14 digits."""

    gtin: str
    qualifiers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The path in its canonical form, percent-encoded."""
        pairs = ((PRIMARY_KEY, self.gtin), *self.qualifiers)
        return "".join(f"/{identifier}/{quote(value, safe='')}" for identifier, value in pairs)

    @property
    def trade_item(self) -> "DigitalLink":
        """The same without qualifiers: what a certificate is about."""
        return DigitalLink(self.gtin)


def parse_path(path: str) -> DigitalLink:
    """Parse the raw path of a request, still percent-encoded: a lot may contain an encoded slash.

    Raises `Invalid` with the first place that is wrong.
    """
    segments = path.split("/")[2:] or [""]  # none: the slash after `01` was encoded as well
    gtin = parse_gtin(_decode(segments[0], "path:gtin"))
    return DigitalLink(gtin, tuple(_parse_qualifiers(segments[1:])))


def stored_forms(gtin: str) -> tuple[str, ...]:
    """Return the ways in which a GTIN of 14 digits may be written: leading zeroes do not count."""
    return tuple(gtin[-length:] for length in _GTIN_LENGTHS if not gtin[:-length].strip("0"))


def parse_gtin(text: str) -> str:
    """Return the GTIN with 14 digits. Raises `Invalid` for a wrong form or check digit."""
    if not _GTIN.fullmatch(text):
        raise Invalid.at("path:gtin", Message("A GTIN has 8, 12, 13 or 14 digits.", code="wrong-format"))
    if not ean.is_valid(text):
        raise Invalid.at(
            "path:gtin",
            Message("The check digit of this GTIN is wrong: a digit was mistyped.", code="wrong-check-digit"),
        )
    return text.zfill(14)


def _parse_qualifiers(segments: Sequence[str]) -> list[tuple[str, str]]:
    qualifiers: list[tuple[str, str]] = []
    possible = list(QUALIFIER_NAMES)
    for place in range(0, len(segments), 2):
        identifier, *values = (_decode(text, "path:qualifiers") for text in segments[place : place + 2])
        if identifier not in possible:
            raise Invalid.at(
                "path:qualifiers",
                Message(
                    "“%(identifier)s” does not follow here. After a GTIN these may follow, in this order: %(allowed)s.",
                    identifier=identifier[:20],
                    allowed=list(QUALIFIER_NAMES),
                    code="wrong-qualifier",
                ),
            )
        if not values or not _VALUE.fullmatch(values[0]):
            raise Invalid.at(
                f"path:{QUALIFIER_NAMES[identifier].split()[0]}",
                Message(
                    "This has 1 to 20 characters: Latin letters, digits and common signs, no spaces.",
                    code="wrong-format",
                ),
            )
        qualifiers.append((identifier, values[0]))
        possible = possible[possible.index(identifier) + 1 :]
    return qualifiers


def _decode(text: str, pointer: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Invalid.at(pointer, Message("This is not text in UTF-8.", code="wrong-format")) from None
