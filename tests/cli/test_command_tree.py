"""The commands of `mik` as a tree: which there are, what their help says, and that asking for help imports little."""

import inspect
import os
import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from app.cli import COMMANDS, app
from app.cli.lazy import LazyCommand

HEAVY = (
    "app.main",
    "app.database_schema",
    "app.core.database",
    "sqlalchemy",
    "fastapi",
    "pydantic_settings",
    "uvicorn",
    "cryptography",
    "holidays",
)


def leaves(commands=COMMANDS, before=()):
    for command in commands:
        words = (*before, command.name)
        if isinstance(command, LazyCommand):
            yield words, command
        else:
            yield from leaves(command.commands.values(), words)


LEAVES = dict(leaves())


def test_there_are_sixteen_commands():
    names = [
        "serve",
        "worker",
        "demo",
        "login",
        "logout",
        "apply",
        "verify",
        "assess",
        "rules",
        "doctor",
        "keys",
        "monitor",
        "authenticator",
        "witness",
        "sandbox",
        "admin",
    ]
    assert [command.name for command in COMMANDS] == names
    assert list(typer.main.get_command(app).commands) == names


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_the_summary_in_the_list_is_the_first_line_of_the_help(words):
    command = LEAVES[words]
    assert inspect.cleandoc(command.load().help).splitlines()[0] == command.help
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert (shown.exit_code, command.help in shown.output) == (0, True), shown.output


@pytest.mark.parametrize("words", [(), ("admin",), ("admin", "users"), ("rules",), ("keys",)], ids=" ".join)
def test_help_of_a_group_lists_its_commands(words):
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    below = [leaf for leaf in LEAVES if leaf[: len(words)] == words]
    assert below
    for leaf in below:
        assert f"│ {leaf[len(words)]} " in shown.output


@pytest.mark.parametrize("words", ["chekc", "check", "log check", "admin userz", "keys lst"])
def test_what_is_no_command_is_refused(words):
    refused = CliRunner().invoke(app, words.split())
    assert (refused.exit_code, "No such command" in refused.output) == (2, True), refused.output


def test_a_command_mistyped_is_guessed():
    assert "Did you mean 'verify'?" in CliRunner().invoke(app, ["verifi"]).output


def test_the_version_is_that_of_the_package():
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"mik {version('made-in-karabakh')}\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--help", "Usage"),
        ("admin --help", "Usage"),
        ("admin users --help", "Usage"),
        ("--version", version("made-in-karabakh")),
    ],
)
def test_asking_imports_nothing_heavy(words, expected):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "app.cli", *words.split()],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, expected in done.stdout) == (0, True), done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "typer" in imported
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("mik d", ["demo", "doctor"]),
        ("mik admin ", ["migrate", "import-residents", "users", "issuance"]),
        ("mik admin users ", ["create", "authenticator", "reset"]),
        ("mik doctor --", ["--only", "--json"]),
        ("mik doctor --only ", ["config", "status-lists"]),
    ],
)
def test_the_shell_completes(typed, offered):
    environment = os.environ | {
        "_MIK_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
        "_TYPER_COMPLETE_ARGS": typed,
    }
    script = "import sys; sys.argv[0] = 'mik'; from app.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=False, text=True, timeout=60
    )
    assert set(offered) <= set(done.stdout.split()), done.stdout + done.stderr
