"""The harness of `make bench` works: it fills, asks, counts and writes. Nothing here is timed."""

import asyncio
import json

import pytest
import sqlalchemy as sa

from app.commit_pipeline import open_database
from app.core.dates import utc_now
from app.verification.response import parse_snapshot
from app.verification.snapshot_setup import load_snapshot_key
from app.verification.stores.factory import create_snapshot_store
from benchmarks import http_cases, in_process, load, rule_evaluation, write_operations
from benchmarks.compare import Effort
from benchmarks.datasets import create_dataset, sign_some
from benchmarks.report import Row, page
from benchmarks.synthetic_rows import COLUMNS, SharedValues, number_of, synthetic_rows
from tests.helpers import verified_log

pytestmark = [pytest.mark.no_coverage, pytest.mark.long]
ROWS = 300
SHORT = Effort(seconds=0.1, rounds=1, warm=0.05)


def quiet(_text):
    pass


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return create_dataset(tmp_path_factory.mktemp("bench") / "data", ROWS, quiet)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    from contextlib import ExitStack  # noqa: PLC0415 (used once)

    with ExitStack() as stack:
        yield http_cases.ServerPool(stack, tmp_path_factory.mktemp("logs"), quiet)


def numbers():
    return [number_of(serial) for serial in range(1, ROWS + 1)]


def snapshots_of(dataset):
    async def find():
        store = create_snapshot_store(dataset.url)
        await store.open()
        try:
            return await store.find_snapshots(numbers())
        finally:
            await store.close()

    return asyncio.run(find())


def records_of(dataset):
    return {number: parse_snapshot(each).record for number, each in snapshots_of(dataset).items()}


def test_rows_are_as_many_and_as_various_as_promised(dataset):
    found = records_of(dataset)
    assert len(found) == ROWS
    assert {record.status for record in found.values()} == {"active", "suspended", "revoked"}
    assert len({(record.valid_from, record.valid_until) for record in found.values()}) > ROWS / 2
    assert all(record.valid_from <= record.valid_until for record in found.values())
    assert all(record.logged_at and record.logged_sha256 == record.token_sha256 for record in found.values())


def test_snapshots_are_those_of_their_certificates(dataset):
    """They are genuine, and the service verifies the log that they name."""
    log = verified_log(open_database(dataset.url))
    assert log.is_intact
    assert all(log.was_issued(number) for number in numbers())
    key = load_snapshot_key(dataset.settings)
    assert all(key.is_genuine(each) for each in snapshots_of(dataset).values())


@pytest.mark.parametrize("is_sqlite", [True, False])
def test_each_row_has_a_value_for_each_column(is_sqlite):
    tables = synthetic_rows(
        SharedValues("kid", 7, is_sqlite, bytes(32), "https://mark.example", utc_now()), range(1, 3)
    )
    assert [(table, len(rows)) for table, rows in tables.items()] == [(table, 2) for table in COLUMNS]
    assert all(len(row) == len(COLUMNS[table]) for table, rows in tables.items() for row in rows)
    entry = dict(zip(COLUMNS["log_entries"], tables["log_entries"][0], strict=True))
    assert entry["hashes"] == bytes(32 * 4)  # a leaf, and three subtrees


def test_serials_all_over_the_register_and_none_twice():
    assert sorted(load.spread(1_000, 5_000)) == list(range(1, 1_001))
    some = list(load.spread(1_000_000, 100))
    assert len(set(some)) == 100
    assert max(some) - min(some) > 900_000


def test_every_way_of_answering_is_measured(servers, dataset):
    names = {"all": http_cases.OURS, "fast path": http_cases.FAST_PATH, "usual": http_cases.FASTAPI_AND_ORM}
    found = http_cases.by_number(servers, dataset, SHORT, names)
    assert found.keys() == {"base", *names}
    assert all(each.micros > 0 and each.ratio > 0 and each.p99 >= each.p50 > 0 for each in found.values())
    assert http_cases.unchanged(servers, dataset, SHORT).ratio > 0
    assert http_cases.thousand(servers, dataset, SHORT) > 0
    tokens = sign_some(dataset, 20)
    posted = load.post("/v1/verify", json.dumps({"token": tokens[0]}).encode())
    assert json.loads(load.once(servers.server(http_cases.OURS, dataset).port, posted)[2])["verdict"] == "valid"
    base, ours = http_cases.by_token(servers, dataset, SHORT, tokens)
    assert base.micros > 0
    assert ours.micros > 0


def test_ours_and_the_usual_way_do_the_same_work(servers, dataset):
    for serial in (1, 97, 101, ROWS + 5):
        answers = [
            json.loads(load.once(servers.server(app, dataset).port, load.get(http_cases.path(serial)))[2])
            for app in (http_cases.OURS, http_cases.FASTAPI_AND_ORM, http_cases.FAST_PATH)
        ]
        assert answers[0] == answers[1] == answers[2]
    answered = load.once(servers.server(http_cases.BARE, dataset).port, load.get("/"))[2]
    assert len(answered) == len(in_process.answer_of(dataset, number_of(ROWS // 2)))


def test_a_measurement_that_fails_says_so(servers, dataset):
    ours = servers.server(http_cases.OURS, dataset)
    contender = http_cases.Contender(ours, [load.get("/nothing")])
    with pytest.raises(RuntimeError, match="404"):
        http_cases.against(contender, [], SHORT)


def test_write_operations_are_measured(tmp_path, sqlite_template):
    (tmp_path / "mik.sqlite3").write_bytes(sqlite_template.read_bytes())
    found = write_operations.measure(tmp_path, f"sqlite:///{tmp_path / 'mik.sqlite3'}", 1, quiet, products=2)
    assert min(found.approval, found.bulk, found.suspension, found.floor, found.assessments) > 0


def test_rule_evaluation_is_measured():
    found = rule_evaluation.measure(3)
    assert found.assessment > found.hash > 0


def test_readers_beside_writers(servers, dataset):
    row = http_cases.beside_writers(servers, dataset, 1.5, readers=2, writers=2)
    assert "0 errors or refusals" in row.measured
    assert row.reached >= 1
    engine = sa.create_engine(dataset.url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM products")).scalar_one() >= 2
    engine.dispose()


def test_the_page():
    text = page([Row("a", "1 µs", "≥ 0.5", 0.4, holds=False), Row("b", "2 µs")], day="2026-11-22", how="By hand.")
    assert "| a | 1 µs | ≥ 0.5 | 0.40 | **no** |" in text
    assert "| b | 2 µs |  |  |  |" in text
