"""The fast path answers byte for byte what the reference says, limits who asks too often, and refuses in problems."""

import asyncio
import itertools
import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.certificates import certificate_number
from app.core.errors import TooManyAttempts
from app.verification.expectation import parse_expected
from app.verification.metrics import VerdictCounter
from app.verification.response import encode, encode_with_comparison
from app.verification.stores.base import DatabaseUnavailable
from app.verification.verdict import MISTYPED, evaluate_number
from app.web.limits.rate_limit import MAX_ADDRESSES, RateLimiter
from app.web.middleware import RequestIdGenerator
from tests.verification.factories import service_of

NUMBER = "MIK-2026-000042-Y"
HEADERS = [
    {}, {"Origin": "https://a.example"}, {"Origin": "null"}, {"Cookie": "a=b"}, {"Authorization": "Bearer x"},
    {"Origin": "https://a.example", "Authorization": "x"}, {"If-None-Match": "*"}, {"If-None-Match": '"x", W/"y"'},
    {"Accept": "text/html"}, {"Range": "bytes=0-1"}, {"X-Request-Id": "mine"}, {"Accept-Encoding": "gzip"},
]  # fmt: skip
TYPED = [
    NUMBER, "mik 2026 000042 y", "MİK2026000042Y", f"{NUMBER}%0A", f"%0A{NUMBER}", "MIK-2026-%0A000042-Y", "", "batch",
    "batch/", "x", "MIK-2026-000043-W", "%00", "%FF", "a/b", "..", "9" * 200, "%ED%A0%80",
]  # fmt: skip


@pytest.fixture(params=["at once", "after a journey", "from its row", "beside others"])
def client(desk, store, request):
    store.at_once, store.has_extracts = request.param == "at once", request.param != "from its row"
    service = service_of(desk)
    if request.param == "beside others":
        service._scheduler.active_requests = 1
    return TestClient(service, raise_server_exceptions=False)


COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
    "strict-transport-security": "max-age=31536000",
}
FOREIGN = {"access-control-allow-origin": "*", "access-control-expose-headers": "Link, ETag, X-Request-Id"}


def judged(desk, store, text):
    """The reference: the verdict on a number by its row, whatever way the service takes."""
    number = certificate_number.to_display_form(text)
    return evaluate_number(store.rows.get(number), desk.keys(), desk.clock()) if number else MISTYPED


def tag_of(etag, body, bodies):
    """The entity tag that was sent: strong, and of this body alone."""
    assert re.fullmatch('"[0-9a-f]{32}"', etag)
    assert bodies.setdefault(etag, body) == body
    return etag


def expected(sent, body, etag=None):
    """Status, headers without the request id, and content of the answer to a request with the headers `sent`."""
    names = {name.lower(): value for name, value in sent.items()}
    headers = COMMON | {"vary": "Origin", "cache-control": "no-cache"} | (FOREIGN if "origin" in names else {})
    headers |= {"cache-control": "private, no-store"} if "authorization" in names else {}
    headers |= {"etag": etag} if etag else {}
    if etag and names.get("if-none-match") in {"*", etag}:
        return 304, headers, b""
    return 200, headers | {"content-type": "application/json", "content-length": str(len(body))}, body


def answered(answer):
    headers = {name: ", ".join(answer.headers.get_list(name)) for name in answer.headers}
    assert len(headers.pop("x-request-id")) == 16
    return answer.status_code, headers, answer.content


def refusal(answer, sent, status, code, **more):
    """A problem document, stored by no cache, and no less readable for pages elsewhere than a verdict."""
    names = {name.lower() for name in sent}
    _, headers, content = answered(answer)
    headers.pop("content-length", None)
    expects = COMMON | {"content-type": "application/problem+json", "content-language": "en"} | more
    expects |= {"cache-control": "private, no-store" if "authorization" in names else "no-store"}
    expects |= {"vary": "Accept-Language"}
    if status != 500:  # which comes from outside all that makes an answer readable elsewhere
        expects |= {"vary": "Accept-Language, Origin"} | (FOREIGN if "origin" in names else {})
    assert headers == expects
    assert answer.status_code == status
    if answer.request.method == "HEAD":
        assert content == b""
    else:
        assert answer.json()["code"] == code


