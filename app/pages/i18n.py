"""Choose the language of a page, and format days and times in each language. Pure.

The order is: query parameter (`?lang=fa`, a permanent address), cookie, `Accept-Language`. Digits are Latin and the
calendar Gregorian in every language.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date

from app.core import i18n
from app.core.dates import BAKU, baku_day
from app.web.headers import negotiate_language

PARAMETER: Final = "lang"
COOKIE: Final = "lang"


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """The language of a page. `in_address`: the query named it, so the links of the page name it too."""

    language: str
    in_address: bool = False


def choose_language(parameter: str | None, cookie: str | None, accepted: str | None) -> LanguageChoice:
    """Choose by `?lang=`, the cookie and `Accept-Language`, in this order; unsupported languages are ignored."""
    if parameter in i18n.LANGUAGES:
        return LanguageChoice(parameter, in_address=True)
    if cookie in i18n.LANGUAGES:
        return LanguageChoice(cookie)
    return LanguageChoice(negotiate_language(accepted or ""))


def _(text: str) -> str:
    """Mark an English text for extraction into the catalogues (`app/locales`); templates translate it when shown."""
    return text


def day(value: date | str, language: str) -> str:
    """Format a date, an ISO date, or the day in Baku of an RFC 3339 time, such as `22 November 2026`."""
    if isinstance(value, str):
        value = baku_day(datetime.fromisoformat(value)) if "T" in value else date.fromisoformat(value)
    return format_date(value, "long", locale=_locale(language))


def format_datetime(value: datetime | str, language: str) -> str:
    """Format a time-zone aware or RFC 3339 time in Baku, such as `22 November 2026, 21:00`."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    in_baku = value.astimezone(BAKU)
    comma = "، " if i18n.text_direction(language) == "rtl" else " " if language == "zh" else ", "
    return f"{day(in_baku.date(), language)}{comma}{in_baku:%H:%M}"


@cache
def _locale(language: str) -> Locale:
    """Return the locale for formats. English uses en-GB, day before month, because its readers are international."""
    return Locale("en", "GB") if language == "en" else i18n.get_locale(language)
