"""Safe retries of an API client across processes: four workers over one database, one dies before its answer left."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from app.core.dates import utc_now
from tests.api.helpers import events, is_replay, keyed, new_key, same
from tests.api.retry_workers import serving, until_answered
from tests.factories import product, program_of, running_app

pytestmark = pytest.mark.no_coverage


@pytest.fixture
def app(database_url, tmp_path):
    with running_app(database_url, tmp_path, clock=utc_now) as app:
        yield app


class Program:
    """An API client that calls the workers, each time on a new line, so that another worker may answer."""

    def __init__(self, app, address):
        self.app, self.address = app, address
        self.company = app.set_up_company()
        self.client = program_of(self.company)

    def post(self, path, **more):
        token = self.app.container.access_tokens.issue(self.client.subject, utc_now())
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return httpx2.post(self.address + path, headers=headers, timeout=30, **more)

    def products(self):
        return self.company.get("/v1/products").json()["items"]


@pytest.fixture
def program(app):
    with serving(app) as address:
        yield Program(app, address)


@pytest.mark.long("sqlite")
def test_four_workers_and_a_worker_that_dies(app, program):
    """One start of the workers for all of it: that is what takes the time."""
    many_at_once_are_one_write(program)
    another_body_is_refused_by_every_worker(app, program)
    dying_after_the_commit_loses_nothing(app, program)
    dying_before_the_commit_leaves_nothing(app, program)


def many_at_once_are_one_write(program):
    workers = set()
    for round_ in range(5):
        headers, body = keyed(new_key()), product(program.company.site_id, reference=f"round {round_}")
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(program.post, "/v1/products", json=body, headers=headers) for _ in range(8)]
            answers = [each.result() for each in asked]
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert [is_replay(answer) for answer in answers].count(False) == 1
        workers |= {answer.headers["x-worker"] for answer in answers}
    assert len(program.products()) == 5
    assert len(workers) > 1


def another_body_is_refused_by_every_worker(app, program):
    headers, body = keyed(new_key()), product(program.company.site_id, reference="first")
    first = program.post("/v1/products", json=body, headers=headers)
    before, workers = events(app), {first.headers["x-worker"]}
    for turn in range(12):
        other = program.post("/v1/products", json=body | {"reference": f"other {turn}"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "key-reused")
        again = program.post("/v1/products", json=body, headers=headers)
        same(first, again)
        workers |= {other.headers["x-worker"], again.headers["x-worker"]}
    assert len(workers) > 1
    assert events(app) == before
    assert len(program.products()) == 6


def dying_after_the_commit_loses_nothing(app, program):
    headers, body = keyed(new_key()), product(program.company.site_id, reference="lost answer")
    before = events(app)
    with pytest.raises(httpx2.TransportError):
        program.post("/v1/products", json=body, headers=headers | {"X-Die": "answering"})
    assert events(app) == before + 1  # it was done; only nobody heard of it
    retry = until_answered(lambda: program.post("/v1/products", json=body, headers=headers))
    assert (retry.status_code, is_replay(retry)) == (201, True)
    same(retry, until_answered(lambda: program.post("/v1/products", json=body, headers=headers)))
    assert [each["id"] for each in program.products()].count(retry.json()["id"]) == 1
    assert len(program.products()) == 7
    assert events(app) == before + 1


def dying_before_the_commit_leaves_nothing(app, program):
    headers, body = keyed(new_key()), product(program.company.site_id, reference="lost write")
    before = events(app)
    with pytest.raises(httpx2.TransportError):
        program.post("/v1/products", json=body, headers=headers | {"X-Die": "committing"})
    assert events(app) == before
    retry = until_answered(lambda: program.post("/v1/products", json=body, headers=headers))
    assert (retry.status_code, is_replay(retry)) == (201, False)
    assert len(program.products()) == 8
