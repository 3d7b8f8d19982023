"""Follow the events, and write a mail to everybody who follows a certificate, its holder or its heading."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.events import event_reader, event_repository
from app.events.watched import WatchKind, watched_as
from app.jobs.job_type import JobType
from app.notifications import outbox
from app.notifications.model import MessageKind
from app.watches import watch_repository
from app.watches.model import Watch

FOLLOWER = "watches"
FOLLOW_WATCHES = JobType("watches.follow-events", every=timedelta(seconds=30))
BATCH_SIZE = 100


def follow_all(database: Database, secret_box: SecretBox, now: datetime) -> None:
    """Write the mails of all new events, in as many transactions as there are batches."""
    has_more = True
    while has_more:
        with database.read_session() as session:
            if not event_repository.is_behind(session, FOLLOWER):
                return  # checked before the write lock of SQLite is taken
        with database.session() as session:
            has_more = follow_events(session, secret_box, now)
            session.commit()


def follow_events(session: Session, secret_box: SecretBox, now: datetime) -> bool:
    """Write the mails of the next events, together with how far this has come. Returns whether there are more.

    An address that follows a certificate for several reasons gets one mail of an event.
    """
    cursor = event_repository.lock_cursor(session, FOLLOWER)
    newest = event_repository.last_sequence(session)
    events = event_reader.events_after(session, cursor.sequence, BATCH_SIZE)
    numbers = [event.subject.id for event in events if event.told.watchers]
    places = event_repository.find_places(session, set(numbers)) if numbers else {}
    watched = {number: set(watched_as(number, *place)) for number, place in places.items()}
    values = {value for each in watched.values() for _, value in each}
    watches = watch_repository.list_confirmed(session, values) if values else ()
    for number in numbers:
        told: dict[str, Watch] = {}
        for watch in watches:
            if (WatchKind(watch.kind), watch.value) in watched.get(number, ()):
                told.setdefault(watch.email, watch)
        for watch in told.values():
            _tell(session, secret_box, watch, number, now)
    is_full = len(events) == BATCH_SIZE
    last = events[-1].sequence if events else cursor.sequence
    cursor.sequence = last if is_full else max(last, newest)
    return is_full


def _tell(session: Session, secret_box: SecretBox, watch: Watch, number: str, now: datetime) -> None:
    """The mail names the certificate and links to its page, which shows what is true then."""
    values = {"number": number, "subject": watch.value}
    message = outbox.add_message(
        session, MessageKind.WATCHED_CHANGE, watch.email, language=watch.language, values=values, now=now
    )
    token = secret_box.decrypt(watch.encrypted_token, watch.id)
    outbox.set_token(message, secret_box, token, now + outbox.DEFAULT_LIFETIME)
