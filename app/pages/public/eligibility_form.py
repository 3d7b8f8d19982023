"""Parse the public eligibility form into facts that rules assess. Pure.

The form asks only for values that a person knows without documents. Groups of facts that it does not ask for are
missing (`app/schemes/facts.py`): their rules return `not_assessed`, which never counts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from app.core.text.normalize import fold_alphanumeric
from app.pages.i18n import _
from app.reference.territory import District, Territory
from app.schemes.closed_lists import ClosedLists, OperationClass
from app.schemes.facts import (
    CostShares,
    Facts,
    InputSummary,
    ParkResidencyStatus,
    Place,
    ProductFacts,
    RawWeight,
    Residency,
    Step,
    ValueStatement,
)

HOME_COUNTRY: Final = "AZ"
ABROAD: Final = "abroad"  # any other country; rules do not distinguish which
OUTSIDE: Final = "elsewhere"  # a place in Azerbaijan outside the district and every territory set
UNNAMED: Final = "–"  # name of a step without an operation
MAX_CHARS: Final = 200
MAX_HEADINGS: Final = 50
MAX_AMOUNT: Final = Decimal(10) ** 12

HERE, ELSEWHERE, FOREIGN = "here", "elsewhere", "abroad"
STEP_PLACES: Mapping[str, str] = {
    HERE: _("in this district"),
    ELSEWHERE: _("elsewhere in Azerbaijan"),
    FOREIGN: _("abroad"),
}
WORK_GROUPS: Mapping[OperationClass, str] = {
    OperationClass.SUBSTANTIAL: _("Processing: sufficient for the goods it produces"),
    OperationClass.ASSEMBLY: _("Assembly: a reviewer decides"),
    OperationClass.OTHER: _("Other work: a reviewer decides"),
    OperationClass.SIMPLE: _("Simple operations: not sufficient by themselves"),
}
"""Class of operations → heading of its part of the list, in the order in which they are shown."""
RESIDENCE_TEXTS: Mapping[str, str] = {
    ParkResidencyStatus.RESIDENT: _("resident of an industrial park"),
    ParkResidencyStatus.NON_RESIDENT: _("operates in a park without being a resident"),
    ParkResidencyStatus.NONE: _("not in a park"),
}

NOT_A_NUMBER: Final = _("Enter an amount in digits, such as 1450 or 1450.50.")
NOT_A_SHARE: Final = _("Enter a share between 0 and 100.")
NOT_SIX_DIGITS: Final = _("An HS subheading has six digits, such as 7306.30.")
NOT_HEADINGS: Final = _("Enter four-digit headings separated by commas, such as 7208, 7209.")
NOT_A_CHOICE: Final = _("Choose one of the options.")
TOO_LONG: Final = _("This is too long. Enter fewer words.")

_NUMBER_PATTERN = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class EligibilityForm:
    """The parsed form: entered texts by field, error texts (keys of the catalogues) by field, and facts.

    `facts` is None if a field is wrong.
    """

    given: Mapping[str, str]
    wrong: Mapping[str, str]
    facts: Facts | None


def work_choices(lists: ClosedLists, language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the closed list of operations by class: heading (key of the catalogues), and (code, name) by name.

    Names are in the language of the page if the list has it, otherwise in English.
    """
    by_class: dict[OperationClass, list[tuple[str, str]]] = {each: [] for each in WORK_GROUPS}
    for code, operation in lists.operations.items():
        by_class[operation.operation_class].append((code, operation.name(language)))
    return [
        (heading, sorted(by_class[operation_class], key=lambda each: fold_alphanumeric(each[1])))
        for operation_class, heading in WORK_GROUPS.items()
    ]


def parse_form(
    query: Mapping[str, str], places: Territory, lists: ClosedLists, today: date, *, language: str
) -> EligibilityForm:
    """Parse the fields of the form; an empty field is a missing fact. Reasons name the step in `language`."""
    given = {name: query[name].strip()[: MAX_CHARS + 1] for name in FIELDS if query.get(name, "").strip()}
    form = _FormReader(given)
    name, hs6 = form.text("name"), form.subheading()
    value = ValueStatement(form.amount("ex_works"), InputSummary(form.amount("foreign"), form.headings()))
    cost = CostShares(form.share("karabakh"), form.share("azerbaijan"))
    raw = form.share("raw")
    district = places.district_by_name(form.choice("district", [each.name for each in places.districts]))
    residence = form.choice("residence", list(RESIDENCE_TEXTS))
    work, where = form.choice("work", list(lists.operations)), form.choice("step", list(STEP_PLACES))
    if form.wrong:
        return EligibilityForm(given, form.wrong, None)
    region = district.region if district else None
    facts = Facts(
        as_of=today,
        product=ProductFacts(hs6=hs6, name_en=name),
        place=Place(region, district.name) if district else None,
        residency=Residency(ParkResidencyStatus(residence)) if residence else None,
        value=value,
        cost=cost,
        raw_weight=RawWeight(raw) if raw is not None else None,
        steps=(_build_step(lists, language, work, where, district),) if work or where else None,
    )
    return EligibilityForm(given, form.wrong, facts)


FIELDS: Final = (
    *("scheme", "name", "hs6", "ex_works", "foreign", "headings", "karabakh", "azerbaijan", "raw"),
    *("district", "residence", "work", "step"),
)


def _build_step(
    lists: ClosedLists, language: str, work: str | None, where: str | None, district: District | None
) -> Step:
    country = {HERE: HOME_COUNTRY, ELSEWHERE: HOME_COUNTRY, FOREIGN: ABROAD}.get(where or "")
    here = where == HERE
    return Step(
        seq=1,
        name=lists.operations[work].name(language) if work else UNNAMED,
        operation=work,
        country=country,
        district=(district.name if district else None) if here else OUTSIDE if where == ELSEWHERE else None,
        economic_region=(district.region if district else None) if here else OUTSIDE if where == ELSEWHERE else None,
        is_essential=True,
    )


class _FormReader:
    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.wrong: dict[str, str] = {}

    def text(self, name: str) -> str | None:
        text = self.given.get(name)
        if text is not None and len(text) > MAX_CHARS:
            self.wrong[name] = TOO_LONG
        return text

    def subheading(self) -> str | None:
        digits = "".join(self.given.get("hs6", "").replace(".", "").split())
        if digits and not re.fullmatch(r"[0-9]{6}", digits):
            self.wrong["hs6"] = NOT_SIX_DIGITS
        return digits or None

    def headings(self) -> tuple[str, ...]:
        found = tuple(word.replace(".", "") for word in re.split(r"[\s,;،、]+", self.given.get("headings", "")) if word)
        if len(found) > MAX_HEADINGS or not all(re.fullmatch(r"[0-9]{4}", each) for each in found):
            self.wrong["headings"] = NOT_HEADINGS
        return found

    def amount(self, name: str, *, max_value: Decimal = MAX_AMOUNT, error: str = NOT_A_NUMBER) -> Decimal | None:
        text = "".join(self.given.get(name, "").removesuffix("%").replace(",", ".").split())
        if not text:
            return None
        if not _NUMBER_PATTERN.fullmatch(text) or Decimal(text) > max_value:
            self.wrong[name] = error
            return None
        return Decimal(text)

    def share(self, name: str) -> Decimal | None:
        return self.amount(name, max_value=Decimal(100), error=NOT_A_SHARE)

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        text = self.given.get(name)
        if text is not None and text not in allowed:
            self.wrong[name] = NOT_A_CHOICE
            return None
        return text
