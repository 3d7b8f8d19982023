"""Load catalogues and text direction of the languages of pages and documents.

Catalogues are `app/locales/<language>/<domain>.po`, read without a build step: translators change one file. Message
keys are the English texts. Content negotiation is in `web/`.
"""

import io
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from types import MappingProxyType
from typing import Literal

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

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
"""Language code → name in the language itself, in the order in which pages list them."""
LANGUAGES = tuple(OWN_NAMES)
DEFAULT_LANGUAGE = "en"
Direction = Literal["ltr", "rtl"]


@cache
def load_catalogue(domain: str, language: str) -> NullTranslations:
    """Return the translations of a domain: `pages`, `paper`, `problems` or `mail`. English is the language of the keys.

    Raises FileNotFoundError for a domain or language without a catalogue.
    """
    if language == DEFAULT_LANGUAGE:
        return NullTranslations()
    source = resources.files("app").joinpath("locales", language, f"{domain}.po")
    with source.open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def get_locale(language: str) -> Locale:
    return Locale.parse(language)


@cache
def text_direction(language: str) -> Direction:
    return "rtl" if get_locale(language).text_direction == "rtl" else "ltr"


def country_name(code: str, language: str) -> str:
    """Return the name of a country (ISO 3166-1 alpha-2) in a language; the code itself where it has none."""
    return str(get_locale(language).territories.get(code, code))
