"""The language of a page, its texts in Python, and how days and moments are written in each language. Pure.

The address may ask for a language (`?lang=fa`, a permanent address); else what was chosen before, else what the browser
likes. Latin digits and the Gregorian calendar everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import MappingProxyType
from typing import Final

from babel import Locale
from babel.dates import format_date

from app.core import i18n
from app.core.dates import BAKU, baku_day
from app.web.headers import negotiate_language

PARAMETER: Final = "lang"
COOKIE: Final = "lang"
OWN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "az": "Azərbaycanca",
        "en": "English",
        "ru": "Русский",
        "fa": "فارسی",
        "ar": "العربية",
        "zh": "中文",
        "de": "Deutsch",
    }
)


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """The language, and whether the address named it: then the links of the page name it too."""

    language: str
    in_address: bool = False


def choose_language(asked: str | None, kept: str | None, accepted: str | None) -> LanguageChoice:
    """From `?lang=`, the cookie and `Accept-Language`; what names no language of ours is passed over."""
    if asked in i18n.LANGUAGES:
        return LanguageChoice(asked, in_address=True)
    if kept in i18n.LANGUAGES:
        return LanguageChoice(kept)
    return LanguageChoice(negotiate_language(accepted or ""))


def _(text: str) -> str:
    """Marks an English text for the catalogues (`app/locales`); it is translated where it is shown, by `_` there."""
    return text


def day(value: date | str, language: str) -> str:
    """`22 November 2026`, from a date or its ISO form; of a moment in its RFC 3339 form, the day in Baku."""
    if isinstance(value, str):
        value = baku_day(datetime.fromisoformat(value)) if "T" in value else date.fromisoformat(value)
    return format_date(value, "long", locale=_locale(language))


def format_datetime(value: datetime | str, language: str) -> str:
    """`22 November 2026, 21:00` in Baku, from an aware moment or its RFC 3339 form."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    in_baku = value.astimezone(BAKU)
    comma = "، " if i18n.text_direction(language) == "rtl" else " " if language == "zh" else ", "
    return f"{day(in_baku.date(), language)}{comma}{in_baku:%H:%M}"


@cache
def _locale(language: str) -> Locale:
    """Readers of the English pages are all over the world: day before month, as in Britain."""
    return Locale("en", "GB") if language == "en" else i18n.get_locale(language)
