"""Looking up one certificate by its number: one indexed read on a held connection, without ORM or session.

A look-up never sees its own old snapshot: every statement is a transaction by itself, so a revocation shows in the very
next check.
"""

import asyncio
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, LiteralString, Protocol

import anyio.to_thread
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout
from sqlalchemy.engine import make_url

from app import jws
from app.certificates.number import CertificateNumber
from app.errors import Unavailable
from app.verification.record import COLUMNS, CertificateRecord
from app.verification.row import DAYS, MOMENTS, NAMES, Row, from_row

_FIELDS = CertificateRecord._fields
_NUMBER = _FIELDS.index("number")
_NAMES = _FIELDS.index("product_names")
_PLACE = {name: f"c.{name}" for name in COLUMNS} | {"logged_at": "l.at", "logged_sha256": "l.sha256"}
# One look-up: the entry of the log is found by an index that holds nothing but issues.
_FROM = (
    " FROM certificates c LEFT JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "WHERE c.number "
)
_SQLITE = f"SELECT {', '.join(_PLACE[name] for name in _FIELDS)}{_FROM}"
_ONE_SQLITE = _SQLITE + "= ?"
_MANY_SQLITE = _SQLITE + "IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants only; one query for all)
_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
_AS_TEXT = dict.fromkeys(DAYS + NAMES, "{}::text") | dict.fromkeys(MOMENTS, _MOMENT)  # as SQLite keeps them
_POSTGRES = f"SELECT {', '.join(_AS_TEXT.get(name, '{}').format(_PLACE[name]) for name in _FIELDS)}{_FROM}"
_MANY_POSTGRES = _POSTGRES + "= ANY(%s)"

CONNECTIONS: Final = 4
"""Of one worker to PostgreSQL, for checks."""
MOST_AT_ONCE: Final = 500
"""Numbers in one query, so that no answer waits for thousands of others."""


class RegisterAway(Unavailable):
    """The database did not answer: nothing can be said about any certificate."""

    def __init__(self) -> None:
        super().__init__("The register cannot be read at the moment. Try again shortly.")


class CertificateStore(Protocol):
    """Every look-up raises RegisterAway where the database does not answer, also after connecting anew.

    Rows are for those who only print them; their numbers are texts in display form.
    """

    async def open(self) -> None:
        """To be called once, in the event loop that will ask."""

    async def close(self) -> None: ...

    async def find_row(self, number: str) -> Row | None:
        """For the event loop."""

    async def find_rows(self, numbers: Sequence[str]) -> dict[str, Row]:
        """What the register holds of these, by number: one query, for the event loop."""

    async def find(self, number: CertificateNumber) -> CertificateRecord | None:
        """As `find_row`, read."""

    def find_now(self, number: CertificateNumber) -> CertificateRecord | None:
        """For threads and the command line."""

    def find_many_now(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        """What the register holds of these, by number: one query, for threads and the command line."""


def certificate_store(url: str) -> CertificateStore:
    """The store of a database by its SQLAlchemy address: `sqlite:///…` or `postgresql+psycopg://…`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("the register is a file: a database in memory cannot be shared")
        return SqliteStore(Path(parsed.database))
    return PostgresStore(parsed.set(drivername="postgresql").render_as_string(hide_password=False))


class _HeldConnection(sqlite3.Connection):
    """The driver's own class cannot be referred to weakly."""


class SqliteStore:
    """One read-only connection per thread, asked inline: the read takes less time than a hop to another thread."""

    def __init__(self, path: Path) -> None:
        self._uri = path.absolute().as_uri() + "?mode=ro"
        self._held = threading.local()
        self._all: weakref.WeakSet[_HeldConnection] = weakref.WeakSet()

    async def open(self) -> None:
        """Connections are made where and when they are needed."""

    async def close(self) -> None:
        for connection in list(self._all):
            connection.close()
        self._held = threading.local()

    async def find_row(self, number: str) -> Row | None:
        rows = self._rows(_ONE_SQLITE, number)
        return rows[0] if rows else None

    async def find_rows(self, numbers: Sequence[str]) -> dict[str, Row]:
        return await anyio.to_thread.run_sync(self._find_rows, numbers)  # a thousand rows are worth the hop

    async def find(self, number: CertificateNumber) -> CertificateRecord | None:
        return self.find_now(number)

    def find_now(self, number: CertificateNumber) -> CertificateRecord | None:
        rows = self._rows(_ONE_SQLITE, str(number))
        return from_row(rows[0]) if rows else None

    def find_many_now(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        return _read_all(self._find_rows(list(map(str, numbers))))

    def _find_rows(self, numbers: Sequence[str]) -> dict[str, Row]:
        return _by_number(self._rows(_MANY_SQLITE, json.dumps(numbers))) if numbers else {}

    def _rows(self, query: str, argument: str) -> list[Row]:
        try:
            try:
                # fetchall, not fetchone: a statement that is not run to its end would keep its snapshot, and the past.
                return self._connection().execute(query, (argument,)).fetchall()
            except sqlite3.Error:
                self._held.connection = None  # the file may have been exchanged: connect anew, once
                return self._connection().execute(query, (argument,)).fetchall()
        except sqlite3.Error as error:
            raise RegisterAway from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._held, "connection", None)
        return self._connect() if connection is None else connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._uri, uri=True, timeout=2, isolation_level=None, check_same_thread=False, factory=_HeldConnection
        )
        self._all.add(connection)
        self._held.connection = connection
        return connection