@pytest.mark.parametrize("headers", HEADERS, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_answer_is_the_reference_whatever_was_typed(client, desk, store, method, headers):
    bodies = {}
    for typed in TYPED:
        answer = client.request(method, f"/v1/verify/{typed}", headers=headers)
        path = answer.request.url.path
        text = path.removeprefix("/v1/verify/").removesuffix("\n")
        if not path.startswith("/v1/verify/") or "\n" in text:
            assert (answer.status_code, answer.content == b"") == (404, method == "HEAD")
            continue
        body = encode(judged(desk, store, text), desk.base_url)
        etag = tag_of(answer.headers.get("etag"), body, bodies)
        status, sent, content = expected(headers, body, etag)
        assert answered(answer) == (status, sent, b"" if method == "HEAD" else content)
        again = client.request(method, f"/v1/verify/{typed}", headers=headers | {"If-None-Match": etag})
        assert answered(again) == expected(headers | {"If-None-Match": etag}, body, etag)
        assert again.status_code == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://a.example"}, {"Authorization": "Bearer x"}], ids=str)
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/verify", {"POST"}), (f"/v1/verify/{NUMBER}", {"GET", "HEAD"}), ("/v1/verify%0A", {"POST"}),
        ("/v1/verify/batch", {"GET", "HEAD", "POST"}), ("/v1/verifyx", set()), ("/v1/verify/a%0Ab", set()),
        ("/x", set()),
    ],
)  # fmt: skip
def test_other_methods_and_addresses(client, path, allowed, method, headers):
    answer = client.request(method, path, headers=headers)
    if method in allowed:
        assert answer.status_code in {200, 415}
    elif allowed:
        # The document of the whole service names the methods of the route of batches too: test_manners.
        by_number = ", ".join(sorted(allowed - {"POST"})) or "POST"
        refusal(answer, headers, 405, "method-not-allowed", allow=by_number)
    else:
        assert answer.status_code == 404


