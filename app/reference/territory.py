"""Look up economic regions, districts, territory sets and parks, which are data, and countries. Pure.

Districts are recognised in the spellings that users enter; countries are ISO 3166-1 alpha-2.
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
from app.core.text.normalize import fold_alphanumeric, normalize
from app.core.text.phonetic import phonetic_keys

HOME_COUNTRY = "AZ"


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
    code: str  # the ISO code, or one assigned in `territory.toml`


@dataclass(frozen=True)
class Region:
    code: str
    names: Mapping[str, str]  # language → name
    districts: tuple[District, ...]


@dataclass(frozen=True)
class ParkDefinition:
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
    parks: Mapping[str, ParkDefinition]
    sets: Mapping[str, frozenset[str]]  # territory set → codes of economic regions
    municipalities: Mapping[str, Municipality] = field(default_factory=dict)
    municipality_sets: Mapping[str, frozenset[str]] = field(default_factory=dict)  # → codes of municipalities
    district_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # district → names in en and ru

    @cached_property
    def districts(self) -> tuple[District, ...]:
        """Return every district, in the order of the file."""
        return tuple(district for region in self.regions.values() for district in region.districts)

    @cached_property
    def _names(self) -> tuple[tuple[str, District], ...]:
        """Return every name of every district: Azerbaijani, English, Russian."""
        return tuple(
            (name, district)
            for district in self.districts
            for name in (district.name, *self.district_names.get(district.name, ()))
        )

    @cached_property
    def _by_name(self) -> Mapping[str, District]:
        return {fold_alphanumeric(name): district for name, district in self._names}

    @cached_property
    def _by_phonetic_key(self) -> Mapping[str, tuple[District, ...]]:
        found: dict[str, dict[str, District]] = {}
        for name, district in self._names:
            found.setdefault(_phonetic_key(name), {})[district.name] = district
        return {key: tuple(districts.values()) for key, districts in found.items()}

    def district_by_name(self, name: str | None) -> District | None:
        """Return the district of this name (az, en, ru), with or without its kind word; None if there is none."""
        folded = fold_alphanumeric(name or "")
        return self._by_name.get(folded) or self._by_name.get(without_kind_word(folded))

    def find_district(self, text: str | None) -> District | None:
        """Return the district that a user's text denotes, by name or by a unique phonetic match; or None.

        “Aqdam” and “г. Агдам” match by sound. A letter that is doubled in none of the district's names (“Agdamm”) is
        an error, not a spelling. Rules use `district_by_name`.
        """
        found = self.district_by_name(text)
        if found is None and text and (key := _phonetic_key(text)):
            matches = self._by_phonetic_key.get(key, ())
            return (
                matches[0]
                if len(matches) == 1 and _doubled_letters(text) <= self._doubled_letters_of(matches[0])
                else None
            )
        return found

    def _doubled_letters_of(self, district: District) -> frozenset[str]:
        names = (district.name, *self.district_names.get(district.name, ()))
        return frozenset().union(*map(_doubled_letters, names))

    def nearest_districts(self, text: str) -> tuple[str, ...]:
        """Return the Azerbaijani names of at most three districts with the most similar name in any language."""
        by_name = self._by_name
        close = get_close_matches(without_kind_word(fold_alphanumeric(text)), by_name, n=6, cutoff=0.6)
        return tuple(dict.fromkeys(by_name[name].name for name in close))[:3]

    def region_of(self, district: str | None) -> str | None:
        """Return the code of the economic region of a district; None for an unknown district."""
        found = self.district_by_name(district)
        return found.region if found else None


DISTRICT_KIND_WORDS = ("rayonu", "şəhəri", "district", "city", "район", "город")
_ABBREVIATED = ("rayon", "r-nu", "r-n", "ş", "şəh", "region", "raion", "г", "р-н", "района", "районы")
"""Other spellings of these words that users enter."""


def without_kind_word(folded: str) -> str:
    """Remove the word for the kind of district from a folded name, such as “Ağdam rayonu” or “город Агдам”."""
    for kind_word in map(fold_alphanumeric, DISTRICT_KIND_WORDS):
        folded = folded.removesuffix(kind_word).removeprefix(kind_word)
    return folded


def _doubled_letters(text: str) -> frozenset[str]:
    """Return the letters that occur twice in a row in a word of the text."""
    return frozenset(letter for word in text.split() for letter in re.findall(r"([^\W\d])\1", fold_alphanumeric(word)))


def _phonetic_key(text: str) -> str:
    """Return the phonetic key of a name without its kind words; empty if nothing else remains."""
    kind_words = {fold_alphanumeric(word) for word in DISTRICT_KIND_WORDS + _ABBREVIATED}
    words = [word for word in re.split(r"[\s.,()]+", text) if fold_alphanumeric(word) not in kind_words]
    return "".join(phonetic_keys(" ".join(words)))


def parse_territory(text: str) -> Territory:
    """Parse the territory file, which is part of the service: an error in it is an ordinary exception."""
    raw = tomllib.loads(text, parse_float=Decimal)
    regions = {code: parse_region(code, entry) for code, entry in raw["regions"].items()}
    regions_only = Territory(regions, {}, {})
    parks = {code: parse_park(code, entry, regions_only) for code, entry in raw["parks"].items()}
    sets = {name: frozenset(codes) for name, codes in raw["territory_sets"].items()}
    municipalities = {
        code: Municipality(code, {"az": entry["az"], "en": entry["en"]}, entry["kind"], entry["district"])
        for code, entry in raw.get("municipalities", {}).items()
    }
    municipality_sets = {name: frozenset(codes) for name, codes in raw.get("municipality_sets", {}).items()}
    names = {district: tuple(others) for district, others in raw.get("district_names", {}).items()}
    return Territory(regions, parks, sets, municipalities, municipality_sets, names)


def parse_region(code: str, entry: Mapping[str, Any]) -> Region:
    districts = tuple(
        District(district["name"], code, district.get("iso"), district.get("iso") or district["code"])
        for district in entry["districts"]
    )
    return Region(code, {"az": entry["az"], "en": entry["en"]}, districts)


def parse_park(code: str, entry: Mapping[str, Any], territory: Territory) -> ParkDefinition:
    district = entry.get("district")
    area = entry.get("area_ha")
    return ParkDefinition(
        code=code,
        kind=ParkKind(entry["kind"]),
        names={"az": entry["az"], "en": entry["en"]},
        district=district,
        economic_region=territory.region_of(district),
        area_ha=None if area is None else Decimal(area),
        legal_basis=entry.get("legal_basis"),
    )


@cache
def load_territory() -> Territory:
    """Load the territory that ships with the service."""
    return parse_territory((files("app.reference") / "territory.toml").read_text("utf-8"))


@cache
def country_codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def is_same_district(places: Territory, one: str | None, other: str | None) -> bool:
    """Return whether both texts denote one district; texts that denote none are compared letter by letter."""
    if one is None or other is None:
        return False
    first, second = places.find_district(one), places.find_district(other)
    return first == second if first or second else fold_alphanumeric(one) == fold_alphanumeric(other)


def district_error(country: str | None, district: str) -> Message | None:
    """Return an error, with the nearest and all names, if the text denotes no district of Azerbaijan.

    Returns None for a place abroad, whose districts are not listed. A missing country counts as Azerbaijan.
    """
    if country not in (None, HOME_COUNTRY) or load_territory().find_district(district):
        return None
    listed = [known.name for known in load_territory().districts]
    if nearest := load_territory().nearest_districts(district):
        return Message(
            "This is no district of Azerbaijan. Do you mean %(suggestion)s? Write one of: %(allowed)s.",
            code="unknown-district",
            suggestion=list(nearest),
            allowed=listed,
        )
    return Message(
        "This is no district of Azerbaijan. Write one of: %(allowed)s.", code="unknown-district", allowed=listed
    )


def canonical_district_name(country: str | None, district: str | None) -> str | None:
    """Return the spelling to store: the official name of a district of Azerbaijan, or else the text as entered."""
    if district is None:
        return None
    found = load_territory().find_district(district) if country in (None, HOME_COUNTRY) else None
    return found.name if found else normalize(district)
