"""Open a matter where the holder of a certificate in force resembles an entry of the sanctions list."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.certificates import certificate_repository, matters
from app.certificates.model import MatterCause, MatterKind
from app.core.actor import SYSTEM
from app.core.dates import baku_day
from app.organisations import organisation_repository
from app.organisations.sanctions import screening


def open_matters(session: Session, organisation_id: UUID, now: datetime) -> int:
    """Open one matter for each certificate in force and each entry that is not decided to be another one.

    Where a matter about the entry is open nothing is added. Returns how many were opened.
    """
    organisation = organisation_repository.find_organisation(session, organisation_id)
    if organisation is None:
        return 0
    blocking = screening.screen(session, organisation).blocking
    opened = 0
    for certificate in certificate_repository.lock_in_force_of_holder(session, organisation_id, baku_day(now)):
        for each in blocking:
            entry = each.candidate.entry
            matter = matters.open_matter(
                session,
                SYSTEM,
                certificate,
                MatterCause.OTHER,
                kind=MatterKind.REPORT,
                subject=f"sanctions:{entry.id}:{entry.sha256[:16]}",
                text=f"The holder resembles the entry {entry.id} of the sanctions list (score {each.candidate.score}).",
                details={"entry": entry.id, "score": each.candidate.score},
                now=now,
            )
            opened += matter is not None
    return opened
