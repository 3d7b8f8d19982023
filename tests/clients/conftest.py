"""A running service with the staff of the demo at work, for the journeys of companies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import PATIENCE, clean_environment, serving

CLIENTS = Path(__file__).parents[2] / "clients"
EXAMPLES = CLIENTS / "python" / "examples"
COMPANIES = {"python": "0090000191", "typescript": "0090000061", "file": "0090000341"}
"""Taxpayer numbers of invented companies, one for each journey."""


class Office:
    """The service with the staff of the demo, and how a program reaches both."""

    def __init__(self, live, folder):
        self.live, self.folder = live, folder
        accounts = live.data_dir / "demo-accounts.json"
        paths = [str(EXAMPLES), str(CLIENTS / "python"), str(CLIENTS.parent), os.environ.get("PYTHONPATH", "")]
        self.environment = clean_environment() | {
            "MIK": live.base_url,
            "ACCOUNTS": str(accounts),
            "PYTHON": sys.executable,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "NO_PROXY": "*",
        }

    def run(self, *command, input=None, code=0, **more):  # noqa: A002 (as subprocess names it)
        """Run a program to its end, which must have this exit code; what it printed and reported."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | more,
            input=input,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def refused(self, *command, **more):
        return self.run(*command, code=2, **more)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    with serving(folder) as live:
        found = Office(live, folder)
        staff = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "office.py"), *COMPANIES.values()],
            cwd=folder,
            env=found.environment,
            stdout=(folder / "office.log").open("w"),
            stderr=subprocess.STDOUT,
        )
        try:
            yield found
        finally:
            staff.terminate()
            staff.wait(PATIENCE)
