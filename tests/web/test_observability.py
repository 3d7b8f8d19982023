"""Log lines and figures: what they say, what they never say, and where they are read."""

import errno
import json
import logging
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from unittest.mock import Mock

import httpx2 as httpx
import pytest
from sqlalchemy.exc import OperationalError

from app.core.settings import Profile, Settings
from app.verification.verdict import Verdict
from app.web import observability
from app.web.observability import configure_logging, count_verdict, mask_personal_data, metrics_served
from app.web.verify_fast_path import VerifyFastPath
from tests.factories import ok, running_app
from tests.live import MIK, PATIENCE, Live, _wait_for, clean_environment, free_port

LOG = """
import logging, sys
from app.core.settings import Profile, Settings
from app.web.observability import configure_logging
configure_logging(Settings.model_construct(profile=Profile(sys.argv[1]), log_level="info"))
try:
    raise ValueError("refused for leyla@company.example")
except ValueError:
    logging.getLogger("app.x").exception("it failed for %s", "leyla@company.example")
"""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sent to leyla.m+x@company.example.", "sent to [e-mail]."),
        ("VÖEN 0010000101 is taken", "VÖEN [number] is taken"),
        ("Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl_x", "Bearer [token]"),
        ("the code 6TnVyq3Yl0mE2cV8bK9sJ4hW1xZ7aPqR is over", "the code [secret] is over"),
        ("evidence of 0198c5a2-7b1e-7c3d-9f00-1234567890ab", "evidence of 0198c5a2-7b1e-7c3d-9f00-1234567890ab"),
        ("MIK-2026-000042-Y in 0.0123456789 s", "MIK-2026-000042-Y in 0.0123456789 s"),
    ],
)
def test_personal_data_in_messages_is_masked(text, masked):
    assert mask_personal_data(None, "info", {"event": text}) == {"event": masked}
    assert mask_personal_data(None, "info", {"exception": text, "n": 1}) == {"exception": masked, "n": 1}


def test_log_lines_are_json_in_production_and_readable_in_the_demo():
    def written(profile):
        run = subprocess.run([sys.executable, "-c", LOG, profile], capture_output=True, text=True, check=True)
        assert "leyla" not in run.stderr and "ValueError" in run.stderr
        return run.stderr

    (line,) = written("production").splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"]) == ("it failed for [e-mail]", "error", "app.x")
    assert said["timestamp"].endswith("Z") and said["version"] and "Traceback" in said["exception"]
    assert "it failed for [e-mail]" in written("demo").splitlines()[0]


@contextmanager
def logged_app(monkeypatch, capsys, database_url, folder):
    """A running app that logs as `mik serve` does, and the lines of standard error since the last call."""
    with monkeypatch.context() as patch:
        patch.setattr(logging.getLogger(), "handlers", [])  # those of pytest
        configure_logging(Settings.model_construct(profile=Profile.PRODUCTION, log_level="info"))
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # the test's own client
        patch.setattr(observability, "access_logger", partial(_production_logger, observability.access_logger))
        with running_app(database_url, folder, log_level="debug") as app:
            yield app, lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def _production_logger(access_logger, settings):
    return access_logger(settings.model_copy(update={"profile": Profile.PRODUCTION}))


def test_access_log_names_route_status_and_actor_and_no_personal_data(monkeypatch, capsys, database_url, tmp_path):
    with logged_app(monkeypatch, capsys, database_url, tmp_path) as (app, lines):
        company = app.set_up_company()
        token = app.token(app.certify())
        lines()
        secrets = ["leyla@company.example", "Leyla Sample", "0010000101", token, "a wrong password of hers"]
        email, name, voen, _, password = secrets
        http, form = app.http, {"grant_type": "password", "username": email, "password": password}
        http.post("/v1/registrations", json={"email": email})
        body = {"token": "x" * 43, "email": email, "full_name": name, "password": password, "voen": voen}
        http.post("/v1/registrations/confirm", json=body)
        http.post("/v1/auth/token", data=form)
        http.post("/v1/auth/password-resets", json={"email": email})
        http.post("/v1/verify", json={"token": token})
        http.get(f"/v1/verify/{email}")
        http.get("/v1/certificates", params={"q": voen, "holder": name})
        http.get("/register", params={"q": name}, headers={"Accept": "text/html"})
        http.get(f"/nobody/{email}")
        answer = company.get("/v1/me")
        ok(answer)
        written = lines()
    text = json.dumps(written, ensure_ascii=False)
    for secret in [*secrets, "x" * 43, "leyla", "@"]:
        assert secret not in text, secret
    access = [line for line in written if line["logger"] == "mik.access"]
    routes = [(line["method"], line["route"], line["status"]) for line in access]
    assert routes[4:6] == [("POST", "/v1/verify", 200), ("GET", "/v1/verify/{number}", 200)]
    assert routes[7:9] == [("GET", "/register", 200), ("GET", "(none)", 404)]
    last = access[-1]
    assert last["route"] == "/v1/me" and last["actor"] and access[0]["actor"] is None
    assert last["request_id"] == answer.headers["X-Request-Id"] and last["duration_ms"] > 0
    assert (last["event"], last["level"]) == ("request", "info") and last["version"] and last["timestamp"][-1] == "Z"


