"""Evidence that certificates rest on: what becomes of them when it is withdrawn, found false, or ends.

An item speaks for a certificate if it is of its application or of its company, and about its product, its site or its
company. Where one is gone, a matter opens about each certificate in force for which it spoke.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.rights import require
from app.actor import Actor, Role
from app.applications import ground_store
from app.applications.model import Evidence
from app.certificates import matter_store, matters
from app.certificates.model import Certificate, MatterCause
from app.registry.days import day_in_baku
from app.schemes import service as schemes
from app.schemes.ruleset import Ruleset


def rests_on(session: Session, evidence: Evidence, today: date) -> bool:
    """Whether a certificate in force rests on this item."""
    return bool(_resting(session, evidence, today))


def lose(
    session: Session, actor: Actor, evidence: Evidence, *, confirmed_at: datetime, found_false: bool, now: datetime
) -> Sequence[str]:
    """A confirmation was withdrawn: the matters that follow. The item is locked, and was confirmed until now, since
    `confirmed_at`. Returns the numbers of the certificates."""
    today = day_in_baku(now)
    cause = MatterCause.EVIDENCE_FALSE if found_false else MatterCause.EVIDENCE_WITHDRAWN
    opened = []
    for certificate in _locked(session, _resting(session, evidence, today)):
        spoke = found_false or confirmed_at <= certificate.issued_at
        # A later item of the kind may have come in its place: then the certificate lost nothing with this one.
        if spoke or not ground_store.has_another(session, evidence, certificate, today):
            opened += _open(session, actor, certificate, cause, evidence, now)
    return opened


def ended(session: Session, today: date) -> Sequence[UUID]:
    """Items whose last day has passed under certificates in force that rest on them, without a matter so far."""
    found = {row.id for row, certificate in ground_store.ended(session, today) if _is_read(session, row, certificate)}
    return sorted(found)


def end(session: Session, actor: Actor, evidence_id: UUID, *, now: datetime) -> Sequence[str]:
    """The last day of an item has passed: open what follows. Looked at again under its lock; the numbers of the
    certificates. Running it twice opens nothing twice."""
    require(actor, Role.SYSTEM)
    today = day_in_baku(now)
    row = ground_store.hold(session, evidence_id)
    if row is None:
        return []
    found = ground_store.ended(session, today, evidence_id)
    due = [certificate for _, certificate in found if _is_read(session, row, certificate)]
    opened = []
    for certificate in _locked(session, due):
        opened += _open(session, actor, certificate, MatterCause.EVIDENCE_ENDED, row, now)
    return opened


def _resting(session: Session, evidence: Evidence, today: date) -> Sequence[Certificate]:
    return ground_store.resting_on(session, evidence, today)


def _locked(session: Session, certificates: Sequence[Certificate]) -> Sequence[Certificate]:
    return matter_store.hold(session, [certificate.id for certificate in certificates])


def _open(
    session: Session, actor: Actor, certificate: Certificate, cause: MatterCause, evidence: Evidence, now: datetime
) -> list[str]:
    details = {"evidence_kind": evidence.kind}
    if evidence.valid_until is not None:
        details["valid_until"] = evidence.valid_until.isoformat()
    matter = matters.open_matter(
        session, actor, certificate, cause, subject=ground_store.subject_of(evidence), details=details, now=now
    )
    return [certificate.number] if matter else []


def _is_read(session: Session, evidence: Evidence, certificate: Certificate) -> bool:
    """Whether the rules in force ask for such an item at all times, and not on one day only."""
    return evidence.kind in lasting_kinds(schemes.mark(session, certificate.scheme_code).ruleset)


def lasting_kinds(ruleset: Ruleset) -> frozenset[str]:
    """Kinds of evidence that its rules read as of the day; an authority to sign is asked for at the submission only."""
    lasting = [rule for rule in ruleset.rules if getattr(rule, "on", "day") != "submission"]
    return frozenset(kind for rule in lasting for kind in rule.evidence_kinds())
