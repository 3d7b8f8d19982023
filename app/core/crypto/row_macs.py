"""Authenticate rows that give rights: HMAC-SHA-256 over their values, under a key that the database never holds.

A mapped class inherits from `Authenticated` and names `mac_columns`. The session signs its rows when they are written
and verifies them when they are loaded (`is_authentic`). A row that was changed past the service is never signed again.
"""

import fcntl
import hmac
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from app.core.crypto.pem_files import load_or_create_secret, load_secret
from app.core.database import PAGE_ROWS, UNREADABLE, Base, Database, core_table, dumps_canonical
from app.core.errors import UnsafeToStart

ROW_MACS = "row_macs"
"""Key of the `RowMacs` in `Session.info`; sessions without it find no row authentic and write none."""

Row = TypeVar("Row", bound="Authenticated")
_IS_AUTHENTIC = "row_macs.is_authentic"
_LENGTH_BYTES = 4
logger = logging.getLogger(__name__)


class RowKeyMissing(UnsafeToStart):
    """The key that authenticates rows with rights is not on this machine."""

    code = "row-key-missing"


class Authenticated:
    """Mixin of mapped classes whose rows give rights."""

    mac_columns: ClassVar[tuple[str, ...]]
    """Columns that the MAC covers: those that name the row and those that give the right."""

    mac: Mapped[bytes | None] = mapped_column(
        sa.LargeBinary(), sort_order=1_000, comment="HMAC-SHA-256 under keys/rows.key; without it the row gives nothing"
    )


