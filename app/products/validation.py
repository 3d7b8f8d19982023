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

from app.core.decimals import Column, wrong_figure
from app.core.messages import Message
from app.core.text import confusables
from app.core.text.normalize import tidy, wrong_with
from app.products.inputs import CostEntry, MaterialEntry, ProductEntry, StepEntry
from app.reference import hs_nomenclature
from app.reference.territory import HOME, countries, wrong_district
from app.schemes.closed_lists import JOINT_PRODUCTION, lists

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

Wrong = tuple[str, Message]
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
            yield (
                f"/names/{language}",
                Message("A name in this language is needed: it is printed on the certificate.", code="required"),
            )
    for language, name in entry.names.items():
        if language not in languages():
            shown = language.encode("ascii", "replace").decode()[:20]  # it may hold what no answer can carry
            yield (
                "/names",
                Message(
                    "“%(language)s” is no language code of two small letters (ISO 639-1).",
                    code="unknown-language",
                    language=shown,
                ),
            )
        else:
            pointer = f"/names/{language}"
            if wrong := wrong_with(name, LONGEST_NAME):
                yield pointer, wrong
            elif disguised := confusables.wrong_with(tidy(name)):
                yield pointer, disguised


def _codes(entry: ProductEntry) -> Iterator[Wrong]:
    if wrong := wrong_subheading(entry.hs6):
        yield "/hs6", wrong
    if entry.national_code is not None:
        if not _NATIONAL_CODE.fullmatch(entry.national_code):
            yield "/national_code", Message("The national code (XİF MN) has exactly 10 digits.", code="wrong-format")
        elif not entry.national_code.startswith(entry.hs6):
            yield (
                "/national_code",
                Message("The national code begins with the six digits of the HS code.", code="other-hs-code"),
            )
    if entry.gtin is not None:
        if not _GTIN.fullmatch(entry.gtin):
            yield "/gtin", Message("A GTIN has 8, 12, 13 or 14 digits.", code="wrong-format")
        elif not ean.is_valid(entry.gtin):
            yield (
                "/gtin",
                Message("The check digit of this GTIN is wrong: a digit was mistyped.", code="wrong-check-digit"),
            )


def wrong_subheading(hs6: str) -> Message | None:
    """What is wrong with a code of goods, with help for a zero that a spreadsheet dropped."""
    if hs_nomenclature.is_subheading(hs6):
        return None
    if len(hs6) == hs_nomenclature.SUBHEADING - 1 and (whole := hs_nomenclature.with_zero_restored(hs6)):
        return Message(
            "This code has 5 digits: perhaps a spreadsheet dropped the leading zero of %(suggestion)s.",
            code="wrong-format",
            suggestion=whole,
        )
    if hs_nomenclature.six_digits(hs6) is None:
        return Message("An HS code has exactly 6 digits.", code="wrong-format")
    return Message(
        "There is no such code in the Harmonized System %(edition)s.",
        code="unknown-hs-code",
        edition=hs_nomenclature.EDITION,
    )


def _unit(unit: str) -> Iterator[Wrong]:
    if wrong := wrong_with(unit, LONGEST_UNIT):
        yield "/unit", wrong
    elif lists().unit(unit) is None:
        yield (
            "/unit",
            Message(
                "This is no unit of the list. Write one of: %(allowed)s.",
                code="unknown-unit",
                allowed=list(lists().units),
            ),
        )


def partner_of(flag: str) -> str | None:
    """The country of the partner that a flag `joint_production_XX` names; None for every other flag."""
    return flag.removeprefix(JOINT_PRODUCTION).upper() if flag.startswith(JOINT_PRODUCTION) else None


