"""Many at once, and what is expected of one: over HTTP, on a register in memory."""

import json

import anyio
import anyio.lowlevel
import pytest
from starlette.testclient import TestClient

from app.core.crypto import jws
from app.core.errors import Unavailable
from app.verification import handler
from app.verification.stores.base import DatabaseUnavailable
from tests.verification.factories import ring_of, service_of, signer_of

NUMBER = "MIK-2026-000042-Y"
JSON = {"Content-Type": "application/json"}


def batch(client, *items):
    return client.post("/v1/verify/batch", json={"items": list(items)})


def pointers(answer):
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    return [each["pointer"] for each in answer.json()["errors"]]


class TestBatch:
    def test_every_item_is_answered_as_if_asked_alone_and_in_order(self, client, token):
        items = [
            {"number": "MIK-2026-000043-W"}, {"token": token}, {"number": "x"}, {"number": "mik 2026 000042 y"},
            {"token": token[:-4] + "AAAA"}, {"token": ""}, {"number": NUMBER}, {"token": token}, {"number": "\ud800"},
        ]  # fmt: skip
        answer = client.post("/v1/verify/batch", content=json.dumps({"items": items}), headers=JSON)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"] == "application/json"
        alone = [client.post("/v1/verify", content=json.dumps(item), headers=JSON).json() for item in items]
        assert answer.json() == {"items": alone}
        assert [item["verdict"] for item in alone] == [
            "unknown", "valid", "mistyped", "valid", "forged", "unreadable", "valid", "valid", "mistyped",
        ]  # fmt: skip

    def test_one_look_up_for_all_of_a_kind_and_none_for_what_names_nothing(self, client, store, token):
        batch(client, {"number": NUMBER}, {"token": token}, {"number": NUMBER}, {"number": "x"}, {"token": "x"})
        assert store.asked == [[NUMBER], [jws.signed_hash(token)]]

    def test_one_more_for_all_that_have_no_extract(self, client, store, token):
        others = ["MIK-2026-000043-W", "MIK-2026-000044-U"]
        batch(client, {"number": others[0]}, {"token": token}, {"number": others[1]}, {"number": NUMBER})
        assert store.asked == [sorted([NUMBER, *others]), [jws.signed_hash(token)], others]

    def test_a_token_that_names_another_certificate_is_forged_beside_it(self, client, token, store, record):
        store.put(record._replace(token_sha256="0" * 64, logged_sha256="0" * 64))
        answers = batch(client, {"token": token}, {"number": NUMBER}).json()["items"]
        assert [each["verdict"] for each in answers] == ["forged", "valid"]

    def test_empty(self, client):
        assert batch(client).json() == {"items": []}

    def test_a_thousand_and_one_more(self, client, token):
        answer = batch(client, *[{"token": token}] * 1_000)
        assert {item["verdict"] for item in answer.json()["items"]} == {"valid"}
        assert len(answer.json()["items"]) == 1_000
        assert pointers(batch(client, *[{"token": token}] * 1_001)) == ["/items"]

    def test_one_moment_for_all(self, desk, time_and_keys, client):
        times = []
        object.__setattr__(desk, "clock", lambda: times.append(1) or time_and_keys.now)
        batch(client, *[{"number": NUMBER}] * 20)
        assert times == [1]

    def test_a_wrong_item_refuses_the_whole_and_is_named(self, client, store):
        answer = batch(client, {"number": NUMBER}, {"number": 1}, {}, {"token": "x"})
        assert pointers(answer) == ["/items/1/number", "/items/2"]
        assert store.asked == []

    @pytest.mark.parametrize(
        "body", ["", "null", "[]", "{}", '{"items":{}}', '{"items":[],"items":[]}', '{"items":[NaN]}']
    )
    def test_wrong_bodies(self, client, body):
        assert client.post("/v1/verify/batch", content=body, headers=JSON).status_code == 422

    def test_other_media_type_and_methods(self, client):
        assert client.post("/v1/verify/batch", content=b"{}").status_code == 415
        assert client.put("/v1/verify/batch", json={}).status_code == 405
        # To the one who types it, “batch” is a number like any other.
        assert client.get("/v1/verify/batch").json()["verdict"] == "mistyped"

    def test_a_limit_of_its_own(self, desk):
        with TestClient(service_of(desk, max_body_bytes=50, max_batch_bytes=200)) as client:
            assert batch(client, *[{"number": "a"}] * 10).status_code == 200
            answer = batch(client, *[{"number": "a"}] * 20)
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
            answer = client.post("/v1/verify", json={"number": "a" * 100})
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    def test_register_away(self, client, store):
        store.broken = DatabaseUnavailable()
        assert batch(client, {"number": NUMBER}).status_code == 503

    def test_a_lost_key_is_seen_by_the_next_batch(self, client, time_and_keys):
        time_and_keys.ring = ring_of(signer_of(1))
        assert batch(client, {"number": NUMBER}).json()["items"][0]["verdict"] == "forged"

    @pytest.mark.no_coverage  # measuring takes turns with the thread of the batch: twenty seconds
    def test_single_checks_go_on_while_a_batch_is_worked_on(self, desk, token):
        async def run():
            async with anyio.create_task_group() as group:
                done = []

                async def work():
                    questions = [handler.parse_request({"token": token})[0]] * 1_000
                    await desk.render_many(questions)
                    done.append(True)

                group.start_soon(work)
                single = 0
                while not done:
                    assert (await desk.verify_number(NUMBER)).verdict == "valid"
                    single += 1
                    await anyio.lowlevel.checkpoint()
                return single

        assert anyio.run(run) > 5

    def test_too_many_waiting_are_told_to_come_back(self, desk, monkeypatch):
        monkeypatch.setattr(handler, "MAX_QUEUED_BATCHES", 0)
        with TestClient(service_of(desk)) as client:
            answer = batch(client, {"number": NUMBER})
        assert (answer.status_code, answer.json()["code"]) == (503, Unavailable.code)
        assert int(answer.headers["retry-after"]) > 0


