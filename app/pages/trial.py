"""The form in which anybody tries the rules on a product: from what was typed to facts. Pure.

It carries what a person knows by heart. What it does not ask for stays a group that is not carried (`facts.py`): its
rules answer “not assessed”, and never count.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from app.pages.words import _
from app.registry.territory import District, Territory
from app.schemes.facts import (
    CostShares,
    Facts,
    InputSummary,
    Place,
    ProductFacts,
    RawWeight,
    Residency,
    ResidencyState,
    Step,
    ValueStatement,
)

HOME: Final = "AZ"
ABROAD: Final = "abroad"  # a country that is not this one; which one makes no difference to any rule
OUTSIDE: Final = "elsewhere"  # a place of this country that is neither the district nor in any territory set
LONGEST: Final = 200
MOST_HEADINGS: Final = 50
LARGEST: Final = Decimal(10) ** 12

HERE, ELSEWHERE, FOREIGN = "here", "elsewhere", "abroad"
STEP_PLACES: Mapping[str, str] = {
    HERE: _("in this district"),
    ELSEWHERE: _("elsewhere in Azerbaijan"),
    FOREIGN: _("abroad"),
}
STEP_WORK: Mapping[str, str] = {
    "manufacture": _("made or processed from materials"),
    "simple_assembly": _("put together from finished parts"),
    "packing": _("packed, sorted, washed, painted or labelled"),
}
RESIDENCE: Mapping[str, str] = {
    ResidencyState.RESIDENT: _("resident of an industrial park"),
    ResidencyState.NON_RESIDENT: _("works in a park without being a resident"),
    ResidencyState.NONE: _("not in a park"),
}

NOT_A_NUMBER: Final = _("Enter an amount in digits, such as 1450 or 1450.50.")
NOT_A_SHARE: Final = _("Enter a share between 0 and 100.")
NOT_SIX_DIGITS: Final = _("An HS subheading has six digits, such as 7306.30.")
NOT_HEADINGS: Final = _("Enter headings of four digits with commas between, such as 7208, 7209.")
NOT_A_CHOICE: Final = _("This is not one of the choices.")
TOO_LONG: Final = _("This is longer than a name can be. Enter fewer words.")

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Trial:
    """`given` is what was typed, field by field; `wrong` says of which nothing can be made, in texts of the catalogues.
    `facts` is None as long as something is wrong."""

    given: Mapping[str, str]
    wrong: Mapping[str, str]
    facts: Facts | None


def read(query: Mapping[str, str], places: Territory, today: date, *, step_name: str) -> Trial:
    """The fields of the form; an empty one is a missing fact. `step_name` is how the reasons speak of the one step."""
    given = {name: query[name].strip()[: LONGEST + 1] for name in FIELDS if query.get(name, "").strip()}
    form = _Form(given)
    name, hs6 = form.text("name"), form.subheading()
    value = ValueStatement(form.amount("ex_works"), InputSummary(form.amount("foreign"), form.headings()))
    cost = CostShares(form.share("karabakh"), form.share("azerbaijan"))
    raw = form.share("raw")
    district = places.district(form.choice("district", [each.name for each in _districts(places)]))
    residence = form.choice("residence", list(RESIDENCE))
    work, where = form.choice("work", list(STEP_WORK)), form.choice("step", list(STEP_PLACES))
    if form.wrong:
        return Trial(given, form.wrong, None)
    region = district.region if district else None
    facts = Facts(
        as_of=today,
        product=ProductFacts(hs6=hs6, name_en=name, flags=frozenset({"assembly_only"} if work == _ASSEMBLY else ())),
        place=Place(region, district.name) if district else None,
        residency=Residency(ResidencyState(residence)) if residence else None,
        value=value,
        cost=cost,
        raw_weight=RawWeight(raw) if raw is not None else None,
        steps=(_step(step_name, work, where, district.name if district else None, region),) if work or where else None,
    )
    return Trial(given, form.wrong, facts)


FIELDS: Final = (
    *("scheme", "name", "hs6", "ex_works", "foreign", "headings", "karabakh", "azerbaijan", "raw"),
    *("district", "residence", "work", "step"),
)
_ASSEMBLY: Final = "simple_assembly"


def _districts(places: Territory) -> list[District]:
    return [district for region in places.regions.values() for district in region.districts]


def _step(name: str, work: str | None, where: str | None, district: str | None, region: str | None) -> Step:
    country = {HERE: HOME, ELSEWHERE: HOME, FOREIGN: ABROAD}.get(where or "")
    here = where == HERE
    return Step(
        seq=1,
        name=name,
        operation=work,
        country=country,
        district=district if here else OUTSIDE if where == ELSEWHERE else None,
        economic_region=region if here else OUTSIDE if where == ELSEWHERE else None,
        is_essential=True,
    )


class _Form:
    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.wrong: dict[str, str] = {}

    def text(self, name: str) -> str | None:
        text = self.given.get(name)
        if text is not None and len(text) > LONGEST:
            self.wrong[name] = TOO_LONG
        return text

    def subheading(self) -> str | None:
        digits = "".join(self.given.get("hs6", "").replace(".", "").split())
        if digits and not re.fullmatch(r"[0-9]{6}", digits):
            self.wrong["hs6"] = NOT_SIX_DIGITS
        return digits or None

    def headings(self) -> tuple[str, ...]:
        found = tuple(word.replace(".", "") for word in re.split(r"[\s,;،、]+", self.given.get("headings", "")) if word)
        if len(found) > MOST_HEADINGS or not all(re.fullmatch(r"[0-9]{4}", each) for each in found):
            self.wrong["headings"] = NOT_HEADINGS
        return found

    def amount(self, name: str, *, most: Decimal = LARGEST, otherwise: str = NOT_A_NUMBER) -> Decimal | None:
        text = "".join(self.given.get(name, "").removesuffix("%").replace(",", ".").split())
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or Decimal(text) > most:
            self.wrong[name] = otherwise
            return None
        return Decimal(text)

    def share(self, name: str) -> Decimal | None:
        return self.amount(name, most=Decimal(100), otherwise=NOT_A_SHARE)

    def choice(self, name: str, known: Sequence[str]) -> str | None:
        text = self.given.get(name)
        if text is not None and text not in known:
            self.wrong[name] = NOT_A_CHOICE
            return None
        return text
