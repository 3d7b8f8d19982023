"""Define engines, sessions and column types for SQLite and PostgreSQL.

SQLite has one writer. Write transactions start with BEGIN IMMEDIATE, because a lock taken later could fail half-way.
Readers have an engine of their own with a plain BEGIN, so that they never wait for the writer (WAL).
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import sqlalchemy as sa
from psycopg.errors import DiskFull, LockNotAvailable
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, QueryableAttribute, Session, sessionmaker
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

from app.core.unit_of_work import CommitStep, UnitOfWork

T = TypeVar("T")
Query = TypeVar("Query", bound=sa.Select[Any])
NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> UUID:
    """Return a UUIDv7. It sorts by creation time, so that keyset pagination and indexes stay cheap."""
    return uuid7()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. A naive one is a programming error and raises ValueError."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (signature of the base)
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC on PostgreSQL, a scaled integer on SQLite, which has only floats."""

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision, self.scale = precision, scale

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        scaled = value.scaleb(self.scale)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.scale} decimal places")
        return int(scaled) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value).scaleb(-self.scale) if dialect.name == "sqlite" else Decimal(value)


JsonColumn = sa.JSON().with_variant(JSONB(), "postgresql")
JsonColumnOrNull = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""None is SQL's NULL, not the JSON value `null`."""


class Base(DeclarativeBase):
    """Base class of every mapped table."""

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JsonColumn,
        list[Any]: JsonColumn,
        list[str]: JsonColumn,
        dict[str, str]: JsonColumn,
        str: sa.Text(),
        UUID: sa.Uuid(),
    }


def unique_where(name: str, *columns: str, condition: str) -> sa.Index:
    """Return a unique index over the rows that meet the condition, for both databases."""
    where = sa.text(condition)
    return sa.Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


def core_table(mapped: type[Base]) -> sa.Table:
    """Return the table of a mapped class, for statements that bypass the mapper.

    Such a statement returns rows instead of objects at a third of the cost. It does not flush first: changes that the
    session has not yet written are invisible to it.
    """
    return Base.metadata.tables[mapped.__tablename__]


def locked(query: Query, enabled: bool = True) -> Query:
    """Add a row lock to the query and reload rows that the session has already loaded.

    The key-share lock does not block inserts that refer to the row by a foreign key.
    """
    return query.with_for_update(key_share=True).execution_options(populate_existing=True) if enabled else query


PAGE_ROWS = 1_000
"""Rows per page, and parameters of one IN list: both databases limit them."""
UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)
"""Errors raised while a row is loaded whose columns contain values that their types cannot represent."""


def parts_of(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the values in slices of at most `PAGE_ROWS`."""
    for start in range(0, len(values), PAGE_ROWS):
        yield values[start : start + PAGE_ROWS]


def page_of(
    session: Session, query: sa.Select[T], key: QueryableAttribute[Any], after: object, limit: int | None
) -> Sequence[T]:
    """Return at most `limit` rows in the order of their key, after the key `after`; from the first if it is None."""
    if after is not None:
        query = query.where(key > after)
    return session.scalars(query.order_by(key).limit(limit)).all()


def pages_of(session: Session, mapped: type[T], key: QueryableAttribute[Any]) -> Iterator[Sequence[T]]:
    """Yield all rows in the order of their key, in pages of `PAGE_ROWS`.

    Rows that precede an unreadable row are yielded one by one; the unreadable row raises one of `UNREADABLE`.
    """
    after, limit = None, PAGE_ROWS
    while True:
        try:
            rows = page_of(session, sa.select(mapped), key, after, limit)
        except UNREADABLE:
            if limit == 1:
                raise
            limit = 1  # one by one, up to the unreadable row
            continue
        if not rows:
            return
        after = getattr(rows[-1], key.key)
        yield rows


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dumps_canonical(value: Any) -> str:
    """Encode JSON as it is stored: non-ASCII letters unescaped, keys sorted."""
    return _ENCODER.encode(value)


POOL_SIZE, MAX_OVERFLOW = 10, 20


class Database:
    """The two engines of one database and their sessions. `steps` run first in every commit.

    Sessions that record audit events or append to the log need the steps of `app/commit_pipeline.py`.
    """

    def __init__(self, url: str, steps: Sequence[CommitStep] = ()) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._info: dict[str, Any] = {}
        self.write_engine = _create_engine(url, begin="BEGIN IMMEDIATE")
        self.read_engine = _create_engine(url, begin="BEGIN") if self.is_sqlite else self.write_engine
        self._writes = sessionmaker(self.write_engine, class_=UnitOfWork, steps=steps, expire_on_commit=False)
        self._reads = sessionmaker(self.read_engine, expire_on_commit=False, autoflush=False)

    def attach_session_info(self, info: Mapping[str, Any]) -> None:
        """Add values to `Session.info` of every session created from now on."""
        self._info |= info
        self._writes.configure(info=dict(self._info))
        self._reads.configure(info=dict(self._info))

    def session(self) -> Session:
        """Return a session that may write. The caller commits once, before the response is sent."""
        return self._writes()

    def read_session(self) -> Session:
        """Return a session that reads one consistent state and is never committed."""
        return self._reads()

    def ping(self) -> None:
        """Run a statement that reads nothing. Raises `SQLAlchemyError` when the database does not answer."""
        with self.read_session() as session:
            session.execute(sa.text("SELECT 1"))

    def max_connections(self) -> int | None:
        """Return how many connections the server accepts in total; None for SQLite, which has no such limit."""
        if self.is_sqlite:
            return None
        query = (
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
        with self.read_engine.connect() as connection:
            return int(connection.execute(sa.text(query)).scalar_one())

    def dispose(self) -> None:
        self.write_engine.dispose()
        self.read_engine.dispose()


def _create_engine(url: str, *, begin: str) -> Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(
            url,
            json_serializer=dumps_canonical,
            hide_parameters=True,  # personal data in parameters must not reach the log with a traceback
            pool_pre_ping=True,
            pool_size=POOL_SIZE,
            max_overflow=MAX_OVERFLOW,
            connect_args={"options": "-c timezone=utc -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"},
        )
    # check_same_thread: FastAPI may run the parts of one request on several threads, one after another.
    engine = sa.create_engine(
        url, json_serializer=dumps_canonical, hide_parameters=True, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # FULL: an acknowledged certificate must survive a power cut; NORMAL loses rows in WAL mode.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute("PRAGMA " + pragma)
        cursor.close()
        connection.isolation_level = None  # the driver must not begin transactions; the listener below does

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def is_lock_timeout(error: OperationalError) -> bool:
    """Whether the statement timed out while it waited for a lock of another transaction."""
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return original.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # low byte; the rest is the extended code
    return isinstance(original, LockNotAvailable)


def is_disk_full(error: OperationalError) -> bool:
    """Whether the statement failed because the disk of the database is full."""
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return original.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
    return isinstance(original, DiskFull)


def check_in(column: str, values: type[Any] | Mapping[str, Any] | list[str]) -> str:
    """Return the SQL text of a check constraint that allows only the values of an enum."""
    listed = ", ".join(f"'{v}'" for v in values)
    return f"{column} IN ({listed})"
