"""Load a company's past certificates for rule C-12, with those of related holders."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.certificates import holder_history
from app.certificates.holder_history import HolderHistory
from app.organisations.model import COMPANY_STATUSES, Organisation

OWNERSHIP_STATEMENT = "ownership-statement"
OTHER_VOEN, SHARE_PCT = "other_voen", "share_pct"
RELATED_ABOVE_PCT = Decimal(25)
"""Share in per cent, exclusive, above which the two companies are related holders."""


def load_applicant_history(session: Session, organisation_id: UUID) -> HolderHistory:
    """Load revocations, and surrenders during an investigation, of the company and related holders, under any mark.

    Related holders: the same VÖEN, a common member, a share above `RELATED_ABOVE`, or the same plot of a park. Each
    certificate names its grounds; the company's own has none. Runs a constant number of statements.
    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None or organisation.status not in COMPANY_STATUSES:
        return HolderHistory((), ())  # an unconfirmed claim: the claimant must not read the past of the VÖEN
    return holder_history.load_holder_history(
        session, organisation_id, owners=_related_owner_voens(session, organisation)
    )


def _related_owner_voens(session: Session, organisation: Organisation) -> set[str]:
    """Return the VÖENs of companies that are linked to this one by a confirmed ownership statement of either."""
    found = set()
    for row in application_repository.list_ownership_statements(
        session, organisation, kind=OWNERSHIP_STATEMENT, other_voen=OTHER_VOEN
    ):
        other = row.stated.get(OTHER_VOEN) if row.organisation_id == organisation.id else row.voen
        if isinstance(other, str) and _is_related(row.stated):
            found.add(other)
    return found


def _is_related(stated: Mapping[str, Any]) -> bool:
    try:
        return Decimal(str(stated.get(SHARE_PCT))) > RELATED_ABOVE_PCT
    except InvalidOperation:
        return False
