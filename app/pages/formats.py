"""How days and moments are written in each language. Latin digits and the Gregorian calendar everywhere. Pure."""

from datetime import date, datetime
from functools import cache

from babel import Locale
from babel.dates import format_date

from app import languages
from app.core.dates import BAKU, baku_day


def day(value: date | str, language: str) -> str:
    """`22 November 2026`, from a date or its ISO form; of a moment in its RFC 3339 form, the day in Baku."""
    if isinstance(value, str):
        value = baku_day(datetime.fromisoformat(value)) if "T" in value else date.fromisoformat(value)
    return format_date(value, "long", locale=_locale(language))


def moment(value: datetime | str, language: str) -> str:
    """`22 November 2026, 21:00` in Baku, from an aware moment or its RFC 3339 form."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    in_baku = value.astimezone(BAKU)
    comma = "، " if languages.direction(language) == "rtl" else " " if language == "zh" else ", "
    return f"{day(in_baku.date(), language)}{comma}{in_baku:%H:%M}"


@cache
def _locale(language: str) -> Locale:
    """Readers of the English pages are all over the world: day before month, as in Britain."""
    return Locale("en", "GB") if language == "en" else languages.locale(language)
