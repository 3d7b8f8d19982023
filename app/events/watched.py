"""Say what a person or a program may follow: a certificate, those of a holder, those of a heading. Pure."""

from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from app.certificates.certificate_number import parse_number
from app.core.errors import Invalid


class WatchKind(StrEnum):
    CERTIFICATE = "certificate"
    HOLDER = "holder"
    HEADING = "heading"


def normalize_watched(kind: WatchKind, value: str, pointer: str = "/value") -> str:
    """Return a value as it is stored, whether or not there is such a thing. Raises `Invalid` at `pointer`."""
    if kind is WatchKind.CERTIFICATE and (number := parse_number(value)) is not None:
        return str(number)
    if kind is WatchKind.HOLDER:
        try:
            return str(UUID(value))
        except ValueError:
            pass
    digits = value.replace(".", "")
    if kind is WatchKind.HEADING and digits.isascii() and digits.isdigit() and len(digits) in {2, 4, 6}:
        return digits
    raise Invalid.at(pointer, "Enter a certificate number, the id of a holder, or 2, 4 or 6 digits of an HS code.")


def watched_as(number: str, holder: UUID, hs6: str) -> Iterator[tuple[WatchKind, str]]:
    """Yield everything by which a certificate is followed."""
    yield WatchKind.CERTIFICATE, number
    yield WatchKind.HOLDER, str(holder)
    for length in (2, 4, 6):
        yield WatchKind.HEADING, hs6[:length]
