"""Countries by ISO 3166-1 alpha-2, and whether two names mean one district. Pure."""

from functools import cache

import pycountry

from app.registry.territory import Territory, fold

HOME = "AZ"


@cache
def countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def same_district(places: Territory, one: str | None, other: str | None) -> bool:
    """A district unknown to the reference data is known by its letters."""
    if one is None or other is None:
        return False
    known, also = places.district(one), places.district(other)
    return known == also if known or also else fold(one) == fold(other)
