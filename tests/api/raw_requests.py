"""What the tests of tricks share: requests that are sent byte for byte, and a company with something to hide."""

import http.client
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn

from tests.factories import PDF, in_state, ok
from tests.helpers import rows

SECRET = "Secret order 17"


@dataclass
class Request:
    method: str
    target: str
    headers: list = field(default_factory=list)
    body: bytes = b""


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def is_success(self):
        return 200 <= self.status < 400


class Line:
    """A connection on which every byte of the request line is ours. It is opened anew when the server hangs up."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def send(self, request):
        for last_try in (False, True):
            try:
                return self._send(request)
            except (http.client.BadStatusLine, ConnectionError, BrokenPipeError):
                self.connection = None
                if last_try:
                    raise
        return None

    def _send(self, request):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connection.putrequest(request.method, request.target, skip_accept_encoding=True)
        for name, value in request.headers:
            self.connection.putheader(name, value)
        self.connection.putheader("Content-Length", str(len(request.body)))
        self.connection.endheaders(request.body or None)
        return Answer(self.connection.getresponse())


@contextmanager
def listening(app):
    """The application behind the server that `mik serve` uses, on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


class AdversarialSetup:
    """A company with private data, and another company that requests it."""

    def __init__(self, app, line):
        self.app, self.line = app, line
        company = self.company = app.set_up_company()
        self.stranger = app.set_up_company()
        case_id = in_state(app, company, "in_review")
        draft = company.draft(reference=SECRET)
        evidence = ok(company.add_evidence(draft))["id"]
        asked = ok(
            app.owner.post(
                "/v1/proposals", json={"kind": "role", "content": {"user_id": str(app.auditor.id), "role": "reviewer"}}
            )
        )
        self.things = {
            "application_id": draft,
            "product_id": company.add_product(),
            "site_id": company.site_id,
            "organisation_id": company.organisation_id,
            "residency_id": ok(company.get("/v1/residencies"))["items"][0]["id"],
            "evidence_id": evidence,
            "client_id": ok(company.post("/v1/api-clients", json={"name": SECRET}))["id"],
            "member_id": company.id,
            "user_id": app.auditor.id,
            "proposal_id": asked["id"],
            "number": app.certify(company),
            "code": "MIK",
            "role": "auditor",
        }
        self.private = (SECRET.encode(), f"member@{company.voen}".encode(), PDF)
        document = ok(app.http.get("/openapi.json"))
        self.routes = [
            (method.upper(), self.filled(path, operation, {"application_id": case_id}), operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]

    def filled(self, path, operation, under_review):
        """The path with ids in it: what only staff act on is the application under review, not the draft."""
        things = self.things | under_review if operation["tags"] == ["review"] else self.things
        return re.sub(r"{(\w+)}", lambda name: str(things.get(name[1], "x")), path)

    def as_(self, caller):
        if caller is self.app.anonymous:
            return []
        token = self.app.container.access_tokens.issue(caller.subject, self.app.clock())
        return [("Authorization", f"Bearer {token}")]

    def events(self):
        return rows(self.app, "SELECT count(*) FROM audit_events")[0][0]

    def plain(self, caller):
        """Every route asked in the plain way: no version, and a body with nothing in it."""
        for method, path, operation in self.routes:
            taken = operation.get("requestBody", {}).get("content", {})
            json_body = [("Content-Type", "application/json")] if "application/json" in taken else []
            yield Request(method, path, [*self.as_(caller), *json_body], b"{}" if json_body else b"")

    def assert_no_further(self, caller, tricks, *, first=0, every=1):
        """None of `tricks(request)` gets further than the request itself, for all that this caller may ask.

        `every`: of how many routes one is tried, from the `first` on.
        """
        for request in list(self.plain(caller))[first::every]:
            by_method = {request.method: self.line.send(request)}
            before = self.events()
            for trick in tricks(request):
                plain = by_method[request.method]
                if trick.method == "HEAD":  # is GET without the body, and perhaps of another route
                    plain = by_method.setdefault("GET", self.line.send(same(request, method="GET")))
                answer = self.line.send(trick)
                said = f"{trick.method} {trick.target} {trick.headers[1:]}: {answer.status} instead of {plain.status}"
                assert answer.status < 500, said
                nothing = (b'"verdict":"mistyped"', b'"verdict":"unreadable"')  # a body of any kind may be checked
                harmless = plain.is_success or any(verdict in answer.body for verdict in nothing)
                assert harmless or not answer.is_success, said
                assert not [each for each in self.private if each in answer.body and each not in plain.body], said
            if not by_method[request.method].is_success:
                assert self.events() == before, (request.method, request.target)

    def strangers(self):
        return self.app.anonymous, self.stranger, self.app.inspector


def same(request, **changed):
    return Request(**(vars(request) | changed))
