"""Looking up one certificate by its number: one indexed read on a held connection, without ORM or session.

A look-up never sees its own old snapshot: every statement is a transaction by itself, so a revocation shows in the very
next check.
"""

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, LiteralString, Protocol

import anyio.to_thread
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout
from sqlalchemy.engine import make_url

from app.certificates.number import CertificateNumber
from app.errors import Unavailable
from app.verification.record import COLUMNS, CertificateRecord

# One look-up: the entry of the log is found by an index that holds nothing but issues.
_SELECT = (
    f"SELECT {', '.join(f'c.{name}' for name in COLUMNS)}, l.at, l.sha256 "  # noqa: S608 (constants only)
    "FROM certificates c LEFT JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "WHERE c.number "
)
_ONE_SQLITE = _SELECT + "= ?"
_MANY_SQLITE = _SELECT + "IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants only; one query for all)
_ONE_POSTGRES = _SELECT + "= %s"
_MANY_POSTGRES = _SELECT + "= ANY(%s)"


class RegisterAway(Unavailable):
    """The database did not answer: nothing can be said about any certificate."""

    def __init__(self) -> None:
        super().__init__("The register cannot be read at the moment. Try again shortly.")


class CertificateStore(Protocol):
    """Both forms raise RegisterAway where the database does not answer, also after connecting anew."""

    async def open(self) -> None:
        """To be called once, in the event loop that will ask."""

    async def close(self) -> None: ...

    async def find(self, number: CertificateNumber) -> CertificateRecord | None:
        """For the event loop."""

    async def find_many(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        """What the register holds of these, by number: one query, for the event loop."""

    def find_now(self, number: CertificateNumber) -> CertificateRecord | None:
        """For threads and the command line."""

    def find_many_now(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        """As `find_many`, for threads and the command line."""


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

    async def find(self, number: CertificateNumber) -> CertificateRecord | None:
        return self.find_now(number)

    async def find_many(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        return await anyio.to_thread.run_sync(self.find_many_now, numbers)  # a thousand rows are worth the hop

    def find_now(self, number: CertificateNumber) -> CertificateRecord | None:
        rows = self._rows(_ONE_SQLITE, str(number))
        return _from_text(rows[0]) if rows else None

    def find_many_now(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        if not numbers:
            return {}
        rows = self._rows(_MANY_SQLITE, json.dumps([str(number) for number in numbers]))
        return _by_number(map(_from_text, rows))

    def _rows(self, query: str, argument: str) -> list[tuple[Any, ...]]:
        try:
            try:
                return self._read(query, argument)
            except sqlite3.Error:
                self._held.connection = None  # the file may have been exchanged: connect anew, once
                return self._read(query, argument)
        except sqlite3.Error as error:
            raise RegisterAway from error

    def _read(self, query: str, argument: str) -> list[tuple[Any, ...]]:
        connection: sqlite3.Connection | None = getattr(self._held, "connection", None)
        if connection is None:
            connection = self._connect()
        # fetchall, not fetchone: a statement that is not run to its end would keep its snapshot, and with it the past.
        return connection.execute(query, (argument,)).fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._uri, uri=True, timeout=2, isolation_level=None, check_same_thread=False, factory=_HeldConnection
        )
        self._all.add(connection)
        self._held.connection = connection
        return connection


def _from_text(row: tuple[Any, ...]) -> CertificateRecord:
    """SQLite keeps dates, moments (UTC without offset) and JSON as text."""
    record = CertificateRecord._make(row)
    return record._replace(
        product_names=json.loads(record.product_names),  # type: ignore[arg-type]  # still text here
        valid_from=date.fromisoformat(record.valid_from),  # type: ignore[arg-type]  # still text here
        valid_until=date.fromisoformat(record.valid_until),  # type: ignore[arg-type]  # still text here
        status_since=_utc(record.status_since),  # type: ignore[arg-type]  # still text here
        issued_at=_utc(record.issued_at),  # type: ignore[arg-type]  # still text here
        logged_at=_utc(record.logged_at) if record.logged_at else None,  # type: ignore[arg-type]  # still text here
    )


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class PostgresStore:
    """Held connections in autocommit, the statement prepared on each; broken ones are replaced."""

    def __init__(self, conninfo: str, *, connections: int = 4) -> None:
        self._conninfo = conninfo
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

    async def find(self, number: CertificateNumber) -> CertificateRecord | None:
        rows = await self._rows(_ONE_POSTGRES, str(number))
        return CertificateRecord._make(rows[0]) if rows else None

    async def find_many(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        if not numbers:
            return {}
        rows = await self._rows(_MANY_POSTGRES, [str(number) for number in numbers])
        return _by_number(map(CertificateRecord._make, rows))

    async def _rows(self, query: LiteralString, argument: str | list[str]) -> list[tuple[Any, ...]]:
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

    async def _read(self, query: LiteralString, argument: str | list[str]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, (argument,))).fetchall()

    def find_now(self, number: CertificateNumber) -> CertificateRecord | None:
        rows = self._rows_now(_ONE_POSTGRES, str(number))
        return CertificateRecord._make(rows[0]) if rows else None

    def find_many_now(self, numbers: Sequence[CertificateNumber]) -> dict[str, CertificateRecord]:
        if not numbers:
            return {}
        rows = self._rows_now(_MANY_POSTGRES, [str(number) for number in numbers])
        return _by_number(map(CertificateRecord._make, rows))

    def _rows_now(self, query: LiteralString, argument: str | list[str]) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
                return connection.execute(query, (argument,)).fetchall()
        except psycopg.Error as error:
            raise RegisterAway from error


def _by_number(records: Iterable[CertificateRecord]) -> dict[str, CertificateRecord]:
    return {record.number: record for record in records}


async def _read_only(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("SET default_transaction_read_only = on")
