"""Jobs as staff see them, and the retry of parked ones."""

import pytest

from app.jobs import port
from app.jobs.job_type import JobType
from app.worker.handlers import build_handlers
from tests.factories import ok
from tests.helpers import refused, rows

pytestmark = pytest.mark.pg_sampled


def test_jobs_are_listed_and_filtered(app):
    parked = app.park_job()
    app.run_jobs()
    listed = ok(app.auditor.get("/v1/jobs"))["items"]
    assert {each["name"] for each in listed} == {each.name for each in build_handlers(app.container) if each.every} | {
        "test.parked"
    }
    (found,) = ok(app.owner.get("/v1/jobs?state=parked"))["items"]
    assert (found["id"], found["attempts"], found["last_error"]) == (parked, 10, "OSError: no answer")
    assert found["progress"] is None
    assert ok(app.owner.get("/v1/jobs?name=test.parked&state=waiting"))["items"] == []
    first = app.owner.get("/v1/jobs?limit=1")
    second = app.owner.get(first.links["next"]["url"])
    assert ok(first)["items"] + ok(second)["items"] == listed[:2]
    refused(app.owner.get("/v1/jobs?state=lost"), 422)


def test_a_parked_job_is_retried_once(app):
    job_id = app.park_job()
    path = f"/v1/jobs/{job_id}"
    assert ok(app.auditor.get(path))["state"] == "parked"
    refused(app.owner.post(f"{path}/retry"), 428)
    refused(app.owner.post(f"{path}/retry", version=7), 412)
    retried = app.owner.act(f"{path}/retry")
    assert (retried["state"], retried["attempts"], retried["due_at"]) == ("waiting", 0, "2026-11-22T17:00:00Z")
    assert refused(app.owner.post(f"{path}/retry", version="now"), 409, "wrong-state")["state"] == "waiting"
    assert rows(app, "SELECT subject_id FROM audit_events WHERE event = 'job.retried'") == [(job_id,)]


def test_it_is_for_owners_and_auditors(app):
    path = f"/v1/jobs/{app.park_job()}"
    for caller in (app.reviewer, app.registrar, app.register()):
        refused(caller.get("/v1/jobs"), 403)
        refused(caller.get(path), 403)
        refused(caller.post(f"{path}/retry", version=1), 403)
    refused(app.auditor.post(f"{path}/retry", version=1), 403)
    refused(app.owner.get("/v1/jobs/x"), 404)
    refused(app.anonymous.get(path), 401)


def test_progress_is_shown(app):
    with app.database.session() as session:
        job_id = port.enqueue(session, JobType("test.slow"), {}, now=app.clock())
        session.commit()
    with app.database.write_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET progress_done = 3, progress_total = 10")
    assert ok(app.owner.get(f"/v1/jobs/{job_id}"))["progress"] == {"done": 3, "total": 10}
