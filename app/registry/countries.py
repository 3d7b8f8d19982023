"""Countries by ISO 3166-1 alpha-2, from pycountry. Pure."""

from functools import cache

import pycountry

HOME = "AZ"


@cache
def countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)
