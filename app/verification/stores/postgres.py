"""Look up snapshots in PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, LiteralString, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from app.certificates.read_model.snapshot import Snapshot
from app.verification.stores.base import DatabaseUnavailable
from app.verification.stores.sql import SNAPSHOTS_BY_HASH_POSTGRES, SNAPSHOTS_POSTGRES

POOL_SIZE: Final = 4
"""Connections of one worker for verifications."""
MAX_BATCH: Final = 500
"""Maximum look-ups per query, so that no response waits for thousands of others."""

_LookupKey = TypeVar("_LookupKey", str, bytes)


class PostgresStore:
    """Pooled connections in autocommit with prepared statements; broken ones are replaced."""

    def __init__(self, conninfo: str, *, connections: int = POOL_SIZE) -> None:
        self._by_number = BatchLoader[str](self.find_snapshots, connections)
        self._by_signed_hash = BatchLoader[bytes](self.find_snapshots_by_hash, connections)
        self._pool = AsyncConnectionPool(
            conninfo,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            min_size=1,
            max_size=connections,
            timeout=2,
            configure=_set_read_only,
            open=False,
        )

    async def open(self) -> None:
        """Open the pool without waiting: while the database is unavailable, look-ups raise."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    def snapshot_now(self, text: str) -> Snapshot | None:  # noqa: ARG002 (every look-up waits for the network)
        return None

    def snapshot_now_by_hash(self, signed_hash: bytes) -> Snapshot | None:  # noqa: ARG002 (every look-up waits for the network)
        return None

    async def find_snapshot(self, number: str) -> Snapshot | None:
        return await self._by_number.find(number)

    async def find_snapshot_by_hash(self, signed_hash: bytes) -> Snapshot | None:
        return await self._by_signed_hash.find(signed_hash)

    async def find_snapshots(self, numbers: Sequence[str]) -> dict[str, Snapshot]:
        rows = await self._rows(SNAPSHOTS_POSTGRES, numbers) if numbers else []
        return {row[0]: Snapshot._make(row) for row in rows}

    async def find_snapshots_by_hash(self, signed_hashes: Sequence[bytes]) -> dict[bytes, Snapshot]:
        rows = await self._rows(SNAPSHOTS_BY_HASH_POSTGRES, signed_hashes) if signed_hashes else []
        return {row[1]: Snapshot._make(row) for row in rows}

    async def _rows(self, query: LiteralString, argument: Sequence[str] | Sequence[bytes]) -> list[tuple[Any, ...]]:
        try:
            try:
                return await self._read(query, argument)
            except (PoolClosed, PoolTimeout):
                raise  # waiting again would only delay everyone else
            except psycopg.OperationalError:
                await self._pool.check()  # after a restart every pooled connection is dead: replace them all, once
                return await self._read(query, argument)
        except psycopg.Error as error:
            raise DatabaseUnavailable from error

    async def _read(self, query: LiteralString, argument: Sequence[str] | Sequence[bytes]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, (argument,), binary=True)).fetchall()


class BatchLoader(Generic[_LookupKey]):
    """Combine single look-ups that arrive while all connections are busy into one query.

    The more look-ups wait, the cheaper each is; a single one starts at once. No look-up joins a query that has started:
    it must see what was committed, such as a revocation, before it was requested.
    """

    def __init__(
        self, find_all: Callable[[Sequence[_LookupKey]], Awaitable[dict[_LookupKey, Snapshot]]], max_workers: int
    ) -> None:
        self._find_all: Callable[[Sequence[_LookupKey]], Awaitable[dict[_LookupKey, Snapshot]]] = find_all
        self._max_workers = max_workers
        self._waiting: list[tuple[_LookupKey, asyncio.Future[Snapshot | None]]] = []
        self._workers: set[asyncio.Task[None]] = set()
        self._is_starting = False

    async def find(self, key: _LookupKey) -> Snapshot | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Snapshot | None] = loop.create_future()
        self._waiting.append((key, future))
        if not self._is_starting and len(self._workers) < self._max_workers:
            self._is_starting = True  # the worker starts when all look-ups of this event-loop iteration are queued
            worker = loop.create_task(self._run_worker())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return await future

    async def _run_worker(self) -> None:
        """Query for all waiting look-ups, and repeat while there are any."""
        self._is_starting = False
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                found = await self._find_all(list({key for key, _ in batch}))
            except BaseException as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error if isinstance(error, DatabaseUnavailable) else DatabaseUnavailable())
                if not isinstance(error, DatabaseUnavailable):
                    raise
                continue
            for key, future in batch:
                if not future.done():  # the caller may have been cancelled
                    future.set_result(found.get(key))


async def _set_read_only(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("SET default_transaction_read_only = on")
