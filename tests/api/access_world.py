"""What the tests of access share: signing in for real, authenticators, refusals, many at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pyotp
import sqlalchemy as sa

from app.access import second_factor
from app.access.service import Subject
from app.actor import SYSTEM, ActorKind
from tests.support import PASSWORD, Caller, ok

FORM = "/v1/auth/token"


def refused(answer, status, code=None):
    """The problem document of an answer that had to be refused in just this way."""
    said = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code == status, said
    assert answer.headers["content-type"] == "application/problem+json", said
    document = answer.json()
    if code is not None:
        assert document["code"] == code, said
    return document


def denied(answer, status, error):
    """A refusal by RFC 6749 §5.2."""
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert "no-store" in answer.headers["Cache-Control"]


def rows(house, statement, **values):
    with house.database.write_engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()


def execute(house, statement, **values):
    with house.database.write_engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def events(house, name):
    """Data of every event of this name, oldest first."""
    found = rows(house, "SELECT event, subject_id, data FROM audit_events ORDER BY seq")
    return [row for row in found if row.event == name]


def email_of(caller):
    """Under which address a member of staff or of a company signs in."""
    found = rows(caller.house, "SELECT id, email FROM users")
    return next(row.email for row in found if str(row.id).replace("-", "") == caller.id.replace("-", ""))


def sign_in(house, username, password=PASSWORD, **more):
    return house.http.post(FORM, data={"grant_type": "password", "username": username, "password": password} | more)


def renew(house, refresh_token):
    return house.http.post(FORM, data={"grant_type": "refresh_token", "refresh_token": refresh_token})


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def me(house, tokens):
    return house.http.get("/v1/me", headers=bearer(tokens))


class Authenticator:
    """The app on a member of staff's phone."""

    def __init__(self, house, secret):
        self.house, self.totp = house, pyotp.TOTP(secret)

    def code(self, *, later=0):
        return self.totp.at(self.house.clock().timestamp() + later)

    def wrong(self):
        """Six digits that are no code around now."""
        near = {self.totp.at(self.house.clock().timestamp() + 30 * step) for step in range(-3, 4)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444") if code not in near)


def enrolled(caller):
    """An authenticator that is in force for this member of staff, past the service."""
    secret = second_factor.new_secret()
    with caller.house.database.session() as session:
        second_factor.put_in_force(
            session, SYSTEM, caller.house.container.secret_box, UUID(caller.id), secret, caller.house.clock()
        )
        session.commit()
    return Authenticator(caller.house, secret)


def at_once(*calls):
    """The answers to calls that all start in the same moment."""
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def colleague(company, email="second@company.example", name="Kənan Nümunə"):
    """A second member, by invitation: a caller, signed in."""
    house = company.house
    ok(company.post("/v1/invitations", json={"email": email}))
    body = {"token": house.code(email), "full_name": name, "password": PASSWORD}
    made = ok(house.anonymous.post("/v1/invitations/accept", json=body))
    return Caller(house, Subject(ActorKind.USER, UUID(made["user_id"])))
