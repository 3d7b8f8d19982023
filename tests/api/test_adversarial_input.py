"""Tricks with addresses, methods, headers and media types, on every route of the OpenAPI document: none opens a door.

Sent as they are over a real connection, since clients tidy up what they send. A trick never gets further than the plain
request: who is refused stays refused, nothing private comes back, nothing is written, and nothing breaks.
"""

import codecs
import json
import socket
from contextlib import suppress

import pytest

from tests.api.raw_requests import AdversarialSetup, Line, Request, listening, same
from tests.helpers import WHOLE

pytestmark = [
    pytest.mark.no_coverage,
    pytest.mark.parametrize("shared_app", ["sqlite"], indirect=True, scope="module"),
]  # no matter of tables
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL")


@pytest.fixture(scope="module")
def setup(shared_app):
    with listening(shared_app.asgi) as port:
        yield AdversarialSetup(shared_app, Line(port))


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


def test_other_spellings_of_an_address(setup):
    setup.assert_no_further(setup.stranger, other_addresses)


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
def test_other_methods(setup, who):
    """Each of the three on every third route; in `make test-long` on all."""
    setup.assert_no_further(setup.strangers()[who], other_methods, **({} if WHOLE else {"first": who, "every": 3}))


def test_a_method_that_is_only_said_changes_nothing(setup):
    """For whoever may do both: reading stays reading, whatever the headers and the query say."""
    before = setup.events()
    for request in setup.plain(setup.company):
        if request.method != "GET":
            continue
        plain = setup.line.send(request)
        for wanted in ("DELETE", "PUT", "POST"):
            headers = [*request.headers, *((name, wanted) for name in OVERRIDES[:3])]
            answer = setup.line.send(same(request, headers=headers, target=f"{request.target}?_method={wanted}"))
            assert answer.status in {plain.status, 422}, request
            assert answer.body == plain.body or answer.status == 422, request
    assert setup.events() == before


def test_trace_and_options_give_nothing_back(setup):
    for request in setup.plain(setup.company):
        for method in ("TRACE", "OPTIONS"):
            answer = setup.line.send(same(request, method=method))
            assert answer.status == 405, request
            assert dict(request.headers)["Authorization"].encode() not in answer.body
        headers = [("Origin", "https://elsewhere.example"), ("Access-Control-Request-Method", request.method)]
        answer = setup.line.send(Request("OPTIONS", request.target, headers))
        is_open = answer.headers.get("Access-Control-Allow-Origin") is not None
        assert answer.headers.get("Access-Control-Allow-Credentials") is None
        assert not is_open or setup.line.send(same(request, headers=[])).status != 401, request.target


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
def test_json_is_taken_as_json_only(setup, stated):
    """A page of another origin can send forms and plain text without asking, but never JSON."""
    before = setup.events()
    for body in NO_JSON[stated]:
        headers = [*setup.as_(setup.company), ("Content-Type", stated)]
        answer = setup.line.send(Request("POST", "/v1/api-clients", headers, body))
        assert answer.status == 415, (stated, body)
    assert setup.events() == before


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
def test_json_that_two_readers_would_read_differently(setup, stated, body):
    before = setup.events()
    answer = setup.line.send(
        Request("POST", "/v1/api-clients", [*setup.as_(setup.company), ("Content-Type", stated)], body)
    )
    assert answer.status == 422, answer.body
    assert json.loads(answer.body)["code"] == "invalid"
    assert setup.events() == before


def test_an_upload_is_taken_as_a_form_only(setup):
    path = f"/v1/applications/{setup.things['application_id']}/evidence"
    for stated in ("application/json", "text/plain", "application/pdf", ""):
        headers = [*setup.as_(setup.company), ("Content-Type", stated)]
        assert setup.line.send(Request("POST", path, headers, TEXT)).status == 415, stated


# Twice the same header


def test_two_tokens_speak_for_nobody(setup):
    """Somebody between us and the client may have looked at the other one."""
    first, second = setup.as_(setup.company), setup.as_(setup.stranger)
    for pair in (first + second, second + first, first + first, [*first, ("Authorization", "Bearer x")]):
        for request in setup.plain(setup.app.anonymous):
            if setup.line.send(request).status == 401:
                answer = setup.line.send(same(request, headers=pair + request.headers))
                assert answer.status == 401, (request.method, request.target)


def test_two_versions_are_none(setup):
    draft = setup.company.draft()
    versions = [("If-Match", '"1"'), ("If-Match", '"2"')]
    for pair in (versions, versions[::-1], [("If-Match", '"1", "2"')], [("If-Match", "*")], [("If-Match", 'W/"1"')]):
        headers = [*setup.as_(setup.company), *pair]
        answer = setup.line.send(Request("POST", f"/v1/applications/{draft}/withdraw", headers))
        assert answer.status == 412, pair
    assert setup.company.application(draft)["state"] == "draft"


def test_two_keys_are_refused(setup):
    keys = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    headers = [*setup.as_(setup.company), ("Content-Type", "application/json"), *keys]
    before = setup.events()
    answer = setup.line.send(Request("POST", "/v1/api-clients", headers, TEXT))
    assert (answer.status, json.loads(answer.body)["code"]) == (422, "key-invalid")
    assert setup.events() == before


def test_two_lengths_are_no_request(setup):
    """What one server takes for the end of a request another takes for the next one."""
    for lengths in (b"Content-Length: 2\r\nContent-Length: 40", b"Content-Length: 2\r\nTransfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", setup.line.port), timeout=10) as raw:
            raw.sendall(b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + lengths)
            raw.sendall(b"\r\n\r\n{}GET /v1/parks HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(OSError):  # it has hung up already
                raw.shutdown(socket.SHUT_WR)
            answered = b"".join(iter(lambda: raw.recv(65_536), b""))
        assert answered.count(b"HTTP/1.1 ") <= 1
        assert answered.startswith(b"HTTP/1.1 4"), answered[:200]
