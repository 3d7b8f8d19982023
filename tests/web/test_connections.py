"""Sizes and time-outs of connections, over real sockets: too much, too many, too slow, and what goes on meanwhile."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from app.web.limits.connections import LimitedHttpProtocol, available_connections


class Impatient(LimitedHttpProtocol):
    max_connections = 8
    head_timeout_s = 0.4
    body_grace_s = 0.3
    min_body_bytes_per_s = 1_000
    max_discarded_bytes = 100_000
    unread_timeout_s = 0.4
    waiting: dict = {}  # noqa: RUF012 (as in the class above)


async def app(scope, receive, send):
    """Answers with the number of bytes of the body; `/early` before it is read, `/long` with more than is read."""
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    body = b"x" * 30_000_000 if scope["path"] == "/long" else b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(app, port=port, http=Impatient, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join()


@contextlib.contextmanager
def opened(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def rest(connection):
    """Everything until the other side closes."""
    told = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            told += part
    return told


def status_of(told):
    return int(told.split(b" ", 2)[1]) if told else None


def asked(port, sent):
    with opened(port) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        return status_of(rest(connection))


LINE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (LINE + b"\r\n", 200),
        (LINE + b"X: " + b"y" * 30_000 + b"\r\n\r\n", 200),
        (LINE + b"X: " + b"y" * 40_000, 431),
        (LINE + b"X: " + b"y" * 40_000 + b"\r\n\r\n", 431),
        (LINE + b"X: y\r\n" * 120, 431),
        (LINE + b"X: " + b"y" * 3_000_000, 431),
        (b"GET /" + b"y" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"nothing of the kind\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 500, None),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: " + b"y" * 400_000, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200),
    ],
)
def test_sizes(port, sent, status):
    if status is None:  # so many at once: the first ones may be answered, then the connection ends
        with opened(port) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(sent)
            assert rest(connection).count(b"200 OK") < 500
        return
    assert asked(port, sent) in {status, None if len(sent) > 100_000 else status}  # else cut before it was read


def test_a_head_and_a_body_that_do_not_come(port):
    began = time.monotonic()
    assert asked(port, b"") == 408
    assert asked(port, LINE) == 408
    assert asked(port, POST + b"Content-Length: 100000\r\n\r\nabc") == 408
    assert time.monotonic() - began < 10


def test_a_body_that_comes_slowly_but_comes(port):
    with opened(port) as connection:
        connection.sendall(POST + b"Content-Length: 3000\r\n\r\n")
        for _ in range(10):
            time.sleep(0.1)
            connection.sendall(b"x" * 300)
        assert status_of(rest(connection)) == 200


def test_a_slow_answer_is_not_cut_by_the_head_of_the_next_request(port):
    with opened(port) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /")
        told = rest(connection)
    assert told.startswith(b"HTTP/1.1 200") and told.count(b"HTTP/1.1") == 2, told


def test_who_reads_nothing_is_let_go(port):
    with opened(port) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.9)
        assert len(rest(connection)) < 30_000_000


def test_a_body_that_nobody_waits_for(port):
    with opened(port) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(POST.replace(b"/ ", b"/early ") + b"Content-Length: 900000000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b"x" * 100_000)
            time.sleep(0.005)
        pytest.fail("20 MB were taken in after the answer")


def test_half_open_connections_make_way(port):
    """Eight are taken at once; twenty that say nothing keep nobody out."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(opened(port)).sendall(b"GET / HT")
        for _ in range(5):
            assert asked(port, LINE + b"\r\n") == 200


def test_where_every_connection_is_at_work_the_next_one_is_refused(port):
    with contextlib.ExitStack() as stack:
        working = [stack.enter_context(opened(port)) for _ in range(8)]
        for connection in working:
            connection.sendall(LINE.replace(b"/ ", b"/slow ") + b"\r\n")
        time.sleep(0.3)
        assert asked(port, b"") == 503
        assert [status_of(rest(connection)) for connection in working] == [200] * 8


def test_few_descriptors_few_connections():
    assert 16 <= available_connections(1_000) <= 1_000
