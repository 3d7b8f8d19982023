"""Where things are: economic regions, districts, territory sets and parks, as data with pure look-ups.

And countries by ISO 3166-1 alpha-2, and districts as people write them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import pycountry

from app.core.messages import Message
from app.core.text.normalize import fold, tidy
from app.core.text.phonetic import phonetic_keys

HOME = "AZ"


class ParkKind(StrEnum):
    INDUSTRIAL_PARK = "industrial_park"
    INDUSTRIAL_DISTRICT = "industrial_district"
    AGROPARK = "agropark"
    FREE_ZONE = "free_zone"
    TECHNOLOGY_PARK = "technology_park"


@dataclass(frozen=True)
class District:
    name: str  # Azerbaijani
    region: str
    iso: str | None  # ISO 3166-2; None where the standard has no code yet
    code: str  # the ISO code, or our own


@dataclass(frozen=True)
class Region:
    code: str
    names: Mapping[str, str]  # language → name
    districts: tuple[District, ...]


@dataclass(frozen=True)
class ParkEntry:
    code: str
    kind: ParkKind
    names: Mapping[str, str]  # language → name
    district: str | None
    economic_region: str | None  # follows from the district
    area_ha: Decimal | None
    legal_basis: str | None


@dataclass(frozen=True)
class Municipality:
    code: str
    names: Mapping[str, str]  # language → name
    kind: str  # city, district or village
    district: str


@dataclass(frozen=True)
class Territory:
    regions: Mapping[str, Region]
    parks: Mapping[str, ParkEntry]
    sets: Mapping[str, frozenset[str]]  # territory set → codes of economic regions
    municipalities: Mapping[str, Municipality] = field(default_factory=dict)
    municipality_sets: Mapping[str, frozenset[str]] = field(default_factory=dict)  # → codes of municipalities
    district_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # district → its names in en and ru

    @cached_property
    def districts(self) -> tuple[District, ...]:
        """Every district, in the order of the file."""
        return tuple(district for region in self.regions.values() for district in region.districts)

    @cached_property
    def _names(self) -> tuple[tuple[str, District], ...]:
        """Every name of every district: Azerbaijani, English, Russian."""
        return tuple(
            (name, district)
            for district in self.districts
            for name in (district.name, *self.district_names.get(district.name, ()))
        )

    @cached_property
    def _by_name(self) -> Mapping[str, District]:
        return {fold(name): district for name, district in self._names}

    @cached_property
    def _by_sound(self) -> Mapping[str, tuple[District, ...]]:
        found: dict[str, dict[str, District]] = {}
        for name, district in self._names:
            found.setdefault(_sound(name), {})[district.name] = district
        return {sound: tuple(districts.values()) for sound, districts in found.items()}

    def district(self, name: str | None) -> District | None:
        """The district of that name in az, en or ru, with or without the word for its kind; None if there is none."""
        folded = fold(name or "")
        return self._by_name.get(folded) or self._by_name.get(without_unit(folded))

    def find(self, text: str | None) -> District | None:
        """The district that somebody means, for what is entered: by its name or, where only one district has that,
        in any spelling that the register is searched by (“Aqdam”, “г. Агдам”). A letter doubled in none of its names
        (“Agdamm”) is a mistake, not a spelling. Rules ask for `district`."""
        found = self.district(text)
        if found is None and text and (sound := _sound(text)):
            alike = self._by_sound.get(sound, ())
            return alike[0] if len(alike) == 1 and _doubled(text) <= self._doubled_in(alike[0]) else None
        return found

    def _doubled_in(self, district: District) -> frozenset[str]:
        names = (district.name, *self.district_names.get(district.name, ()))
        return frozenset().union(*map(_doubled, names))

    def nearest(self, text: str) -> tuple[str, ...]:
        """Azerbaijani names of the districts whose name, in any language, is most like this; at most three."""
        by_name = self._by_name
        close = get_close_matches(without_unit(fold(text)), by_name, n=6, cutoff=0.6)
        return tuple(dict.fromkeys(by_name[name].name for name in close))[:3]

    def region_of(self, district: str | None) -> str | None:
        """Code of the economic region in which the district lies; None if the district is not known."""
        found = self.district(district)
        return found.region if found else None


UNITS = ("rayonu", "şəhəri", "district", "city", "район", "город")
_ABBREVIATED = ("rayon", "r-nu", "r-n", "ş", "şəh", "region", "raion", "г", "р-н", "района", "районы")
"""What else stands for these words where somebody enters a district."""


def without_unit(folded: str) -> str:
    """The bare name, of a folded one: “Ağdam rayonu” and “город Агдам” without the word for the kind of district."""
    for unit in map(fold, UNITS):
        folded = folded.removesuffix(unit).removeprefix(unit)
    return folded


def _doubled(text: str) -> frozenset[str]:
    """The letters that a word of this text has twice in a row."""
    return frozenset(letter for word in text.split() for letter in re.findall(r"([^\W\d])\1", fold(word)))


def _sound(text: str) -> str:
    """As the register spells it, without the words for the kind of district; empty where nothing is left."""
    units = {fold(unit) for unit in UNITS + _ABBREVIATED}
    words = [word for word in re.split(r"[\s.,()]+", text) if fold(word) not in units]
    return "".join(phonetic_keys(" ".join(words)))


def read_territory(text: str) -> Territory:
    """The territory as a TOML file says; the file is part of the service, so a fault in it is an ordinary exception."""
    raw = tomllib.loads(text, parse_float=Decimal)
    regions = {code: read_region(code, entry) for code, entry in raw["regions"].items()}
    bare = Territory(regions, {}, {})
    parks = {code: read_park(code, entry, bare) for code, entry in raw["parks"].items()}
    sets = {name: frozenset(codes) for name, codes in raw["territory_sets"].items()}
    municipalities = {
        code: Municipality(code, {"az": entry["az"], "en": entry["en"]}, entry["kind"], entry["district"])
        for code, entry in raw.get("municipalities", {}).items()
    }
    homes = {name: frozenset(codes) for name, codes in raw.get("municipality_sets", {}).items()}
    names = {district: tuple(others) for district, others in raw.get("district_names", {}).items()}
    return Territory(regions, parks, sets, municipalities, homes, names)


def read_region(code: str, entry: Mapping[str, Any]) -> Region:
    districts = tuple(
        District(district["name"], code, district.get("iso"), district.get("iso") or district["code"])
        for district in entry["districts"]
    )
    return Region(code, {"az": entry["az"], "en": entry["en"]}, districts)


def read_park(code: str, entry: Mapping[str, Any], territory: Territory) -> ParkEntry:
    district = entry.get("district")
    area = entry.get("area_ha")
    return ParkEntry(
        code=code,
        kind=ParkKind(entry["kind"]),
        names={"az": entry["az"], "en": entry["en"]},
        district=district,
        economic_region=territory.region_of(district),
        area_ha=None if area is None else Decimal(area),
        legal_basis=entry.get("legal_basis"),
    )


@cache
def territory() -> Territory:
    """The territory that ships with the service."""
    return read_territory((files("app.reference") / "territory.toml").read_text("utf-8"))


@cache
def countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def same_district(places: Territory, one: str | None, other: str | None) -> bool:
    """A district unknown to the reference data is known by its letters."""
    if one is None or other is None:
        return False
    known, also = places.find(one), places.find(other)
    return known == also if known or also else fold(one) == fold(other)


def wrong_district(country: str | None, district: str) -> Message | None:
    """What is wrong with the name of a district of Azerbaijan, with the nearest ones and the list of all; None if it is
    one of them, in any spelling.

    Places abroad have no list. A country that is not known is taken for Azerbaijan: whoever names a district knows it.
    """
    if country not in (None, HOME) or territory().find(district):
        return None
    known = [each.name for each in territory().districts]
    if nearest := territory().nearest(district):
        return Message(
            "This is no district of Azerbaijan. Do you mean %(suggestion)s? Write one of: %(allowed)s.",
            code="unknown-district",
            suggestion=list(nearest),
            allowed=known,
        )
    return Message(
        "This is no district of Azerbaijan. Write one of: %(allowed)s.", code="unknown-district", allowed=known
    )


def district_name(country: str | None, district: str | None) -> str | None:
    """The spelling that is stored: the territory's own name of a district of Azerbaijan, else the text as typed."""
    if district is None:
        return None
    found = territory().find(district) if country in (None, HOME) else None
    return found.name if found else tidy(district)
