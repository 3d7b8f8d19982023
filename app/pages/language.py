"""Which language a page speaks: what the address asks for, else what was chosen before, else what the browser likes.

`?lang=fa` is the permanent address of a page in one language. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.languages import DEFAULT, LANGUAGES

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
_MOST_RANGES: Final = 32


@dataclass(frozen=True, slots=True)
class Choice:
    """The language, and whether the address named it: then the links of the page name it too."""

    language: str
    in_address: bool = False


def choose(asked: str | None, kept: str | None, accepted: str | None) -> Choice:
    """From `?lang=`, the cookie and `Accept-Language`; what names no language of ours is passed over."""
    if asked in LANGUAGES:
        return Choice(asked, in_address=True)
    if kept in LANGUAGES:
        return Choice(kept)
    return Choice(_liked_most(accepted or ""))


def _liked_most(accepted: str) -> str:
    """RFC 9110 §12.5.4, by the primary subtag alone: `zh-Hant-TW` reads our Chinese."""
    best, most = DEFAULT, 0.0
    for part in accepted.split(",")[:_MOST_RANGES]:
        tag, *parameters = (piece.strip().lower() for piece in part.split(";"))
        language = DEFAULT if tag == "*" else tag.partition("-")[0]
        weight = _weight(parameters)
        if language in LANGUAGES and weight > most:
            best, most = language, weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 < weight <= 1 else 0.0
    return 1.0
