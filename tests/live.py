"""The service as a process of its own, for tests that want the real thing: sockets, real password hashes, SIGKILL."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

MIK = (sys.executable, "-m", "app.cli")
PATIENCE = 120
"""Seconds; hashing passwords is slow on purpose, and slower still beside other tests."""


@dataclass
class Live:
    base_url: str
    data_dir: Path
    environment: dict = field(repr=False)

    def mik(self, *arguments, **more):
        """Run a command of the service against it, to its end."""
        return subprocess.run(
            [*MIK, *arguments],
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=2 * PATIENCE,
            **more,
        )

    def start(self, *arguments):
        """Start a command, and read what it says on standard error while it runs."""
        return subprocess.Popen(
            [*MIK, *arguments], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )


@contextmanager
def serving(folder, port=None, database_url=""):
    """`mik serve` on a free port with its data in `folder`, until the end of the block, on SQLite or that database."""
    data_dir, port = folder / "data", port or free_port()
    environment = clean_environment() | {
        "MIK_DATA_DIR": str(data_dir),
        "MIK_BASE_URL": f"http://localhost:{port}",
        "MIK_DATABASE_URL": database_url,
    }
    with (folder / "serve.log").open("w") as log:
        server = subprocess.Popen([*MIK, "serve", "--port", str(port)], env=environment, stdout=log, stderr=log)
    try:
        live = Live(environment["MIK_BASE_URL"], data_dir, environment)
        _wait_for(live, server, folder / "serve.log")
        yield live
    finally:
        server.terminate()
        server.wait(PATIENCE)


def clean_environment():
    """Without settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MIK_")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(live, server, log):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{live.base_url}/health/ready", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The service did not start:\n{log.read_text()}")
