"""Files for a web server: written for every number, kept up to date, proven by signed ranges, served by nginx."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from app.core.crypto import jwk
from app.transparency.signed_note import parse_vkey
from app.verification import static_files
from app.verification.static_export import FolderInUse, StaticExport
from app.verification.static_files import RangeRejected, verify_answer
from app.verification.verdict import Verdict
from tests.factories import running_app
from tests.helpers import rewrite
from tests.live import free_port
from tests.played import played

pytestmark = pytest.mark.pg_sampled

CONF = Path(__file__).parents[2] / "docs" / "nginx" / "static-files.conf"


@pytest.fixture
def export(app, tmp_path):
    made = export_of(app, tmp_path / "files")
    yield made
    made.close()


def export_of(app, folder):
    services = app.container
    return StaticExport(
        folder,
        app.database,
        services.log,
        services.keys,
        services.status_lists,
        services.verification.records,
        services.verification.check,
        None,
        app.clock,
        marking=services.verification.marking,
    )


@played
def numbers(app):
    company = app.set_up_company()
    case_id = company.apply(company.add_product(), company.add_product())
    app.review(case_id)
    return app.approve(case_id)["certificates"]


def check(export, number, now=None):
    """The verdict that a reader takes from the files alone."""
    folder = export.folder
    return verify_answer(
        number,
        (folder / static_files.answer_path(number)).read_bytes(),
        (folder / static_files.range_path(static_files.range_of(number))).read_text(),
        jwk.parse_jwks((folder / static_files.JWKS).read_bytes()),
        now or export.clock(),
        parse_vkey((folder / static_files.VKEY).read_text().strip()),
    )[0]


def test_every_file_is_what_the_service_answers(app, export, numbers):
    assert export.run_round() > 0
    assert [check(export, number) for number in numbers] == [Verdict.VALID] * 2
    paths = [str(path.relative_to(export.folder)) for path in export.folder.rglob("*") if path.is_file()]
    served = [path for path in paths if path not in {".lock", "v1/ranges/MIK-2026-0000"}]
    assert {path.split("/")[1] for path in served} >= {"verify", "status-lists", "tile", "checkpoint", "jwks.json"}
    for path in served:
        assert app.anonymous.get(f"/{path}").content == (export.folder / path).read_bytes(), path
    assert {oct((export.folder / path).stat().st_mode & 0o777) for path in served} == {"0o644"}


def test_a_round_writes_only_what_changed(app, export, numbers):
    good, bad = numbers
    export.run_round()
    while export.run_round():  # the lists that were signed are in the log as well
        pass
    before = {path: path.stat().st_mtime_ns for path in export.folder.rglob("*") if path.is_file()}
    app.revoke(bad, "court-order")
    assert export.run_round() > 0
    assert (check(export, good), check(export, bad)) == (Verdict.VALID, Verdict.REVOKED)
    changed = {str(path.relative_to(export.folder)) for path, at in before.items() if path.stat().st_mtime_ns != at}
    assert changed == {
        f"v1/verify/{bad}",
        "v1/ranges/MIK-2026-0000",
        "v1/status-lists/revocation-1",
        "v1/status-lists/suspension-1",
        "log/checkpoint",
    }


def test_it_catches_up_at_its_start(app, export, numbers):
    export.run_round()
    export.close()
    app.revoke(numbers[0], "court-order")
    (export.folder / static_files.answer_path(numbers[1])).write_text("{}")
    again = export_of(app, export.folder)
    again.run_round()
    assert [check(again, number) for number in numbers] == [Verdict.REVOKED, Verdict.VALID]
    again.close()


def test_ranges_are_signed_anew_before_their_time_has_passed_and_at_its_turn(app, export, numbers):
    export.run_round()
    while export.run_round():
        pass
    app.clock.advance(hours=11)
    assert export.run_round() == 0
    app.clock.advance(hours=2)
    assert export.run_round() > 0
    assert check(export, numbers[0]) is Verdict.VALID
    app.clock.advance(days=1200)
    with pytest.raises(RangeRejected, match="was good until"):
        check(export, numbers[0])
    export.run_round()
    assert check(export, numbers[0]) is Verdict.EXPIRED


def test_the_service_writes_a_revocation_within_two_seconds(database_url, tmp_path):
    folder = tmp_path / "files"
    with running_app(database_url, tmp_path, export_folder=str(folder)) as app:
        number = app.certify()
        app.revoke(number, "court-order")
        begun = time.monotonic()
        body = app.anonymous.get(f"/v1/verify/{number}").content
        signed = folder / static_files.range_path(static_files.range_of(number))
        while not signed.exists() or hash_in(signed, number) != hashlib.sha256(body).hexdigest():
            assert time.monotonic() - begun < 30, "the worker writes nothing"
            time.sleep(0.02)
        assert check(app.container.static_export, number) is Verdict.REVOKED


def hash_in(path, number):
    payload = path.read_text().split(".")[1]
    answers = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["answers"]
    return answers.get(number, {}).get("sha256")


def test_one_process_writes(app, export, numbers):
    export.run_round()
    other = export_of(app, export.folder)
    with pytest.raises(FolderInUse):
        other.run_round()
    export.close()
    assert other.run_round() >= 0
    other.close()


def test_a_row_that_nothing_proves_has_no_file_and_is_in_no_range(app, export, numbers):
    export.run_round()
    app.clock.advance(hours=13)
    rewrite(app, f"DELETE FROM certificate_snapshots WHERE number = '{numbers[0]}'")
    rewrite(app, f"UPDATE certificates SET token = 'x' WHERE number = '{numbers[0]}'")
    export.run_round()
    assert not (export.folder / static_files.answer_path(numbers[0])).exists()
    assert check(export, numbers[1]) is Verdict.VALID
    (export.folder / static_files.answer_path(numbers[0])).write_text("{}")
    with pytest.raises(RangeRejected, match="names no certificate"):
        check(export, numbers[0])


@contextmanager
def nginx(folder, root):
    """Real nginx with the configuration of the documentation, on a free port of this machine."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).exists():
        if os.environ.get("CI"):
            pytest.fail("nginx is missing: install nginx-light")
        pytest.skip("nginx is not installed; CI has it")
    port = free_port()
    server = CONF.read_text().replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/mik/files", str(root))
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root; ' if os.geteuid() == 0 else ''}daemon off; worker_processes 1;\n"
        f"pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}{server}\n}}\n"
    )
    process = subprocess.Popen([program, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            for _ in range(200):
                try:
                    http.get("/")
                    break
                except httpx.ConnectError:
                    assert process.poll() is None, (folder / "error.log").read_text()
                    time.sleep(0.02)
            yield http
    finally:
        process.terminate()
        process.wait(10)


def test_nginx_serves_a_check_by_number_and_a_revocation_within_the_second(app, export, numbers, tmp_path):
    number = numbers[0]
    export.run_round()
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(folder, export.folder) as http:

        def get(path, media_type, cache, **headers):
            answer = http.get(path, headers=headers)
            if answer.status_code != 304:
                assert answer.headers["content-type"] == media_type, path
            assert answer.headers["cache-control"] == cache
            assert answer.headers["etag"].startswith('"')
            assert answer.headers["access-control-allow-origin"] == "*"
            return answer

        def verified():
            body = get(f"/v1/verify/{number}", "application/json", "no-cache").content
            token = get("/v1/ranges/MIK-2026-0000", "application/jwt", "no-cache").text
            keys = get(
                "/.well-known/jwks.json",
                "application/jwk-set+json",
                "public, max-age=3600, stale-if-error=86400",
            ).content
            vkey = get("/log/vkey", "text/plain; charset=utf-8", "public, max-age=5").text
            return verify_answer(number, body, token, jwk.parse_jwks(keys), app.clock(), parse_vkey(vkey.strip()))[0]

        assert verified() is Verdict.VALID
        first = get(f"/v1/verify/{number}", "application/json", "no-cache")
        assert first.content == app.anonymous.get(f"/v1/verify/{number}").content
        tag = {"If-None-Match": first.headers["etag"]}
        assert get(f"/v1/verify/{number}", "application/json", "no-cache", **tag).status_code == 304

        app.revoke(number, "court-order")
        begun = time.monotonic()
        export.run_round()
        assert verified() is Verdict.REVOKED
        assert time.monotonic() - begun < 2  # as docs/production.md says
        assert get(f"/v1/verify/{number}", "application/json", "no-cache", **tag).status_code == 200

        listed = get("/v1/status-lists/revocation-1", "application/vc+jwt", "public, max-age=30")
        assert listed.text == app.anonymous.get("/v1/status-lists/revocation-1").text
        size = int(get("/log/checkpoint", "text/plain; charset=utf-8", "public, max-age=5").text.split("\n")[1])
        tile = get(f"/log/tile/entries/000.p/{size}", "application/octet-stream", "public, max-age=31536000, immutable")
        assert b"certificate.revoked" in tile.content
        assert json.loads(get("/.well-known/did.json", "application/did+json", keys_cache()).content)["id"]
        for path in ("/v1/verify/MIK-2026-000077-X", "/v1/verify/x", "/.lock", "/v1/verify/", "/elsewhere.json"):
            refused(http.get(path), 404, "not-found")
        refused(http.post(f"/v1/verify/{number}"), 405, "method-not-allowed")

        body = http.get(f"/v1/verify/{number}").content.replace(b"revoked", b"valid")
        token = http.get("/v1/ranges/MIK-2026-0000").text
        keys = jwk.parse_jwks(http.get("/.well-known/jwks.json").content)
        with pytest.raises(RangeRejected):
            verify_answer(number, body, token, keys, app.clock())


def keys_cache():
    return "public, max-age=3600, stale-if-error=86400"


def refused(answer, status, code):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"].endswith(f"/problems/{code}")
