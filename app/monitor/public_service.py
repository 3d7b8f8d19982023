"""Fetch public addresses of a service over HTTP: no account, no redirects, bounded sizes, patience with limits."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx2 as httpx

MAX_BYTES = 16_777_216
MAX_LINE_BYTES = 65_536
TIMEOUT_S = 20.0
_TRIES = 6
_LONGEST_WAIT_S = 61.0
_RETRIED = frozenset({429, 502, 503, 504})


class Unreachable(Exception):
    """The service did not answer, or not as a service does: nothing can be said about it."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, its body as it was received. `at` is aware."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: datetime

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class PublicService:
    """One vantage point: the public addresses below `url`."""

    def __init__(
        self,
        url: str,
        http: httpx.Client,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._http, self._clock, self._sleep = http, clock, sleep

    def get(self, path: str, accept: str = "*/*") -> Received:
        """Return the answer whatever its status below 500. Raises `Unreachable`."""
        for attempt in range(1, _TRIES + 1):
            with self._open(path, accept) as response:
                if response.status_code not in _RETRIED or attempt == _TRIES:
                    return self._receive(path, response)
                wait = _retry_after(response)
            self._sleep(wait)
        raise AssertionError("the last attempt returns")

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a long answer one by one. Raises `Unreachable`."""
        with self._open(path, "*/*") as response:
            if response.status_code != 200:
                raise Unreachable(f"{path} answers {response.status_code}.")
            rest = b""
            try:
                for part in response.iter_bytes(MAX_LINE_BYTES):
                    *whole, rest = (rest + part).split(b"\n")
                    if len(rest) > MAX_LINE_BYTES:
                        raise Unreachable(f"{path} has a line of more than {MAX_LINE_BYTES} bytes.")
                    yield from whole
            except httpx.HTTPError as why:
                raise Unreachable(f"{path} was cut off ({type(why).__name__}).") from why
            if rest:
                yield rest

    @contextmanager
    def _open(self, path: str, accept: str) -> Iterator[httpx.Response]:
        try:
            with self._http.stream("GET", self.url + path, headers={"Accept": accept}) as response:
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as why:
            raise Unreachable(f"{self.url}{path} does not answer ({type(why).__name__}).") from why

    def _receive(self, path: str, response: httpx.Response) -> Received:
        if response.status_code >= 500 or response.status_code == 429:
            raise Unreachable(f"{self.url}{path} answers {response.status_code}.")
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > MAX_BYTES:
                raise Unreachable(f"{self.url}{path} answers with more than {MAX_BYTES} bytes.")
        headers = tuple(response.headers.items())
        return Received(self.url + path, response.status_code, headers, bytes(body), self._clock())


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return min(float(text), _LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 2.0