class PostgresStore:
    """Held connections in autocommit, the statement prepared on each; broken ones are replaced.

    Single look-ups that come while all connections are busy wait and are asked together, in one query: the more there
    are, the cheaper each is, and a lone one waits for nobody. None joins a query that is under way already: what was
    revoked before somebody asked is seen.
    """

    def __init__(self, conninfo: str, *, connections: int = CONNECTIONS) -> None:
        self._conninfo = conninfo
        self._waiting: list[tuple[str, asyncio.Future[Row | None]]] = []
        self._askers: set[asyncio.Task[None]] = set()
        self._is_called = False
        self._most_askers = connections
        self._pool = AsyncConnectionPool(
            conninfo,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            min_size=1,
            max_size=connections,
            timeout=2,
            configure=_read_only,
            open=False,
        )

    async def open(self) -> None:
        """Does not wait for the database: while it is away, checks answer that it is."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    async def find_row(self, number: str) -> Row | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Row | None] = loop.create_future()
        self._waiting.append((number, answer))
        if not self._is_called and len(self._askers) < self._most_askers:
            self._is_called = True  # one more asker, who begins when all that came in this turn of the loop is waiting
            asker = loop.create_task(self._ask())
            self._askers.add(asker)
            asker.add_done_callback(self._askers.discard)
        return await answer

    async def _ask(self) -> None:
        """Ask for all that wait, and go on while there are any."""
        self._is_called = False
        while self._waiting:
            asked, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                rows = await self.find_rows(list({number for number, _ in asked}))
            except BaseException as error:
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error if isinstance(error, RegisterAway) else RegisterAway())
                if not isinstance(error, RegisterAway):
                    raise
                continue
            for number, answer in asked:
                if not answer.done():  # who asked may have hung up
                    answer.set_result(rows.get(number))

    async def find_rows(self, numbers: Sequence[str]) -> dict[str, Row]:
        return _by_number(await self._rows(_MANY_POSTGRES, numbers)) if numbers else {}

    async def find(self, number: CertificateNumber) -> CertificateRecord | None:
        row = await self.find_row(str(number))
        return None if row is None else from_row(row)

    async def _rows(self, query: LiteralString, argument: Sequence[str]) -> list[Row]:
        try:
            try:
                return await self._read(query, argument)
            except (PoolClosed, PoolTimeout):
                raise  # waiting again would only make everybody wait longer
            except psycopg.OperationalError:
                await self._pool.check()  # after a restart every held connection is dead: replace them all, once
                return await self._read(query, argument)
        except psycopg.Error as error:
            raise RegisterAway from error

    async def _read(self, query: LiteralString, argument: Sequence[str]) -> list[Row]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query, (argument,))).fetchall()
        return [_compact(row) for row in rows]

    def find_now(self, number: CertificateNumber) -> CertificateRecord | None:
        return self.find_many_now([number]).get(str(number))

    def find_many_now(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        if not numbers:
            return {}
        try:
            with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
                rows = connection.execute(_MANY_POSTGRES, (list(map(str, numbers)),)).fetchall()
        except psycopg.Error as error:
            raise RegisterAway from error
        return _read_all(_by_number(rows))  # reading takes any JSON


def _by_number(rows: Iterable[Row]) -> dict[str, Row]:
    return {row[_NUMBER]: row for row in rows}


def _read_all(rows: dict[str, Row]) -> dict[str, CertificateRecord]:
    return {number: from_row(row) for number, row in rows.items()}


def _compact(row: Row) -> Row:
    """PostgreSQL writes JSON with spaces, SQLite keeps it as app.db wrote it."""
    names = jws.dump_json(json.loads(row[_NAMES])).decode()
    return (*row[:_NAMES], names, *row[_NAMES + 1 :])


async def _read_only(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("SET default_transaction_read_only = on")
