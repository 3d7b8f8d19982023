"""Ask to be told by mail, confirm the address, and end it again. A token from a mail stands for the person."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.auth import login_throttle
from app.auth.credentials.passwords import new_token, token_hash
from app.auth.users import normalize_email
from app.core.crypto.secret_box import SecretBox
from app.core.database import new_id
from app.core.errors import Invalid, NotFound
from app.events.watched import WatchKind, normalize_watched
from app.notifications import outbox
from app.notifications.model import MessageKind
from app.watches import watch_repository
from app.watches.model import Watch

TOKEN_PREFIX = "mikw_"  # noqa: S105 (the prefix of every token, no token)
CONFIRM_WITHIN = timedelta(days=7)
MAX_WATCHES = 100
"""Of one address; another one is not confirmed."""


def request_watch(
    session: Session,
    secret_box: SecretBox,
    *,
    kind: WatchKind,
    value: str,
    email: str,
    language: str | None,
    address: str,
    now: datetime,
) -> None:
    """Mail a link that confirms the address; it is told nothing before.

    The same steps for every address. Raises `Invalid`, and `TooManyAttempts` for too many requests from one network;
    above the limit of one e-mail address nothing is sent, with the same response.
    """
    value, email = normalize_watched(kind, value), normalize_email(email)
    login_throttle.count_mail_request(session, address, now)
    if not login_throttle.consume_mail_allowance(session, email, now):
        return
    token, digest = new_token(TOKEN_PREFIX)
    watch_id = new_id()
    watch = Watch(
        id=watch_id,
        kind=kind.value,
        value=value,
        email=email,
        language=language,
        token_hash=digest,
        encrypted_token=secret_box.encrypt(token, watch_id),
        created_at=now,
    )
    session.add(watch)
    message = outbox.add_message(
        session, MessageKind.CONFIRM_WATCH, email, language=language, values={"subject": value}, now=now
    )
    outbox.set_token(message, secret_box, token, now + CONFIRM_WITHIN)


def find_watch(session: Session, token: str, now: datetime, *, lock: bool = False) -> Watch:
    """Return the watch of a token. Raises `NotFound` where it was ended, or not confirmed in time."""
    found = watch_repository.find_watch_by_hash(session, token_hash(token), lock=lock)
    if found is None or (found.confirmed_at is None and now >= found.created_at + CONFIRM_WITHIN):
        raise NotFound.of("watch")
    return found


def confirm_watch(session: Session, token: str, now: datetime) -> Watch:
    """Tell the address from now on. A second call changes nothing. Raises `NotFound`, `Invalid` above `MAX_WATCHES`."""
    watch = find_watch(session, token, now, lock=True)
    if watch.confirmed_at is None:
        watch_repository.delete_doubles(session, watch)
        if watch_repository.count_of_address(session, watch.email) >= MAX_WATCHES:
            raise Invalid("This address follows 100 things already. End one of them first.")
        watch.confirmed_at = now
    return watch


def end_watch(session: Session, token: str) -> None:
    """Delete the watch of a token; one that there is not (any more) is no error."""
    watch = watch_repository.find_watch_by_hash(session, token_hash(token), lock=True)
    if watch is not None:
        session.delete(watch)
