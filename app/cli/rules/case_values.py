"""Parse the facts of a case: the members of each table and the parser of each value.

Raises `Wrong` with the location in the case and the allowed values.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from app.reference.territory import country_codes, load_territory
from app.schemes import facts
from app.schemes.closed_lists import load_lists
from app.schemes.facts import EvidenceSubjectKind, ValueBasis
from app.schemes.percentages import MAX_DIGITS, MAX_MAGNITUDE
from app.schemes.ruleset import Ruleset

SITE = "Ağdam"
SUBJECTS = {
    "company": EvidenceSubjectKind.COMPANY,
    "site": EvidenceSubjectKind.SITE,
    "product": EvidenceSubjectKind.PRODUCT,
    "lot": EvidenceSubjectKind.LOT,
}
PROOF_STATES = ("uploaded", "confirmed")
PROOF_KINDS = ("supplier-declaration", "origin-document", "production-record", "grower-letter")
RECORD_KINDS = ("production-record", "grower-letter")
SIZES = ("micro", "small", "medium", "large")

Table = Mapping[str, Any]
Read = Callable[[Any], Any]


class Wrong(ValueError):
    """Report an impossible value with its location: `facts.lines[0].value: …`."""


def at(place: str, detail: str) -> Wrong:
    return Wrong(f"{place}: {detail}")


# Parsers of single values. An empty text is an unknown fact.


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise TypeError("this is text.")
    return value or None


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("this is true or false.")
    return value


def day(value: Any) -> date | None:
    if value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)!r} is no day such as 2026-12-01.") from None


def figure(value: Any) -> Decimal | None:
    if value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise TypeError(f"{value!r} is no figure such as 830 or “12.5”.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no figure such as 830 or “12.5”.") from None
    if not number.is_finite():
        raise ValueError("this is no finite figure.")
    if len(number.as_tuple().digits) > MAX_DIGITS or (number and abs(number.adjusted()) > MAX_MAGNITUDE):
        raise ValueError("this figure is too large or too small.")
    return number


def needed_figure(value: Any) -> Decimal:
    number = figure(value)
    if number is None:
        raise ValueError("a figure is needed here.")
    return number


def country(value: Any) -> str | None:
    name = text(value)
    if name is not None and name not in country_codes():
        raise ValueError(f"{name!r} is no country code of two capital letters (ISO 3166-1).")
    return name


def district(value: Any) -> str | None:
    name = text(value)
    if name is None:
        return None
    found = load_territory().district_by_name(name)
    if found is None:
        close = get_close_matches(name, [each.name for each in load_territory().districts], n=3)
        hint = f" Is {' or '.join(close)} meant?" if close else ""
        raise ValueError(f"{name!r} is no district of Azerbaijan.{hint}")
    return found.name


def one_of(*words: str) -> Read:
    def read(value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise ValueError(f"{value!r} is none of: {', '.join(words)}.")
        return value

    return read


def member_of(kind: type[StrEnum]) -> Read:
    def read(value: Any) -> StrEnum | None:
        if value == "":
            return None
        return kind(one_of(*(each.value for each in kind))(value))

    return read


def list_of(read: Read) -> Read:
    def each(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError("this is a list.")
        return tuple(read(entry) for entry in value)

    return each


def unit(value: Any) -> str | None:
    name = text(value)
    found = load_lists().find_unit(name)
    if name is not None and found is None:
        raise ValueError(f"{name!r} is no unit of the list: {', '.join(load_lists().units)}.")
    return found


def flag_word(value: Any) -> str:
    name = text(value) or ""
    if name not in load_lists().flags and not name.startswith("joint_production_"):
        raise ValueError(f"{name!r} is no flag of the list: {', '.join(load_lists().flags)}.")
    return name


COUNTRY_AND_DISTRICT = "a country code or a district"
LINE: Mapping[str, Read] = {
    "name": text,
    "hs4": text,
    "from": country,
    "value": figure,
    "kg": figure,
    "claim": flag,
    "packing": flag,
    "basis": member_of(ValueBasis),
    "supplier": text,
    "at": district,
    "proofs": list_of(text),
    "proof": one_of(*PROOF_STATES),
    "proof_kind": one_of(*PROOF_KINDS),
    "proof_hs4": text,
    "proof_from": country,
    "proof_supplier": text,
    "proof_product": lambda value: value,
    "proof_at": district,
    "proof_issued": day,
    "proof_begins": day,
    "proof_until": day,
}
STEP: Mapping[str, Read] = {"op": text, "at": text, "essential": flag, "sub": lambda value: value, "seq": int}
APPLICANT: Mapping[str, Read] = {"voen": text, "name": text, "legal_form": text, "size_class": one_of("", *SIZES)}
PRODUCT: Mapping[str, Read] = {
    "name_en": text,
    "name_az": text,
    "other_names": list_of(text),
    "brand": text,
    "unit": unit,
    "flags": list_of(flag_word),
    "partner_countries": list_of(country),
}
RESIDENCY: Mapping[str, Read] = {
    "status": member_of(facts.ParkResidencyStatus),
    "holder_voen": text,
    "registration_no": text,
    "starts_on": day,
    "ends_on": day,
    "cancelled_on": day,
    "stage": member_of(facts.SiteStage),
    "confirmed_on": day,
}
SITE_MEMBERS: Mapping[str, Read] = {
    "district": district,
    "region": text,
    "park": text,
    "country": country,
    "zone": text,
    "started_on": day,
}
PAST: Mapping[str, Read] = {
    "on": day,
    "reason": text,
    "same_product": flag,
    "alike": flag,
    "company": text,
    "ground": text,
    "surrendered": flag,
}
CLAIM: Mapping[str, Read] = {"product": text, "volume": needed_figure, "unit": unit, "own": flag}
CAPACITY: Mapping[str, Read] = {"unit": unit, "per_year": needed_figure, "line": text}
VOLUMES: Mapping[str, Read] = {
    "claims": lambda value: value,
    "capacities": lambda value: value,
    "claim_awaits": flag,
    "capacity_awaits": flag,
}
DECLARATION: Mapping[str, Read] = {
    "declared_hash": text,
    "text_version": text,
    "made_hash": text,
    "made_text_version": text,
    "made_on": day,
    "made_by": text,
    "made_by_name": text,
}
VISIT: Mapping[str, Read] = {"certificate_in_force": text, "waived_because": text}
INPUTS: Mapping[str, Read] = {"value": figure, "headings": list_of(text)}
SHARES: Mapping[str, Read] = {"karabakh_pct": figure, "azerbaijan_pct": figure}
DOCUMENT: Mapping[str, Read] = {
    "id": text,
    "issued_on": day,
    "valid_until": day,
    "number": text,
    "confirmed": flag,
    "subject": one_of("none", *SUBJECTS),
}
GROUPS = (
    "applicant",
    "place",
    "production",
    "residency",
    "value",
    "cost",
    "steps",
    "raw_weight",
    "evidence",
    "record",
    "zone",
    "other_brands",
    "volumes",
    "declaration",
    "visit",
)
FACTS = (
    "hs", "hs_each", "exw", "flags", "site", "day", "submitted_on", "scheme", "params", "lines", "record",
    "record_kind", "record_at", "record_until", "steps", "costs", "stated", "evidence", "applicant", "product",
    "residency", "past", "volumes", "declaration", "visit", "other_brands", "inputs", "shares", "raw_local_pct",
    "absent",
)  # fmt: skip


def known(entry: Any, members: Iterable[str], place: str) -> Table:
    """Return the table if it has only known members. Raises `Wrong`."""
    if not isinstance(entry, Mapping):
        raise at(place, "this is a table.")
    names = tuple(members)
    if unknown := next((name for name in entry if name not in names), None):
        raise at(place, f"there is no {unknown!r}; there are: {', '.join(names)}.")
    return entry


def read_all(entry: Any, members: Mapping[str, Read], place: str) -> dict[str, Any]:
    """Parse every member of the table."""
    return {name: one(members[name], value, f"{place}.{name}") for name, value in known(entry, members, place).items()}


def one(read: Read, value: Any, place: str) -> Any:
    try:
        return read(value)
    except Wrong:
        raise
    except (TypeError, ValueError) as why:
        raise at(place, str(why)) from why


def tables(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise at(place, "this is a list of tables.")
    return value


def check_facts(entry: Any) -> Table:
    """Check that the facts are a table of known members; their values are parsed when the facts are built."""
    return known(entry, FACTS, "facts")


@dataclass(frozen=True, slots=True)
class CaseBasis:
    """Hold what many facts of a case are derived from."""

    given: Table
    ruleset: Ruleset
    hs6: str | None
    day: date
    site: str | None
