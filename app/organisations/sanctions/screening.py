"""Screen companies against the newest sanctions list, and record what people decide about each resemblance.

Where a list was loaded, nobody confirms a background check without a match while a resemblance is undecided, or was
decided to be the same. A decision holds for the entry as it was and for the names as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_role, require_second_factor, require_user_id
from app.core.actor import SYSTEM, Actor, Role
from app.core.canonical_json import digest
from app.core.database import new_id
from app.core.errors import Conflict, Invalid, NotFound
from app.core.messages import Message
from app.core.text.normalize import normalize, text_error
from app.organisations import organisation_repository, registration
from app.organisations.members import require_confirmed
from app.organisations.model import Organisation, SanctionsDecision, SanctionsList
from app.organisations.sanctions import sanctions_repository
from app.organisations.sanctions.list_file import ListEntry, parse_list
from app.organisations.sanctions.matching import Candidate, find_candidates

READERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.OWNER, Role.AUDITOR)
DECIDERS = (Role.REGISTRAR, Role.REVIEWER)
MAX_REASON_CHARS = 2_000
REQUIRED_KEY = "sanctions.required"
"""Key in `Session.info`: whether the settings name a list."""


class Resemblance(StrEnum):
    SAME = "same"  # the company is the listed one
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Examined:
    """A candidate and the newest decision about it, if it still holds."""

    candidate: Candidate
    decision: SanctionsDecision | None


@dataclass(frozen=True, slots=True)
class Screening:
    """`list_sha256` is None where no list was ever loaded: then nothing was compared."""

    list_sha256: str | None
    loaded_at: datetime | None
    threshold: int | None
    candidates: tuple[Examined, ...]

    @property
    def is_clear(self) -> bool:
        """Whether a list was compared and every resemblance is decided to be another one."""
        return self.list_sha256 is not None and not self.blocking

    @property
    def blocking(self) -> tuple[Examined, ...]:
        """The candidates that are undecided or the same."""
        return tuple(
            each for each in self.candidates if each.decision is None or each.decision.decision == Resemblance.SAME
        )


def load_list(session: Session, content: bytes, sha256: str, threshold: int, now: datetime) -> SanctionsList | None:
    """Store a version of the list; None where the newest is the same under the same threshold. Raises `Invalid`."""
    newest = sanctions_repository.newest_list(session)
    if newest is not None and newest[:2] == (sha256, threshold):
        return None
    entries = parse_list(content)
    row = SanctionsList(
        id=new_id(),
        sha256=sha256,
        threshold=threshold,
        loaded_at=now,
        entry_count=len(entries),
        entries=[entry.to_json() for entry in entries],
    )
    session.add(row)
    session.flush()
    recorder.record(
        session,
        SYSTEM,
        "sanctions_list.loaded",
        ("sanctions_list", row.id),
        now,
        sha256=sha256,
        entries=len(entries),
        threshold=threshold,
    )
    return row


def screen(session: Session, organisation: Organisation) -> Screening:
    """Compare the names of a company with the newest list."""
    newest = sanctions_repository.newest_list(session)
    if newest is None:
        return Screening(None, None, None, ())
    sha256, threshold, loaded_at, list_id = newest
    names = _names_of(organisation)
    found = find_candidates(names, _entries(session, list_id), threshold)
    decided = _decisions_in_force(session, organisation) if found else {}
    examined = tuple(Examined(each, decided.get((each.entry.id, each.entry.sha256))) for each in found)
    assert isinstance(loaded_at, datetime)  # a column of that type
    return Screening(sha256, loaded_at, threshold, examined)


def has_list(session: Session) -> bool:
    return sanctions_repository.newest_list(session) is not None


def has_open_match(session: Session, organisation_id: UUID) -> bool:
    """Whether a resemblance of this company is undecided, or was decided to be the same."""
    return bool(screen(session, _load(session, organisation_id)).blocking)


def get_screening(session: Session, actor: Actor, organisation_id: UUID) -> Screening:
    """Raises `NotFound`, `Forbidden`."""
    organisation = registration.get_organisation(session, actor, organisation_id)
    require_role(actor, *READERS)
    return screen(session, organisation)


def require_can_decide(session: Session, actor: Actor, organisation_id: UUID) -> None:
    """Raises `NotFound`, `Forbidden` (role, second factor)."""
    registration.get_organisation(session, actor, organisation_id)
    require_role(actor, *DECIDERS)
    require_second_factor(actor)


def decide(
    session: Session,
    actor: Actor,
    organisation_id: UUID,
    *,
    entry_id: str,
    entry_sha256: str,
    decision: Resemblance,
    reason: str,
    now: datetime,
) -> Screening:
    """Record a decision about a candidate; an earlier one stays and no longer counts.

    Raises `NotFound`, `Forbidden`, `Conflict` (`no-such-candidate`, `organisation-unconfirmed`), `Invalid`.
    """
    require_can_decide(session, actor, organisation_id)
    require_confirmed(session, organisation_id)  # the entries of a claim may still be merged into another company
    organisation = _load(session, organisation_id, lock=True)
    candidates = screen(session, organisation).candidates
    if not any(
        (each.candidate.entry.id, each.candidate.entry.sha256) == (entry_id, entry_sha256) for each in candidates
    ):
        raise Conflict(
            "No entry of the present list with this id and hash resembles the company. Read the screening again.",
            code="no-such-candidate",
        )
    if fault := text_error(reason, MAX_REASON_CHARS, lines=True):
        raise Invalid.at("/reason", fault)
    row = SanctionsDecision(
        id=new_id(),
        organisation_id=organisation.id,
        entry_id=entry_id,
        entry_sha256=entry_sha256,
        names_sha256=digest(_names_of(organisation)),
        decision=decision.value,
        reason=normalize(reason),
        decided_by=require_user_id(actor),
        decided_at=now,
    )
    session.add(row)
    session.flush()
    recorder.record(
        session,
        actor,
        "sanctions.decided",
        ("organisation", organisation.id),
        now,
        entry=entry_id,
        entry_sha256=entry_sha256,
        decision=decision.value,
        reason=digest(row.reason),
    )
    return screen(session, organisation)


def require_no_open_match(session: Session, organisation_id: UUID) -> None:
    """Require that nothing stands against confirming “no match”.

    Raises `Conflict`: `sanctions-list-missing` where the settings name a list; `sanctions-undecided`;
    `sanctions-match` where a person decided that it is the same.
    """
    found = screen(session, _load(session, organisation_id))
    if found.list_sha256 is None and session.info.get(REQUIRED_KEY):
        raise Conflict(
            "The sanctions list was not loaded yet, so the company was compared with none. The job "
            "sanctions.screen-holders loads it.",
            code="sanctions-list-missing",
        )
    blocking = found.blocking
    if not blocking:
        return
    entries = [each.candidate.entry.id for each in blocking]
    if any(each.decision is not None for each in blocking):
        raise Conflict(
            Message("The company was found to be on the sanctions list: %(entries)s.", entries=entries),
            code="sanctions-match",
            data={"entries": entries},
        )
    raise Conflict(
        Message(
            "The company resembles entries of the sanctions list. Decide each first "
            "(GET /v1/organisations/{id}/sanctions-screening): %(entries)s.",
            entries=entries,
        ),
        code="sanctions-undecided",
        data={"entries": entries},
    )


def _load(session: Session, organisation_id: UUID, *, lock: bool = False) -> Organisation:
    organisation = organisation_repository.find_organisation(session, organisation_id, lock=lock)
    if organisation is None:
        raise NotFound.of("company")
    return organisation


def _names_of(organisation: Organisation) -> list[str]:
    return [organisation.legal_name_az, organisation.legal_name_en]


def _decisions_in_force(session: Session, organisation: Organisation) -> Mapping[tuple[str, str], SanctionsDecision]:
    """Return the newest decision about each entry, by its id and hash, that was made about the present names."""
    names = digest(_names_of(organisation))
    rows = sanctions_repository.list_decisions(session, organisation.id)
    return {(row.entry_id, row.entry_sha256): row for row in rows if row.names_sha256 == names}


_cached_entries: dict[UUID, tuple[ListEntry, ...]] = {}
"""The entries of the list that was read last; a version never changes."""


def _entries(session: Session, list_id: UUID) -> tuple[ListEntry, ...]:
    entries = _cached_entries.get(list_id)
    if entries is None:
        stored: list[dict[str, Any]] = sanctions_repository.get_list(session, list_id).entries
        entries = tuple(map(ListEntry.from_json, stored))
        _cached_entries.clear()
        _cached_entries[list_id] = entries
    return entries