class TestExpect:
    def ask(self, client, expect, **asked):
        return client.post("/v1/verify", json={**(asked or {"number": NUMBER}), "expect": expect})

    def test_each_field_given_is_answered(self, client, token):
        expected = {"holder": "NÜMUNƏ-BORU", "product": "polad boru", "hs6": "730661", "valid_until": "2029-11-21"}
        answer = self.ask(client, expected, token=token)
        assert answer.status_code == 200
        assert answer.json().pop("expect") == {
            "holder": "match", "product": "match", "hs6": "differs", "valid_until": "match",
        }  # fmt: skip
        plain = client.post("/v1/verify", json={"token": token}).json()
        assert answer.json() == {**plain, "expect": answer.json()["expect"]}

    def test_only_where_it_was_asked(self, client):
        assert "expect" not in client.post("/v1/verify", json={"number": NUMBER}).json()
        assert self.ask(client, {}).json()["expect"] == {}
        assert self.ask(client, {"hs6": "730630"}).json()["expect"] == {"hs6": "match"}

    @pytest.mark.parametrize("asked", [{"number": "x"}, {"number": "MIK-2026-000043-W"}, {"token": "x"}])
    def test_null_where_there_is_no_certificate(self, client, asked):
        answer = self.ask(client, {"holder": "Nümunə-Boru"}, **asked).json()
        assert (answer["certificate"], answer["expect"]) == (None, None)
        assert "Nümunə" not in json.dumps(answer, ensure_ascii=False)

    def test_a_verdict_is_not_changed_by_what_was_expected(self, client, store, record):
        store.put(record._replace(status="revoked", status_reason="false-documents"))
        answer = self.ask(client, {"holder": "Somebody else"}).json()
        assert (answer["verdict"], answer["expect"]) == ("revoked", {"holder": "differs"})

    def test_refusals_name_each_place(self, client):
        answer = self.ask(client, {"hs6": "7306", "valid_until": "soon", "voen": "1"})
        assert pointers(answer) == ["/expect", "/expect/hs6", "/expect/valid_until"]
        assert pointers(self.ask(client, None)) == ["/expect"]
        assert pointers(self.ask(client, {"<b>": 1})) == ["/expect"]

    def test_a_strange_member_does_no_harm(self, client):
        body = json.dumps({"number": NUMBER, "expect": {"\ud800": "\ud800", "holder": "\udfff"}})
        assert pointers(client.post("/v1/verify", content=body, headers=JSON)) == ["/expect"]
