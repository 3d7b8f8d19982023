"""Validate product input: all faults together, each with a JSON pointer and a plain message.

Pure, using tables of libraries: HS codes, GTINs, countries, languages. The certification rules are not evaluated here.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

import pycountry
from stdnum import ean

from app.core.decimals import DecimalColumn, decimal_error
from app.core.messages import Message
from app.core.text import confusables
from app.core.text.normalize import normalize, text_error
from app.products.inputs import CostInput, MaterialInput, ProductInput, StepInput
from app.reference import hs_nomenclature
from app.reference.territory import HOME_COUNTRY, country_codes, district_error
from app.schemes.closed_lists import JOINT_PRODUCTION, load_lists

MAX_MATERIALS = 200
MAX_STEPS = 100
MAX_FLAGS = 20
MAX_PARTNERS = 20
MAX_PROOFS = 20  # of one material
MAX_NAME_LENGTH = 250
MAX_WORD_LENGTH = 100
MAX_UNIT_LENGTH = 20
REQUIRED_LANGUAGES = ("az", "en")

MONEY = DecimalColumn(16, 4)
MATERIAL_VALUE = DecimalColumn(18, 6)
WEIGHT = DecimalColumn(16, 6)

_NATIONAL_CODE = re.compile(r"[0-9]{10}")
_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_HEADING = re.compile(r"[0-9]{4}")

FieldError = tuple[str, Message]
"""A JSON pointer and what is wrong there."""


def validate(entry: ProductInput) -> Iterator[FieldError]:
    """Yield everything wrong with the input that needs no database query."""
    yield from _name_errors(entry)
    yield from _code_errors(entry)
    yield from _unit_errors(entry.unit)
    yield from _text_errors("/brand", entry.brand, MAX_WORD_LENGTH)
    yield from _text_errors("/reference", entry.reference, MAX_WORD_LENGTH)
    yield from _figure_errors("/ex_works", entry.ex_works, MONEY)
    yield from _label_errors(entry)
    yield from _material_errors(entry.materials)
    yield from _step_errors(entry.steps)
    yield from _cost_errors(entry.costs)


def _name_errors(entry: ProductInput) -> Iterator[FieldError]:
    for language in REQUIRED_LANGUAGES:
        if language not in entry.names:
            yield (
                f"/names/{language}",
                Message("A name in this language is needed: it is printed on the certificate.", code="required"),
            )
    for language, name in entry.names.items():
        if language not in name_languages():
            quoted = language.encode("ascii", "replace").decode()[:20]  # it may hold what no answer can carry
            yield (
                "/names",
                Message(
                    "“%(language)s” is no language code of two small letters (ISO 639-1).",
                    code="unknown-language",
                    language=quoted,
                ),
            )
        else:
            pointer = f"/names/{language}"
            if fault := text_error(name, MAX_NAME_LENGTH):
                yield pointer, fault
            elif disguised := confusables.name_error(normalize(name)):
                yield pointer, disguised


def _code_errors(entry: ProductInput) -> Iterator[FieldError]:
    if fault := subheading_error(entry.hs6):
        yield "/hs6", fault
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


def subheading_error(hs6: str) -> Message | None:
    """Return what is wrong with an HS code, and suggest the zero that a spreadsheet dropped."""
    if hs_nomenclature.is_subheading(hs6):
        return None
    if len(hs6) == hs_nomenclature.SUBHEADING_DIGITS - 1 and (whole := hs_nomenclature.restore_leading_zero(hs6)):
        return Message(
            "This code has 5 digits: perhaps a spreadsheet dropped the leading zero of %(suggestion)s.",
            code="wrong-format",
            suggestion=whole,
        )
    if hs_nomenclature.as_six_digits(hs6) is None:
        return Message("An HS code has exactly 6 digits.", code="wrong-format")
    return Message(
        "There is no such code in the Harmonized System %(edition)s.",
        code="unknown-hs-code",
        edition=hs_nomenclature.EDITION,
    )


def _unit_errors(unit: str) -> Iterator[FieldError]:
    if fault := text_error(unit, MAX_UNIT_LENGTH):
        yield "/unit", fault
    elif load_lists().find_unit(unit) is None:
        yield (
            "/unit",
            Message(
                "This is no unit of the list. Write one of: %(allowed)s.",
                code="unknown-unit",
                allowed=list(load_lists().units),
            ),
        )


def partner_country_of(flag: str) -> str | None:
    """Return the partner country that a flag `joint_production_XX` names; None for other flags."""
    return flag.removeprefix(JOINT_PRODUCTION).upper() if flag.startswith(JOINT_PRODUCTION) else None


def _flag_error(flag: str) -> Message | None:
    """Return what is wrong with a flag, or None."""
    partner = partner_country_of(flag)
    if partner is None:
        if flag in load_lists().flags:
            return None
        flags = [*load_lists().flags, f"{JOINT_PRODUCTION}XX"]
        return Message("This is no flag of the list. There are: %(allowed)s.", code="unknown-flag", allowed=flags)
    if partner not in country_codes() or partner == HOME_COUNTRY:
        return Message(
            "After %(prefix)s comes the country of a partner abroad: two letters (ISO 3166-1).",
            code="unknown-country",
            prefix=JOINT_PRODUCTION,
        )
    return None


def _label_errors(entry: ProductInput) -> Iterator[FieldError]:
    if len(entry.flags) > MAX_FLAGS:
        yield "/flags", Message("At most %(limit)s flags.", code="too-many", limit=MAX_FLAGS)
    for position, flag in enumerate(entry.flags[:MAX_FLAGS]):
        if fault := _flag_error(flag):
            yield f"/flags/{position}", fault
        elif flag in entry.flags[:position]:
            yield f"/flags/{position}", Message("This flag is named twice.", code="duplicate")
    if len(entry.joint_production) > MAX_PARTNERS:
        yield "/joint_production", Message("At most %(limit)s countries.", code="too-many", limit=MAX_PARTNERS)
    for position, country in enumerate(entry.joint_production[:MAX_PARTNERS]):
        yield from _country_errors(f"/joint_production/{position}", country)
        if country == HOME_COUNTRY:
            yield (
                f"/joint_production/{position}",
                Message("Name the countries of partners abroad only.", code="not-abroad"),
            )
        elif country in entry.joint_production[:position]:
            yield f"/joint_production/{position}", Message("This country is named twice.", code="duplicate")


def _material_errors(materials: tuple[MaterialInput, ...]) -> Iterator[FieldError]:
    if len(materials) > MAX_MATERIALS:
        yield "/materials", Message("At most %(limit)s materials.", code="too-many", limit=MAX_MATERIALS)
    for position, material in enumerate(materials[:MAX_MATERIALS]):
        at = f"/materials/{position}"
        yield from _text_errors(f"{at}/name", material.name, MAX_NAME_LENGTH)
        if material.hs4 is not None:
            yield from _heading_errors(f"{at}/hs4", material.hs4)
        if material.origin_country is not None:
            yield from _country_errors(f"{at}/origin_country", material.origin_country)
        yield from _district_errors(f"{at}/origin_district", material.origin_country, material.origin_district)
        yield from _figure_errors(f"{at}/value", material.value, MATERIAL_VALUE)
        yield from _figure_errors(f"{at}/weight_kg", material.weight_kg, WEIGHT)
        yield from _text_errors(f"{at}/supplier", material.supplier, MAX_NAME_LENGTH)
        if len(material.proofs) > MAX_PROOFS:
            yield f"{at}/proofs", Message("At most %(limit)s documents.", code="too-many", limit=MAX_PROOFS)
        elif len(set(material.proofs)) < len(material.proofs):
            yield f"{at}/proofs", Message("One of these documents is named twice.", code="duplicate")


def _heading_errors(pointer: str, hs4: str) -> Iterator[FieldError]:
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


def _step_errors(steps: tuple[StepInput, ...]) -> Iterator[FieldError]:
    if len(steps) > MAX_STEPS:
        yield "/steps", Message("At most %(limit)s steps.", code="too-many", limit=MAX_STEPS)
    for position, each in enumerate(steps[:MAX_STEPS]):
        at = f"/steps/{position}"
        yield from _text_errors(f"{at}/name", each.name, MAX_NAME_LENGTH)
        yield from _text_errors(f"{at}/operation", each.operation, MAX_WORD_LENGTH)
        if each.country is not None:
            yield from _country_errors(f"{at}/country", each.country)
        yield from _district_errors(f"{at}/district", each.country, each.district)
        yield from _text_errors(f"{at}/subcontractor", each.subcontractor, MAX_NAME_LENGTH)


def _cost_errors(costs: tuple[CostInput, ...]) -> Iterator[FieldError]:
    seen = set()
    for position, cost in enumerate(costs):
        yield from _figure_errors(f"/costs/{position}/amount", cost.amount, MONEY)
        if (cost.kind, cost.place) in seen:
            stated = {"kind": cost.kind.value, "place": cost.place.value}
            yield (
                f"/costs/{position}",
                Message("%(kind)s at %(place)s is stated twice: give one sum.", code="duplicate", **stated),
            )
        seen.add((cost.kind, cost.place))


def _text_errors(pointer: str, text: str | None, max_length: int) -> Iterator[FieldError]:
    if text is not None and (fault := text_error(text, max_length)):
        yield pointer, fault


def _figure_errors(pointer: str, figure: Decimal | None, column: DecimalColumn) -> Iterator[FieldError]:
    if figure is not None and (fault := decimal_error(figure, column)):
        yield pointer, fault


def _country_errors(pointer: str, country: str) -> Iterator[FieldError]:
    if country not in country_codes():
        yield pointer, Message("This is no country code of two capital letters (ISO 3166-1).", code="unknown-country")


def _district_errors(pointer: str, country: str | None, district: str | None) -> Iterator[FieldError]:
    if district is not None and (fault := text_error(district, MAX_WORD_LENGTH) or district_error(country, district)):
        yield pointer, fault


@cache
def name_languages() -> frozenset[str]:
    return frozenset(language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2"))
