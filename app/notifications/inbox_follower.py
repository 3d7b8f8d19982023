"""Make notices, and the mails that deliver them, of events that happened.

A call takes the cursor of the inbox under lock, writes notices and mails of the next events, and commits them together
with the cursor: each event leads to one notice, and to one mail for each person, whatever is killed or runs twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import audit_repository
from app.auth import user_repository
from app.auth.model import User
from app.core.database import Database, new_id
from app.events import event_repository
from app.events.catalogue import EventCatalogue, load_catalogue
from app.events.event_reader import events_after
from app.events.public_event import PublicEvent, Told
from app.jobs.job_type import JobType
from app.notifications import inbox_repository, outbox
from app.notifications.model import Audience, MessageKind

FOLLOWER = "inbox"
FOLLOW_EVENTS = JobType("inbox.follow-events", every=timedelta(minutes=1))
BATCH_SIZE = 100
MAX_SKIPPED = 1_000
"""Where no event is told to anybody, the cursor is moved after so many audit events only: to move it is a write."""

MAILED_AS_A_LIST = frozenset({"certificate.reissued"})
"""Events of many certificates at once; the act writes one mail with all numbers to each company."""
MAILED_WITH_THE_ACT: Mapping[str, frozenset[MessageKind]] = MappingProxyType(
    {
        "claim.decided": frozenset({MessageKind.CLAIM_CONFIRMED, MessageKind.CLAIM_REFUSED}),
        "claim.disputed": frozenset({MessageKind.CLAIM_DISPUTED}),
        "account.rights_changed": frozenset(
            {
                MessageKind.MEMBER_REMOVED,
                MessageKind.ACCOUNT_CLOSED,
                MessageKind.ROLE_GRANTED,
                MessageKind.ROLE_TAKEN,
                MessageKind.ADMINISTRATOR_GIVEN,
                MessageKind.ADMINISTRATOR_TAKEN,
                MessageKind.AUTHENTICATOR_REGISTERED,
                MessageKind.AUTHENTICATOR_REMOVED,
            }
        ),
    }
)
"""Mails that the act itself writes, which name more than its event does. Who got one is not mailed the notice."""


@dataclass(slots=True)
class FollowTotals:
    notices: int = 0
    mails: int = 0


def has_news(session: Session) -> bool:
    """Whether an event that somebody is told of waits, or so many others that the cursor is to be moved."""
    position = inbox_repository.cursor_position(session, FOLLOWER)
    last = audit_repository.last_seq(session)
    if position is None or last - position > MAX_SKIPPED:
        return True
    return last > position and bool(events_after(session, position, 1))


def follow_all(database: Database, now: datetime) -> FollowTotals:
    """Make the notices of all events so far, in as many transactions as there are batches."""
    totals = FollowTotals()
    while True:
        with database.read_session() as reading:
            if not has_news(reading):  # checked before the write lock of SQLite is taken
                return totals
        with database.session() as session:
            done = follow_next(session, now)
            session.commit()
        totals.notices += done.notices
        totals.mails += done.mails


def follow_next(session: Session, now: datetime) -> FollowTotals:
    """Write notices and mails of the next events and move the cursor; the caller commits."""
    last = audit_repository.last_seq(session)
    cursor = event_repository.lock_cursor(session, FOLLOWER)
    events = events_after(session, cursor.sequence, BATCH_SIZE)
    told = [event for event in events if any(_recipients(event.told))]
    if told:
        messages = list(_Mailing(session, told, now).messages())
        inbox_repository.add_notices(
            session,
            [
                {"sequence": event.sequence, "type": event.type, "at": event.at, "content": event.to_dict()}
                for event in told
            ],
            [
                {"id": new_id(), "sequence": event.sequence, **recipient}
                for event in told
                for recipient in _recipients(event.told)
            ],
        )
        if messages:
            inbox_repository.add_messages(session, messages)
            outbox.wake_after_commit(session)
        totals = FollowTotals(len(told), len(messages))
    else:
        totals = FollowTotals()
    # Events up to `last` were visible when it was read, so a batch that is not full has passed them all.
    reached = events[-1].sequence if events else cursor.sequence
    cursor.sequence = reached if len(events) == BATCH_SIZE else max(reached, last)
    return totals


def _recipients(told: Told) -> Iterator[dict[str, Any]]:
    for audience, organisations in (
        (Audience.COMPANY, told.organisations),
        (Audience.ADMINISTRATORS, told.administrators_of),
    ):
        for organisation_id in sorted(organisations):
            yield {"audience": audience.value, "organisation_id": organisation_id, "user_id": None}
    for user_id in sorted(told.persons):
        yield {"audience": Audience.PERSON.value, "organisation_id": None, "user_id": user_id}
    if told.owner:
        yield {"audience": Audience.OWNER.value, "organisation_id": None, "user_id": None}


class _Mailing:
    """Decide who of a batch of events is mailed what: one query per table."""

    def __init__(self, session: Session, events: Sequence[PublicEvent], now: datetime) -> None:
        self._session, self._now = session, now
        self._catalogue = load_catalogue()
        self._events = [event for event in events if is_mailed(event, self._catalogue)]
        organisations = {
            each for event in self._events for each in event.told.organisations | event.told.administrators_of
        }
        self._members: dict[UUID, list[User]] = {}
        for user in inbox_repository.list_members(session, organisations):
            assert user.organisation_id is not None  # by the query
            self._members.setdefault(user.organisation_id, []).append(user)
        persons = {person for event in self._events for person in event.told.persons}
        self._persons = user_repository.find_users(session, sorted(persons)) if persons else {}
        self._owners = (
            user_repository.find_active_owners(session) if any(event.told.owner for event in self._events) else ()
        )
        self._names = inbox_repository.company_names(session, organisations)
        everybody = {user.id for users in self._members.values() for user in users}
        everybody |= self._persons.keys() | {user.id for user in self._owners}
        self._settings = inbox_repository.settings_of(session, everybody)

    def messages(self) -> Iterator[dict[str, Any]]:
        for event in self._events:
            kinds = MAILED_WITH_THE_ACT.get(event.type)
            mailed = inbox_repository.list_written_with(self._session, kinds, event.at) if kinds else frozenset()
            done: set[UUID] = set()
            for user, audience in self._readers(event.told):
                if user.id in done or user.current_or_former_email in mailed or self._is_off(user, event):
                    continue
                done.add(user.id)
                company = self._names.get(user.organisation_id, "") if user.organisation_id else ""
                yield outbox.message_values(
                    MessageKind.NOTICE,
                    user.email,
                    sequence=event.sequence,
                    language=user.language,
                    values={"audience": audience.value, "company": company},
                    now=self._now,
                )

    def _readers(self, told: Told) -> Iterator[tuple[User, Audience]]:
        """Yield everybody who is told, the closest reason first: a person may be told for several."""
        for user_id in sorted(told.persons):
            if (user := self._persons.get(user_id)) is not None and user.active:
                yield user, Audience.PERSON
        for organisation_id in sorted(told.organisations):
            for user in self._members.get(organisation_id, ()):
                yield user, Audience.COMPANY
        for organisation_id in sorted(told.administrators_of):
            for user in self._members.get(organisation_id, ()):
                if user.is_administrator:
                    yield user, Audience.ADMINISTRATORS
        if told.owner:
            for user in self._owners:
                yield user, Audience.OWNER

    def _is_off(self, user: User, event: PublicEvent) -> bool:
        if self._catalogue.types[event.type].is_mailed_always:
            return False
        settings = self._settings.get(user.id)
        return settings is not None and event.type in settings.not_mailed


def is_mailed(event: PublicEvent, catalogue: EventCatalogue) -> bool:
    """Whether a notice is mailed to anybody: of some events and kinds of matters it is in the inbox alone."""
    if event.type in MAILED_AS_A_LIST:
        return False
    return not (catalogue.types[event.type].subject == "matter" and event.kind in catalogue.not_mailed)
