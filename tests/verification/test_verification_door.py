"""The front door answers as the routes behind it do, limits who asks too often, and fails in the same words."""

import asyncio
import itertools
import json
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.errors import TooManyAttempts
from app.verification import lane
from app.verification.lane import Lane
from app.verification.store import RegisterAway
from app.verification.tally import Tally
from app.web import problems
from app.web.door import Door, Service
from app.web.limits import MAX_ADDRESSES, Limiter
from app.web.middleware import Envelope, PublicCors, RequestIds

NUMBER = "MIK-2026-000042-Y"
HEADERS = [
    {}, {"Origin": "https://a.example"}, {"Origin": "null"}, {"Cookie": "a=b"}, {"Authorization": "Bearer x"},
    {"Origin": "https://a.example", "Authorization": "x"}, {"If-None-Match": "*"}, {"If-None-Match": '"x", W/"y"'},
    {"Accept": "text/html"}, {"Range": "bytes=0-1"}, {"X-Request-Id": "mine"}, {"Accept-Encoding": "gzip"},
]  # fmt: skip
TYPED = [
    NUMBER, "mik 2026 000042 y", "MİK2026000042Y", f"{NUMBER}%0A", f"%0A{NUMBER}", "MIK-2026-%0A000042-Y", "", "batch",
    "batch/", "x", "MIK-2026-000043-W", "%00", "%FF", "a/b", "..", "9" * 200, "%ED%A0%80", f"{NUMBER}?q=1",
]  # fmt: skip


def house(desk, *, with_door, https=True, limiter=None):
    app = Service()
    app.router.routes.extend(lane.routes(desk))
    problems.install(app)
    ids = RequestIds()
    app.add_middleware(lambda inner: Envelope(PublicCors(inner), https=https, ids=ids))
    if with_door:
        app.door = Door(app.behind_the_door, Lane(desk, Tally()), limiter or Limiter(0), ids, https=https)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(params=["at once", "after a journey", "from its row", "beside others"])
def both(desk, store, request):
    store.at_once, store.has_extracts = request.param == "at once", request.param != "from its row"
    answering = SimpleNamespace(front=house(desk, with_door=True), behind=house(desk, with_door=False))
    if request.param == "beside others":
        answering.front.app.door._turnstile.others = 1
    return answering


def same(both, method, path, headers, **more):
    answers = [client.request(method, path, headers=headers, **more) for client in (both.front, both.behind)]
    ids = [answer.headers.pop("x-request-id") for answer in answers]
    assert len(set(map(len, ids))) == 1
    assert len(set(ids)) == 2
    one, other = ((a.status_code, sorted(a.headers.multi_items()), a.content) for a in answers)
    assert one == other
    return answers[0]


