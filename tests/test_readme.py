"""README.md and docs/tutorial.md: the commands run and print what is shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from app.cli import app as mik
from app.core.settings import Settings
from tests.live import clean_environment, serving
from tools.docs import walk_commands

pytestmark = [pytest.mark.no_coverage, pytest.mark.short]
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
END_OF_BLOCK = "== end of block =="
WALK = TUTORIAL.partition("\n## Walk through it with curl\n")[2].partition("\n## ")[0]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def as_pattern(shown):
    """The output as the README shows it; `…` stands for anything on its line."""
    return re.escape(shown).replace(re.escape("…"), ".*")


@pytest.mark.long("postgresql")
def test_the_walk_through_prints_what_it_says(database_url, tmp_path):
    commands, shown = blocks(WALK, "bash"), blocks(WALK, "text")
    assert len(commands) == len(shown) >= 8
    script = "".join(f"{block}\necho '{END_OF_BLOCK}'\n" for block in commands)
    with serving(tmp_path, database_url=database_url) as live:
        environment = clean_environment() | {
            "MIK": live.base_url,
            "ACCOUNTS": str(live.data_dir / "demo-accounts.json"),
            "PYTHON": sys.executable,
            "NO_PROXY": "*",
        }
        run = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
    assert run.returncode == 0, run.stderr
    printed = run.stdout.split(f"{END_OF_BLOCK}\n")[:-1]
    assert len(printed) == len(commands)
    for block, expected, came in zip(commands, shown, printed, strict=True):
        assert re.fullmatch(as_pattern(expected), came), f"{block}\nprinted\n{came}"


def test_no_other_setting_is_spoken_of():
    known = {f"MIK_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bMIK_[A-Z_]+\b", README + TUTORIAL)) <= known


def test_named_commands_exist():
    known = {path for path, _command in walk_commands(typer.main.get_command(mik))}
    named = set(re.findall(r"[` ]mik ([a-z]+)", README))
    assert named
    assert named <= {path.split()[0] for path in known}


def test_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)", README + TUTORIAL, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_commands_shown_for_files_run():
    (command,) = [block for block in blocks(TUTORIAL, "sh") if "assess" in block]
    script = command.replace(".venv/bin/mik", "python -m app.cli")
    path = f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr
