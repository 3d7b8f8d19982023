"""What the public register is asked, and how many certificates there are of each kind. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from app.certificates.model import CertificateStatus

Key = TypeVar("Key")


class Standing(StrEnum):
    """A status as of a day: `expired`, which no row stores, goes before `active` and `suspended`, as in a verdict."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Search:
    """All filters that are given hold together. `q` looks everywhere; words are found by their beginnings."""

    q: str | None = None
    holder: str | None = None
    product: str | None = None
    scheme: str | None = None
    status: Standing | None = None
    hs6: str | None = None  # 2 to 6 digits: the beginning of the code
    park: str | None = None
    organisation_id: UUID | None = None

    def without(self, *names: str) -> "Search":
        return replace(self, **dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Group:
    """Certificates that are alike in what people filter by."""

    scheme: str
    park: str | None
    standing: Standing

    def fits(self, wanted: Search) -> bool:
        return (
            wanted.scheme in (None, self.scheme)
            and wanted.park in (None, self.park)
            and wanted.status in (None, self.standing)
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many certificates the words of a search find, by group, before mark, park and standing narrow it down."""

    groups: Mapping[Group, int]

    def total(self, wanted: Search) -> int:
        return sum(self._by(wanted, lambda _group: None).values())

    def by_scheme(self, wanted: Search) -> Mapping[str, int]:
        """For each mark what would be found if it were chosen, the other filters staying as they are."""
        return self._by(wanted.without("scheme"), lambda group: group.scheme)

    def by_park(self, wanted: Search) -> Mapping[str | None, int]:
        return self._by(wanted.without("park"), lambda group: group.park)

    def by_standing(self, wanted: Search) -> Mapping[Standing, int]:
        return self._by(wanted.without("status"), lambda group: group.standing)

    def _by(self, wanted: Search, key: Callable[[Group], Key]) -> dict[Key, int]:
        found: dict[Key, int] = {}
        for group, count in self.groups.items():
            if group.fits(wanted):
                found[key(group)] = found.get(key(group), 0) + count
        return found


def standing_of(status: str, valid_until: date, today: date) -> Standing:
    """What a certificate is as of a day of Baku; the last day of its term is inclusive."""
    if status in {CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED} and valid_until < today:
        return Standing.EXPIRED
    return Standing(status)
