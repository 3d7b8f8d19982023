"""Four workers of the service over one database, as `mik serve --workers` runs them, and one that can be shot.

`factory` is what the workers run: the service, which says in `X-Worker` who answered, and which dies when it is asked
to: a request with `X-Die: answering` ends its process by SIGKILL after the commit, when the answer is about to leave;
`X-Die: committing` before the commit.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from contextvars import ContextVar
from pathlib import Path

import httpx2
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.main import from_environment
from tests.live import free_port

_dies_before_commit = ContextVar("dies_before_commit", default=False)


def factory():
    app = from_environment()
    event.listen(Session, "before_commit", _die_before_commit)

    async def mortal(scope, receive, send):
        headers = dict(scope.get("headers", ()))
        wish = headers.get(b"x-die")
        _dies_before_commit.set(wish == b"committing")

        async def send_or_die(message):
            if message["type"] == "http.response.start":
                if wish == b"answering":
                    os.kill(os.getpid(), signal.SIGKILL)
                message["headers"] = [*message["headers"], (b"x-worker", str(os.getpid()).encode())]
            await send(message)

        await app(scope, receive, send_or_die)

    return mortal


def _die_before_commit(_session):
    if _dies_before_commit.get():
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def serving(app, workers=4):
    """Base address of the workers over the app's database and keys; they end with the block."""
    port = free_port()
    settings = app.settings
    environment = os.environ | {
        "MIK_DATABASE_URL": settings.database_url,
        "MIK_DATA_DIR": str(settings.data_dir),
        "MIK_BASE_URL": settings.base_url,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [
        sys.executable, "-m", "uvicorn", "tests.api.retry_workers:factory", "--factory", "--workers", str(workers),
        "--port", str(port), "--log-level", "warning", "--no-access-log",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        _wait_until_ready(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def until_answered(ask, seconds=30):
    """Ask again while the one who was to answer is dead or not yet back."""
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except httpx2.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _wait_until_ready(port):
    answer = until_answered(lambda: httpx2.get(f"http://127.0.0.1:{port}/health/ready"), 120)
    assert answer.status_code == 200, answer.text