@pytest.mark.parametrize("headers", HEADERS, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_same_answer_whatever_was_typed(both, method, headers):
    for typed in TYPED:
        answer = same(both, method, f"/v1/verify/{typed}", headers)
        etag = answer.headers.get("etag")
        if etag and "authorization" not in {name.lower() for name in headers}:
            again = same(both, method, f"/v1/verify/{typed}", headers | {"If-None-Match": etag})
            assert again.status_code == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/v1/verify", f"/v1/verify/{NUMBER}", "/v1/verify/batch", "/v1/verifyx", "/x"])
def test_other_methods_and_addresses_go_on(both, method, path):
    same(both, method, path, {"Origin": "https://a.example"})


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_the_same_answer_to_what_is_posted(both, token, headers):
    bodies = [
        json.dumps(body).encode()
        for body in (
            {"number": NUMBER}, {"number": "x"}, {"token": token}, {"token": token[:-4] + "AAAA"}, {"token": ""}, {}, 1,
            {"number": NUMBER, "expect": {"hs6": "730630"}}, {"token": token, "expect": {"holder": "x"}},
        )
    ]  # fmt: skip
    for body in (*bodies, b"", b"{", b"\xff", b"x" * 70_000):
        for media_type in ("application/json", "text/plain"):
            same(both, "POST", "/v1/verify", headers | {"Content-Type": media_type}, content=body)


@given(
    st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from([NUMBER]).map(str.lower),
    st.lists(st.tuples(st.sampled_from(["origin", "if-none-match", "cookie"]), st.sampled_from(["*", '"a"', "x"]))),
)
@example("line\nbreak", [])
@settings(max_examples=40)
def test_the_same_answer_below_http(text, headers):
    """With headers twice and characters that no client would send."""
    both_answer(text, headers)


@pytest.fixture(autouse=True)
def _give_desk(desk):
    """Hypothesis runs many examples on one desk: nothing of an answer is kept in it that could show."""
    both_answer.desk = desk


def both_answer(text, headers):
    found = []
    for with_door in (True, False):
        sent = run(house(both_answer.desk, with_door=with_door).app, text, headers)
        start = [header for header in sent[0]["headers"] if header[0] != b"x-request-id"]
        found.append((sent[0]["status"], sorted(start), b"".join(message["body"] for message in sent[1:])))
    assert found[0] == found[1]


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
    answer = house(desk, with_door=True, https=https).get(f"/v1/verify/{NUMBER}")
    assert ("strict-transport-security" in answer.headers) is https


@pytest.mark.parametrize("error", [RegisterAway(), RuntimeError("a secret")])
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://a.example"}])
def test_failures(both, store, error, headers):
    store.broken = error
    front, behind = (client.get(f"/v1/verify/{NUMBER}", headers=headers) for client in (both.front, both.behind))
    assert front.status_code == behind.status_code == (503 if isinstance(error, RegisterAway) else 500)
    assert "secret" not in front.text
    reference = front.headers["x-request-id"]
    assert front.json() == behind.json() | ({"reference": reference} if front.status_code == 500 else {}) | (
        {"detail": front.json()["detail"]} if front.status_code == 500 else {}
    )
    assert reference in front.text or front.status_code == 503
    for name in ("content-type", "retry-after", "cache-control", "vary", "access-control-allow-origin"):
        assert front.headers.get(name) == behind.headers.get(name)


class TestLimit:
    @pytest.fixture
    def clock(self):
        return SimpleNamespace(now=1000.0)

    def limiter(self, clock, per_minute=60, trusted=()):
        return Limiter(per_minute, trusted, lambda: clock.now)

    def test_a_minute_at_once_then_one_by_one(self, clock):
        limiter = self.limiter(clock)
        for _ in range(60):
            limiter.take("192.0.2.1")
        with pytest.raises(TooManyAttempts) as refused:
            limiter.take("192.0.2.1")
        assert refused.value.retry_after == 2
        limiter.take("192.0.2.2")
        clock.now += 1.01
        limiter.take("192.0.2.1")
        with pytest.raises(TooManyAttempts):
            limiter.take("192.0.2.1")

    def test_who_waits_as_told_is_let_in(self, clock):
        limiter = self.limiter(clock)
        for _ in range(60):
            limiter.take("192.0.2.1")
        with pytest.raises(TooManyAttempts) as refused:
            limiter.take("192.0.2.1", 30)
        clock.now += refused.value.retry_after
        limiter.take("192.0.2.1", 30)

    def test_a_refusal_costs_nothing(self, clock):
        limiter = self.limiter(clock, per_minute=1)
        limiter.take("192.0.2.1")
        for _ in range(100):
            with pytest.raises(TooManyAttempts):
                limiter.take("192.0.2.1")
        clock.now += 60.01
        limiter.take("192.0.2.1")

    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ("2001:db8::1", "2001:db8::2", True), ("2001:db8::1", "2001:db8:0:1::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True), ("testclient", "testclient", True),
        ],
    )  # fmt: skip
    def test_who_pays(self, clock, one, other, is_same):
        limiter = self.limiter(clock, per_minute=1)
        limiter.take(one)
        if is_same:
            with pytest.raises(TooManyAttempts):
                limiter.take(other)
        else:
            limiter.take(other)

    def test_a_proxy_that_names_nobody_is_not_everybody(self, clock):
        limiter = self.limiter(clock, per_minute=1, trusted=["10.0.0.0/28", "::1"])
        for address in ("10.0.0.7", "::1"):
            for _ in range(100):
                limiter.take(address)

    def test_zero_is_no_limit(self, clock):
        for _ in range(1_000):
            self.limiter(clock, per_minute=0).take("192.0.2.1")

    def test_memory_is_bounded(self, clock):
        limiter = self.limiter(clock)
        addresses = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in itertools.count())
        for _, address in zip(range(MAX_ADDRESSES + 10), addresses, strict=False):
            limiter.take(address)
        assert len(limiter._free_at) < MAX_ADDRESSES
        clock.now += 61
        limiter._free_at = {str(n): clock.now - 1 for n in range(MAX_ADDRESSES)} | {"192.0.2.9": clock.now + 5}
        limiter.take("192.0.2.1")
        assert limiter._free_at.keys() == {"192.0.2.9", "192.0.2.1"}

    def test_over_http(self, desk, clock):
        client = house(desk, with_door=True, limiter=self.limiter(clock, per_minute=102))
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
        tally = Tally(lambda: clock.now)
        caplog.set_level("INFO")
        for verdict in ("valid", "valid", "unknown"):
            tally.count(verdict)
        assert caplog.messages == []
        clock.now = 60.0
        tally.count("valid")
        assert caplog.messages == ["checks: valid 3, unknown 1"]
        clock.now = 130.0
        tally.count("revoked")
        tally.report()
        tally.report()
        assert caplog.messages[1:] == ["checks: revoked 1"]

    def test_every_way_of_checking_is_counted(self, desk, token):
        tally = Tally()
        app = FastAPI()
        app.router.routes.extend(lane.routes(desk, tally))
        client = TestClient(app)
        client.get(f"/v1/verify/{NUMBER}")
        client.post("/v1/verify", json={"token": token})
        client.post("/v1/verify/batch", json={"items": [{"number": NUMBER}, {"number": "x"}]})
        assert {name: count for name, count in tally._counts.items() if count} == {"valid": 3, "mistyped": 1}


def test_request_ids_differ_between_requests_and_processes():
    one, other = RequestIds(), RequestIds()
    ids = [one.next() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {len(each) for each in ids} == {16}
    assert ids[0][:8] != other.next()[:8]
