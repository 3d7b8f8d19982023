"""What rule C-12 asks of the past, with the shares that confirmed evidence names: the whole of it, for one company."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import Evidence
from app.certificates import holder_history
from app.certificates.holder_history import History
from app.organisations.model import COMPANIES, Organisation

OWNERSHIP_STATEMENT = "ownership-statement"
OTHER_VOEN, SHARE = "other_voen", "share_pct"
RELATED_ABOVE = Decimal(25)
"""A share in per cent above which two companies are related holders, whichever of them holds it."""


def past(session: Session, organisation_id: UUID) -> History:
    """Revocations, and surrenders during an investigation, of this company and its related holders, under every mark.

    Related are: the same VÖEN, a common member, a share above `RELATED_ABOVE`, and the same plot of a park; each
    certificate names its grounds, and the company's own has none. A constant number of statements.
    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None or organisation.standing not in COMPANIES:
        return History((), ())  # a claim: the past of the VÖEN that it names is not for its claimant
    return holder_history.past(session, organisation_id, owners=_owners(session, organisation_id))


def _owners(session: Session, organisation_id: UUID) -> set[str]:
    """VÖENs of the other side of each confirmed statement: in this company's own, whom it names; in others', who names
    this company."""
    own_voen = sa.select(Organisation.voen).where(Organisation.id == organisation_id).scalar_subquery()
    query = (
        sa.select(Evidence.organisation_id, Evidence.stated, Organisation.voen)
        .join(Organisation, Organisation.id == Evidence.organisation_id)
        .where(
            Evidence.kind == OWNERSHIP_STATEMENT,
            Evidence.confirmed_at.is_not(None),
            Organisation.standing.in_(COMPANIES),
            sa.or_(
                Evidence.organisation_id == organisation_id,
                Evidence.stated[OTHER_VOEN].as_string() == own_voen,
            ),
        )
    )
    found = set()
    for row in session.execute(query):
        other = row.stated.get(OTHER_VOEN) if row.organisation_id == organisation_id else row.voen
        if isinstance(other, str) and _is_related(row.stated):
            found.add(other)
    return found


def _is_related(stated: Mapping[str, Any]) -> bool:
    try:
        return Decimal(str(stated.get(SHARE))) > RELATED_ABOVE
    except InvalidOperation:
        return False