class RowMacs:
    """Compute and verify the MACs of rows under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._headers: dict[type[Any], bytes] = {}
        self._reported: set[tuple[str, tuple[Any, ...]]] = set()

    def compute(self, mapped: type[Authenticated], values: Sequence[Any]) -> bytes:
        """Return the MAC of a row from the values of its `mac_columns`, in their order."""
        header = self._headers.get(mapped)
        if header is None:
            header = self._headers[mapped] = _with_length(
                ",".join((_table_of(mapped).name, *mapped.mac_columns)).encode()
            )
        return hmac.digest(self._key, header + b"".join([_with_length(_to_bytes(each)) for each in values]), "sha256")

    def verify(self, mapped: type[Authenticated], row: Sequence[Any]) -> bool:
        """Whether a row holds its own MAC; `row` has the values of `protected_columns`. A wrong one is logged once."""
        *values, mac = row
        if mac is not None and hmac.compare_digest(bytes(mac), self.compute(mapped, values)):
            return True
        self._report(mapped, values)
        return False

    def _report(self, mapped: type[Authenticated], values: Sequence[Any]) -> None:
        by_name = dict(zip(mapped.mac_columns, values, strict=True))
        table = _table_of(mapped)
        named = (table.name, tuple(by_name.get(column.key) for column in table.primary_key))
        if named not in self._reported:
            self._reported.add(named)
            logger.error(
                "A row of %s was not written by this service and counts as not existing: `mik doctor` names it",
                table.name,
            )


def protected_columns(mapped: type[Authenticated]) -> tuple[sa.Column[Any], ...]:
    """Return the columns that `RowMacs.verify` needs: the `mac_columns`, then the MAC."""
    table = _table_of(mapped)
    return (*(table.c[name] for name in mapped.mac_columns), table.c.mac)


def row_macs_of(session: Session) -> RowMacs:
    """Return the `RowMacs` of this session. Raises `RowKeyMissing`."""
    found: RowMacs | None = session.info.get(ROW_MACS)
    if found is None:
        raise RowKeyMissing("There is no key of rows on this machine: start the service with `mik serve` first.")
    return found


def is_authentic(row: Authenticated) -> bool:
    """Whether this object is as the service wrote it: new in its session, or loaded with the right MAC."""
    state = sa.inspect(row)
    return bool(state.info.get(_IS_AUTHENTIC, state.key is None))


def authentic(row: Row | None) -> Row | None:
    """Return the row if it is authentic; otherwise None, as if it did not exist."""
    return row if row is not None and is_authentic(row) else None


def authenticated_classes() -> list[type[Any]]:
    """Return every mapped class whose rows have MACs, by the name of its table."""
    found = [each.class_ for each in Base.registry.mappers if issubclass(each.class_, Authenticated)]
    return sorted(found, key=lambda mapped: _table_of(mapped).name)


def has_macs(session: Session) -> bool:
    """Whether any row of this database has a MAC."""
    return any(
        session.scalar(sa.select(sa.exists().where(_table_of(mapped).c.mac.is_not(None))))
        for mapped in authenticated_classes()
    )


def find_unauthentic(session: Session, macs: RowMacs) -> Iterator[tuple[str, str]]:
    """Yield table and primary key of every row without the right MAC; `?` where a table cannot be read to its end."""
    for mapped in authenticated_classes():
        table = _table_of(mapped)
        columns, key = protected_columns(mapped), tuple(table.primary_key)
        query = sa.select(*columns, *key).order_by(*key).execution_options(yield_per=PAGE_ROWS)
        try:
            for row in session.execute(query):
                if not macs.verify(mapped, row[: len(columns)]):
                    yield table.name, ", ".join(map(str, row[len(columns) :]))
        except UNREADABLE:
            yield table.name, "?"


def load_row_macs(path: Path) -> RowMacs:
    """Return the MACs under the key of an existing file. Raises `RowKeyMissing`, `UnsafeKeyFile`."""
    try:
        return RowMacs(load_secret(path))
    except FileNotFoundError:
        raise RowKeyMissing(f"There is no key of rows at {path}: start the service with `mik serve` first.") from None


def ensure_row_macs(database: Database, path: Path) -> RowMacs:
    """Return the MACs under the key of this file; at the first start create the key and sign all present rows.

    The file appears under its name after the rows are committed: a start that was interrupted signs them again, and
    once the file is there no row is ever signed because it was found. Raises `RowKeyMissing` when rows have MACs of a
    key that is gone.
    """
    if path.exists():
        return load_row_macs(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return load_row_macs(path)
        draft = path.with_name(f"{path.name}.new")
        with database.session() as session:
            if not draft.exists() and has_macs(session):
                raise RowKeyMissing(
                    f"Users and roles in the database are authenticated with a key that is not at {path}: "
                    "put it back from your backup."
                )
            macs = RowMacs(load_or_create_secret(draft))
            sign_present_rows(session, macs)
            session.commit()
        draft.rename(path)
    return macs


def sign_present_rows(session: Session, macs: RowMacs) -> None:
    """Sign every row as it is. Only for the first start: whatever is in the database is believed from then on."""
    for mapped in authenticated_classes():
        _sign_rows_of(session, macs, mapped)


def _sign_rows_of(session: Session, macs: RowMacs, mapped: type[Authenticated]) -> None:
    table = _table_of(mapped)
    key = tuple(table.primary_key)
    columns = protected_columns(mapped)[:-1]
    signing = (
        sa.update(table)
        .where(*(column == sa.bindparam(f"key_of_{column.key}") for column in key))
        .values(mac=sa.bindparam("new_mac"))
    )
    for rows in session.execute(sa.select(*columns, *key)).partitions(PAGE_ROWS):
        values = [
            {f"key_of_{column.key}": value for column, value in zip(key, row[len(columns) :], strict=True)}
            | {"new_mac": macs.compute(mapped, row[: len(columns)])}
            for row in rows
        ]
        session.connection().execute(signing, values)


def _table_of(mapped: type[Any]) -> sa.Table:
    return core_table(mapped)


def _with_length(value: bytes) -> bytes:
    return len(value).to_bytes(_LENGTH_BYTES, "big") + value


def _to_bytes(value: Any) -> bytes:
    """Encode a value with its type, so that no two values are encoded alike. Raises TypeError for an unknown type."""
    for kind, encode in _ENCODERS:
        if isinstance(value, kind):
            return encode(value)
    raise TypeError(f"a row with rights holds a value of the type {type(value).__name__}")


_ENCODERS: tuple[tuple[Any, Callable[[Any], bytes]], ...] = (
    (str, lambda value: b"s" + value.encode("utf-8", "surrogatepass")),
    (UUID, lambda value: b"u" + value.bytes),
    (NoneType, lambda _value: b"0"),
    (bool, lambda value: b"b1" if value else b"b0"),  # before int, of which it is a kind
    (datetime, lambda value: b"d" + value.astimezone(UTC).isoformat().encode()),
    (int, lambda value: b"i" + str(value).encode()),
    (bytes, lambda value: b"r" + value),
    ((list, dict), lambda value: b"j" + dumps_canonical(value).encode("utf-8", "surrogatepass")),
)


@event.listens_for(Authenticated, "load", propagate=True)
def _verify_loaded(row: Authenticated, context: Any) -> None:
    _verify(row, context.session)


@event.listens_for(Authenticated, "refresh", propagate=True)
def _verify_refreshed(row: Authenticated, context: Any, _names: object) -> None:
    _verify(row, context.session)


def _verify(row: Authenticated, session: Session) -> None:
    macs: RowMacs | None = session.info.get(ROW_MACS)
    state, names = sa.inspect(row), (*row.mac_columns, "mac")
    if any(name not in state.dict for name in names):
        return  # a part of the row; what it was before holds
    state.info[_IS_AUTHENTIC] = macs is not None and macs.verify(type(row), [state.dict[name] for name in names])


@event.listens_for(Authenticated, "before_insert", propagate=True)
def _sign_new(_mapper: object, _connection: object, row: Authenticated) -> None:
    table = _table_of(type(row))
    for name in row.mac_columns:
        default = table.c[name].default
        if name in sa.inspect(row).dict or default is None:
            continue
        setattr(row, name, default.arg(None) if default.is_callable else default.arg)  # type: ignore[attr-defined]  # plain defaults
    _sign(row)
    sa.inspect(row).info[_IS_AUTHENTIC] = True


@event.listens_for(Authenticated, "before_update", propagate=True)
def _sign_changed(_mapper: object, _connection: object, row: Authenticated) -> None:
    if is_authentic(row):
        _sign(row)


def _sign(row: Authenticated) -> None:
    session = object_session(row)
    assert session is not None  # it flushes the row
    row.mac = row_macs_of(session).compute(type(row), [getattr(row, name) for name in row.mac_columns])