def _flag(flag: str) -> Message | None:
    """What is wrong with a flag."""
    partner = partner_of(flag)
    if partner is None:
        if flag in lists().flags:
            return None
        known = [*lists().flags, f"{JOINT_PRODUCTION}XX"]
        return Message("This is no flag of the list. There are: %(allowed)s.", code="unknown-flag", allowed=known)
    if partner not in countries() or partner == HOME:
        return Message(
            "After %(prefix)s comes the country of a partner abroad: two letters (ISO 3166-1).",
            code="unknown-country",
            prefix=JOINT_PRODUCTION,
        )
    return None


def _labels(entry: ProductEntry) -> Iterator[Wrong]:
    if len(entry.flags) > MOST_FLAGS:
        yield "/flags", Message("At most %(limit)s flags.", code="too-many", limit=MOST_FLAGS)
    for position, flag in enumerate(entry.flags[:MOST_FLAGS]):
        if wrong := _flag(flag):
            yield f"/flags/{position}", wrong
        elif flag in entry.flags[:position]:
            yield f"/flags/{position}", Message("This flag is named twice.", code="duplicate")
    if len(entry.joint_production) > MOST_PARTNERS:
        yield "/joint_production", Message("At most %(limit)s countries.", code="too-many", limit=MOST_PARTNERS)
    for position, country in enumerate(entry.joint_production[:MOST_PARTNERS]):
        yield from _country(f"/joint_production/{position}", country)
        if country == HOME:
            yield (
                f"/joint_production/{position}",
                Message("Name the countries of partners abroad only.", code="not-abroad"),
            )
        elif country in entry.joint_production[:position]:
            yield f"/joint_production/{position}", Message("This country is named twice.", code="duplicate")


def _materials(materials: tuple[MaterialEntry, ...]) -> Iterator[Wrong]:
    if len(materials) > MOST_MATERIALS:
        yield "/materials", Message("At most %(limit)s materials.", code="too-many", limit=MOST_MATERIALS)
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
            yield f"{at}/proofs", Message("At most %(limit)s documents.", code="too-many", limit=MAX_PROOFS)
        elif len(set(material.proofs)) < len(material.proofs):
            yield f"{at}/proofs", Message("One of these documents is named twice.", code="duplicate")


def _heading(pointer: str, hs4: str) -> Iterator[Wrong]:
    if not _HEADING.fullmatch(hs4):
        yield pointer, Message("A heading has exactly 4 digits.", code="wrong-format")
    elif not hs_nomenclature.is_heading(hs4):
        yield (
            pointer,
            Message(
                "There is no such heading in the Harmonized System %(edition)s.",
                code="unknown-hs-code",
                edition=hs_nomenclature.EDITION,
            ),
        )


def _steps(steps: tuple[StepEntry, ...]) -> Iterator[Wrong]:
    if len(steps) > MOST_STEPS:
        yield "/steps", Message("At most %(limit)s steps.", code="too-many", limit=MOST_STEPS)
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
            stated = {"kind": cost.kind.value, "place": cost.place.value}
            yield (
                f"/costs/{position}",
                Message("%(kind)s at %(place)s is stated twice: give one sum.", code="duplicate", **stated),
            )
        seen.add((cost.kind, cost.place))


def _text(pointer: str, text: str | None, most: int) -> Iterator[Wrong]:
    if text is not None and (wrong := wrong_with(text, most)):
        yield pointer, wrong


def _figure(pointer: str, figure: Decimal | None, column: Column) -> Iterator[Wrong]:
    if figure is not None and (wrong := wrong_figure(figure, column)):
        yield pointer, wrong


def _country(pointer: str, country: str) -> Iterator[Wrong]:
    if country not in countries():
        yield pointer, Message("This is no country code of two capital letters (ISO 3166-1).", code="unknown-country")


def _district(pointer: str, country: str | None, district: str | None) -> Iterator[Wrong]:
    if district is not None and (wrong := wrong_with(district, LONGEST_WORD) or wrong_district(country, district)):
        yield pointer, wrong


@cache
def languages() -> frozenset[str]:
    return frozenset(language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2"))
