"""Queries over parks, organisations, sites and residencies.

`lock=True` reads the row as it is now, whatever the session remembers of it, and keeps others from changing it until
the transaction ends (SQLite has one writer and needs no row locks). The lock leaves the key alone (FOR NO KEY UPDATE):
rows that refer to a locked company can still be written, or an import and a grant could wait for each other.
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

# Asked by every assessment, so they are put together once.
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
        Residency.cancelled_on.is_not(None).desc(),  # on one day a cancellation says more than an end
        Residency.id.desc(),
    )
    .limit(1)
)
_LATEST_RESIDENCY_FOR_SHARE = _LATEST_RESIDENCY.with_for_update(read=True).execution_options(populate_existing=True)


def find_organisation(session: Session, organisation_id: UUID, *, lock: bool = False) -> Organisation | None:
    if not lock:
        return session.get(Organisation, organisation_id)  # no statement where this transaction has read it
    return session.scalars(_ONE_LOCKED, {"id": organisation_id}).one_or_none()


def find_company_by_voen(session: Session, voen: str, *, lock: bool = False) -> Organisation | None:
    """The company of this VÖEN, listed or confirmed; claims are none."""
    query = sa.select(Organisation).where(Organisation.voen == voen, Organisation.standing.in_(COMPANY_STATUSES))
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
    session: Session, *, standing: OrganisationStatus | None, q: str | None, after: UUID | None, limit: int
) -> Sequence[Organisation]:
    query = sa.select(Organisation)
    if standing is not None:
        query = query.where(Organisation.standing == standing.value)
    for word in search_fold(q or "").split():
        query = query.where(Organisation.search_text.contains(word, autoescape=True))
    return page_of(session, query, Organisation.id, after, limit)


def find_companies_by_voen(session: Session, voens: Iterable[str], *, lock: bool = False) -> dict[str, Organisation]:
    found: dict[str, Organisation] = {}
    for part in parts_of(sorted(set(voens))):
        query = sa.select(Organisation).where(Organisation.voen.in_(part), Organisation.standing.in_(COMPANY_STATUSES))
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
    """One site; with an organisation given, only if it belongs to it."""
    query = sa.select(Site).where(Site.id == site_id)
    if organisation_id is not None:
        query = query.where(Site.organisation_id == organisation_id)
    return session.scalars(locked(query, lock)).one_or_none()


def list_sites(
    session: Session, organisation_id: UUID | None = None, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Site]:
    query = sa.select(Site)
    if organisation_id is not None:
        query = query.where(Site.organisation_id == organisation_id)
    return page_of(session, query, Site.id, after, limit)


def find_sites(session: Session, ids: Iterable[UUID], *, hold: bool = False) -> dict[UUID, Site]:
    """With `hold` none of them changes until this transaction ends; always in the same order."""
    found: dict[UUID, Site] = {}
    for part in parts_of(sorted(set(ids))):
        found |= {each.id: each for each in session.scalars(_SITES_LOCKED if hold else _SITES, {"ids": part})}
    return found


def list_register_sites(session: Session, organisation_ids: Iterable[UUID]) -> Sequence[Site]:
    """The sites of these companies that an import made."""
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
    """Every period of these companies, open and closed, oldest first."""
    found: list[Residency] = []
    for part in parts_of(sorted(set(organisation_ids))):
        query = sa.select(Residency).where(Residency.organisation_id.in_(part)).order_by(Residency.id)
        found += session.scalars(locked(query, lock))
    return found


def find_latest_residency(
    session: Session, organisation_id: UUID, park_code: str, *, hold: bool = False
) -> Residency | None:
    """The open residency of a company in a park; where none is open, the one that closed last.

    With `hold` nobody can close or restore it until this transaction ends. Whoever grants a certificate that rests on a
    residency must hold it: otherwise a cancellation at the same moment would not find the certificate to suspend.
    """
    asked = {"organisation_id": organisation_id, "park_code": park_code}
    return session.scalars(_LATEST_RESIDENCY_FOR_SHARE if hold else _LATEST_RESIDENCY, asked).one_or_none()


def in_force_conditions(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    """What a period fulfils that is in force on the day: begun, not cancelled, and not past its last day.

    One that was closed, which is always for a reason, is over at once, also on the day named as its last.
    """
    return (
        Residency.cancelled_on.is_(None),
        sa.or_(Residency.ends_on.is_(None), sa.and_(Residency.ends_on >= today, Residency.closing_reason.is_(None))),
        sa.or_(Residency.starts_on.is_(None), Residency.starts_on <= today),
    )


def find_residencies_in_force(
    session: Session, parties: Iterable[tuple[UUID, str]], today: date
) -> dict[tuple[UUID, str], set[UUID]]:
    """The periods in force on the day of these parties (company, park); one that has none is left out."""
    found: dict[tuple[UUID, str], set[UUID]] = {}
    party = sa.tuple_(Residency.organisation_id, Residency.park_code)
    for part in parts_of(sorted(set(parties))):
        query = sa.select(Residency.id, Residency.organisation_id, Residency.park_code).where(
            party.in_(part), *in_force_conditions(today)
        )
        for row in session.execute(query):
            found.setdefault((row.organisation_id, row.park_code), set()).add(row.id)
    return found
