"""Limit sizes and times of HTTP connections, for a service without a reverse proxy.

uvicorn's protocol over httptools accepts headers of any size and pace, queues any number of pipelined requests and
waits without limit for a client that does not read. `LimitedHttpProtocol` adds these limits; routes limit their bodies
themselves (`routes.py`). One instance per connection.
"""

import asyncio
import contextlib
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

KEEP_ALIVE_S: Final = 15
BACKLOG: Final = 1_024
RESERVED_DESCRIPTORS: Final = 256
"""Descriptors reserved for files, the database and the process itself."""

STATUS_MESSAGES: Final = {
    408: "The request was not sent in time.",
    414: "The address is too long.",
    431: "The headers of the request are too large.",
    503: "Too many connections. Try again shortly.",
}


class _RequestRejected(Exception):
    """Stop the parser from one of its callbacks."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Reject requests that are too large or too slow (408, 414, 431), and close connections that are not read.

    With `max_connections` open, a new connection closes the one that has waited longest for a complete request head
    (new, incomplete or idle); when every connection is processing a request, the new one is rejected with 503.
    """

    max_head_bytes: ClassVar[int] = 32_768
    max_url_bytes: ClassVar[int] = 8_192
    max_headers: ClassVar[int] = 100
    max_pipelined: ClassVar[int] = 32
    max_discarded_bytes: ClassVar[int] = 33_554_432
    """Bytes still accepted of a body that was answered before its end."""
    head_timeout_s: ClassVar[float] = 15
    body_grace_s: ClassVar[float] = 30
    min_body_bytes_per_s: ClassVar[int] = 16_384
    unread_timeout_s: ClassVar[float] = 60
    """Seconds for which a client may read nothing of a response."""
    max_connections: ClassVar[int] = 1_000
    waiting: ClassVar[dict["LimitedHttpProtocol", None]] = {}
    """Connections without a complete head in this worker, in the order in which they began to wait."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bytes_without_event = 0
        self._head_bytes = self._header_count = 0
        self._body_bytes = self._discarded_bytes = 0
        self._body_began = 0.0
        self._refusal = 400
        self._in_head = self._in_body = False
        self._timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # signature of uvicorn
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            longest = next(iter(self.waiting), None)
            if longest is None:
                self._reject(503)
                return
            longest.close()
        self.waiting[self] = None
        self._timer = self.loop.call_later(self.head_timeout_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._bytes_without_event += len(data)
        super().data_received(data)
        if self._bytes_without_event > self.max_head_bytes and not self.transport.is_closing():
            self._reject(431)  # of a head, or of what may follow a chunked body
        elif self._timer is None and self._in_head:
            self._timer = self.loop.call_later(self.head_timeout_s, self._head_is_late)
        elif self._timer is None and self._in_body:
            self._body_began = self.loop.time()
            self._timer = self.loop.call_later(self.body_grace_s, self._check_body_rate)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = self._header_count = self._body_bytes = 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.max_url_bytes:
            self._stop_parsing(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        self._head_bytes += len(name) + len(value)
        if self._header_count > self.max_headers or self._head_bytes > self.max_head_bytes:
            self._stop_parsing(431)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._stop_waiting()
        self._in_head, self._in_body = False, True
        if len(self.pipeline) > self.max_pipelined:
            self._stop_parsing(431)

    def on_body(self, body: bytes) -> None:
        self._bytes_without_event = 0
        self._body_bytes += len(body)
        super().on_body(body)
        if self.cycle.response_complete:
            self._discarded_bytes += len(body)
            if self._discarded_bytes > self.max_discarded_bytes:
                self.transport.close()

    def on_message_complete(self) -> None:
        self._bytes_without_event = 0
        self._in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:  # idle now
            self.waiting[self] = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.unread_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer when uvicorn's parser stopped, also after a rejection by this class."""
        if self._refusal == 400:
            super().send_400_response(msg)
        else:
            self._reject(self._refusal)

    def _head_is_late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:  # the previous request is still processed
            self._timer = self.loop.call_later(self.head_timeout_s, self._head_is_late)
        else:
            self._reject(408)

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_body_rate(self) -> None:
        """Reject a body that arrives too slowly; time in which the service did not read it does not count."""
        if self.flow.read_paused:
            self._body_began, self._body_bytes = self.loop.time(), 0
        due = (self.loop.time() - self._body_began - self.body_grace_s) * self.min_body_bytes_per_s
        if self._body_bytes < due:
            self._reject(408)
        else:
            self._timer = self.loop.call_later(self.body_grace_s / 3, self._check_body_rate)

    def _stop_parsing(self, status: int) -> None:
        self._refusal = status
        raise _RequestRejected

    def _reject(self, status: int) -> None:
        """Send an error response, unless a response is in progress on this connection, and close it."""
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            words = STATUS_MESSAGES[status].encode()
            head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(words) + words)
        self.close()

    def close(self) -> None:
        self._stop_waiting()
        self.transport.close()


def available_connections(requested: int) -> int:
    """Return how many connections a worker accepts: fewer where the system limits file descriptors."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource  # noqa: PLC0415 (not on every system)

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            return max(16, min(requested, soft - RESERVED_DESCRIPTORS))
    return requested


LimitedHttpProtocol.max_connections = available_connections(LimitedHttpProtocol.max_connections)
