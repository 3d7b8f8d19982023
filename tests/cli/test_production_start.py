"""What is safe starts: from an empty machine to a service that answers, and behind which proxies."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.auth import demo_staff
from app.cli import app as mik
from app.core.dates import utc_now
from app.core.settings import Settings
from app.startup_checks import CONNECTIONS_PER_WORKER, DEMO_MARKER_FILE, find_start_errors
from tests.cli.factories import Installation, unmigrated

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
PASSWORD = "correct horse battery staple"


class Live:
    """Commands of the service in processes of their own, as in production."""

    def __init__(self, installation):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIK_")}
        self.environment = inherited | installation.environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def mik(self, *words, **more):
        command = [sys.executable, "-m", "app.cli", *words]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=120, **more
        )

    @contextmanager
    def serving(self):
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        server = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)
        try:
            until = time.monotonic() + 120
            while server.poll() is None and time.monotonic() < until:
                try:
                    yield httpx2.get(f"http://127.0.0.1:{self.port}/health/ready", trust_env=False)
                except httpx2.TransportError:
                    time.sleep(0.1)
                else:
                    return
            pytest.fail(f"It did not start: {server.stderr.read()}")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


@pytest.mark.long("sqlite")
def test_from_nothing_to_a_service_that_answers(database_url, tmp_path):
    """As docs/production.md says: migrate, make the first owner, check, serve."""
    installation = Installation(database_url, tmp_path)
    if installation.is_sqlite:
        Path(installation.file).unlink()
    else:
        unmigrated(installation)
        with installation.session() as session:
            session.execute(sa.text("DROP SCHEMA public CASCADE"))
            session.execute(sa.text("CREATE SCHEMA public"))
    live = Live(installation)
    refused = live.mik("serve", "--port", str(live.port))
    assert refused.returncode == 2
    assert "mik admin migrate" in refused.stderr
    assert list(installation.folder.iterdir()) == []

    assert live.mik("admin", "migrate").returncode == 0
    person = ("--email", "owner@mark.az", "--name", "First Owner", "--role", "owner")
    made = live.mik("admin", "users", "create", *person, input=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    checked = live.mik("doctor", "--only", "config")
    assert (checked.returncode, checked.stdout) == (0, "config: passed\n  `mik serve` may start.\n"), checked.stderr

    with live.serving() as ready:
        assert (ready.status_code, ready.json()) == (200, {"status": "ok"})
        form = {"grant_type": "password", "username": "owner@mark.az", "password": PASSWORD}
        address = f"http://127.0.0.1:{live.port}/v1/auth/token"
        assert httpx2.post(address, data=form, trust_env=False, timeout=60).status_code == 200
    assert not (installation.folder / demo_staff.ACCOUNTS_FILE).exists()
    with installation.session() as session:
        assert session.execute(sa.text("SELECT email FROM users")).all() == [("owner@mark.az",)]
    wide = [path for path in installation.folder.rglob("*") if path.stat().st_mode & 0o077]
    assert wide == []
    assert find_start_errors(installation.settings, utc_now(), environment={}) == []


class TestForwardedAddresses:
    """Throttling goes by address: only a proxy that we know may say whose address it is."""

    @pytest.mark.parametrize(
        ("given", "kept"),
        [("", ""), (" 10.0.0.7 , ::1", "10.0.0.7,::1"), ("10.0.0.0/28,2001:db8::/32", "10.0.0.0/28,2001:db8::/32")],
    )
    def test_addresses_and_networks(self, given, kept):
        assert Settings(trusted_proxies=given).trusted_proxies == kept

    @pytest.mark.parametrize("given", ["*", "0.0.0.0/0", "::/0", "proxy", "10.0.0.1,*", "10.0.0.1/8"])
    def test_refused(self, given):
        with pytest.raises(ValueError, match="name the address or network"):
            Settings(trusted_proxies=given)

    @pytest.mark.parametrize(
        ("proxies", "seen"), [("127.0.0.1", "203.0.113.7"), ("10.0.0.7", "127.0.0.1"), ("", "127.0.0.1")]
    )
    def test_uvicorn_is_told(self, tmp_path, monkeypatch, proxies, seen):
        """What `mik serve` hands to the server, tried on the server's own middleware."""
        handed = {}
        monkeypatch.setattr(uvicorn, "run", lambda *_, **given: handed.update(given))
        monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("MIK_BASE_URL", "http://localhost:8000")
        monkeypatch.setenv("MIK_TRUSTED_PROXIES", proxies)
        monkeypatch.setattr(demo_staff, "ensure_demo_staff", lambda *_: None)
        assert CliRunner().invoke(mik, ["serve"]).exit_code == 0

        async def whose(scope, _receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["client"][0].encode()})

        server = {name: handed[name] for name in ("proxy_headers", "forwarded_allow_ips")}
        config = uvicorn.Config(whose, lifespan="off", **server)
        config.load()
        client = TestClient(config.loaded_app, client=("127.0.0.1", 50_000))
        assert client.get("/", headers={"X-Forwarded-For": "203.0.113.7"}).text == seen


def test_the_page_about_production_speaks_of_what_there_is():
    text = (Path(__file__).parents[2] / "docs" / "production.md").read_text("utf-8")
    known = {f"MIK_{name.upper()}" for name in Settings.model_fields} | {"MIK_NEW_PASSWORD"}
    assert set(re.findall(r"\bMIK_[A-Z_]+\b", text)) <= known
    for words in set(
        re.findall(r"\bmik (?!mik\b)((?:admin |keys )?(?:users |mail |issuance )?[a-z-]+)(?=[`\s])", text)
    ):
        assert CliRunner().invoke(mik, [*words.split(), "--help"]).exit_code == 0, words
    assert f"{CONNECTIONS_PER_WORKER} connections" in text
    assert DEMO_MARKER_FILE in text
