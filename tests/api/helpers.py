"""Sign in over HTTP, use an authenticator, and recognise replayed responses."""

import itertools
from uuid import UUID

import pyotp
import sqlalchemy as sa

from app.audit.model import AuditEvent
from app.auth.authenticate import TokenSubject
from app.auth.credentials import mfa
from app.core.actor import SYSTEM, ActorKind
from app.notifications.model import OutgoingMessage
from app.web.idempotency_repository import IdempotencyRecord
from tests.factories import PASSWORD, ApiClient, ok
from tests.helpers import rows

FORM = "/v1/auth/token"


def denied(answer, status, error):
    """A refusal by RFC 6749 §5.2."""
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert "no-store" in answer.headers["Cache-Control"]


def email_of(caller):
    """Under which address a member of staff or of a company signs in."""
    found = rows(caller.app, "SELECT id, email FROM users")
    return next(row.email for row in found if str(row.id).replace("-", "") == caller.id.replace("-", ""))


def sign_in(app, username, password=PASSWORD, **more):
    return app.http.post(FORM, data={"grant_type": "password", "username": username, "password": password} | more)


def renew(app, refresh_token):
    return app.http.post(FORM, data={"grant_type": "refresh_token", "refresh_token": refresh_token})


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def me(app, tokens):
    return app.http.get("/v1/me", headers=bearer(tokens))


class Authenticator:
    """The app on a member of staff's phone."""

    def __init__(self, app, secret):
        self.app, self.totp = app, pyotp.TOTP(secret)

    def code(self, *, later=0):
        return self.totp.at(self.app.clock().timestamp() + later)

    def wrong(self):
        """Six digits that are no code around now."""
        near = {self.totp.at(self.app.clock().timestamp() + 30 * step) for step in range(-3, 4)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444") if code not in near)


def enrolled(caller):
    """An authenticator that is in force for this member of staff, past the service."""
    secret = mfa.generate_secret()
    with caller.app.database.session() as session:
        mfa.activate_secret(
            session, SYSTEM, caller.app.container.secret_box, UUID(caller.id), secret, caller.app.clock()
        )
        session.commit()
    return Authenticator(caller.app, secret)


def colleague(company, email="second@company.example", name="Kənan Nümunə"):
    """A second member, by invitation: a caller, signed in."""
    app = company.app
    ok(company.post("/v1/invitations", json={"email": email}))
    body = {"token": app.code(email), "full_name": name, "password": PASSWORD}
    made = ok(app.anonymous.post("/v1/invitations/accept", json=body))
    return ApiClient(app, TokenSubject(ActorKind.USER, UUID(made["user_id"])))


SITE = {"name": "Hall 2", "district": "Ağdam", "park_code": "AGDAM-SP"}
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


def events(app):
    """How much was done, so far: every change of state writes an event, what strangers ask a message."""
    return _count(app, AuditEvent) + _count(app, OutgoingMessage)


def kept(app):
    with app.database.read_session() as session:
        return list(
            session.scalars(sa.select(IdempotencyRecord).order_by(IdempotencyRecord.created_at, IdempotencyRecord.key))
        )


def _count(app, table):
    with app.database.read_session() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


def sites(company):
    return [site["name"] for site in ok(company.get("/v1/sites"))["items"]]
