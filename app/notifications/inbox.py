"""Read the inbox of a person, mark notices as read, and change what is mailed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.auth import user_repository
from app.auth.model import User
from app.auth.permissions import require_user_id
from app.core.actor import Actor, Role
from app.core.errors import Invalid, NotFound, Unauthenticated
from app.core.messages import Message
from app.events.catalogue import load_catalogue
from app.notifications import inbox_repository
from app.notifications.inbox_repository import Reader
from app.notifications.model import InboxSettings, Notice


@dataclass(frozen=True, slots=True)
class InboxView:
    """A page of notices with whether each is read, the number of all unread ones, and the person's language."""

    notices: Sequence[tuple[Notice, bool]]
    unread: int
    language: str | None


@dataclass(frozen=True, slots=True)
class MailChoice:
    """`language`: of mails and notices; None is not known. `not_mailed`: types of events."""

    language: str | None
    not_mailed: Sequence[str]


def list_inbox(
    session: Session, actor: Actor, *, before: int | None, types: Collection[str], only_unread: bool, limit: int
) -> InboxView:
    """Return notices of this person, newest first. Raises `Forbidden` for an API client, which reads the events."""
    user = _person(session, actor)
    reader = _reader(actor, user)
    found = inbox_repository.list_notices(
        session, reader, before=before, types=types, only_unread=only_unread, limit=limit
    )
    return InboxView(found, inbox_repository.count_unread(session, reader), user.language)


def mark_notice_read(session: Session, actor: Actor, sequence: int, now: datetime) -> InboxView:
    """Mark one notice as read, for this person alone. Raises `Forbidden`, `NotFound`."""
    user, reader = _locked_reader(session, actor)
    found = inbox_repository.find_notice(session, reader, sequence)
    if found is None:
        raise NotFound.of("notice")
    notice, is_read = found
    if not is_read:
        inbox_repository.mark_read(session, user.id, sequence, now)
        session.flush()
    return InboxView([(notice, True)], inbox_repository.count_unread(session, reader), user.language)


def mark_all_read(session: Session, actor: Actor, up_to: int) -> int:
    """Mark a notice and all before it as read, and return how many are unread then. Raises `Forbidden`, `NotFound`."""
    user, reader = _locked_reader(session, actor)
    if inbox_repository.find_notice(session, reader, up_to) is None:
        raise NotFound.of("notice")  # a number of the future would hide what is not written yet
    settings = inbox_repository.lock_settings(session, user.id)
    settings.read_up_to = max(settings.read_up_to, up_to)
    inbox_repository.delete_marks_up_to(session, user.id, settings.read_up_to)
    session.flush()
    return inbox_repository.count_unread(session, reader)


def get_choice(session: Session, actor: Actor) -> MailChoice:
    user = _person(session, actor)
    settings = session.get(InboxSettings, user.id)
    return MailChoice(user.language, sorted(settings.not_mailed) if settings is not None else ())


def change_choice(session: Session, actor: Actor, choice: MailChoice) -> MailChoice:
    """Change language and mails of this person. Raises `Invalid` for each type that is always mailed."""
    user, _ = _locked_reader(session, actor)
    types = load_catalogue().types
    errors = [
        {
            "pointer": f"/not_mailed/{index}",
            "detail": Message(
                "Mails of %(type)s cannot be switched off: rights or deadlines depend on them.",
                code="always-mailed",
                type=name,
            ),
        }
        for index, name in enumerate(choice.not_mailed)
        if types[name].is_mailed_always
    ]
    if errors:
        raise Invalid.with_errors(errors)
    user.language = choice.language
    settings = inbox_repository.lock_settings(session, user.id)
    settings.not_mailed = sorted(set(choice.not_mailed))
    return MailChoice(user.language, settings.not_mailed)


def _person(session: Session, actor: Actor) -> User:
    user = user_repository.find_user(session, require_user_id(actor))
    if user is None:
        raise Unauthenticated("This account is not active.")
    return user


def _locked_reader(session: Session, actor: Actor) -> tuple[User, Reader]:
    """Lock the person, so that two requests at once do not write the same mark."""
    user = user_repository.lock_user(session, require_user_id(actor))
    if user is None:
        raise Unauthenticated("This account is not active.")
    return user, _reader(actor, user)


def _reader(actor: Actor, user: User) -> Reader:
    return Reader(
        user.id, actor.organisation_id, actor.is_administrator, actor.has_role(Role.OWNER), since=user.created_at
    )
