"""Countries by ISO 3166-1 alpha-2, and districts as people write them. Pure."""

from functools import cache

import pycountry

from app.core.messages import Message
from app.core.text.normalize import fold, tidy
from app.registry.territory import Territory, territory

HOME = "AZ"


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
