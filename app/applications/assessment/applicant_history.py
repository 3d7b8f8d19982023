"""What rule C-12 asks of the past, with the shares that confirmed evidence names: the whole of it, for one company."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import Evidence
from app.certificates import holder_history
from app.certificates.holder_history import HolderHistory
from app.organisations.model import COMPANY_STATUSES, Organisation

OWNERSHIP_STATEMENT = "ownership-statement"
OTHER_VOEN, SHARE_PCT = "other_voen", "share_pct"
RELATED_ABOVE_PCT = Decimal(25)
"""A share in per cent above which two companies are related holders, whichever of them holds it."""


def load_applicant_history(session: Session, organisation_id: UUID) -> HolderHistory:
    """Revocations, and surrenders during an investigation, of this company and its related holders, under every mark.

    Related are: the same VÖEN, a common member, a share above `RELATED_ABOVE`, and the same plot of a park; each
    certificate names its grounds, and the company's own has none. A constant number of statements.
    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None or organisation.standing not in COMPANY_STATUSES:
        return HolderHistory((), ())  # a claim: the past of the VÖEN that it names is not for its claimant
    return holder_history.load_holder_history(
        session, organisation_id, owners=_related_owner_voens(session, organisation_id)
    )


def _related_owner_voens(session: Session, organisation_id: UUID) -> set[str]:
    """VÖENs of the other side of each confirmed statement: in this company's own, whom it names; in others', who names
    this company."""
    own_voen = sa.select(Organisation.voen).where(Organisation.id == organisation_id).scalar_subquery()
    query = (
        sa.select(Evidence.organisation_id, Evidence.stated, Organisation.voen)
        .join(Organisation, Organisation.id == Evidence.organisation_id)
        .where(
            Evidence.kind == OWNERSHIP_STATEMENT,
            Evidence.confirmed_at.is_not(None),
            Organisation.standing.in_(COMPANY_STATUSES),
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
        return Decimal(str(stated.get(SHARE_PCT))) > RELATED_ABOVE_PCT
    except InvalidOperation:
        return False
