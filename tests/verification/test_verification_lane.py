"""The public door: verdicts are 200, refusals are few, and no input makes a 5xx."""

import json
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest
from starlette.testclient import TestClient

from app.core.crypto.keyring import KeyRing, KeyState
from app.verification import handler
from app.verification.request_parser import VerifyItem
from app.verification.stores.base import DatabaseUnavailable
from tests.verification.factories import NOW, desk_of, ring_of, service_of, signer_of

pytestmark = pytest.mark.short
NUMBER = "MIK-2026-000042-Y"
JSON = {"Content-Type": "application/json"}


def post(client, content, **headers):
    return client.post("/v1/verify", content=content, headers=JSON | headers)


class TestNumber:
    @pytest.mark.parametrize("typed", [NUMBER, "mik 2026–000042 y", "MİK2026000042Y", "%20MIK-2026-000042-Y%0A"])
    def test_found(self, client, typed):
        answer = client.get(f"/v1/verify/{typed}")
        assert answer.status_code == 200
        assert answer.json()["verdict"] == "valid"
        assert answer.json()["certificate"]["number"] == NUMBER
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-cache"

    @pytest.mark.parametrize(
        ("typed", "verdict"),
        [
            ("MIK-2026-000043-W", "unknown"),
            ("MIK-2026-000042-X", "mistyped"),
            ("MIK/2026/000042/Y", "mistyped"),
            ("MIK%2F2026%2F000042%2FY", "mistyped"),
            ("%00", "mistyped"),
            ("%FF%FE", "mistyped"),
            ("%ED%A0%80", "mistyped"),
            ("..%2F..%2Fetc%2Fpasswd", "mistyped"),
            ("' OR 1=1 --", "mistyped"),
            ("%20", "mistyped"),
            ("9" * 5000, "mistyped"),
            ("<script>", "mistyped"),
        ],
    )
    def test_not_found(self, client, typed, verdict):
        answer = client.get(f"/v1/verify/{typed}")
        assert (answer.status_code, answer.json()["verdict"]) == (200, verdict)
        assert answer.json()["certificate"] is None
        assert "script" not in answer.text

    def test_a_mistyped_number_is_not_looked_up(self, client, store):
        client.get("/v1/verify/MIK-2026-000042-X")
        assert store.asked == []

    def test_head(self, client):
        head, get = client.head(f"/v1/verify/{NUMBER}"), client.get(f"/v1/verify/{NUMBER}")
        assert head.status_code == 200
        assert head.content == b""
        assert {k: head.headers[k] for k in ("etag", "content-length")} == {
            k: get.headers[k] for k in ("etag", "content-length")
        }

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
    def test_other_methods(self, client, method):
        assert client.request(method, f"/v1/verify/{NUMBER}").status_code == 405

    def test_get_without_a_number(self, client):
        assert client.get("/v1/verify").status_code == 405


class TestUnchanged:
    @pytest.fixture
    def etag(self, client):
        return client.get(f"/v1/verify/{NUMBER}").headers["etag"]

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', ' {} , "x"', "*", '"x",W/{}'])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_304(self, client, etag, form, method):
        answer = client.request(method, f"/v1/verify/{NUMBER}", headers={"If-None-Match": form.replace("{}", etag)})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "no-cache"

    @pytest.mark.parametrize("stated", ["", '"x"', "x", "W/", '"*"', "\xff", '"' * 5000])
    def test_200(self, client, stated):
        headers = {"If-None-Match": stated.encode("latin-1")}
        assert client.get(f"/v1/verify/{NUMBER}", headers=headers).status_code == 200

    def test_a_revocation_is_seen_by_the_next_request(self, client, store, record, etag):
        store.put(record._replace(status="revoked", status_reason="false-documents"))
        answer = client.get(f"/v1/verify/{NUMBER}", headers={"If-None-Match": etag})
        assert answer.status_code == 200
        assert answer.json()["verdict"] == "revoked"
        assert answer.json()["certificate"]["reason"] == "false-documents"

    def test_midnight_is_seen_by_the_next_request(self, client, time_and_keys, etag):
        time_and_keys.now = NOW + timedelta(days=5000)
        answer = client.get(f"/v1/verify/{NUMBER}", headers={"If-None-Match": etag})
        assert (answer.status_code, answer.json()["verdict"]) == (200, "expired")

    def test_a_lost_key_is_seen_by_the_next_request(self, client, time_and_keys, etag):
        time_and_keys.ring = ring_of(signer_of(1))
        answer = client.get(f"/v1/verify/{NUMBER}", headers={"If-None-Match": etag})
        assert (answer.status_code, answer.json()["verdict"]) == (200, "forged")


