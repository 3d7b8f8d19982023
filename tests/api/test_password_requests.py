"""A forgotten password is asked for by whoever says an address; what comes of it is seen by its owner alone."""

from contextlib import contextmanager
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from app.auth import login_throttle
from tests.api.helpers import colleague, denied, email_of, sign_in
from tests.factories import ok
from tests.helpers import refused, rows

pytestmark = pytest.mark.pg_sampled
PATH = "/v1/auth/password-resets"
NEW = "an entirely different pass phrase"


def ask(app, email, **more):
    return app.anonymous.post(PATH, json={"email": email} | more)


@contextmanager
def counted(app):
    """How many statements the request sends to the database, and how many passwords it hashes."""
    said = {"statements": [], "hashes": 0}

    def note(_connection, _cursor, statement, *_):
        said["statements"].append(statement)

    engine, passwords = app.database.write_engine, app.container.passwords
    sa.event.listen(engine, "before_cursor_execute", note)
    with patch.object(passwords, "hash") as hashing, patch.object(passwords, "verify") as verifying:
        yield said
    sa.event.remove(engine, "before_cursor_execute", note)
    said["hashes"] = hashing.call_count + verifying.call_count


def test_the_whole_way(app):
    company = app.register()
    email = email_of(company)
    assert ask(app, email.upper(), language="ru").status_code == 202
    (mail,) = app.mail(email)
    assert mail.subject == "Задайте новый пароль"
    token = app.code(email)
    body = {"token": token, "password": NEW}
    assert app.anonymous.post("/v1/auth/password-reset", json=body).status_code == 204
    ok(sign_in(app, email, NEW))
    denied(sign_in(app, email), 401, "invalid_grant")
    refused(app.anonymous.post("/v1/auth/password-reset", json=body), 409, "token-over")
    for table in ("password_resets", "outgoing_messages", "audit_events"):
        assert token not in str(rows(app, f"SELECT * FROM {table}"))


def test_the_answer_is_the_same_for_every_address_and_so_is_the_work(app):
    """Known, unknown, removed, of staff: the same answer after the same statements, and nothing is hashed."""
    company = app.confirm(app.register())
    known, removed = email_of(company), "second@company.example"
    ok(company.delete(f"/v1/members/{colleague(company, removed).id}"))
    before = {email: len(app.mail(email)) for email in (known, removed)}
    seen = []
    for email in (known, "nobody@numune.example", removed, email_of(app.owner)):
        with counted(app) as said:
            answer = ask(app, email)
        body, headers = answer.json(), {name for name in answer.headers if name != "x-request-id"}
        seen.append((answer.status_code, body, headers, said["statements"], said["hashes"]))
    assert all(each == seen[0] for each in seen)
    assert (seen[0][0], seen[0][4]) == (202, 0)
    assert len(app.mail(known)) == before[known] + 1
    assert len(app.mail(email_of(app.owner))) == 1
    assert len(app.mail(removed)) == before[removed]
    assert app.mail("nobody@numune.example") == []


def test_it_lives_for_an_hour_from_the_moment_it_is_sent(app):
    company = app.register()
    ask(app, email_of(company))
    app.clock.advance(hours=5)  # the mail server was down
    token = app.code(email_of(company))
    app.clock.advance(minutes=59)
    body = {"token": token, "password": NEW}
    app.clock.advance(minutes=1)
    refused(app.anonymous.post("/v1/auth/password-reset", json=body), 409, "token-over")


def test_an_address_is_not_flooded_and_the_answer_does_not_tell(app):
    company = app.register()
    answers = [ask(app, email_of(company)) for _ in range(login_throttle.MAX_MAILS_PER_RECIPIENT + 3)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert len(app.mail(email_of(company))) == login_throttle.MAX_MAILS_PER_RECIPIENT
    app.clock.advance(hours=1, seconds=1)
    ask(app, email_of(company))
    assert len(app.mail(email_of(company))) == login_throttle.MAX_MAILS_PER_RECIPIENT + 1


def test_a_network_is_slowed_down(app):
    for number in range(login_throttle.MAX_MAIL_REQUESTS):
        assert ask(app, f"{number}@numune.example").status_code == 202
    refused(ask(app, "one-more@numune.example"), 429, "too-many-attempts")
    app.clock.advance(minutes=15, seconds=1)
    assert ask(app, "one-more@numune.example").status_code == 202


def test_what_is_no_address(app):
    for email in (
        "x",
        "a@b@c.example",
        "a@numune.example\nBcc: b@numune.example",
        "a" * 300 + "@numune.example",
        "",
        None,
        7,
    ):
        refused(ask(app, email), 422)
    refused(ask(app, "a@numune.example", language="xx"), 422)
    assert rows(app, "SELECT * FROM outgoing_messages") == []