def test_a_preflight_is_answered(client):
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    for path in ("/v1/verify", f"/v1/verify/{NUMBER}", "/v1/verify/batch"):
        answer = client.options(path, headers=asked | {"Access-Control-Request-Headers": "content-type"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert client.options(path, headers=asked | {"Access-Control-Request-Headers": "x"}).status_code == 400


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_the_answer_to_what_is_posted_is_the_reference(client, desk, store, token, headers):
    number, forged = {"number": NUMBER}, token[:-4] + "AAAA"
    verdicts = [(number, judged(desk, store, NUMBER)), ({"number": "x"}, MISTYPED)]
    verdicts += [({"token": text}, asyncio.run(desk.verify_token(text))) for text in (token, forged, "")]
    json_headers = headers | {"Content-Type": "application/json"}

    def post(body, **other):
        return client.post("/v1/verify", content=body, headers=json_headers | other)

    for body, judgement in verdicts:
        printed = encode(judgement, desk.base_url)
        assert answered(post(json.dumps(body).encode())) == expected(headers, printed)
        refusal(post(json.dumps(body), **{"Content-Type": "text/plain"}), headers, 415, "unsupported-media-type")
    for body, judgement in verdicts[:1] + verdicts[2:3]:
        for expectation in ({"hs6": "730630"}, {"holder": "x"}):
            wanted, _ = parse_expected(expectation)
            printed = encode_with_comparison(judgement, desk.base_url, wanted)
            assert answered(post(json.dumps(body | {"expect": expectation}).encode())) == expected(headers, printed)
    for body in (b"{}", b"1", b"", b"{", b"\xff"):
        refusal(post(body), headers, 422, "invalid")
    refusal(post(b"x" * 70_000), headers, 413, "too-large")


@given(
    st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from([NUMBER]).map(str.lower),
    st.lists(st.tuples(st.sampled_from(["origin", "if-none-match", "cookie"]), st.sampled_from(["*", '"a"', "x"]))),
)
@example("line\nbreak", [])
@example(f"{NUMBER}\n", [])
@example(f"{NUMBER}\n\n", [])
@example(NUMBER, [("if-none-match", '"a"'), ("if-none-match", "*")])
@settings(max_examples=40)
def test_the_answer_below_http(text, headers):
    """With headers twice and characters that no client would send."""
    answer_below_http(text, headers)


@pytest.fixture(autouse=True)
def _give_desk(desk, store):
    """Hypothesis runs many examples on one desk: nothing of an answer is kept in it that could show."""
    answer_below_http.desk, answer_below_http.store = desk, store


def answer_below_http(text, headers):
    desk, store = answer_below_http.desk, answer_below_http.store
    start, *rest = run(service_of(desk), text, headers)
    typed = text.removesuffix("\n")
    if "\n" in typed:
        assert start["status"] == 404
        return
    body = encode(judged(desk, store, typed), desk.base_url)
    first = {}
    for name, value in headers:
        first.setdefault(name, value)
    got = {name.decode(): value.decode() for name, value in start["headers"] if name != b"x-request-id"}
    assert len(got) == len(start["headers"]) - 1
    status, sent, content = expected(first, body, tag_of(got.get("etag"), body, {}))
    assert (start["status"], got, b"".join(message["body"] for message in rest)) == (status, sent, content)


def run(app, text, headers):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {
        "type": "http", "method": "GET", "path": "/v1/verify/" + text, "raw_path": b"", "query_string": b"",
        "headers": raw, "http_version": "1.1", "root_path": "", "client": ("192.0.2.1", 1), "scheme": "http",
        "server": ("localhost", 80),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent


@pytest.mark.parametrize("https", [True, False])
def test_strict_transport_only_over_https(desk, https):
    answer = TestClient(service_of(desk, https=https)).get(f"/v1/verify/{NUMBER}")
    assert ("strict-transport-security" in answer.headers) is https


@pytest.mark.parametrize("error", [DatabaseUnavailable(), RuntimeError("a secret")])
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://a.example"}, {"Authorization": "Bearer x"}], ids=str)
def test_failures(client, store, error, headers):
    store.at_once, store.broken = False, error
    for answer in (
        client.get(f"/v1/verify/{NUMBER}", headers=headers),
        client.post("/v1/verify", json={"number": NUMBER}, headers=headers),
    ):
        if isinstance(error, DatabaseUnavailable):
            refusal(answer, headers, 503, "unavailable", **{"retry-after": "5"})
        else:
            refusal(answer, headers, 500, "internal")
            assert answer.json()["reference"] == answer.headers["x-request-id"]
            assert "secret" not in answer.text


class TestLimit:
    @pytest.fixture
    def clock(self):
        return SimpleNamespace(now=1000.0)

    def limiter(self, clock, per_minute=60, trusted=()):
        return RateLimiter(per_minute, trusted, lambda: clock.now)

    def test_a_minute_at_once_then_one_by_one(self, clock):
        limiter = self.limiter(clock)
        for _ in range(60):
            limiter.hit("192.0.2.1")
        with pytest.raises(TooManyAttempts) as refused:
            limiter.hit("192.0.2.1")
        assert refused.value.retry_after == 2
        limiter.hit("192.0.2.2")
        clock.now += 1.01
        limiter.hit("192.0.2.1")
        with pytest.raises(TooManyAttempts):
            limiter.hit("192.0.2.1")

    def test_who_waits_as_told_is_let_in(self, clock):
        limiter = self.limiter(clock)
        for _ in range(60):
            limiter.hit("192.0.2.1")
        with pytest.raises(TooManyAttempts) as refused:
            limiter.hit("192.0.2.1", 30)
        clock.now += refused.value.retry_after
        limiter.hit("192.0.2.1", 30)

    def test_a_refusal_costs_nothing(self, clock):
        limiter = self.limiter(clock, per_minute=1)
        limiter.hit("192.0.2.1")
        for _ in range(100):
            with pytest.raises(TooManyAttempts):
                limiter.hit("192.0.2.1")
        clock.now += 60.01
        limiter.hit("192.0.2.1")

    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ("2001:db8::1", "2001:db8::2", True), ("2001:db8::1", "2001:db8:0:1::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True), ("testclient", "testclient", True),
        ],
    )  # fmt: skip
    def test_who_pays(self, clock, one, other, is_same):
        limiter = self.limiter(clock, per_minute=1)
        limiter.hit(one)
        if is_same:
            with pytest.raises(TooManyAttempts):
                limiter.hit(other)
        else:
            limiter.hit(other)

    def test_a_proxy_that_names_nobody_is_not_everybody(self, clock):
        limiter = self.limiter(clock, per_minute=1, trusted=["10.0.0.0/28", "::1"])
        for address in ("10.0.0.7", "::1"):
            for _ in range(100):
                limiter.hit(address)

    def test_zero_is_no_limit(self, clock):
        for _ in range(1_000):
            self.limiter(clock, per_minute=0).hit("192.0.2.1")

    def test_memory_is_bounded(self, clock):
        limiter = self.limiter(clock)
        addresses = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in itertools.count())
        for _, address in zip(range(MAX_ADDRESSES + 10), addresses, strict=False):
            limiter.hit(address)
        assert len(limiter._tat) < MAX_ADDRESSES
        clock.now += 61
        limiter._tat = {str(n): clock.now - 1 for n in range(MAX_ADDRESSES)} | {"192.0.2.9": clock.now + 5}
        limiter.hit("192.0.2.1")
        assert limiter._tat.keys() == {"192.0.2.9", "192.0.2.1"}

    def test_over_http(self, desk, clock):
        client = TestClient(service_of(desk, limiter=self.limiter(clock, per_minute=102)))
        assert client.post("/v1/verify/batch", json={"items": []}).status_code == 200
        assert client.post("/v1/verify", json={"number": "x"}).status_code == 200
        assert client.options("/v1/verify").status_code == 405
        assert client.get("/v1/verify/x").status_code == 200
        for answer in (
            client.get("/v1/verify/x", headers={"Origin": "https://a.example"}),
            client.head("/v1/verify/x"),
        ):
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) == 1
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["x-request-id"]
        assert client.get("/elsewhere").status_code == 404


