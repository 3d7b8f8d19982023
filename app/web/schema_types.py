"""Types of what strangers send: text that can be stored and shown, whole numbers, exact decimals."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from app.auth.credentials.passwords import weakness
from app.core.messages import DAY_WANTED, DECIMAL_WANTED, Message
from app.core.text.normalize import tidy, wrong_with

Item = TypeVar("Item")


class Body(BaseModel):
    """A request body: unknown members are refused, so that a slip of the pen is not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class Page(Answer, Generic[Item]):
    """A list, or a page of one: then `Link` names the next page."""

    items: list[Item]


def _text(most: int, *, lines: bool = False) -> AfterValidator:
    def check(value: str) -> str:
        if wrong := wrong_with(value, most, lines=lines):
            raise ValueError(wrong)
        return tidy(value)

    return AfterValidator(check)


def _code(value: str) -> str:
    """As typed: whether a code is known is for those who know the codes; here it only has to be text."""
    if wrong := wrong_with(value, 40):
        raise ValueError(wrong)
    return value


def _no_number(value: Any) -> Any:
    """A code is text: as a number it would have lost its leading zeros."""
    if isinstance(value, int | float | Decimal):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueErrors, a TypeError would be a crash)
            Message("Send this as text in quotes: a number loses its leading zeros.", code="wrong-type")
        )
    return value


def _day(value: Any) -> Any:
    """A number would be read as seconds since 1970, and a moment would lose its hours."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(DAY_WANTED)
    return value


def _decimal(value: Any) -> Any:
    """Decimals come as text or as JSON numbers; true and false are neither."""
    if isinstance(value, bool):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueErrors, a TypeError would be a crash)
            DECIMAL_WANTED
        )
    return value


Word = Annotated[StrictStr, _text(100)]
Name = Annotated[StrictStr, _text(250)]
Sentence = Annotated[StrictStr, _text(500)]
Prose = Annotated[StrictStr, _text(4_000, lines=True)]
Code = Annotated[StrictStr, BeforeValidator(_no_number), AfterValidator(_code), Field(max_length=40)]
Whole = StrictInt
Flag = StrictBool
Day = Annotated[date, BeforeValidator(_day)]
Exact = Annotated[Decimal, BeforeValidator(_decimal), Field(allow_inf_nan=False)]


def _strong(value: str) -> str:
    if wrong := weakness(value):
        raise ValueError(wrong)
    return value


StrongPassword = Annotated[
    str, AfterValidator(_strong), Field(max_length=256, examples=["correct horse battery staple"])
]
Query = Annotated[str, _text(200)]

SHOWN_ONCE = "shown once, in this answer only: null where the answer is given again to a retry"
"""Said of every secret in an answer; `app/web/idempotency.py` leaves it out of what is kept."""
