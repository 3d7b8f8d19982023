"""Look-ups in PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, LiteralString, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from app.certificates.read_model.record import CertificateRecord
from app.verification.stores.base import DatabaseUnavailable
from app.verification.stores.sql import RECORDS_POSTGRES, SNAPSHOTS_BY_HASH_POSTGRES, SNAPSHOTS_POSTGRES, parse_rows

POOL_SIZE: Final = 4
"""Of one worker to PostgreSQL, for checks."""
MAX_BATCH: Final = 500
"""Things looked up in one query, so that no answer waits for thousands of others."""

_LookupKey = TypeVar("_LookupKey", str, bytes)


class PostgresStore:
    """Held connections in autocommit, the statement prepared on each; broken ones are replaced."""

    def __init__(self, conninfo: str, *, connections: int = POOL_SIZE) -> None:
        self._conninfo = conninfo
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
        """Does not wait for the database: while it is away, checks answer that it is."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    def snapshot_now(self, text: str) -> bytes | None:  # noqa: ARG002 (every look-up is a journey)
        return None

    def snapshot_now_by_hash(self, signed_hash: bytes) -> bytes | None:  # noqa: ARG002 (as above)
        return None

    async def find_snapshot(self, number: str) -> bytes | None:
        return await self._by_number.find(number)

    async def find_snapshot_by_hash(self, signed_hash: bytes) -> bytes | None:
        return await self._by_signed_hash.find(signed_hash)

    async def find_snapshots(self, numbers: Sequence[str]) -> dict[str, bytes]:
        return dict(await self._rows(SNAPSHOTS_POSTGRES, numbers)) if numbers else {}

    async def find_snapshots_by_hash(self, signed_hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        return dict(await self._rows(SNAPSHOTS_BY_HASH_POSTGRES, signed_hashes)) if signed_hashes else {}

    async def find(self, number: str) -> CertificateRecord | None:
        return (await self.find_many([number])).get(number)

    async def find_many(self, numbers: Sequence[str]) -> dict[str, CertificateRecord]:
        return parse_rows(await self._rows(RECORDS_POSTGRES, numbers)) if numbers else {}

    async def _rows(self, query: LiteralString, argument: Sequence[str] | Sequence[bytes]) -> list[tuple[Any, ...]]:
        try:
            try:
                return await self._read(query, argument)
            except (PoolClosed, PoolTimeout):
                raise  # waiting again would only make everybody wait longer
            except psycopg.OperationalError:
                await self._pool.check()  # after a restart every held connection is dead: replace them all, once
                return await self._read(query, argument)
        except psycopg.Error as error:
            raise DatabaseUnavailable from error

    async def _read(self, query: LiteralString, argument: Sequence[str] | Sequence[bytes]) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, (argument,), binary=True)).fetchall()

    def find_many_sync(self, numbers: Sequence[str]) -> dict[str, CertificateRecord]:
        if not numbers:
            return {}
        try:
            with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
                return parse_rows(connection.execute(RECORDS_POSTGRES, (numbers,)).fetchall())
        except psycopg.Error as error:
            raise DatabaseUnavailable from error


class BatchLoader(Generic[_LookupKey]):
    """Single look-ups that come while all connections are busy wait and are asked together, in one query: the more
    there are, the cheaper each is, and a lone one waits for nobody.

    None joins a query that is under way already: what was revoked before somebody asked is seen.
    """

    def __init__(
        self, find_all: Callable[[Sequence[_LookupKey]], Awaitable[dict[_LookupKey, bytes]]], most_askers: int
    ) -> None:
        self._find_all: Callable[[Sequence[_LookupKey]], Awaitable[dict[_LookupKey, bytes]]] = find_all
        self._most_askers = most_askers
        self._waiting: list[tuple[_LookupKey, asyncio.Future[bytes | None]]] = []
        self._askers: set[asyncio.Task[None]] = set()
        self._is_called = False

    async def find(self, key: _LookupKey) -> bytes | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes | None] = loop.create_future()
        self._waiting.append((key, answer))
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
            asked, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                found = await self._find_all(list({key for key, _ in asked}))
            except BaseException as error:
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error if isinstance(error, DatabaseUnavailable) else DatabaseUnavailable())
                if not isinstance(error, DatabaseUnavailable):
                    raise
                continue
            for key, answer in asked:
                if not answer.done():  # who asked may have hung up
                    answer.set_result(found.get(key))


async def _set_read_only(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("SET default_transaction_read_only = on")
