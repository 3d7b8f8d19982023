"""Parse the taxpayer number (VÖEN): 10 digits, the ninth a check digit, the last 1 (legal entity) or 2 (person). Pure.

A wrong format is rejected. A wrong check digit is not: real numbers exist that fail it, so staff verify it in the tax
register.
"""

import re
from dataclasses import dataclass

from stdnum.az import voen
from stdnum.exceptions import InvalidChecksum, ValidationError

from app.core.messages import Message

VOEN_LENGTH = 10
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Voen:
    digits: str
    needs_review: bool


@dataclass(frozen=True, slots=True)
class InvalidVoen:
    reason: Message


def parse_voen(text: str) -> Voen | InvalidVoen:
    """Return the number as written, without spaces, or why it is not valid.

    Nine digits are not padded with a zero as python-stdnum would do: the lost digit may be another one.
    """
    digits = text.replace(" ", "")
    if not _DIGITS.fullmatch(digits):
        return InvalidVoen(Message("A VÖEN consists of digits only.", code="wrong-voen"))
    if len(digits) == VOEN_LENGTH - 1:
        return InvalidVoen(
            Message(
                "A VÖEN has 10 digits, this has 9: perhaps a spreadsheet dropped a leading zero.", code="wrong-voen"
            )
        )
    if len(digits) != VOEN_LENGTH:
        return InvalidVoen(Message("A VÖEN has 10 digits, this has %(count)s.", code="wrong-voen", count=len(digits)))
    try:
        voen.validate(digits)
    except InvalidChecksum:
        return Voen(digits, needs_review=True)
    except ValidationError:  # length and digits are checked above, so only the last digit can fail
        return InvalidVoen(
            Message("The last digit of a VÖEN is 1 (legal entity) or 2 (natural person).", code="wrong-voen")
        )
    return Voen(digits, needs_review=False)
