"""The TypeScript client: types, strict build, and the same outcomes as the Python client."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from made_in_karabakh import MikClientError, SeenInMemory, WebhookVerifier
from tests.clients import typescript
from tests.clients.misbehaving import DROP, HANG, misbehaving, problem, response
from tests.clients.test_misbehaving import MADE, SITE, TOKEN
from tests.clients.test_tokens import Reader, tampered, with_header
from tests.clients.test_webhooks import BODY, NEW, NOW, OLD, OTHER, delivery
from tests.factories import running_app
from tests.interop.helpers import ENVIRONMENT, NODE

pytestmark = pytest.mark.no_coverage
CHECK = Path(__file__).parent / "check.mjs"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return typescript.build(tmp_path_factory.mktemp("built"))


def outcomes(built, kind, **given):
    ended = subprocess.run(
        [NODE, CHECK, built],
        input=json.dumps({"kind": kind, **given}, default=str),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def outcome(act):
    try:
        return act()
    except MikClientError as why:
        return type(why).__name__


def test_the_types_are_those_of_the_api():
    assert typescript.TYPES.read_text("utf-8") == typescript.generated_types(), (
        "python -m tests.clients.typescript --write"
    )


def test_webhooks_as_the_python_client_judges_them(built):
    later, cases = NOW + timedelta(minutes=6), []
    for changed in (
        {},
        {"headers": delivery(NEW)},
        {"headers": delivery(NEW), "secrets": [OLD, NEW]},
        {"headers": delivery(at=later)},
        {"headers": delivery(at=NOW - timedelta(minutes=6))},
        {"body": BODY + " "},
        {"headers": delivery(body="[]"), "body": "[]"},
        {"headers": delivery() | {"Webhook-Timestamp": "now"}},
        {"headers": delivery() | {"Webhook-Signature": "v1,AAAA v1a,BBBB"}},
        {"headers": delivery() | {"Webhook-Signature": delivery(OTHER)["Webhook-Signature"]}},
        {"headers": {name: value for name, value in delivery().items() if name != "Webhook-Id"}},
        {"once": True},
        {"once": True},
        {"headers": delivery(id_="msg_2"), "once": True},
    ):
        cases.append({"secrets": OLD, "headers": delivery(), "body": BODY, "once": False} | changed)
    seen = SeenInMemory()
    expected = [
        outcome(
            lambda each=each: WebhookVerifier(each["secrets"], seen=seen if each["once"] else None).verify(
                each["headers"], each["body"].encode(), NOW
            )["type"]
        )
        for each in cases
    ]
    assert {"certificate.issued", "WebhookRejected", "AlreadyTaken"} == set(expected)
    assert outcomes(built, "webhooks", cases=cases, now=NOW.isoformat()) == expected


def test_tokens_as_the_python_client_judges_them(built, tmp_path, sqlite_template):
    (tmp_path / "mik.sqlite3").write_bytes(sqlite_template.read_bytes())
    with running_app(f"sqlite:///{tmp_path / 'mik.sqlite3'}", tmp_path) as app:
        readers = [Reader(app, app.certify()) for _ in range(3)]
        app.change_status(readers[1].number, "suspend", {"cause": "hearing", "note": "Heard."})
        app.revoke(readers[2].number, "mark-on-uncertified-goods")
        for each in readers:
            each.fetch()
        stamp, now = readers[0].stamp(), app.clock()
    reader, token = readers[0], readers[0].token
    lists = {url: each for reader in readers for url, each in reader.lists.items()}
    cases = [{"token": each.token, "now": now} for each in readers]
    cases += [{"token": token, "now": now + timedelta(days=days)} for days in (-1, 5)]
    forged = [
        tampered(token, 1),
        tampered(token, 2),
        with_header(token, alg="none"),
        with_header(token),
        token + "=",
        "",
    ]
    cases += [{"token": each, "now": now} for each in (*forged, stamp, *reader.lists.values())]
    cases += [{"token": each, "now": now, "stamp": True} for each in (stamp, token, tampered(stamp, 1))]
    verifier = reader.verifier(find_status_list=lists.get)
    expected = [
        outcome(
            lambda each=each: (
                verifier.stamp(each["token"]).payload["n"]
                if each.get("stamp")
                else verifier.certificate(each["token"], each["now"]).verdict
            )
        )
        for each in cases
    ]
    assert expected[:5] == ["valid", "suspended", "revoked", "StatusUnknown", "StatusUnknown"]
    assert reader.number in expected
    given = {"issuer": reader.issuer, "jwks": reader.keys, "lists": lists}
    cases = [each | {"now": each["now"].isoformat()} for each in cases]
    assert outcomes(built, "tokens", cases=cases, **given) == expected
    damaged = {url: tampered(each, 1) for url, each in lists.items()}
    for unknown in ({}, damaged):
        assert outcomes(built, "tokens", cases=cases[:1], **(given | {"lists": unknown})) == ["StatusUnknown"]


BUSY = response(503, problem(503, "unavailable"), retry_after="0")
HTML = response(200, "<html>", content_type="text/html")
LINK = '<https://elsewhere.example/v1/sites?cursor=c2>; rel="next"'


@pytest.mark.parametrize(
    ("act", "script", "expected", "requests"),
    [
        ("create", (DROP, BUSY, MADE), "1", 3),
        ("create", (response(429, problem(429, "x"), retry_after="9999"),), "ApiError", 1),
        ("create", (response(409, problem(409, "in-progress"), retry_after="0"), MADE), "1", 2),
        ("create", (DROP,), "ConnectionFailed", 4),
        ("create", (response(422, problem(422, "invalid")),), "ApiError", 1),
        ("get", (HTML,), "UnexpectedAnswer", 1),
        ("get", (response(500, "<html>", content_type="text/html"),), "UnexpectedAnswer", 1),
        ("get", (response(200, "{"),), "UnexpectedAnswer", 1),
        ("get", (response(302, "", location="https://elsewhere.example/"),), "UnexpectedAnswer", 1),
        ("set_password", (DROP,), "ConnectionFailed", 1),
        ("retire", (response(412, problem(412, "stale-version")),), "ApiError", 1),
        ("list", (response(200, f'{{"items": [{SITE}]}}', link=LINK), response(200, '{"items": []}')), ["1"], 2),
    ],
)
def test_a_misbehaving_server(built, act, script, expected, requests):
    with misbehaving(*script) as server:
        assert outcomes(built, "calls", url=server.url, act=act) == [expected]
        assert len(server.requests) == requests
        keys = {line for each in server.requests for line in each.splitlines() if line.startswith("idempotency-key")}
        assert len(keys) == (act in {"create", "retire"})


def test_a_silent_server_ends_by_the_timeout(built):
    with misbehaving(HANG, response(200, SITE)) as server:
        assert outcomes(built, "calls", url=server.url, act="get") == ["1"]


def test_an_expired_token_is_renewed_once(built):
    unknown = response(401, problem(401, "unauthenticated"))
    with misbehaving(TOKEN, unknown, TOKEN.replace(b'"one"', b'"two"'), response(200, SITE)) as server:
        credentials = {"email": "a@b.example", "password": "pass word"}
        assert outcomes(built, "calls", url=server.url, act="get", credentials=credentials) == ["1"]
        assert "grant_type=refresh_token&refresh_token=again" in server.requests[2]
        assert "authorization: Bearer two" in server.requests[3]
        assert server.requests[3].startswith("GET /v1/sites/..%2Fx ")
