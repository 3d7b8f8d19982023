"""No check is older than its question: with several workers, on both databases, through ETags and forms."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.main import create_asgi_app


@pytest.fixture
def workers(app):
    """Two more workers over the same register, each with connections, forms and limits of its own."""
    with (
        TestClient(create_asgi_app(app.settings, app.clock)) as one,
        TestClient(create_asgi_app(app.settings, app.clock)) as other,
    ):
        yield one, other


def ask(worker, number, etag=None):
    return worker.get(f"/v1/verify/{number}", headers={"If-None-Match": etag} if etag else {})


def test_every_change_is_seen_by_the_very_next_check_of_every_worker(app, workers):
    number = app.certify()
    etags = [ask(worker, number).headers["etag"] for worker in workers]
    assert len(set(etags)) == 1
    for deed, body, verdict in (
        ("suspend", {"cause": "hearing"}, "suspended"),
        ("reinstate", {"cause": "hearing"}, "valid"),
        ("revoke", {"reason": "false-documents"}, "revoked"),
    ):
        assert [ask(worker, number, etag).status_code for worker, etag in zip(workers, etags, strict=True)] == [304] * 2
        app.change_status(number, deed, body)
        answers = [ask(worker, number, etag) for worker, etag in zip(workers, etags, strict=True)]
        assert [(answer.status_code, answer.json()["verdict"]) for answer in answers] == [(200, verdict)] * 2
        assert answers[0].content == answers[1].content
        etags = [answer.headers["etag"] for answer in answers]


def test_midnight_is_seen_by_the_very_next_check_of_every_worker(app, workers):
    number = app.certify()
    answers = [ask(worker, number) for worker in workers]
    etags = [answer.headers["etag"] for answer in answers]
    last_day = answers[0].json()["certificate"]["valid_until"]
    token = app.token(number)
    last_moment = app.clock().fromisoformat(f"{last_day}T23:59:58.999999+04:00")
    app.clock.now = last_moment
    assert [ask(worker, number, etag).status_code for worker, etag in zip(workers, etags, strict=True)] == [304] * 2
    app.clock.now = last_moment + timedelta(seconds=1)
    assert [ask(worker, number).json()["verdict"] for worker in workers] == ["valid"] * 2
    app.clock.now += timedelta(microseconds=1)
    for worker, etag in zip(workers, etags, strict=True):
        answer = ask(worker, number, etag)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "expired")
        assert worker.post("/v1/verify", json={"token": token}).json()["verdict"] == "expired"
        many = worker.post("/v1/verify/batch", json={"items": [{"number": number}, {"token": token}]}).json()["items"]
        assert [each["verdict"] for each in many] == ["expired"] * 2
