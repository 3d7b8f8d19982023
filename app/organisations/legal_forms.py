"""Tell legal persons from natural ones, and add or remove the legal form of a name. Pure.

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
    """Load the legal forms that ship with the service."""
    return parse_legal_forms((files("app.organisations") / "legal_forms.toml").read_text("utf-8"))


def parse_legal_forms(text: str) -> LegalForms:
    """Parse the data file, which is part of the service: a fault in it is an ordinary exception."""
    person: dict[str, str] = {}
    places: dict[str, set[str]] = {"anywhere": set(), "behind": set(), "also": set()}
    for form in tomllib.loads(text)["forms"]:
        for place in places:
            spellings = {fold_alphanumeric(spelling) for spelling in form.get(place, ())}
            places[place] |= spellings
            person |= dict.fromkeys(spellings, form["person"])
    return LegalForms(person, frozenset(places["anywhere"]), frozenset(places["anywhere"] | places["behind"]))


def is_legal_person(voen: str, legal_form: str) -> bool:
    """Whether both the number and the form denote a legal entity.

    Unknown forms count as natural persons, because the number of a natural person must never be published.
    """
    if len(voen) != 10 or not voen.isascii() or not voen.isdigit() or voen[-1] != LEGAL_PERSON_DIGIT:
        return False
    return load_legal_forms().kind_by_form.get(fold_alphanumeric(legal_form)) == LEGAL_PERSON_KIND


def public_voen(voen: str, *, is_legal: bool) -> str | None:
    """Return the VÖEN of a legal person, as it may be published; None for others. Its last digit is checked as well."""
    return voen if is_legal and voen.endswith(LEGAL_PERSON_DIGIT) else None


def name_with_form(name: str, legal_form: str) -> str:
    """Append the legal form to a name that has none yet.

    A form that is not part of names (`also`) is not added.
    """
    legal_forms = load_legal_forms()
    form = fold_alphanumeric(legal_form)
    if form in legal_forms.kind_by_form and form not in legal_forms.after:
        return name
    if name_without_form(name) != name or fold_alphanumeric(name).endswith(form):
        return name
    return f"{name} {legal_form}"


def name_without_form(name: str) -> str:
    """Remove the legal form after the name or, if there is none, before it, with the comma that led to it.

    A name of which only commas would be left stays as it is, and so does one that consists only of a form.
    """
    words = name.split()
    legal_forms = load_legal_forms()
    for length in range(min(_max_words(), len(words) - 1), 0, -1):
        if fold_alphanumeric("".join(words[-length:])) in legal_forms.after:
            return " ".join(words[:-length]).rstrip(" ,") or name
    for length in range(min(_max_words(), len(words) - 1), 0, -1):
        if fold_alphanumeric("".join(words[:length])) in legal_forms.before_or_after:
            return " ".join(words[length:])
    return name


@cache
def _max_words() -> int:
    """Return the word count of the longest form, “общество с ограниченной ответственностью”; “M. M. C.” has three."""
    return 4
