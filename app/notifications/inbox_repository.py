"""Query and write notices, what people have read of them, and what they are not mailed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.auth.model import User
from app.core.crypto.row_macs import is_authentic
from app.core.database import core_table, parts_of
from app.events.model import EventCursor
from app.notifications.model import (
    IS_FOR_OWNER,
    Audience,
    InboxSettings,
    Notice,
    NoticeRead,
    NoticeRecipient,
    OutgoingMessage,
)
from app.organisations.model import Organisation


@dataclass(frozen=True, slots=True)
class Reader:
    """A person with what they act for; `since`: notices from before it count as read."""

    user_id: UUID
    organisation_id: UUID | None
    is_administrator: bool
    is_owner: bool
    since: datetime


def cursor_position(session: Session, follower: str) -> int | None:
    """Return how far a follower of the events has come, without a lock; None before its first call."""
    return session.scalar(sa.select(EventCursor.sequence).where(EventCursor.follower == follower))


def add_notices(
    session: Session, notices: Sequence[Mapping[str, Any]], recipients: Sequence[Mapping[str, Any]]
) -> None:
    """Insert notices with their recipients. Raises `IntegrityError` for an event that has a notice already."""
    session.execute(sa.insert(core_table(Notice)), list(notices))
    for part in parts_of(recipients):
        session.execute(sa.insert(core_table(NoticeRecipient)), list(part))


def add_messages(session: Session, messages: Sequence[Mapping[str, Any]]) -> None:
    for part in parts_of(messages):
        session.execute(sa.insert(core_table(OutgoingMessage)), list(part))


def list_members(session: Session, organisation_ids: Iterable[UUID]) -> Sequence[User]:
    """Return the active members of these companies who may act for them, in the order of ids."""
    found: list[User] = []
    for part in parts_of(sorted(organisation_ids)):
        query = sa.select(User).where(User.organisation_id.in_(part), User.active, User.read_only_since.is_(None))
        found += [user for user in session.scalars(query) if is_authentic(user)]
    return sorted(found, key=lambda user: user.id)


def company_names(session: Session, organisation_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the legal name of each company in Azerbaijani."""
    names: dict[UUID, str] = {}
    for part in parts_of(sorted(organisation_ids)):
        query = sa.select(Organisation.id, Organisation.legal_name_az).where(Organisation.id.in_(part))
        names |= {row.id: row.legal_name_az for row in session.execute(query)}
    return names


def settings_of(session: Session, user_ids: Collection[UUID]) -> dict[UUID, InboxSettings]:
    found: dict[UUID, InboxSettings] = {}
    for part in parts_of(sorted(user_ids)):
        rows = session.scalars(sa.select(InboxSettings).where(InboxSettings.user_id.in_(part)))
        found |= {row.user_id: row for row in rows}
    return found


def list_written_with(session: Session, kinds: Collection[str], at: datetime) -> Collection[str]:
    """Return the addresses of messages of these kinds that were written at this moment."""
    query = sa.select(OutgoingMessage.recipient).where(
        OutgoingMessage.kind.in_(kinds), OutgoingMessage.created_at == at
    )
    return frozenset(session.scalars(query))


def lock_settings(session: Session, user_id: UUID) -> InboxSettings:
    """Lock and return the settings of a person; a new row where there is none. The caller has locked the person."""
    row = session.get(InboxSettings, user_id, with_for_update=True, populate_existing=True)
    if row is None:
        row = InboxSettings(user_id=user_id, read_up_to=0, not_mailed=[])
        session.add(row)
        session.flush()
    return row


def list_notices(
    session: Session,
    reader: Reader,
    *,
    before: int | None,
    types: Collection[str],
    only_unread: bool,
    limit: int,
) -> Sequence[tuple[Notice, bool]]:
    """Return notices that this person reads, newest first, and whether each is read. Empty `types`: of all types."""
    unread = _is_unread(session, reader)
    query = sa.select(Notice, unread).where(_is_told(reader))
    if before is not None:
        query = query.where(Notice.sequence < before)
    if types:
        query = query.where(Notice.type.in_(types))
    if only_unread:
        query = query.where(unread)
    rows = session.execute(query.order_by(Notice.sequence.desc()).limit(limit))
    return [(notice, not is_unread) for notice, is_unread in rows]


def count_unread(session: Session, reader: Reader) -> int:
    query = sa.select(sa.func.count()).select_from(Notice).where(_is_told(reader), _is_unread(session, reader))
    return session.scalar(query) or 0


def find_notice(session: Session, reader: Reader, sequence: int) -> tuple[Notice, bool] | None:
    """Return a notice and whether it is read; None where there is none that this person reads."""
    query = sa.select(Notice, _is_unread(session, reader)).where(Notice.sequence == sequence, _is_told(reader))
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], not row[1])


def get_notice(session: Session, sequence: int) -> Notice | None:
    return session.get(Notice, sequence)


def mark_read(session: Session, user_id: UUID, sequence: int, now: datetime) -> None:
    if session.get(NoticeRead, (user_id, sequence)) is None:
        session.add(NoticeRead(user_id=user_id, sequence=sequence, read_at=now))


def delete_marks_up_to(session: Session, user_id: UUID, sequence: int) -> None:
    """Delete the marks of notices that `read_up_to` covers."""
    session.execute(sa.delete(NoticeRead).where(NoticeRead.user_id == user_id, NoticeRead.sequence <= sequence))


def _is_told(reader: Reader) -> sa.ColumnElement[bool]:
    """Each branch reads an index of its own."""
    row = NoticeRecipient
    branches = [sa.select(row.sequence).where(row.user_id == reader.user_id)]
    if reader.organisation_id is not None:
        audiences = [Audience.COMPANY.value, *([Audience.ADMINISTRATORS.value] if reader.is_administrator else [])]
        branches.append(
            sa.select(row.sequence).where(row.organisation_id == reader.organisation_id, row.audience.in_(audiences))
        )
    if reader.is_owner:
        branches.append(sa.select(row.sequence).where(IS_FOR_OWNER))
    return Notice.sequence.in_(sa.union_all(*branches))


def _is_unread(session: Session, reader: Reader) -> sa.ColumnElement[bool]:
    settings = session.get(InboxSettings, reader.user_id)
    marked = sa.exists().where(NoticeRead.user_id == reader.user_id, NoticeRead.sequence == Notice.sequence)
    return sa.and_(
        Notice.sequence > (settings.read_up_to if settings is not None else 0), Notice.at >= reader.since, ~marked
    )
