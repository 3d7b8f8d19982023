"""A server that answers by a script: whole responses, broken ones, silence, a closed line."""

import socket
import threading
from contextlib import contextmanager, suppress

DROP, HANG = "drop", "hang"


def response(status, body="", **headers):
    lines = {"content-type": "application/json", "content-length": len(body.encode()), "connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status} Some\r\n{head}\r\n{body}".encode()


def problem(status, code, **more):
    members = "".join(f', "{name}": {value}' for name, value in more.items())
    return f'{{"code": "{code}", "detail": "Because.", "status": {status}{members}}}'


class Misbehaving:
    """Plays one entry of its script for each request; the last one for ever. `requests` are what came, as text."""

    def __init__(self, *script):
        self.script, self.requests = list(script), []
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._ended.is_set():
            with suppress(OSError):
                line, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line):
        with line, suppress(OSError):
            self.requests.append(read_request(line))
            entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            if entry == HANG:
                self._ended.wait(5)
            elif entry != DROP:
                line.sendall(entry)

    def close(self):
        self._ended.set()
        with suppress(OSError):
            socket.create_connection(self._listener.getsockname()).close()
        self._listener.close()


def read_request(line):
    text = b""
    while b"\r\n\r\n" not in text:
        text += line.recv(65_536) or b"\r\n\r\n"
    head, _, body = text.partition(b"\r\n\r\n")
    sizes = [int(each.split(b":")[1]) for each in head.split(b"\r\n") if each.lower().startswith(b"content-length")]
    while sizes and len(body) < sizes[0]:
        body += line.recv(65_536) or b" " * sizes[0]
    return (head + b"\r\n\r\n" + body).decode("latin-1")


@contextmanager
def misbehaving(*script):
    server = Misbehaving(*script)
    try:
        yield server
    finally:
        server.close()
