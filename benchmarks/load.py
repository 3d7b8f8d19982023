"""Generate load more cheaply than any server answers it: one process, one epoll, prepared requests.

Each connection stays open and sends its next request after a response (no pipelining), so that as many requests are in
progress as there are connections.
"""

import itertools
import select
import socket
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CONNECTIONS = 64
MAX_WAIT_S = 10.0
_LENGTH = b"\r\ncontent-length: "


@dataclass
class Measured:
    """Hold the responses of a run. Latencies are nanoseconds, unsorted."""

    seconds: float = 0.0
    requests: int = 0
    errors: int = 0  # connections cut, or responses that are not HTTP
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    def quantile(self, part: float) -> float:
        """Return the milliseconds within which this part of the responses arrived."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1e6 if ordered else float("nan")


def get(path: str, *, headers: Iterable[str] = ()) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, body: bytes, *, headers: Iterable[str] = ()) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return ("\r\n".join([*lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body


def run(
    port: int, requests: Iterable[bytes], *, seconds: float, connections: int = CONNECTIONS, pause: float = 0.0
) -> Measured:
    """Send the requests in turn for `seconds`, at least until the first response.

    With a `pause`, in seconds, each connection waits so long after a response. Without one the generator never sleeps:
    waking it would be charged to the server.
    """
    measured = Measured()
    source = itertools.cycle(list(requests))
    poll = select.epoll()
    opened: dict[int, _Connection] = {}
    try:
        for _ in range(connections):
            connection = _Connection(port)
            opened[connection.descriptor] = connection
            poll.register(connection.descriptor, select.EPOLLIN)
        begun = time.perf_counter()
        until = begun + seconds
        resting: deque[tuple[float, _Connection]] = deque()
        for place, connection in enumerate(opened.values()):
            resting.append((begun + pause * place / connections, connection))
        while opened and ((now := time.perf_counter()) < until or (not measured.requests and now < until + MAX_WAIT_S)):
            while resting and resting[0][0] <= now:
                _, rested = resting.popleft()
                rested.ask(next(source))
            for descriptor, _event in poll.poll(0.005 if pause else 0):
                connection = opened[descriptor]
                try:
                    status = connection.read()
                except (OSError, ValueError):
                    measured.errors += 1
                    poll.unregister(descriptor)
                    del opened[descriptor]
                    connection.socket.close()
                    continue
                if status:
                    measured.requests += 1
                    measured.statuses[status] += 1
                    measured.latencies.append(time.perf_counter_ns() - connection.asked_at)
                    if pause:
                        resting.append((time.perf_counter() + pause, connection))
                    else:
                        connection.ask(next(source))
        measured.seconds = time.perf_counter() - begun
    finally:
        poll.close()
        for connection in opened.values():
            connection.socket.close()
    return measured


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.descriptor = self.socket.fileno()
        self.asked_at = 0
        self._read = b""

    def ask(self, request: bytes) -> None:
        self.asked_at = time.perf_counter_ns()
        if self.socket.send(request) != len(request):
            self.socket.setblocking(True)  # only a batch exceeds the socket buffer
            raise ValueError("a request did not fit")

    def read(self) -> int:
        """Return the status of a complete response; 0 while it is incomplete."""
        came = self.socket.recv(1 << 20)
        if not came:
            raise ValueError("cut")
        self._read = whole = self._read + came if self._read else came
        head = whole.find(b"\r\n\r\n")
        if head < 0:
            return 0
        status = int(whole[9:12])
        at = whole.find(_LENGTH, 0, head)
        if at < 0:  # not every server writes small letters
            at = whole[:head].lower().find(_LENGTH)
        length = 0 if at < 0 else int(whole[at + len(_LENGTH) : whole.find(b"\r", at + len(_LENGTH))])
        if len(whole) < head + 4 + length:
            return 0
        self._read = b""
        return status


def once(port: int, request: bytes, *, timeout: float = 30.0) -> tuple[int, dict[str, str], bytes]:
    """Send one request on a connection of its own; return status, headers and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        whole = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def spread(total: int, count: int) -> Iterator[int]:
    """Yield serials from the whole dataset, none twice, in an order without locality."""
    step = next(step for step in range(int(total * 0.618) | 1, total * 2, 2) if _coprime(step, total))
    return (place * step % total + 1 for place in range(min(count, total)))


def _coprime(one: int, other: int) -> bool:
    while other:
        one, other = other, one % other
    return one == 1
