"""A receiver of webhooks on this machine that misbehaves as it is told."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.webhooks.addresses import AddressRules
from app.webhooks.sender import resolve_host
from tests.factories import ok


@dataclass
class Received:
    path: str
    headers: dict
    text: str

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def event(self):
        return json.loads(self.text)


@dataclass
class Receiver:
    """`behaviour(handler)` answers a request; None: 204. `received` are all requests, whatever was answered."""

    url: str = ""
    behaviour: object = None
    received: list = field(default_factory=list)

    @property
    def ids(self):
        return [each.id for each in self.received]

    @property
    def types(self):
        return [each.event["type"] for each in self.received]


def status(code, body=b"", **headers):
    """Answer with this status."""

    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(seconds):
    """Give no answer for so long."""
    return lambda _handler: time.sleep(seconds)


def endless(handler):
    """Answer 200 and send until the other side hangs up."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        pass


@contextmanager
def receiving(behaviour=None, tls=None):
    receiver = Receiver(behaviour=behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            lowered = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, lowered, body))
            (receiver.behaviour or status(204))(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def allow_inner(app):
    """Let this service send to receivers on this machine."""
    app.container.webhook_sender.rules = AddressRules(inner_allowed=True)
    app.container.webhook_sender.resolve = resolve_host
    app.run_jobs()  # what recurs is scheduled


def hook(company, receiver, **more):
    """A webhook of the company at this receiver, with its secret."""
    url = receiver if isinstance(receiver, str) else receiver.url
    return ok(company.post("/v1/webhooks", json={"url": url} | more))


def deliver(app):
    """Run what a worker does once the next period is over."""
    app.clock.advance(seconds=11)
    app.run_jobs()


def deliveries(company, webhook, query=""):
    return ok(company.get(f"/v1/webhooks/{webhook['id']}/deliveries?limit=100{query}"))["items"]
