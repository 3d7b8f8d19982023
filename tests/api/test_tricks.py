"""Tricks with addresses, methods, headers and media types, on every route of the OpenAPI document: none opens a door.

Sent as they are over a real connection, since clients tidy up what they send. A trick never gets further than the plain
request: who is refused stays refused, nothing private comes back, nothing is written, and nothing breaks.
"""

import codecs
import http.client
import json
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
import uvicorn
from api_world import in_state, rows

from tests.support import PDF, ok

pytestmark = pytest.mark.parametrize("shared_house", ["sqlite"], indirect=True, scope="module")  # no matter of tables
SECRET = "Secret order 17"
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL")


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


class World:
    """A company with something private, and strangers who would like to have it."""

    def __init__(self, house, line):
        self.house, self.line = house, line
        company = self.company = house.company()
        self.stranger = house.company()
        case_id = in_state(house, company, "in_review")
        draft = company.draft(reference=SECRET)
        evidence = ok(company.add_evidence(draft))["id"]
        asked = ok(house.owner.post(f"/v1/users/{house.auditor.id}/role-requests", json={"role": "reviewer"}))
        self.things = {
            "application_id": draft,
            "case_id": case_id,
            "product_id": company.add_product(),
            "site_id": company.site_id,
            "organisation_id": company.organisation_id,
            "residency_id": ok(company.get("/v1/residencies"))["items"][0]["id"],
            "evidence_id": evidence,
            "client_id": ok(company.post("/v1/api-clients", json={"name": SECRET}))["id"],
            "member_id": company.id,
            "user_id": house.auditor.id,
            "request_id": asked["id"],
            "number": house.certify(company),
            "code": "MIK",
            "role": "auditor",
        }
        self.private = (SECRET.encode(), f"member@{company.voen}".encode(), PDF)
        document = ok(house.http.get("/openapi.json"))
        self.routes = [
            (method.upper(), re.sub(r"{(\w+)}", lambda name: str(self.things.get(name[1], "x")), path), operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]

    def as_(self, caller):
        if caller is self.house.anonymous:
            return []
        token = self.house.app.state.tokens.issue(caller.subject, self.house.clock())
        return [("Authorization", f"Bearer {token}")]

    def events(self):
        return rows(self.house, "SELECT count(*) FROM audit_events")[0][0]

    def plain(self, caller):
        """Every route asked in the plain way: no version, and a body with nothing in it."""
        for method, path, operation in self.routes:
            taken = operation.get("requestBody", {}).get("content", {})
            json_body = [("Content-Type", "application/json")] if "application/json" in taken else []
            yield Request(method, path, [*self.as_(caller), *json_body], b"{}" if json_body else b"")

    def assert_no_further(self, caller, tricks):
        """None of `tricks(request)` gets further than the request itself, for all that this caller may ask."""
        for request in self.plain(caller):
            by_method = {request.method: self.line.send(request)}
            before = self.events()
            for trick in tricks(request):
                plain = by_method[request.method]
                if trick.method == "HEAD":  # is GET without the body, and perhaps of another route
                    plain = by_method.setdefault("GET", self.line.send(same(request, method="GET")))
                answer = self.line.send(trick)
                said = f"{trick.method} {trick.target} {trick.headers[1:]}: {answer.status} instead of {plain.status}"
                assert answer.status < 500, said
                harmless = plain.is_success or b'"verdict":"mistyped"' in answer.body
                assert harmless or not answer.is_success, said
                assert not [each for each in self.private if each in answer.body and each not in plain.body], said
            if not by_method[request.method].is_success:
                assert self.events() == before, (request.method, request.target)

    def strangers(self):
        return self.house.anonymous, self.stranger, self.house.inspector


@pytest.fixture(scope="module")
def world(shared_house):
    with listening(shared_house.app) as port:
        yield World(shared_house, Line(port))


def same(request, **changed):
    return Request(**(vars(request) | changed))


def other_addresses(request):
    path = request.target
    head, _, last = path.rpartition("/")
    encoded = "".join(f"%{ord(letter):02x}" for letter in last)
    for target in (
        path.upper(),
        path.replace("/v1/", "/V1/"),
        f"{path}/",
        f"{path}//",
        f"{path}/.",
        f"{path}/x/..",
        f"/{path}",
        path.replace("/", "//"),
        f"{head}//{last}",
        f"{head}%2f{last}",
        f"{head}%252f{last}",
        f"{head}\\{last}",
        f"{head}/{encoded}",
        f"{head}/{encoded.replace('%', '%25')}",
        f"{head}/{last}%00",
        f"{head}/{last}%20",
        f"{head}/{last};x=1",
        f"{head}/{last}.json",
        f"{head}/./{last}",
        f"/x/..{path}",
        f"/v1/verify/..{path.removeprefix('/v1')}",
        f"/v1/verify/%2e%2e{path.removeprefix('/v1')}",
        f"/v1/verify/%252e%252e{path.removeprefix('/v1')}",
        f"/health/live/..%2f..{path}",
        f"http://elsewhere.example{path}",
        f"{path}?_method=GET&limit=1&limit=100&limit=x",
    ):
        yield same(request, target=target)


def test_other_spellings_of_an_address(world):
    world.assert_no_further(world.stranger, other_addresses)


def other_methods(request):
    for method in ("HEAD", "OPTIONS", "TRACE", "get", "BREW"):
        yield same(request, method=method)
    for wanted in {"GET", "POST", "PUT", "DELETE"} - {request.method}:
        yield same(request, headers=[*request.headers, *((name, wanted) for name in OVERRIDES[:3])])
    elsewhere = [*request.headers, *((name, "/v1/parks") for name in OVERRIDES[3:])]
    yield same(request, headers=elsewhere, target=f"{request.target}?_method=GET")
    form = [each for each in request.headers if each[0] != "Content-Type"]
    form.append(("Content-Type", "application/x-www-form-urlencoded"))
    yield same(request, method="POST", headers=form, body=b"_method=GET")


@pytest.mark.parametrize("who", range(3), ids=["anonymous", "another company", "the customs desk"])
def test_other_methods(world, who):
    world.assert_no_further(world.strangers()[who], other_methods)


def test_a_method_that_is_only_said_changes_nothing(world):
    """For whoever may do both: reading stays reading, whatever the headers and the query say."""
    before = world.events()
    for request in world.plain(world.company):
        if request.method != "GET":
            continue
        plain = world.line.send(request)
        for wanted in ("DELETE", "PUT", "POST"):
            headers = [*request.headers, *((name, wanted) for name in OVERRIDES[:3])]
            answer = world.line.send(same(request, headers=headers, target=f"{request.target}?_method={wanted}"))
            assert answer.status == plain.status or (plain.status, answer.status) == (200, 422), request
            assert answer.body == plain.body or answer.status == 422, request
    assert world.events() == before


def test_trace_and_options_give_nothing_back(world):
    for request in world.plain(world.company):
        for method in ("TRACE", "OPTIONS"):
            answer = world.line.send(same(request, method=method))
            assert answer.status == 405, request
            assert dict(request.headers)["Authorization"].encode() not in answer.body
        headers = [("Origin", "https://elsewhere.example"), ("Access-Control-Request-Method", request.method)]
        answer = world.line.send(Request("OPTIONS", request.target, headers))
        is_open = answer.headers.get("Access-Control-Allow-Origin") is not None
        assert answer.headers.get("Access-Control-Allow-Credentials") is None
        assert not is_open or world.line.send(same(request, headers=[])).status != 401, request.target


# Media types

BODY = {"name": "Order system"}
TEXT = json.dumps(BODY).encode()
NO_JSON = {
    "application/x-www-form-urlencoded": (b"name=Order+system", TEXT),
    "text/plain": (TEXT,),
    "text/json": (TEXT,),
    "application/jsonp": (TEXT,),
    "application/json-patch+json": (TEXT,),
    "multipart/form-data; boundary=x": (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nOrder\r\n--x--\r\n',
        TEXT,
    ),
    "application/xml": (b"<name>Order system</name>",),
    "": (TEXT,),
}


@pytest.mark.parametrize("stated", NO_JSON)
def test_json_is_taken_as_json_only(world, stated):
    """A page of another origin can send forms and plain text without asking, but never JSON."""
    before = world.events()
    for body in NO_JSON[stated]:
        headers = [*world.as_(world.company), ("Content-Type", stated)]
        answer = world.line.send(Request("POST", "/v1/api-clients", headers, body))
        assert answer.status == 415, (stated, body)
    assert world.events() == before


@pytest.mark.parametrize(
    ("stated", "body"),
    [
        ("application/json; charset=utf-16", json.dumps(BODY).encode("utf-16")),
        ("application/json; charset=utf-16", TEXT + b"\0"),
        ("application/json", json.dumps(BODY).encode("utf-16-le")),
        ("application/json", json.dumps(BODY).encode("utf-32")),
        ("application/json", codecs.BOM_UTF8 + TEXT),
        ("application/json", TEXT + TEXT),
        ("application/json", b'{"name": "a", "name": "b"}'),
        ("application/json", b'{"name": "\xff\xfe"}'),
        ("application/json", b'{"name": NaN}'),
        ("application/json", b"[" * 10_000),
    ],
)
def test_json_that_two_readers_would_read_differently(world, stated, body):
    before = world.events()
    answer = world.line.send(
        Request("POST", "/v1/api-clients", [*world.as_(world.company), ("Content-Type", stated)], body)
    )
    assert answer.status == 422, answer.body
    assert json.loads(answer.body)["code"] == "invalid"
    assert world.events() == before


def test_an_upload_is_taken_as_a_form_only(world):
    path = f"/v1/applications/{world.things['application_id']}/evidence"
    for stated in ("application/json", "text/plain", "application/pdf", ""):
        headers = [*world.as_(world.company), ("Content-Type", stated)]
        assert world.line.send(Request("POST", path, headers, TEXT)).status == 415, stated


# Twice the same header


def test_two_tokens_speak_for_nobody(world):
    """Somebody between us and the client may have looked at the other one."""
    first, second = world.as_(world.company), world.as_(world.stranger)
    for pair in (first + second, second + first, first + first, [*first, ("Authorization", "Bearer x")]):
        for request in world.plain(world.house.anonymous):
            if world.line.send(request).status == 401:
                answer = world.line.send(same(request, headers=pair + request.headers))
                assert answer.status == 401, (request.method, request.target)


def test_two_versions_are_none(world):
    draft = world.company.draft()
    versions = [("If-Match", '"1"'), ("If-Match", '"2"')]
    for pair in (versions, versions[::-1], [("If-Match", '"1", "2"')], [("If-Match", "*")], [("If-Match", 'W/"1"')]):
        headers = [*world.as_(world.company), *pair]
        answer = world.line.send(Request("POST", f"/v1/applications/{draft}/withdraw", headers))
        assert answer.status == 412, pair
    assert world.company.application(draft)["state"] == "draft"


def test_two_keys_are_refused(world):
    keys = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    headers = [*world.as_(world.company), ("Content-Type", "application/json"), *keys]
    before = world.events()
    answer = world.line.send(Request("POST", "/v1/api-clients", headers, TEXT))
    assert (answer.status, json.loads(answer.body)["code"]) == (422, "key-invalid")
    assert world.events() == before


def test_two_lengths_are_no_request(world):
    """What one server takes for the end of a request another takes for the next one."""
    for lengths in (b"Content-Length: 2\r\nContent-Length: 40", b"Content-Length: 2\r\nTransfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", world.line.port), timeout=10) as raw:
            raw.sendall(b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + lengths)
            raw.sendall(b"\r\n\r\n{}GET /v1/parks HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(OSError):  # it has hung up already
                raw.shutdown(socket.SHUT_WR)
            answered = b"".join(iter(lambda: raw.recv(65_536), b""))
        assert answered.count(b"HTTP/1.1 ") <= 1
        assert answered.startswith(b"HTTP/1.1 4"), answered[:200]