def test_log_line_inside_a_handler_carries_the_request_id(monkeypatch, capsys, database_url, tmp_path):
    def list_parks(_session):
        logging.getLogger("app.inside").warning("listed")
        return []

    with logged_app(monkeypatch, capsys, database_url, tmp_path) as (app, lines):
        monkeypatch.setattr("app.reference.parks.list_parks", list_parks)
        lines()
        ids = {app.http.get("/v1/parks").headers["X-Request-Id"] for _ in range(2)}
        inside = [line["request_id"] for line in lines() if line["logger"] == "app.inside"]
    assert len(inside) == len(ids) == 2 and set(inside) == ids


def test_access_log_that_cannot_be_written_fails_no_request(monkeypatch, database_url, tmp_path):
    class Full:
        def write(self, _text):
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stderr", Full())
    with running_app(database_url, tmp_path, log_level="debug") as app:
        ok(app.http.get("/v1/parks"))


def test_without_access_log_and_figures_nothing_is_put_around_the_service(capsys, database_url, tmp_path):
    with running_app(database_url, tmp_path) as app:
        app.http.get("/v1/parks")
        assert "mik.access" not in capsys.readouterr().err
        assert type(app.asgi) is VerifyFastPath


def test_scrape_without_the_database_answers_with_what_is_known(tmp_path):
    lost = SimpleNamespace(read_session=Mock(side_effect=OperationalError("SELECT 1", None, Exception("refused"))))
    port = free_port()
    settings = Settings.model_construct(metrics_port=port, metrics_address="127.0.0.1")
    with metrics_served(settings, 1, lost), httpx.Client(trust_env=False) as http:
        count_verdict(Verdict.UNKNOWN)
        answer = http.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200 and "mik_database_readable 0.0" in answer.text
    assert 'mik_verdicts_total{verdict="unknown"}' in answer.text and "mik_mail_waiting" not in answer.text


def test_figures_are_off_and_local_unless_asked_for():
    assert (Settings().metrics_port, Settings().metrics_address) == (0, "127.0.0.1")


@contextmanager
def measured(folder, workers):
    port, figures = free_port(), free_port()
    environment = clean_environment() | {
        "MIK_DATA_DIR": str(folder / "data"),
        "MIK_BASE_URL": f"http://localhost:{port}",
        "MIK_METRICS_PORT": str(figures),
    }
    with (folder / "serve.log").open("w") as log:
        command = [*MIK, "serve", "--port", str(port), "--workers", str(workers)]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        live = Live(environment["MIK_BASE_URL"], folder / "data", environment)
        _wait_for(live, server, folder / "serve.log")
        yield live, f"http://127.0.0.1:{figures}/metrics"
    finally:
        server.terminate()
        server.wait(PATIENCE)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.no_coverage
def test_figures_of_all_workers_are_at_an_address_of_their_own(tmp_path, workers):
    with measured(tmp_path, workers) as (live, address):
        with httpx.Client(trust_env=False) as http:
            for _ in range(8):
                http.get(f"{live.base_url}/v1/verify/MIK-2026-000042-Y", headers={"Connection": "close"})
            for path in ("/metrics", "/v1/metrics"):
                assert http.get(live.base_url + path).status_code == 404
            text = http.get(address).text
        for line in (
            'mik_requests_total{method="GET",route="/v1/verify/{number}",status="200"} 8.0',
            'mik_verdicts_total{verdict="unknown"} 8.0',
            'mik_database_connections{pool="read"}',
            'mik_timestamp_seconds{of="log_entry"}',
            'mik_timestamp_seconds{of="signing_key"}',
            "mik_mail_waiting ",  # the accounts of the demo are told of their authenticators
            "mik_mail_failed 0.0",
            "mik_database_readable 1.0",
        ):
            assert line in text, text
        assert "MIK-2026" not in text
