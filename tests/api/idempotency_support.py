"""What the tests of safe retries share: keys, and a look at what was written."""

import itertools

import sqlalchemy as sa

from app.access.model import KeptAnswer
from app.audit import AuditEvent
from app.notifications.model import OutgoingMessage

_serials = itertools.count(1)


def new_key():
    return f"test-{next(_serials)}"


def keyed(key, **headers):
    return {"Idempotency-Key": key, **headers}


def is_replay(answer):
    return answer.headers.get("idempotent-replayed") == "true"


def same(first, second):
    """The second is the kept answer of the first: status, body and what is needed to go on."""
    assert is_replay(second), f"{second.request.method} {second.request.url}: {second.status_code} {second.text[:500]}"
    assert second.status_code == first.status_code
    assert second.content == first.content
    for name in ("etag", "content-type", "location"):
        assert second.headers.get(name) == first.headers.get(name)


def events(house):
    """How much was done, so far: every change of state writes an event, what strangers ask a message."""
    return _count(house, AuditEvent) + _count(house, OutgoingMessage)


def kept(house):
    with house.database.read_session() as session:
        return list(session.scalars(sa.select(KeptAnswer).order_by(KeptAnswer.created_at, KeptAnswer.key)))


def _count(house, table):
    with house.database.read_session() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))