class TestTally:
    def test_once_a_minute(self, caplog):
        clock = SimpleNamespace(now=0.0)
        tally = VerdictCounter(lambda: clock.now)
        caplog.set_level("INFO")
        for verdict in ("valid", "valid", "unknown"):
            tally.increment(verdict)
        assert caplog.messages == []
        clock.now = 60.0
        tally.increment("valid")
        assert caplog.messages == ["checks: valid 3, unknown 1"]
        clock.now = 130.0
        tally.increment("revoked")
        tally.log_totals()
        tally.log_totals()
        assert caplog.messages[1:] == ["checks: revoked 1"]

    def test_every_way_of_checking_is_counted(self, desk, token):
        tally = VerdictCounter()
        client = TestClient(service_of(desk, tally))
        client.get(f"/v1/verify/{NUMBER}")
        client.post("/v1/verify", json={"token": token})
        client.post("/v1/verify/batch", json={"items": [{"number": NUMBER}, {"number": "x"}]})
        assert {name: count for name, count in tally._counts.items() if count} == {"valid": 3, "mistyped": 1}


def test_request_ids_differ_between_requests_and_processes():
    one, other = RequestIdGenerator(), RequestIdGenerator()
    ids = [one.next() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {len(each) for each in ids} == {16}
    assert ids[0][:8] != other.next()[:8]
