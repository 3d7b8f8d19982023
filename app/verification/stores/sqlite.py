"""Look up snapshots in SQLite."""

import json
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio.to_thread

from app.certificates.read_model.snapshot import Snapshot
from app.verification.stores.base import DatabaseUnavailable
from app.verification.stores.sql import SNAPSHOT_BY_HASH_SQLITE, SNAPSHOT_SQLITE, SNAPSHOTS_SQLITE

MAPPED_BYTES = 1 << 40
"""SQLite maps as much of the file as it can, usually 2 GiB: that halves a look-up's time.

Truncating the file while a service runs crashes its workers: docs/production.md forbids it.
"""


class _HeldConnection(sqlite3.Connection):
    """Connection that can be referenced weakly, unlike the driver's own class."""


class SqliteStore:
    """Read over one read-only connection per thread, inline.

    A read takes less time than a thread switch.
    """

    def __init__(self, path: Path) -> None:
        self._uri = path.absolute().as_uri() + "?mode=ro"
        self._per_thread = threading.local()
        self._connections: weakref.WeakSet[_HeldConnection] = weakref.WeakSet()
        self._execute_in_loop: Callable[[str, tuple[str | bytes]], sqlite3.Cursor] = _not_opened

    async def open(self) -> None:
        """Open the connection of the event loop; threads open theirs when they need one."""
        self._connect_for_loop()

    def _connect_for_loop(self) -> None:
        """Connect if the file exists; otherwise look-ups report that the database is unavailable."""
        self._execute_in_loop = _not_opened
        with suppress(sqlite3.Error):
            self._execute_in_loop = self._connect().execute

    async def close(self) -> None:
        for connection in list(self._connections):
            connection.close()
        self._per_thread = threading.local()

    def snapshot_now(self, text: str) -> Snapshot | None:
        return self._find_one(SNAPSHOT_SQLITE, text)

    def snapshot_now_by_hash(self, signed_hash: bytes) -> Snapshot | None:
        return self._find_one(SNAPSHOT_BY_HASH_SQLITE, signed_hash)

    def _find_one(self, query: str, argument: str | bytes) -> Snapshot | None:
        try:
            # fetchall, not fetchone: an unfinished statement would keep its read snapshot and hide later commits.
            rows = self._execute_in_loop(query, (argument,)).fetchall()
        except UnicodeEncodeError:
            return None
        except sqlite3.Error:
            self._connect_for_loop()  # for the next look-up; this one continues in the slower methods
            return None
        return Snapshot._make(rows[0]) if rows else None

    async def find_snapshot(self, number: str) -> Snapshot | None:
        rows = self._rows(SNAPSHOT_SQLITE, number)
        return Snapshot._make(rows[0]) if rows else None

    async def find_snapshot_by_hash(self, signed_hash: bytes) -> Snapshot | None:
        rows = self._rows(SNAPSHOT_BY_HASH_SQLITE, signed_hash)
        return Snapshot._make(rows[0]) if rows else None

    async def find_snapshots(self, numbers: Sequence[str]) -> dict[str, Snapshot]:
        if not numbers:
            return {}
        # A thousand rows are worth the thread switch.
        rows = await anyio.to_thread.run_sync(self._rows, SNAPSHOTS_SQLITE, json.dumps(numbers))
        return {row[0]: Snapshot._make(row) for row in rows}

    async def find_snapshots_by_hash(self, signed_hashes: Sequence[bytes]) -> dict[bytes, Snapshot]:
        def find() -> dict[bytes, Snapshot]:
            found = {signed_hash: self._rows(SNAPSHOT_BY_HASH_SQLITE, signed_hash) for signed_hash in signed_hashes}
            return {signed_hash: Snapshot._make(rows[0]) for signed_hash, rows in found.items() if rows}

        return await anyio.to_thread.run_sync(find) if signed_hashes else {}

    def _rows(self, query: str, argument: str | bytes) -> list[tuple[Any, ...]]:
        try:
            try:
                return self._connection().execute(query, (argument,)).fetchall()
            except sqlite3.Error:
                self._per_thread.connection = None  # the file may have been replaced: reconnect, once
                return self._connection().execute(query, (argument,)).fetchall()
        except sqlite3.Error as error:
            raise DatabaseUnavailable from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._per_thread, "connection", None)
        return self._connect() if connection is None else connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._uri, uri=True, timeout=2, isolation_level=None, check_same_thread=False, factory=_HeldConnection
        )
        self._connections.add(connection)
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}").fetchall()
        self._per_thread.connection = connection
        return connection


def _not_opened(_query: str, _argument: tuple[str | bytes]) -> sqlite3.Cursor:
    raise sqlite3.ProgrammingError("not opened")
