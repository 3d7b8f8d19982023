"""Take an answer of a register of others: keep it with its date, and let it change what people could change by it.

The register of residents has the effect of an import. The tax register confirms nothing: a holder that is not an active
taxpayer gets a matter, and who is missing from an answer is left as it is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.audit import recorder
from app.certificates import certificate_repository, matters, residency_cascade
from app.certificates.model import MatterCause, MatterKind
from app.core.actor import SYSTEM
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Invalid
from app.organisations import organisation_repository
from app.organisations.model import RegisterAnswer
from app.organisations.registers import register_repository, sources
from app.organisations.registers.tax_file import ACTIVE, parse_tax_file
from app.organisations.resident_import.csv_format import parse_resident_file
from app.organisations.resident_import.resident_imports import ImportFile

RESIDENTS: Final = "residents"
TAX: Final = "tax"


def is_known(session: Session, register: str, answer: sources.ReceivedAnswer) -> bool:
    """Whether there is nothing new in an answer.

    A file is taken once. An address may return to an earlier content, but an answer that is older than the one taken
    last is a repetition by somebody else, and is left alone.
    """
    if answer.stated_at is None:
        return register_repository.is_taken(session, register, answer.sha256)
    newest = register_repository.newest_answer(session, register)
    if newest is None:
        return False
    return newest.sha256 == answer.sha256 or (newest.stated_at is not None and answer.stated_at <= newest.stated_at)


def take_answer(session: Session, register: str, answer: sources.ReceivedAnswer, max_bytes: int, now: datetime) -> None:
    """Apply an answer and store it. Raises `Invalid`, and then nothing is applied: `store_refused` keeps it."""
    if register == RESIDENTS:
        sheet = parse_resident_file(answer.content, max_bytes=max_bytes)
        file = ImportFile(sheet, answer.name, answer.sha256)
        report = residency_cascade.import_resident_register(session, SYSTEM, file, dry_run=False, now=now)
        _store(session, register, answer, now, applied=True, report={"totals": report["totals"]})
    else:
        states = parse_tax_file(answer.content)
        opened = _open_tax_matters(session, states, now)
        _store(session, register, answer, now, applied=True, report={"lines": len(states), "matters": opened})


def store_refused(session: Session, register: str, answer: sources.ReceivedAnswer, why: Invalid, now: datetime) -> None:
    """Keep an answer that was refused whole, with its faults by line."""
    errors = [{"pointer": each["pointer"], "detail": str(each["detail"])} for each in why.data.get("errors", [])]
    _store(session, register, answer, now, applied=False, report={"message": str(why.message), "errors": errors})


def _open_tax_matters(session: Session, states: Mapping[str, str], now: datetime) -> int:
    opened = 0
    inactive = {voen: state for voen, state in states.items() if state != ACTIVE}
    for voen, company in sorted(organisation_repository.find_companies_by_voen(session, inactive).items()):
        for certificate in certificate_repository.lock_in_force_of_holder(session, company.id, baku_day(now)):
            matter = matters.open_matter(
                session,
                SYSTEM,
                certificate,
                MatterCause.OTHER,
                kind=MatterKind.REPORT,
                subject=f"taxpayer:{inactive[voen]}",
                text=f"The tax register states that the holder is not an active taxpayer: {inactive[voen]}.",
                details={"taxpayer_status": inactive[voen]},
                now=now,
            )
            opened += matter is not None
    return opened


def _store(
    session: Session,
    register: str,
    answer: sources.ReceivedAnswer,
    now: datetime,
    *,
    applied: bool,
    report: dict[str, Any],
) -> None:
    row = RegisterAnswer(
        id=new_id(),
        register=register,
        source=answer.name,
        sha256=answer.sha256,
        size=len(answer.content),
        received_at=now,
        stated_at=answer.stated_at,
        signature=answer.signature,
        applied=applied,
        report=report,
    )
    session.add(row)
    session.flush()
    subject = ("register", row.id)
    recorder.record(
        session, SYSTEM, "register.answered", subject, now, register=register, sha256=answer.sha256, applied=applied
    )
