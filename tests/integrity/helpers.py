"""A register that somebody with rights in the database changes, and what `mik doctor` says of it."""

import json
import shutil
from contextlib import contextmanager

from typer.testing import CliRunner

from app.cli import app as mik
from tests.conftest import _pg_copy
from tests.transparency.helpers import attack


@contextmanager
def copied(url, request, folder):
    if url.startswith("sqlite"):
        shutil.copy(url.removeprefix("sqlite:///"), folder / "copy.sqlite3")  # closed: all of it is in this file
        yield f"sqlite:///{folder / 'copy.sqlite3'}"
        return
    with _pg_copy(request.getfixturevalue("pg_url"), "drill", url) as own:
        yield own


class Drill:
    def __init__(self, database, numbers, folder, part="log"):
        self.database, self.numbers, self.folder, self.part = database, numbers, folder, part

    def attack(self, *statements, **values):
        attack(self.database, *statements, **values)

    def check(self, *args):
        done = CliRunner().invoke(mik, ["doctor", "--only", self.part, *args])
        return done.exit_code, done.stdout + done.stderr

    def named(self, *args):
        """The rows that are named wrong."""
        done = CliRunner().invoke(mik, ["doctor", "--only", self.part, "--json", *args])
        assert done.exit_code in {0, 1}, done.output
        rows = [each["row"] for each in json.loads(done.stdout)[self.part]["wrong"]]
        assert bool(rows) == (done.exit_code == 1)
        return rows
