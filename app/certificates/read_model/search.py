"""Define the search of the public register and count its results by facet. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from app.certificates.model import CertificateStatus
from app.certificates.read_model.record import CertificateRecord

_GroupKey = TypeVar("_GroupKey")


class EffectiveStatus(StrEnum):
    """Status as of a day. `expired` is computed and replaces `active` and `suspended`; so is `key_compromised`."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    SUPERSEDED = "superseded"
    KEY_COMPROMISED = "key_compromised"  # computed: the key that signed it was compromised before that


@dataclass(frozen=True, slots=True)
class RegisterSearch:
    """Filters of a search; all given filters must match.

    `q` searches every field; terms match by prefix.
    """

    q: str | None = None
    holder: str | None = None
    product: str | None = None
    scheme: str | None = None
    status: EffectiveStatus | None = None
    hs6: str | None = None  # 2 to 6 digits: the beginning of the code
    park: str | None = None
    organisation_id: UUID | None = None
    gtin: str | None = None  # 14 digits
    product_id: UUID | None = None
    site_id: UUID | None = None
    expiring_before: date | None = None  # exclusive; without what has expired
    changed_from: datetime | None = None  # inclusive; of the issue and of the status, but for the end of the term

    def without_filters(self, *names: str) -> "RegisterSearch":
        return replace(self, **dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Facet:
    """A group of certificates with one mark, park and effective status."""

    scheme: str
    park: str | None
    status: EffectiveStatus

    def matches(self, search: RegisterSearch) -> bool:
        return (
            search.scheme in (None, self.scheme)
            and search.park in (None, self.park)
            and search.status in (None, self.status)
        )


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """Number of certificates that match the terms of a search, by facet.

    The filters for mark, park and status are applied when counts are read.
    """

    groups: Mapping[Facet, int]

    def total(self, search: RegisterSearch) -> int:
        return sum(self._count_by(search, lambda _group: None).values())

    def by_scheme(self, search: RegisterSearch) -> Mapping[str, int]:
        """Count by mark, with the other filters applied."""
        return self._count_by(search.without_filters("scheme"), lambda group: group.scheme)

    def by_park(self, search: RegisterSearch) -> Mapping[str | None, int]:
        return self._count_by(search.without_filters("park"), lambda group: group.park)

    def by_status(self, search: RegisterSearch) -> Mapping[EffectiveStatus, int]:
        return self._count_by(search.without_filters("status"), lambda group: group.status)

    def _count_by(self, search: RegisterSearch, key: Callable[[Facet], _GroupKey]) -> dict[_GroupKey, int]:
        found: dict[_GroupKey, int] = {}
        for group, count in self.groups.items():
            if group.matches(search):
                found[key(group)] = found.get(key(group), 0) + count
        return found


def fits(search: RegisterSearch, record: CertificateRecord, today: date) -> bool:
    """Whether a proven certificate fits the filters by which its columns were found."""
    return (
        search.scheme in (None, record.scheme_code)
        and search.park in (None, record.park_code)
        and record.hs6.startswith(search.hs6 or "")
        and search.status in (None, effective_status(record.status, record.valid_until, today))
        and (search.expiring_before is None or today <= record.valid_until < search.expiring_before)
        and (search.changed_from is None or record.status_since >= search.changed_from)
        and (search.organisation_id is None or record.holder_id in (None, search.organisation_id.urn))
    )


def effective_status(status: str, valid_until: date, today: date) -> EffectiveStatus:
    """Return the status as of a day in Baku; the last day of the term is inclusive."""
    if status in {CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED} and valid_until < today:
        return EffectiveStatus.EXPIRED
    return EffectiveStatus(status)
