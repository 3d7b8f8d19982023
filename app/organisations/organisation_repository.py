"""Query organisations, claims, sites and residencies.

`lock=True` reads the current row, bypassing the identity map, and prevents changes by others until the transaction ends
(SQLite has one writer and needs no row locks). The lock is FOR NO KEY UPDATE: rows that refer to a locked company can
still be inserted, or an import and an issuance could deadlock.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import locked, page_of, parts_of
from app.core.text.normalize import search_fold
from app.organisations.model import (
    COMPANY_STATUSES,
    Claim,
    ClaimState,
    Organisation,
    OrganisationStatus,
    Residency,
    Site,
)

# Built once, because every assessment runs these queries.
_ONE_LOCKED = locked(sa.select(Organisation).where(Organisation.id == sa.bindparam("id")))
_SITES = sa.select(Site).where(Site.id.in_(sa.bindparam("ids", expanding=True))).order_by(Site.id)
_SITES_LOCKED = locked(_SITES)
_LATEST_RESIDENCY = (
    sa.select(Residency)
    .where(
        Residency.organisation_id == sa.bindparam("organisation_id"), Residency.park_code == sa.bindparam("park_code")
    )
    .order_by(
        sa.and_(Residency.ends_on.is_(None), Residency.cancelled_on.is_(None)).desc(),
        sa.func.coalesce(Residency.cancelled_on, Residency.ends_on).desc(),
        Residency.cancelled_on.is_not(None).desc(),  # on one day a cancellation takes precedence over an end
        Residency.id.desc(),
    )
    .limit(1)
)
_SITE = sa.select(Site).where(Site.id == sa.bindparam("id"))
_SITE_OF = _SITE.where(Site.organisation_id == sa.bindparam("organisation_id"))
_LATEST_RESIDENCY_FOR_SHARE = _LATEST_RESIDENCY.with_for_update(read=True).execution_options(populate_existing=True)


def find_organisation(session: Session, organisation_id: UUID, *, lock: bool = False) -> Organisation | None:
    if not lock:
        return session.get(Organisation, organisation_id)  # no statement if this transaction has loaded it
    return session.scalars(_ONE_LOCKED, {"id": organisation_id}).one_or_none()


def find_company_by_voen(session: Session, voen: str, *, lock: bool = False) -> Organisation | None:
    """Find the company of this VÖEN, listed or confirmed, not a claim."""
    query = sa.select(Organisation).where(Organisation.voen == voen, Organisation.status.in_(COMPANY_STATUSES))
    return session.scalars(locked(query, lock)).one_or_none()


def find_claim(session: Session, claim_id: UUID, *, lock: bool = False) -> Claim | None:
    return session.scalars(locked(sa.select(Claim).where(Claim.id == claim_id), lock)).one_or_none()


def list_claims(
    session: Session,
    *,
    states: Collection[ClaimState] = (),
    voen: str | None = None,
    claimant_id: UUID | None = None,
    made_since: datetime | None = None,
    after: UUID | None = None,
    limit: int | None = None,
    lock: bool = False,
) -> Sequence[Claim]:
    query = sa.select(Claim).order_by(Claim.id).limit(limit)
    if states:
        query = query.where(Claim.state.in_([state.value for state in states]))
    if voen is not None:
        query = query.where(Claim.voen == voen)
    if claimant_id is not None:
        query = query.where(Claim.claimant_id == claimant_id)
    if made_since is not None:
        query = query.where(Claim.created_at >= made_since)
    if after is not None:
        query = query.where(Claim.id > after)
    return session.scalars(locked(query, lock)).all()


def list_organisations(
    session: Session, *, status: OrganisationStatus | None, q: str | None, after: UUID | None, limit: int
) -> Sequence[Organisation]:
    query = sa.select(Organisation)
    if status is not None:
        query = query.where(Organisation.status == status.value)
    for word in search_fold(q or "").split():
        query = query.where(Organisation.search_text.contains(word, autoescape=True))
    return page_of(session, query, Organisation.id, after, limit)


def find_companies_by_voen(session: Session, voens: Iterable[str], *, lock: bool = False) -> dict[str, Organisation]:
    found: dict[str, Organisation] = {}
    for part in parts_of(sorted(set(voens))):
        query = sa.select(Organisation).where(Organisation.voen.in_(part), Organisation.status.in_(COMPANY_STATUSES))
        query = query.order_by(Organisation.id)
        found |= {each.voen: each for each in session.scalars(locked(query, lock))}
    return found


def find_organisations(session: Session, ids: Iterable[UUID]) -> dict[UUID, Organisation]:
    found: dict[UUID, Organisation] = {}
    for part in parts_of(sorted(set(ids))):
        found |= {each.id: each for each in session.scalars(sa.select(Organisation).where(Organisation.id.in_(part)))}
    return found


def find_site(
    session: Session, site_id: UUID, organisation_id: UUID | None = None, *, lock: bool = False
) -> Site | None:
    """Find one site; with an organisation given, only if it belongs to it."""
    if organisation_id is None:
        return session.scalars(locked(_SITE, lock), {"id": site_id}).one_or_none()
    return session.scalars(locked(_SITE_OF, lock), {"id": site_id, "organisation_id": organisation_id}).one_or_none()


def owned_site_ids(session: Session, organisation_id: UUID, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the ids that are sites of the company."""
    found: set[UUID] = set()
    for part in parts_of(sorted(ids)):
        found.update(
            session.scalars(sa.select(Site.id).where(Site.organisation_id == organisation_id, Site.id.in_(part)))
        )
    return found


