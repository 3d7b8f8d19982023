"""Legal forms: whether an organisation is a legal person, and names with and without their form. Pure.

The spellings are data (`legal_forms.toml`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from app.core.text.normalize import fold

LEGAL: Final = "legal"
LEGAL_PERSON: Final = "1"  # the last digit of the VÖEN of a legal entity


@dataclass(frozen=True, slots=True)
class LegalForms:
    """Folded spellings. `person` has every one of them; `anywhere` and `behind` those that are parts of names."""

    person: Mapping[str, str]
    anywhere: frozenset[str]
    behind: frozenset[str]


@cache
def legal_forms() -> LegalForms:
    """The forms that ship with the service."""
    return read_forms((files("app.organisations") / "legal_forms.toml").read_text("utf-8"))


def read_forms(text: str) -> LegalForms:
    """From the text of the data file, which is part of the service: a fault in it is an ordinary exception."""
    person: dict[str, str] = {}
    places: dict[str, set[str]] = {"anywhere": set(), "behind": set(), "also": set()}
    for form in tomllib.loads(text)["forms"]:
        for place in places:
            spellings = {fold(spelling) for spelling in form.get(place, ())}
            places[place] |= spellings
            person |= dict.fromkeys(spellings, form["person"])
    return LegalForms(person, frozenset(places["anywhere"]), frozenset(places["anywhere"] | places["behind"]))


def is_legal_person(voen: str, legal_form: str) -> bool:
    """Whether both the number and the form say that this is a legal entity. Whatever is not known is none: the number
    of a natural person must never be shown."""
    if len(voen) != 10 or not voen.isascii() or not voen.isdigit() or voen[-1] != LEGAL_PERSON:
        return False
    return legal_forms().person.get(fold(legal_form)) == LEGAL


def public_voen(voen: str, *, is_legal: bool) -> str | None:
    """The VÖEN as it is shown: of a legal person in full, of anybody else never. The last digit is asked once more."""
    return voen if is_legal and voen.endswith(LEGAL_PERSON) else None


def name_with_form(name: str, legal_form: str) -> str:
    """The name with its legal form, which goes behind it where the name has none yet.

    A form that is no part of names (`also`) is not added.
    """
    known = legal_forms()
    form = fold(legal_form)
    if form in known.person and form not in known.behind:
        return name
    if without_form(name) != name or fold(name).endswith(form):
        return name
    return f"{name} {legal_form}"


def without_form(name: str) -> str:
    """The name without the legal form behind it or, where none is there, before it; a comma that led to it goes too.

    A name that is nothing but a form stays as it is.
    """
    words = name.split()
    known = legal_forms()
    for length in range(min(_most_words(), len(words) - 1), 0, -1):
        if fold("".join(words[-length:])) in known.behind:
            return " ".join(words[:-length]).rstrip(" ,")
    for length in range(min(_most_words(), len(words) - 1), 0, -1):
        if fold("".join(words[:length])) in known.anywhere:
            return " ".join(words[length:])
    return name


@cache
def _most_words() -> int:
    """Of the longest form, “общество с ограниченной ответственностью”; and “M. M. C.” is three."""
    return 4
