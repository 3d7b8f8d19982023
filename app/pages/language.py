"""Which language a page speaks: what the address asks for, else what was chosen before, else what the browser likes.

`?lang=fa` is the permanent address of a page in one language. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.languages import LANGUAGES
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
    return Choice(negotiate_language(accepted or ""))