class TestPost:
    def test_number(self, client):
        answer = client.post("/v1/verify", json={"number": "mik2026000042y"})
        assert answer.json() == client.get(f"/v1/verify/{NUMBER}").json()
        assert answer.headers["cache-control"] == "no-cache"

    def test_token(self, client, token):
        answer = client.post("/v1/verify", json={"token": token}).json()
        assert answer["verdict"] == "valid"
        assert [check["name"] for check in answer["checks"]] == [
            "signature", "record", "content", "log", "key_state", "validity", "status",
        ]  # fmt: skip

    @pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/json;x=y"])
    def test_media_types_that_are_json(self, client, media):
        assert post(client, json.dumps({"number": NUMBER}), **{"Content-Type": media}).status_code == 200

    @pytest.mark.parametrize(
        "text", ["", "\0", "\ud800", "é", "a.b.c", "x" * 60_000, "🙂" * 1000, "null", "[" * 30_000, "\u202e"]
    )
    def test_any_string_is_a_result(self, client, text):
        for name, verdict in (("token", "unreadable"), ("number", "mistyped")):
            answer = post(client, json.dumps({name: text}))
            assert (answer.status_code, answer.json()["verdict"]) == (200, verdict)

    @pytest.mark.parametrize(
        "body",
        [
            "", "{", "null", "[]", '"x"', "1", "{}", "{'number':1}", '{"number":1}', '{"number":null}',
            '{"token":null}',
            '{"token":1}', '{"token":true}', '{"token":["a"]}', '{"token":{}}', '{"token":NaN}', '{"token":1e999}',
            '{"number":"a","token":"b"}', '{"number":"a","number":"b"}', '{"token":"a","token":"a"}',
            '{"number":"a","token":null}', '{"number":"a","other":1}', '{"Number":"a"}', '{"number":"a"}{}',
            '{"token":' + "[" * 20_000 + "]" * 20_000 + "}", "[" * 60_000, '{"a":' * 10_000,
            '{"token":' + "9" * 50_000 + "}",
        ],
    )  # fmt: skip
    def test_422(self, client, body):
        answer = post(client, body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "invalid"

    @pytest.mark.parametrize(
        "raw", [b"\xff", b'{"token":"\xff"}', b'\xef\xbb\xbf{"number":"a"}', "{}".encode("utf-16")]
    )
    def test_422_for_what_is_not_utf8(self, client, raw):
        assert post(client, raw).status_code == 422

    @pytest.mark.parametrize(
        "media",
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"],
    )
    def test_415(self, client, media):
        answer = client.post("/v1/verify", content=b"{}", headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")

    def test_415_without_a_media_type(self, client):
        assert client.post("/v1/verify", content=b"{}").status_code == 415

    def test_the_limit(self, client):
        room = handler.MAX_BODY_BYTES - len('{"token":""}')
        assert post(client, '{"token":"' + "x" * room + '"}').json()["verdict"] == "unreadable"
        answer = post(client, '{"token":"' + "x" * (room + 1) + '"}')
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    def test_the_limit_without_a_stated_length(self, client):
        chunks = (b"x" * 10_000 for _ in range(10))
        assert client.post("/v1/verify", content=chunks, headers=JSON).status_code == 413

    @pytest.mark.parametrize("length", ["9" * 5000, "99999999", "\xb2", "-1", "x"])
    def test_an_odd_stated_length(self, client, length):
        answer = post(client, b'{"number":"a"}', **{"Content-Length": length.encode("latin-1")})
        assert answer.status_code in {200, 413}

    def test_a_limit_of_ones_own(self, desk):
        with TestClient(service_of(desk, max_body_bytes=20)) as client:
            assert post(client, b'{"number":"a"}').status_code == 200
            assert post(client, b'{"number":"abcdefghi"}').status_code == 413

    def test_a_body_that_breaks_off(self, desk):
        async def receive():
            return {"type": "http.disconnect"}

        assert status_of(desk, receive) == 422

    def test_a_body_that_says_it_is_too_long_is_not_read(self, desk):
        async def receive():
            raise AssertionError("the body was read")

        assert status_of(desk, receive, (b"content-length", b"65537")) == 413


def status_of(desk, receive, *headers):
    """Post below HTTP, where a test can see whether the body is asked for."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/verify", "raw_path": b"/v1/verify", "query_string": b"",
        "headers": [(b"content-type", b"application/json"), *headers], "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    anyio.run(service_of(desk), scope, receive, send)
    return sent[0]["status"]


class TestRegisterAway:
    def test_503_says_nothing_about_the_certificate(self, client, store, token):
        store.broken = DatabaseUnavailable()
        for answer in (client.get(f"/v1/verify/{NUMBER}"), client.post("/v1/verify", json={"token": token})):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")

    def test_what_needs_no_register_is_answered(self, client, store):
        store.broken = DatabaseUnavailable()
        assert client.get("/v1/verify/x").json()["verdict"] == "mistyped"
        assert client.post("/v1/verify", json={"token": "x"}).json()["verdict"] == "unreadable"


class TestDesk:
    def test_threads_and_event_loop_answer_alike(self, desk, client, token):
        for number in (NUMBER, "MIK-2026-000043-W", "x"):
            (judged,) = desk.verify_many_sync([VerifyItem("number", number)])
            assert judged.verdict == client.get(f"/v1/verify/{number}").json()["verdict"]
        for text in (token, "x"):
            (judged,) = desk.verify_many_sync([VerifyItem("token", text)])
            assert judged.verdict == client.post("/v1/verify", json={"token": text}).json()["verdict"]

    def test_what_has_no_extract_is_answered_alike(self, store, client, token):
        ways = [lambda: client.get(f"/v1/verify/{NUMBER}"), lambda: client.post("/v1/verify", json={"token": token})]
        items = [{"number": NUMBER}, {"number": "x"}, {"token": token}, {"number": "MIK-2026-000043-W"}]
        ways.append(lambda: client.post("/v1/verify/batch", json={"items": items}))
        printed = [way().content for way in ways]
        store.has_extracts = False
        assert [way().content for way in ways] == printed

    @pytest.mark.parametrize("state", [None, KeyState.NEXT])
    def test_a_key_that_took_over_a_moment_ago_is_known_to_every_way_of_asking(self, store, signer, token, state):
        """The ring is up to a second old: it has not the key yet, or not in use."""
        old = KeyRing.from_keys(()) if state is None else ring_of(signer, state=state)
        ring = ring_of(signer)
        known = {"now": old}

        def reread():
            known["now"] = ring
            return ring

        desk = desk_of(store, lambda: known["now"], lambda: NOW, reread)
        questions = [VerifyItem("number", NUMBER)] + ([VerifyItem("token", token)] if state else [])
        ways = [
            lambda: desk.verify_many_sync(questions[:1])[0].verdict,
            lambda: anyio.run(desk.verify_number, NUMBER).verdict,
            lambda: anyio.run(desk.render_number, NUMBER)[0],
            lambda: anyio.run(desk.render_many, questions)[-1][0],
        ]
        if state:  # a token of a key that we do not know is not looked at further
            ways += [
                lambda: desk.verify_many_sync(questions[1:])[0].verdict,
                lambda: anyio.run(desk.verify_token, token).verdict,
                lambda: anyio.run(desk.render_token, token)[0],
            ]
        for way in ways:
            known["now"] = old
            assert way() == "valid"

    def test_time_is_asked_each_time(self, desk, time_and_keys):
        later = replace(time_and_keys, now=NOW + timedelta(days=5000)).now
        assert anyio.run(desk.verify_number, NUMBER).verdict == "valid"
        time_and_keys.now = later
        assert anyio.run(desk.verify_number, NUMBER).verdict == "expired"
