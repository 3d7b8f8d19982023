"""Define types of request members: storable text, strict integers, exact decimals."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
)

from app.auth.credentials.passwords import find_weakness
from app.core.messages import DATE_EXPECTED, DECIMAL_EXPECTED, Message
from app.core.text.normalize import normalize, text_error

Item = TypeVar("Item")


class RequestModel(BaseModel):
    """Define a request body; unknown members are rejected, so that a misspelled name is reported."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """Define a response body."""

    model_config = ConfigDict(frozen=True)


class Page(ResponseModel, Generic[Item]):
    """List items, or a page of them: then `Link` names the next page."""

    items: list[Item]


def _text_validator(max_length: int, *, lines: bool = False) -> AfterValidator:
    def check(value: str) -> str:
        if wrong := text_error(value, max_length, lines=lines):
            raise ValueError(wrong)
        return normalize(value)

    return AfterValidator(check)


def _validate_code(value: str) -> str:
    """Accept any storable text: whether the code exists is checked by the service."""
    if wrong := text_error(value, 40):
        raise ValueError(wrong)
    return value


def _reject_number(value: Any) -> Any:
    """Reject a number as a code: it would have lost its leading zeros."""
    if isinstance(value, int | float | Decimal):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueErrors, a TypeError would be a crash)
            Message("Send this as text in quotes: a number loses its leading zeros.", code="wrong-type")
        )
    return value


def _validate_day(value: Any) -> Any:
    """Reject numbers and datetimes as a date: pydantic would convert them silently."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(DATE_EXPECTED)
    return value


def _validate_decimal(value: Any) -> Any:
    """Accept decimals as text or JSON numbers, but not booleans."""
    if isinstance(value, bool):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueErrors, a TypeError would be a crash)
            DECIMAL_EXPECTED
        )
    return value


def _require_storable(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 9999:
        raise ValueError(Message("Enter a date and time between 1970 and 9998.", code="out-of-range"))
    return moment


StorableDatetime = Annotated[AwareDatetime, AfterValidator(_require_storable)]
Text100 = Annotated[StrictStr, _text_validator(100)]
Text250 = Annotated[StrictStr, _text_validator(250)]
Text500 = Annotated[StrictStr, _text_validator(500)]
Text4000 = Annotated[StrictStr, _text_validator(4_000, lines=True)]
Code = Annotated[StrictStr, BeforeValidator(_reject_number), AfterValidator(_validate_code), Field(max_length=40)]
StrictInteger = StrictInt
StrictBoolean = StrictBool
IsoDate = Annotated[date, BeforeValidator(_validate_day)]
ExactDecimal = Annotated[Decimal, BeforeValidator(_validate_decimal), Field(allow_inf_nan=False)]


def _validate_strong_password(value: str) -> str:
    if wrong := find_weakness(value):
        raise ValueError(wrong)
    return value


StrongPassword = Annotated[
    str, AfterValidator(_validate_strong_password), Field(max_length=256, examples=["correct horse battery staple"])
]
SearchText = Annotated[str, _text_validator(200)]

SHOWN_ONCE_DESCRIPTION = "shown once, in this answer only: null where the answer is given again to a retry"
"""Description of every secret in a response; `app/web/idempotency.py` does not store such members."""
