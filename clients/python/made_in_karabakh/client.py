"""Call the service: `Client` from ordinary code, `AsyncClient` from tasks."""

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import httpx2 as httpx

from made_in_karabakh.call import Call, Upload, Version
from made_in_karabakh.core import (
    Alone,
    Core,
    Flow,
    Pause,
    Retries,
    Step,
    items_of,
    json_of,
    text_of,
)
from made_in_karabakh.credentials import Credentials, Tokens
from made_in_karabakh.errors import ConnectionFailed
from made_in_karabakh.resources import AsyncResources, Resources

T = TypeVar("T")

TIMEOUT_S = 30.0
"""Seconds for one step of a request: to connect, to send a piece, to receive one."""


def _now() -> datetime:
    return datetime.now(UTC)


def _call(
    method: str,
    path: str,
    *,
    query: Mapping[str, object] | None = None,
    body: Any = None,
    form: Mapping[str, object] | None = None,
    files: Mapping[str, Upload | None] | None = None,
    headers: Mapping[str, str | None] | None = None,
    version: Version | None = None,
    idempotency_key: str | None = None,
    accept: str = "application/json",
) -> Call[Any]:
    is_read = method in {"GET", "HEAD"}
    is_keyed = not is_read and not path.startswith("/v1/auth/")
    return Call(
        method,
        path,
        signed=True,
        query=query or {},
        headers=headers or {},
        body=body,
        form=form,
        files=files or {},
        version=version,
        key=idempotency_key,
        keyed=is_keyed,
        repeatable=is_read,
        accept=accept,
    )


class Client(Resources):
    """Call the service from ordinary code. Threads may share one client.

    Without credentials only public operations work. `http` replaces the connection, such as one through a proxy: its
    `base_url` is then that of the service. Every call raises `MikClientError`.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | None = None,
        *,
        retries: Retries = Retries(),  # noqa: B008 (frozen)
        timeout: float = TIMEOUT_S,
        language: str | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(self)
        self._owns = http is None
        self._http = http or httpx.Client(base_url=base_url, timeout=timeout)
        self._language = {} if language is None else {"Accept-Language": language}
        self._core = Core(self._build, credentials, retries, _now, random.random)
        self._lock = threading.Lock()

    def _build(self, method: str, path: str, *, headers: dict[str, str], **more: Any) -> httpx.Request:
        return self._http.build_request(method, path, headers={**self._language, **headers}, **more)

    def sign_in(self) -> Tokens:
        """Begin a session now, instead of with the first call that needs one."""
        return self._drive(self._core.sign_in())

    def sign_out(self) -> None:
        """End the session at the service, and every token of it."""
        self._drive(self._core.sign_out())

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call any address of the service, with the same repetitions and errors; see `_call` for what it takes."""
        return self._drive(self._core.perform(_call(method, path, **more)))

    def run(self, call: Call[T]) -> T:
        return self._drive(self._core.read(call, json_of))

    def all_of(self, call: Call[T]) -> list[T]:
        return self._drive(self._core.read(cast("Call[list[T]]", call), items_of))

    def text(self, call: Call[str]) -> str:
        return self._drive(self._core.read(call, text_of))

    def pages(self, call: Call[T]) -> Iterator[T]:
        cursor = None
        while True:
            items, cursor = self._drive(self._core.page(call, cursor))
            yield from items
            if cursor is None:
                return

    def stream(self, call: Call[bytes]) -> Iterator[bytes]:
        answer = self._drive(self._core.perform(call, stream=True))
        try:
            yield from answer.iter_bytes()
        except httpx.RequestError as why:
            raise ConnectionFailed(f"{call.address} broke off: {why}") from why
        finally:
            answer.close()

    def _drive(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    result = self._take(step)
                except Exception as why:  # noqa: BLE001 (the flow decides)
                    step = flow.throw(why)
                else:
                    step = flow.send(result)
        except StopIteration as done:
            return cast("T", done.value)

    def _take(self, step: Step) -> httpx.Response | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if isinstance(step, Alone):
            with self._lock:
                self._drive(step.flow)
            return None
        answer = self._http.send(step.request(), stream=step.stream)
        if step.stream and not answer.is_success:
            try:
                answer.read()
            finally:
                answer.close()
        return answer

    def close(self) -> None:
        if self._owns:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncClient(AsyncResources):
    """Call the service from tasks of one event loop; see `Client`."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | None = None,
        *,
        retries: Retries = Retries(),  # noqa: B008 (frozen)
        timeout: float = TIMEOUT_S,
        language: str | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(self)
        self._owns = http is None
        self._http = http or httpx.AsyncClient(base_url=base_url, timeout=timeout)
        self._language = {} if language is None else {"Accept-Language": language}
        self._core = Core(self._build, credentials, retries, _now, random.random)
        self._lock = asyncio.Lock()

    def _build(self, method: str, path: str, *, headers: dict[str, str], **more: Any) -> httpx.Request:
        return self._http.build_request(method, path, headers={**self._language, **headers}, **more)

    async def sign_in(self) -> Tokens:
        """Begin a session now, instead of with the first call that needs one."""
        return await self._drive(self._core.sign_in())

    async def sign_out(self) -> None:
        """End the session at the service, and every token of it."""
        await self._drive(self._core.sign_out())

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call any address of the service, with the same repetitions and errors."""
        return await self._drive(self._core.perform(_call(method, path, **more)))

    async def run(self, call: Call[T]) -> T:
        return await self._drive(self._core.read(call, json_of))

    async def all_of(self, call: Call[T]) -> list[T]:
        return await self._drive(self._core.read(cast("Call[list[T]]", call), items_of))

    async def text(self, call: Call[str]) -> str:
        return await self._drive(self._core.read(call, text_of))

    async def pages(self, call: Call[T]) -> AsyncIterator[T]:
        cursor = None
        while True:
            items, cursor = await self._drive(self._core.page(call, cursor))
            for each in items:
                yield each
            if cursor is None:
                return

    async def stream(self, call: Call[bytes]) -> AsyncIterator[bytes]:
        answer = await self._drive(self._core.perform(call, stream=True))
        try:
            async for piece in answer.aiter_bytes():
                yield piece
        except httpx.RequestError as why:
            raise ConnectionFailed(f"{call.address} broke off: {why}") from why
        finally:
            await answer.aclose()

    async def _drive(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    result = await self._take(step)
                except Exception as why:  # noqa: BLE001 (the flow decides)
                    step = flow.throw(why)
                else:
                    step = flow.send(result)
        except StopIteration as done:
            return cast("T", done.value)

    async def _take(self, step: Step) -> httpx.Response | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        if isinstance(step, Alone):
            async with self._lock:
                await self._drive(step.flow)
            return None
        answer = await self._http.send(step.request(), stream=step.stream)
        if step.stream and not answer.is_success:
            try:
                await answer.aread()
            finally:
                await answer.aclose()
        return answer

    async def close(self) -> None:
        if self._owns:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
