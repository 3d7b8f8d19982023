"""Legal forms: whether an organisation is a legal person, and names with and without their form. Pure.

The spellings are data (`legal_forms.toml`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from app.core.text.normalize import fold_alphanumeric

LEGAL_PERSON_KIND: Final = "legal"
LEGAL_PERSON_DIGIT: Final = "1"  # the last digit of the VÖEN of a legal entity


@dataclass(frozen=True, slots=True)
class LegalForms:
    """Folded spellings. `person` has every one of them; `anywhere` and `behind` those that are parts of names."""

    kind_by_form: Mapping[str, str]
    before_or_after: frozenset[str]
    after: frozenset[str]


@cache
def load_legal_forms() -> LegalForms:
    """The forms that ship with the service."""
    return parse_legal_forms((files("app.organisations") / "legal_forms.toml").read_text("utf-8"))


def parse_legal_forms(text: str) -> LegalForms:
    """From the text of the data file, which is part of the service: a fault in it is an ordinary exception."""
    person: dict[str, str] = {}
    places: dict[str, set[str]] = {"anywhere": set(), "behind": set(), "also": set()}
    for form in tomllib.loads(text)["forms"]:
        for place in places:
            spellings = {fold_alphanumeric(spelling) for spelling in form.get(place, ())}
            places[place] |= spellings
            person |= dict.fromkeys(spellings, form["person"])
    return LegalForms(person, frozenset(places["anywhere"]), frozenset(places["anywhere"] | places["behind"]))


def is_legal_person(voen: str, legal_form: str) -> bool:
    """Whether both the number and the form say that this is a legal entity. Whatever is not known is none: the number
    of a natural person must never be shown."""
    if len(voen) != 10 or not voen.isascii() or not voen.isdigit() or voen[-1] != LEGAL_PERSON_DIGIT:
        return False
    return load_legal_forms().kind_by_form.get(fold_alphanumeric(legal_form)) == LEGAL_PERSON_KIND


def public_voen(voen: str, *, is_legal: bool) -> str | None:
    """The VÖEN as it is shown: of a legal person in full, of anybody else never. The last digit is asked once more."""
    return voen if is_legal and voen.endswith(LEGAL_PERSON_DIGIT) else None


def name_with_form(name: str, legal_form: str) -> str:
    """The name with its legal form, which goes behind it where the name has none yet.

    A form that is no part of names (`also`) is not added.
    """
    known = load_legal_forms()
    form = fold_alphanumeric(legal_form)
    if form in known.kind_by_form and form not in known.after:
        return name
    if name_without_form(name) != name or fold_alphanumeric(name).endswith(form):
        return name
    return f"{name} {legal_form}"


def name_without_form(name: str) -> str:
    """The name without the legal form behind it or, where none is there, before it; a comma that led to it goes too.

    A name that is nothing but a form stays as it is.
    """
    words = name.split()
    known = load_legal_forms()
    for length in range(min(_max_words(), len(words) - 1), 0, -1):
        if fold_alphanumeric("".join(words[-length:])) in known.after:
            return " ".join(words[:-length]).rstrip(" ,")
    for length in range(min(_max_words(), len(words) - 1), 0, -1):
        if fold_alphanumeric("".join(words[:length])) in known.before_or_after:
            return " ".join(words[length:])
    return name


@cache
def _max_words() -> int:
    """Of the longest form, “общество с ограниченной ответственностью”; and “M. M. C.” is three."""
    return 4
