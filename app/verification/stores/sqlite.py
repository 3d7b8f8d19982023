"""Look-ups in SQLite."""

import json
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio.to_thread

from app.certificates.read_model.record import CertificateRecord
from app.verification.stores.base import RegisterAway
from app.verification.stores.sql import ROWS_SQLITE, TEXT_OF_SIGNED_SQLITE, TEXT_SQLITE, TEXTS_SQLITE, read_rows

MAPPED_BYTES = 1 << 40
"""As much of the file as SQLite will map (2 GiB as it is usually built): two reads of pages by the kernel cost half a
look-up. Whoever cuts the file short under a running service ends that worker: docs/production.md forbids it."""


class _HeldConnection(sqlite3.Connection):
    """The driver's own class cannot be referred to weakly."""


class SqliteStore:
    """One read-only connection per thread, asked inline: a read takes less time than a hop to another thread."""

    def __init__(self, path: Path) -> None:
        self._uri = path.absolute().as_uri() + "?mode=ro"
        self._held = threading.local()
        self._all: weakref.WeakSet[_HeldConnection] = weakref.WeakSet()
        self._at_once: Callable[[str, tuple[str | bytes]], sqlite3.Cursor] = _not_opened

    async def open(self) -> None:
        """Other connections are made where and when they are needed."""
        self._connect_at_once()

    def _connect_at_once(self) -> None:
        """Does not insist: while there is no file, checks answer that there is none."""
        self._at_once = _not_opened
        with suppress(sqlite3.Error):
            self._at_once = self._connect().execute

    async def close(self) -> None:
        for connection in list(self._all):
            connection.close()
        self._held = threading.local()

    def extract_at_once(self, text: str) -> bytes | None:
        return self._look(TEXT_SQLITE, text)

    def extract_at_once_of(self, signed_hash: bytes) -> bytes | None:
        return self._look(TEXT_OF_SIGNED_SQLITE, signed_hash)

    def _look(self, query: str, argument: str | bytes) -> bytes | None:
        try:
            # fetchall, not fetchone: a statement that is not run to its end would keep its snapshot, and the past.
            rows = self._at_once(query, (argument,)).fetchall()
        except UnicodeEncodeError:
            return None
        except sqlite3.Error:
            self._connect_at_once()  # for the next check; this one goes the long way
            return None
        return rows[0][0] if rows else None

    async def find_extract(self, number: str) -> bytes | None:
        rows = self._rows(TEXT_SQLITE, number)
        return rows[0][0] if rows else None

    async def find_extract_of(self, signed_hash: bytes) -> bytes | None:
        rows = self._rows(TEXT_OF_SIGNED_SQLITE, signed_hash)
        return rows[0][0] if rows else None

    async def find_extracts(self, numbers: Sequence[str]) -> dict[str, bytes]:
        if not numbers:
            return {}
        # A thousand rows are worth the hop.
        return dict(await anyio.to_thread.run_sync(self._rows, TEXTS_SQLITE, json.dumps(numbers)))

    async def find_extracts_of(self, signed_hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        def find() -> dict[bytes, bytes]:
            found = {each: self._rows(TEXT_OF_SIGNED_SQLITE, each) for each in signed_hashes}
            return {each: rows[0][0] for each, rows in found.items() if rows}

        return await anyio.to_thread.run_sync(find) if signed_hashes else {}

    async def find(self, number: str) -> CertificateRecord | None:
        return self.find_many_now([number]).get(number)

    async def find_many(self, numbers: Sequence[str]) -> dict[str, CertificateRecord]:
        return await anyio.to_thread.run_sync(self.find_many_now, numbers)

    def find_many_now(self, numbers: Sequence[str]) -> dict[str, CertificateRecord]:
        return read_rows(self._rows(ROWS_SQLITE, json.dumps(numbers))) if numbers else {}

    def _rows(self, query: str, argument: str | bytes) -> list[tuple[Any, ...]]:
        try:
            try:
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
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}").fetchall()
        self._held.connection = connection
        return connection


def _not_opened(_query: str, _argument: tuple[str | bytes]) -> sqlite3.Cursor:
    raise sqlite3.ProgrammingError("not opened")
