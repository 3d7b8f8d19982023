"""Long lists of numbers: verified in the background, resumed after a kill, with a signed result."""

import csv
import hashlib
import io
from unittest.mock import patch
from uuid import UUID

import pytest

from app.bulk import manifests
from app.bulk.manifest_file import parse_manifest
from app.bulk.manifest_result import ResultNotSound, build_payload, lint_result
from app.bulk.manifests import ManifestDamaged, ManifestRunner
from app.bulk.model import ManifestPart
from app.core.crypto import jws
from app.core.errors import Invalid
from tests.factories import NOW, ok
from tests.helpers import execute, refused, rows

MANIFESTS = "/v1/verify/manifests"


@pytest.fixture
def small_parts():
    with patch.object(manifests, "PART_SIZE", 2), patch("app.api.shared.manifests.PART_SIZE", 2):
        yield


def send(caller, text, name="list.txt", **more):
    return caller.post(MANIFESTS, files={"file": (name, text.encode() if isinstance(text, str) else text)}, **more)


def runner(app):
    container = app.container
    issuer = container.issuance.issuer
    return ManifestRunner(
        app.database, container.verification, container.log, container.keys.lock_active_signer, issuer, app.clock
    )


def result(caller, manifest_id):
    """Rows and payload of a result whose signature and hash were checked with the published keys."""
    answer = caller.get(f"{MANIFESTS}/{manifest_id}/result.csv")
    assert answer.status_code == 200, answer.text
    token = caller.get(f"{MANIFESTS}/{manifest_id}/result.jwt")
    assert token.headers["content-type"] == "application/jwt"
    keys = {
        key["kid"]: jws.PublicKey.from_coordinates(key["x"], key["y"])
        for key in ok(caller.app.anonymous.get("/.well-known/jwks.json"))["keys"]
    }
    payload = jws.verify(token.text, typ="manifest-result+jwt", keys=keys).payload
    assert payload["result"] == {"sha256": hashlib.sha256(answer.content).hexdigest(), "media_type": "text/csv"}
    return list(csv.DictReader(io.StringIO(answer.text))), payload


@pytest.mark.usefixtures("small_parts")
def test_a_list_is_verified_as_single_numbers_are(app):
    holder = app.set_up_company()
    valid, gone = app.certify(holder), app.certify(holder)
    app.change_status(gone, "suspend", {"cause": "hearing", "note": "A hearing is set."})
    wrong = valid[:-1] + ("A" if valid[-1] != "A" else "B")
    sent = [valid, f" {gone.lower()} ", wrong, "=1+1", valid]
    text = "\n".join(sent)
    created = send(holder, text)
    assert created.status_code == 202
    manifest = created.json()
    assert created.headers["location"] == f"{MANIFESTS}/{manifest['id']}"
    assert (manifest["state"], manifest["total"], manifest["done"]) == ("running", 5, 0)
    refused(holder.get(f"{MANIFESTS}/{manifest['id']}/result.csv"), 409, "manifest-not-finished")
    assert app.run_jobs() >= 1
    manifest = ok(holder.get(f"{MANIFESTS}/{manifest['id']}"))
    assert (manifest["state"], manifest["done"]) == ("finished", 5)
    assert manifest["verdicts"] == {"valid": 2, "suspended": 1, "mistyped": 2}
    found, payload = result(holder, manifest["id"])
    assert [row["verdict"] for row in found] == [app.verify(text_.strip())["verdict"] for text_ in sent]
    assert [row["sent"] for row in found] == [valid, gone.lower(), wrong, "'=1+1", valid]
    assert [row["number"] for row in found] == [valid, gone, "", "", valid]
    assert [row["line"] for row in found] == ["1", "2", "3", "4", "5"]
    assert payload["manifest"]["sha256"] == hashlib.sha256(text.encode()).hexdigest() == manifest["sha256"]
    assert (payload["total"], payload["verdicts"]) == (5, manifest["verdicts"])
    assert payload["log_checkpoint"] == app.anonymous.get("/log/checkpoint").text
    # the token is no certificate
    as_credential = holder.get(f"{MANIFESTS}/{manifest['id']}/result.jwt").text
    assert ok(app.anonymous.post("/v1/verify", json={"token": as_credential}))["verdict"] == "forged"


