"""Load claimed yearly volumes and production capacity of sites (K-10), certified products included."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.model import Application, Evidence
from app.certificates.model import Certificate
from app.products.product_repository import ProductAggregate
from app.schemes import facts

VOLUME_STATEMENT, CAPACITY_STATEMENT = "volume-statement", "capacity-statement"


@dataclass(frozen=True, slots=True)
class ClaimedVolume:
    product_id: UUID
    site_id: UUID
    volume: Decimal
    unit: str | None


@dataclass(frozen=True, slots=True)
class SiteVolumes:
    """Hold the claims of all products of the sites concerned, and the sites' valid capacity statements."""

    claims: tuple[ClaimedVolume, ...]
    statements: tuple[Evidence, ...]  # confirmed and valid capacity statements
    awaiting_claims: frozenset[str]  # products with an unconfirmed volume statement
    awaiting_capacities: frozenset[
        tuple[UUID, str | None]
    ]  # (site, unit) with an unconfirmed capacity statement; unit None: not stated

    def facts_for(self, product_id: UUID, site_id: UUID, unit: str | None) -> facts.VolumeFacts:
        """Return the volume facts of a product. Only capacity in `unit`, the product's own unit, is comparable."""
        return facts.VolumeFacts(
            claims=tuple(
                facts.VolumeClaim(str(claim.product_id), claim.volume, claim.unit, claim.product_id == product_id)
                for claim in self.claims
                if claim.site_id == site_id
            ),
            capacities=_newest_capacities([row for row in self.statements if row.site_id == site_id]),
            claim_awaits=str(product_id) in self.awaiting_claims,
            capacity_awaits=any((site_id, each) in self.awaiting_capacities for each in (unit, None)),
        )


def load_site_volumes(
    session: Session,
    organisation_id: UUID,
    aggregates: Mapping[UUID, ProductAggregate],
    evidence: Sequence[Evidence],
    certified: Sequence[tuple[Certificate, str]],
    as_of: date,
    application: Application | None,
) -> SiteVolumes:
    """Load the volumes of an organisation's sites as of a day.

    `evidence`: usable documents of the application. `certified`: active or suspended certificates of its sites, each
    with the unit of its product.
    """
    sites = {each.product_id: each.site_id for each, _ in certified}
    sites |= {product_id: whole.product.site_id for product_id, whole in aggregates.items()}
    units: dict[UUID, str] = {each.product_id: unit for each, unit in certified}
    units |= {product_id: whole.product.unit for product_id, whole in aggregates.items()}
    own = None if application is None else application.id
    applications: dict[UUID, set[UUID | None]] = {product_id: {own} for product_id in aggregates}
    for each, _ in certified:
        applications.setdefault(each.product_id, set()).add(each.application_id)
    earlier = (
        application_repository.list_confirmed_of_kind(session, organisation_id, VOLUME_STATEMENT) if certified else ()
    )
    rows = {row.id: row for row in (*earlier, *evidence)}.values()
    statements = [row for row in rows if row.kind == VOLUME_STATEMENT and _is_valid_on(row, as_of)]
    return SiteVolumes(
        claims=tuple(
            ClaimedVolume(product_id, sites[product_id], volume, units.get(product_id))
            for product_id in sorted(sites)
            if (volume := largest_claimed_volume(str(product_id), applications[product_id], statements)) is not None
        ),
        statements=tuple(row for row in evidence if row.kind == CAPACITY_STATEMENT and _is_valid_on(row, as_of)),
        awaiting_claims=frozenset(
            product_id
            for row in evidence
            if row.kind == VOLUME_STATEMENT and row.confirmed_at is None
            for product_id in row.product_ids
        ),
        awaiting_capacities=frozenset(
            (row.site_id, row.stated.get("unit"))
            for row in evidence
            if row.kind == CAPACITY_STATEMENT and row.confirmed_at is None and row.site_id is not None
        ),
    )


def largest_claimed_volume(
    product_id: str, applications: Collection[UUID | None], statements: Sequence[Evidence]
) -> Decimal | None:
    """Return the largest yearly volume of a product over its applications; in each, the newest statement counts."""
    volumes = []
    for application_id in applications:
        found = [
            row
            for row in statements
            if product_id in row.product_ids
            and row.application_id in (None, application_id)
            and "claimed_volume" in row.stated
        ]
        if found:
            volumes.append(Decimal(max(found, key=_age_key).stated["claimed_volume"]))
    return max(volumes, default=None)


def _newest_capacities(rows: Sequence[Evidence]) -> tuple[facts.SiteCapacity, ...]:
    """Return the newest statement for each unit and production line."""
    newest = {(row.stated.get("unit"), row.stated.get("line")): row for row in sorted(rows, key=_age_key)}
    return tuple(
        facts.SiteCapacity(unit=unit, per_year=Decimal(row.stated["per_year"]), line=line)
        for (unit, line), row in sorted(newest.items(), key=lambda item: (item[0][0] or "", item[0][1] or ""))
        if "per_year" in row.stated
    )


def _age_key(row: Evidence) -> tuple[date, UUID]:
    return row.issued_on or date.min, row.id


def _is_valid_on(row: Evidence, day: date) -> bool:
    is_issued = row.issued_on is None or row.issued_on <= day
    return row.confirmed_at is not None and is_issued and (row.valid_until is None or day <= row.valid_until)
