"""Log lines and figures: what they say, what they never say, and where they are read."""

import json
import logging
import subprocess
import sys
from contextlib import contextmanager

import httpx2 as httpx
import pytest

from app.core.settings import Settings
from app.web.observability import mask_personal_data
from tests.factories import ok, running_app
from tests.live import MIK, PATIENCE, Live, _wait_for, clean_environment, free_port

LOG = """
import logging, sys
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


def access_lines(caplog):
    return [record.msg for record in caplog.records if record.name == "mik.access"]


def test_the_access_log_names_route_status_and_actor_and_no_personal_data(database_url, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    with running_app(database_url, tmp_path, log_level="debug") as app:
        company = app.set_up_company()
        token = app.token(app.certify())
        caplog.clear()
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
        lines = access_lines(caplog)
        ours = [record for record in caplog.records if not record.name.startswith("httpx")]  # the test's own client
        text = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in ours)
        for secret in [*secrets, "x" * 43, "leyla", "@"]:
            assert secret not in text, secret
    routes = [(line["method"], line["route"], line["status"]) for line in lines]
    assert routes[4:6] == [("POST", "/v1/verify", 200), ("GET", "/v1/verify/{number}", 200)]
    assert routes[7:9] == [("GET", "/register", 200), ("GET", "(none)", 404)]
    assert lines[-1]["route"] == "/v1/me" and lines[-1]["actor"] and lines[0]["actor"] is None
    assert lines[-1]["request_id"] == answer.headers["X-Request-Id"] and lines[-1]["duration_ms"] > 0


def test_without_access_log_and_figures_nothing_is_put_around_the_service(database_url, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    with running_app(database_url, tmp_path) as app:
        app.http.get("/v1/parks")
        assert access_lines(caplog) == []
        assert type(app.asgi).__name__ == "VerifyFastPath"


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
            "mik_mail_waiting 0.0",
            "mik_database_readable 1.0",
        ):
            assert line in text, text
        assert "MIK-2026" not in text