@pytest.mark.usefixtures("small_parts")
def test_a_killed_worker_loses_one_part_and_goes_on(app):
    company = app.set_up_company(evidence=False)
    text = "\n".join(f"MIK-2026-{n:06d}-X" for n in range(9))
    manifest_id = ok(send(company, text))["id"]
    evaluated = []

    class Killed(BaseException):
        pass

    def die_after(parts):
        real = ManifestRunner._evaluate

        def evaluate(self, session, numbers, now):
            if len(evaluated) == parts:
                raise Killed
            evaluated.append(list(numbers))
            return real(self, session, numbers, now)

        return patch.object(ManifestRunner, "_evaluate", evaluate)

    for parts in (1, 3):
        with die_after(parts), pytest.raises(Killed):
            runner(app).run(_id(app))
        assert ok(company.get(f"{MANIFESTS}/{manifest_id}"))["done"] == 2 * parts
    with die_after(99):
        assert runner(app).run(_id(app), is_stopping=lambda: len(evaluated) == 4) is False
        assert runner(app).run(_id(app)) is True
    assert [number for part in evaluated for number in part] == text.splitlines()  # each once
    found, payload = result(company, manifest_id)
    assert [row["sent"] for row in found] == text.splitlines()
    assert payload["total"] == 9
    assert runner(app).run(_id(app)) is True  # again: nothing
    assert result(company, manifest_id) == (found, payload)


def _id(app):
    return UUID(str(rows(app, "SELECT id FROM manifests")[0].id))


@pytest.mark.usefixtures("small_parts")
def test_two_workers_store_each_part_once(app):
    company = app.set_up_company(evidence=False)
    send(company, "\n".join("ABCDE"))
    real = ManifestRunner._store

    def overtaken(self, *args):
        real(runner(app), *args)
        real(self, *args)

    with patch.object(ManifestRunner, "_store", overtaken):
        runner(app).run(_id(app))
    (row,) = rows(app, "SELECT state, done, total FROM manifests")
    assert (row.state, row.done, row.total) == ("finished", 5, 5)


@pytest.mark.usefixtures("small_parts")
def test_a_cancelled_list_is_left_alone(app):
    company = app.set_up_company(evidence=False)
    manifest = ok(send(company, "A\nB\nC"))
    path = f"{MANIFESTS}/{manifest['id']}"
    refused(company.post(f"{path}/cancel"), 428, "version-required")
    assert ok(company.post(f"{path}/cancel", version=1))["state"] == "cancelled"
    refused(company.post(f"{path}/cancel", version=2), 409, "wrong-state")
    app.run_jobs()
    assert ok(company.get(path))["done"] == 0
    refused(company.get(f"{path}/result.jwt"), 409, "manifest-not-finished")
    app.clock.advance(days=31)
    app.run_jobs()
    assert rows(app, "SELECT 1 FROM manifest_parts") == rows(app, "SELECT 1 FROM manifests") == []


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("column", ["results", "numbers"])
def test_a_part_that_was_changed_past_the_service_is_not_signed(app, column):
    company = app.set_up_company(evidence=False)
    manifest_id = ok(send(company, "A\nB\nC"))["id"]
    calls = iter([False, True])
    runner(app).run(_id(app), is_stopping=lambda: next(calls))
    changed = {"results": '[["MIK", "valid", "2029-01-01"], [null, "valid", null]]', "numbers": '["X", "Y"]'}
    cast = "" if app.database.is_sqlite else "::jsonb"
    execute(app, f"UPDATE manifest_parts SET {column} = '{changed[column]}'{cast} WHERE position = 0")
    with pytest.raises(ManifestDamaged):
        runner(app).run(_id(app))
    assert ok(company.get(f"{MANIFESTS}/{manifest_id}"))["state"] == "running"


