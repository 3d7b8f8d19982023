"""Where things are: economic regions, districts, territory sets and parks, as data with pure look-ups."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from app.core.text.normalize import fold


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
    def _by_name(self) -> Mapping[str, District]:
        return {
            fold(name): district
            for district in self.districts
            for name in (district.name, *self.district_names.get(district.name, ()))
        }

    def district(self, name: str | None) -> District | None:
        """The district of that name in az, en or ru, with or without the word for its kind; None if there is none."""
        folded = fold(name or "")
        return self._by_name.get(folded) or self._by_name.get(without_unit(folded))

    def region_of(self, district: str | None) -> str | None:
        """Code of the economic region in which the district lies; None if the district is not known."""
        found = self.district(district)
        return found.region if found else None


UNITS = ("rayonu", "şəhəri", "district", "city", "район", "город")


def without_unit(folded: str) -> str:
    """The bare name, of a folded one: “Ağdam rayonu” and “город Агдам” without the word for the kind of district."""
    for unit in map(fold, UNITS):
        folded = folded.removesuffix(unit).removeprefix(unit)
    return folded


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
    return read_territory((files("app.registry") / "territory.toml").read_text("utf-8"))
