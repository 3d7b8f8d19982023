"""What can be wrong with a product as entered, all at once, each with its place (JSON pointer) and in plain words.

Pure, over the tables of libraries: codes of goods, GTINs, countries, languages. Whether the mark may be granted is not
asked here: that is for the rules.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

import pycountry
from stdnum import ean

from app.products.entry import CostEntry, MaterialEntry, ProductEntry, StepEntry
from app.registry import lookalikes
from app.registry.figures import Column, wrong_figure
from app.registry.geography import HOME, countries, wrong_district
from app.registry.text import tidy, wrong_with
from app.schemes import nomenclature
from app.schemes.lists import JOINT_PRODUCTION, lists

MOST_MATERIALS = 200
MOST_STEPS = 100
MOST_FLAGS = 20
MOST_PARTNERS = 20
MAX_PROOFS = 20  # of one material
LONGEST_NAME = 250
LONGEST_WORD = 100
LONGEST_UNIT = 20
NEEDED_LANGUAGES = ("az", "en")

MONEY = Column(16, 4)
MATERIAL_VALUE = Column(18, 6)
WEIGHT = Column(16, 6)

_NATIONAL_CODE = re.compile(r"[0-9]{10}")
_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_HEADING = re.compile(r"[0-9]{4}")

Wrong = tuple[str, str]
"""A JSON pointer and what is wrong there."""


def wrongs(entry: ProductEntry) -> Iterator[Wrong]:
    """Everything wrong with the entry that can be told without asking the database."""
    yield from _names(entry)
    yield from _codes(entry)
    yield from _unit(entry.unit)
    yield from _text("/brand", entry.brand, LONGEST_WORD)
    yield from _text("/reference", entry.reference, LONGEST_WORD)
    yield from _figure("/ex_works", entry.ex_works, MONEY)
    yield from _labels(entry)
    yield from _materials(entry.materials)
    yield from _steps(entry.steps)
    yield from _costs(entry.costs)


def _names(entry: ProductEntry) -> Iterator[Wrong]:
    for language in NEEDED_LANGUAGES:
        if language not in entry.names:
            yield f"/names/{language}", "A name in this language is needed: it stands on the certificate."
    for language, name in entry.names.items():
        if language not in languages():
            shown = language.encode("ascii", "replace").decode()[:20]  # it may hold what no answer can carry
            yield "/names", f"“{shown}” is no language code of two small letters (ISO 639-1)."
        else:
            pointer = f"/names/{language}"
            if wrong := wrong_with(name, LONGEST_NAME):
                yield pointer, wrong
            elif disguised := lookalikes.wrong_with(tidy(name)):
                yield pointer, f"This name {disguised}: it could not stand on a certificate."


def _codes(entry: ProductEntry) -> Iterator[Wrong]:
    if wrong := wrong_subheading(entry.hs6):
        yield "/hs6", wrong
    if entry.national_code is not None:
        if not _NATIONAL_CODE.fullmatch(entry.national_code):
            yield "/national_code", "The national code (XİF MN) has exactly 10 digits."
        elif not entry.national_code.startswith(entry.hs6):
            yield "/national_code", "The national code begins with the six digits of the HS code."
    if entry.gtin is not None:
        if not _GTIN.fullmatch(entry.gtin):
            yield "/gtin", "A GTIN has 8, 12, 13 or 14 digits."
        elif not ean.is_valid(entry.gtin):
            yield "/gtin", "The check digit of this GTIN is wrong: a digit was mistyped."


def wrong_subheading(hs6: str) -> str | None:
    """What is wrong with a code of goods, with help for a zero that a spreadsheet dropped."""
    if nomenclature.is_subheading(hs6):
        return None
    if len(hs6) == nomenclature.SUBHEADING - 1 and (whole := nomenclature.with_zero_restored(hs6)):
        return f"This code has 5 digits: perhaps a spreadsheet dropped the leading zero of {whole}."
    if nomenclature.six_digits(hs6) is None:
        return "An HS code has exactly 6 digits."
    return f"There is no such code in the Harmonized System {nomenclature.EDITION}."


def _unit(unit: str) -> Iterator[Wrong]:
    if wrong := wrong_with(unit, LONGEST_UNIT):
        yield "/unit", wrong
    elif lists().unit(unit) is None:
        yield "/unit", f"This is no unit of the list. Write one of: {', '.join(lists().units)}."


def partner_of(flag: str) -> str | None:
    """The country of the partner that a flag `joint_production_XX` names; None for every other flag."""
    return flag.removeprefix(JOINT_PRODUCTION).upper() if flag.startswith(JOINT_PRODUCTION) else None


def _flag(flag: str) -> str | None:
    """What is wrong with a flag."""
    partner = partner_of(flag)
    if partner is None:
        known = (*lists().flags, f"{JOINT_PRODUCTION}XX")
        return None if flag in lists().flags else f"This is no flag of the list. There are: {', '.join(known)}."
    if partner not in countries() or partner == HOME:
        return f"After {JOINT_PRODUCTION} comes the country of a partner abroad: two letters (ISO 3166-1)."
    return None


def _labels(entry: ProductEntry) -> Iterator[Wrong]:
    if len(entry.flags) > MOST_FLAGS:
        yield "/flags", f"At most {MOST_FLAGS} flags."
    for position, flag in enumerate(entry.flags[:MOST_FLAGS]):
        if wrong := _flag(flag):
            yield f"/flags/{position}", wrong
        elif flag in entry.flags[:position]:
            yield f"/flags/{position}", "This flag is named twice."
    if len(entry.joint_production) > MOST_PARTNERS:
        yield "/joint_production", f"At most {MOST_PARTNERS} countries."
    for position, country in enumerate(entry.joint_production[:MOST_PARTNERS]):
        yield from _country(f"/joint_production/{position}", country)
        if country == HOME:
            yield f"/joint_production/{position}", "Name the countries of partners abroad only."
        elif country in entry.joint_production[:position]:
            yield f"/joint_production/{position}", "This country is named twice."


def _materials(materials: tuple[MaterialEntry, ...]) -> Iterator[Wrong]:
    if len(materials) > MOST_MATERIALS:
        yield "/materials", f"At most {MOST_MATERIALS} materials."
    for position, material in enumerate(materials[:MOST_MATERIALS]):
        at = f"/materials/{position}"
        yield from _text(f"{at}/name", material.name, LONGEST_NAME)
        if material.hs4 is not None:
            yield from _heading(f"{at}/hs4", material.hs4)
        if material.origin_country is not None:
            yield from _country(f"{at}/origin_country", material.origin_country)
        yield from _district(f"{at}/origin_district", material.origin_country, material.origin_district)
        yield from _figure(f"{at}/value", material.value, MATERIAL_VALUE)
        yield from _figure(f"{at}/weight_kg", material.weight_kg, WEIGHT)
        yield from _text(f"{at}/supplier", material.supplier, LONGEST_NAME)
        if len(material.proofs) > MAX_PROOFS:
            yield f"{at}/proofs", f"At most {MAX_PROOFS} documents."
        elif len(set(material.proofs)) < len(material.proofs):
            yield f"{at}/proofs", "One of these documents is named twice."


def _heading(pointer: str, hs4: str) -> Iterator[Wrong]:
    if not _HEADING.fullmatch(hs4):
        yield pointer, "A heading has exactly 4 digits."
    elif not nomenclature.is_heading(hs4):
        yield pointer, f"There is no such heading in the Harmonized System {nomenclature.EDITION}."


def _steps(steps: tuple[StepEntry, ...]) -> Iterator[Wrong]:
    if len(steps) > MOST_STEPS:
        yield "/steps", f"At most {MOST_STEPS} steps."
    for position, each in enumerate(steps[:MOST_STEPS]):
        at = f"/steps/{position}"
        yield from _text(f"{at}/name", each.name, LONGEST_NAME)
        yield from _text(f"{at}/operation", each.operation, LONGEST_WORD)
        if each.country is not None:
            yield from _country(f"{at}/country", each.country)
        yield from _district(f"{at}/district", each.country, each.district)
        yield from _text(f"{at}/subcontractor", each.subcontractor, LONGEST_NAME)


def _costs(costs: tuple[CostEntry, ...]) -> Iterator[Wrong]:
    seen = set()
    for position, cost in enumerate(costs):
        yield from _figure(f"/costs/{position}/amount", cost.amount, MONEY)
        if (cost.kind, cost.place) in seen:
            yield f"/costs/{position}", f"{cost.kind} at {cost.place} is stated twice: give one sum."
        seen.add((cost.kind, cost.place))


def _text(pointer: str, text: str | None, most: int) -> Iterator[Wrong]:
    if text is not None and (wrong := wrong_with(text, most)):
        yield pointer, wrong


def _figure(pointer: str, figure: Decimal | None, column: Column) -> Iterator[Wrong]:
    if figure is not None and (wrong := wrong_figure(figure, column)):
        yield pointer, wrong


def _country(pointer: str, country: str) -> Iterator[Wrong]:
    if country not in countries():
        yield pointer, "This is no country code of two capital letters (ISO 3166-1)."


def _district(pointer: str, country: str | None, district: str | None) -> Iterator[Wrong]:
    if district is not None and (wrong := wrong_with(district, LONGEST_WORD) or wrong_district(country, district)):
        yield pointer, wrong


@cache
def languages() -> frozenset[str]:
    return frozenset(language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2"))
