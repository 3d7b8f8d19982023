"""What the public register is asked, and how many certificates there are of each kind. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from app.certificates.model import CertificateStatus

_GroupKey = TypeVar("_GroupKey")


class EffectiveStatus(StrEnum):
    """A status as of a day: `expired`, which no row stores, goes before `active` and `suspended`, as in a verdict."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class RegisterSearch:
    """All filters that are given hold together. `q` looks everywhere; words are found by their beginnings."""

    q: str | None = None
    holder: str | None = None
    product: str | None = None
    scheme: str | None = None
    status: EffectiveStatus | None = None
    hs6: str | None = None  # 2 to 6 digits: the beginning of the code
    park: str | None = None
    organisation_id: UUID | None = None

    def without_filters(self, *names: str) -> "RegisterSearch":
        return replace(self, **dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Facet:
    """Certificates that are alike in what people filter by."""

    scheme: str
    park: str | None
    status: EffectiveStatus

    def matches(self, wanted: RegisterSearch) -> bool:
        return (
            wanted.scheme in (None, self.scheme)
            and wanted.park in (None, self.park)
            and wanted.status in (None, self.status)
        )


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """How many certificates the words of a search find, by group, before mark, park and standing narrow it down."""

    groups: Mapping[Facet, int]

    def total(self, wanted: RegisterSearch) -> int:
        return sum(self._count_by(wanted, lambda _group: None).values())

    def by_scheme(self, wanted: RegisterSearch) -> Mapping[str, int]:
        """For each mark what would be found if it were chosen, the other filters staying as they are."""
        return self._count_by(wanted.without_filters("scheme"), lambda group: group.scheme)

    def by_park(self, wanted: RegisterSearch) -> Mapping[str | None, int]:
        return self._count_by(wanted.without_filters("park"), lambda group: group.park)

    def by_status(self, wanted: RegisterSearch) -> Mapping[EffectiveStatus, int]:
        return self._count_by(wanted.without_filters("status"), lambda group: group.status)

    def _count_by(self, wanted: RegisterSearch, key: Callable[[Facet], _GroupKey]) -> dict[_GroupKey, int]:
        found: dict[_GroupKey, int] = {}
        for group, count in self.groups.items():
            if group.matches(wanted):
                found[key(group)] = found.get(key(group), 0) + count
        return found


def effective_status(status: str, valid_until: date, today: date) -> EffectiveStatus:
    """What a certificate is as of a day of Baku; the last day of its term is inclusive."""
    if status in {CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED} and valid_until < today:
        return EffectiveStatus.EXPIRED
    return EffectiveStatus(status)