def test_who_reads_a_list_and_how_many_run(app):
    company, stranger = app.set_up_company(evidence=False), app.set_up_company(evidence=False)
    ids = [ok(send(company, "A"))["id"] for _ in range(3)]
    refused(send(company, "A"), 409, "too-many-manifests")
    mine = ok(send(app.owner, "A"))["id"]
    assert [each["id"] for each in ok(company.get(MANIFESTS))["items"]] == ids
    assert [each["id"] for each in ok(app.owner.get(MANIFESTS))["items"]] == [mine]
    for caller in (stranger, app.owner):
        refused(caller.get(f"{MANIFESTS}/{ids[0]}"), 404, "not-found")
        refused(caller.post(f"{MANIFESTS}/{ids[0]}/cancel", version=1), 404, "not-found")
    refused(app.auditor.get(f"{MANIFESTS}/{mine}"), 404, "not-found")
    refused(app.anonymous.get(MANIFESTS), 401)
    app.run_jobs()
    assert ok(send(company, "A"))["state"] == "running"


def parse(text, **limits):
    data = text if isinstance(text, bytes) else text.encode()
    return parse_manifest(data, **({"max_bytes": 1_000, "max_numbers": 5} | limits))


@pytest.mark.parametrize(
    "text",
    [
        "MIK-1\r\n\r\n mik 2 \n",
        "number\nMIK-1\nmik 2\n",
        "order;Number\n1;MIK-1\n2;mik 2\n",
        '{"number": "MIK-1", "order": 1}\n{"number": "mik 2"}\n',
        '"MIK-1"\n"mik 2"',
        "\ufeffMIK-1\nmik 2",
    ],
)
def test_lists_come_as_text_csv_or_json_lines(text):
    assert parse(text) == ["MIK-1", "mik 2"]


@pytest.mark.parametrize(
    ("text", "pointer", "code"),
    [
        ("", "/file", "empty"),
        ("number\n", "/file", "empty"),
        ("1\n2\n3\n4\n5\n6", "/file", "too-many"),
        ("number\n1\n2\n3\n4\n5\n6", "/2", "too-many"),
        ("x" * 1_001, "/file", "too-long"),
        ("a\n" + "x" * 201, "/2", "too-long"),
        ('{"number": "1"}\n{"nr": "2"}', "/2", "wrong-format"),
        ('{"number": "1"}\n{"number": 2}', "/2", "wrong-format"),
        ('{"number": "1"}\nMIK', "/2", "wrong-format"),
        ('number,b\n"1', "/2", "unreadable-row"),
        (b"\xff\xfea", "/1", "unreadable-file"),
        (b"a\0b", "/file", "unreadable-file"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_by_line(text, pointer, code):
    with pytest.raises(Invalid) as why:
        parse(text)
    (fault,) = why.value.data["errors"]
    assert (fault["pointer"], fault["detail"].code) == (pointer, code) or code == "too-many"


def payload(**changed):
    values = {"issuer": "did:web:x", "manifest_id": UUID(int=0), "sent_sha256": "0" * 64}
    values |= {"rows_sha256": "1" * 64, "total": 2, "verdicts": {"valid": 1, "unknown": 1}, "first": NOW, "last": NOW}
    return build_payload(**{**values, "checkpoint": "x/log\n1\n…\n", "now": NOW, **changed})


def test_a_result_that_contradicts_itself_is_not_signed():
    assert lint_result(payload(), NOW).payload["total"] == 2
    later = NOW.replace(year=2027)
    for wrong in (
        payload(total=3),
        payload(total=0, verdicts={}),
        payload(verdicts={"fine": 2}),
        payload(sent_sha256="x"),
        payload(first=later, last=NOW),
        payload(last=later),
        payload(checkpoint=""),
        payload() | {"more": 1},
    ):
        with pytest.raises(ResultNotSound):
            lint_result(wrong, NOW)


def test_macs_cover_every_column_of_a_part():
    assert set(ManifestPart.mac_columns) == {column.name for column in ManifestPart.__table__.columns} - {"mac"}