def list_sites(
    session: Session, organisation_id: UUID | None = None, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Site]:
    query = sa.select(Site)
    if organisation_id is not None:
        query = query.where(Site.organisation_id == organisation_id)
    return page_of(session, query, Site.id, after, limit)


def find_sites(session: Session, ids: Iterable[UUID], *, for_share: bool = False) -> dict[UUID, Site]:
    """Load sites in one order; with `for_share` they cannot change until this transaction ends."""
    found: dict[UUID, Site] = {}
    for part in parts_of(sorted(set(ids))):
        found |= {site.id: site for site in session.scalars(_SITES_LOCKED if for_share else _SITES, {"ids": part})}
    return found


def list_register_sites(session: Session, organisation_ids: Iterable[UUID]) -> Sequence[Site]:
    """Return the sites of these companies that an import created."""
    found: list[Site] = []
    for part in parts_of(sorted(set(organisation_ids))):
        query = sa.select(Site).where(Site.organisation_id.in_(part), Site.register_key.is_not(None)).order_by(Site.id)
        found += session.scalars(query)
    return found


def find_residency(session: Session, residency_id: UUID, *, lock: bool = False) -> Residency | None:
    return session.scalars(locked(sa.select(Residency).where(Residency.id == residency_id), lock)).one_or_none()


def list_residencies(
    session: Session,
    *,
    organisation_id: UUID | None = None,
    park_code: str | None = None,
    only_open: bool = False,
    after: UUID | None = None,
    limit: int | None = None,
) -> Sequence[Residency]:
    query = sa.select(Residency)
    if organisation_id is not None:
        query = query.where(Residency.organisation_id == organisation_id)
    if park_code is not None:
        query = query.where(Residency.park_code == park_code)
    if only_open:
        query = query.where(Residency.ends_on.is_(None), Residency.cancelled_on.is_(None))
    return page_of(session, query, Residency.id, after, limit)


def list_residencies_of(
    session: Session, organisation_ids: Iterable[UUID], *, lock: bool = False
) -> Sequence[Residency]:
    """Return every period of these companies, open and closed, oldest first."""
    found: list[Residency] = []
    for part in parts_of(sorted(set(organisation_ids))):
        query = sa.select(Residency).where(Residency.organisation_id.in_(part)).order_by(Residency.id)
        found += session.scalars(locked(query, lock))
    return found


def find_latest_residency(
    session: Session, organisation_id: UUID, park_code: str, *, for_share: bool = False
) -> Residency | None:
    """Find the open residency of a company in a park, or else the one that closed last.

    With `for_share` it cannot be closed or restored until this transaction ends. An issuance that depends on a
    residency must use it: otherwise a concurrent cancellation would miss the certificate that it must suspend.
    """
    parameters = {"organisation_id": organisation_id, "park_code": park_code}
    return session.scalars(_LATEST_RESIDENCY_FOR_SHARE if for_share else _LATEST_RESIDENCY, parameters).one_or_none()


def in_force_conditions(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of a period in force on the day: begun, not cancelled, not past its last day.

    A closed period, which always has a reason, is no longer in force at once, even on its last day.
    """
    return (
        Residency.cancelled_on.is_(None),
        sa.or_(Residency.ends_on.is_(None), sa.and_(Residency.ends_on >= today, Residency.closing_reason.is_(None))),
        sa.or_(Residency.starts_on.is_(None), Residency.starts_on <= today),
    )


def find_residencies_in_force(
    session: Session, parties: Iterable[tuple[UUID, str]], today: date
) -> dict[tuple[UUID, str], set[UUID]]:
    """Return the periods in force on the day by party (company, park); parties without one are left out."""
    found: dict[tuple[UUID, str], set[UUID]] = {}
    party = sa.tuple_(Residency.organisation_id, Residency.park_code)
    for part in parts_of(sorted(set(parties))):
        query = sa.select(Residency.id, Residency.organisation_id, Residency.park_code).where(
            party.in_(part), *in_force_conditions(today)
        )
        for row in session.execute(query):
            found.setdefault((row.organisation_id, row.park_code), set()).add(row.id)
    return found
