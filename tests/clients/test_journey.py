"""A company from its registration to a verified certificate, by the client library alone, against `mik serve`."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from tests.clients import typescript
from tests.clients.conftest import COMPANIES, EXAMPLES
from tests.interop.helpers import NODE
from tests.test_readme import TUTORIAL, as_pattern, blocks

pytestmark = pytest.mark.no_coverage
ROOT = EXAMPLES.parents[2]
SECTION = TUTORIAL.partition("\n## A certificate in ten minutes")[2].partition("\n## ")[0]
WAIT = """
import journey
with journey.Client(journey.MIK, journey.Password(journey.EMAIL, journey.PASSWORD)) as mik:
    journey.wait_for(lambda: (mik.account.get_me()["organisation"] or {}).get("status") == "confirmed" or None)
"""
"""Until staff have confirmed that the person acts for the company."""


def test_the_commands_of_the_tutorial_print_what_it_says(office):
    """The journey in Python among them; the office is at work already."""
    staff, company, dry_run = blocks(SECTION, "sh")
    assert staff.split()[1:] == ["clients/python/examples/office.py", COMPANIES["python"]]
    for command, shown in zip((company, dry_run), blocks(SECTION, "text"), strict=True):
        path, *arguments = command.split()
        program = (sys.executable, "-m", "app.cli") if path.endswith("mik") else (sys.executable,)
        printed = office.run(*program, *(str(ROOT / each) if "/" in each else each for each in arguments))
        *lines, last = shown.splitlines()
        expected = "\n".join([*map(as_pattern, lines), ".*" if last == "…" else as_pattern(last)])
        assert re.fullmatch(expected, printed.strip(), flags=re.DOTALL if last == "…" else 0), printed
    (paper,) = office.folder.glob("MIK-*.pdf")
    assert paper.read_bytes().startswith(b"%PDF")
    assert "730630" in (office.folder / "products.csv").read_text("utf-8-sig")


def test_the_tutorial_quotes_the_example():
    script = (EXAMPLES / "journey.py").read_text("utf-8")
    quoted = re.findall(r"^ {3}```python\n(.*?)^ {3}```$", SECTION, flags=re.MULTILINE | re.DOTALL)
    assert len(quoted) == 4
    lines = {line.strip() for line in script.splitlines()}
    assert {line.strip() for block in quoted for line in block.splitlines()} <= lines


def test_the_journey_in_typescript(office, tmp_path):
    built = typescript.build(tmp_path)
    printed = office.run(NODE, built / "examples" / "journey.js", VOEN=COMPANIES["typescript"])
    number = re.search(r"^(MIK-\S+) valid$", printed, flags=re.MULTILINE)[1]
    assert f"{number} valid by its token" in printed
    assert (office.folder / f"{number}.pdf").read_bytes().startswith(b"%PDF")


@pytest.fixture
def run(office, tmp_path, monkeypatch):
    """Runs `mik` in this process, with settings of its own; what it said."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_PROXY", "*")

    def run(*arguments, code=0, answers=""):
        ended = CliRunner().invoke(mik, [str(each) for each in arguments], input=answers)
        assert ended.exit_code == code, ended.output
        return " ".join(ended.output.split())

    return run


def test_sign_in_and_apply_from_a_file(office, run, tmp_path):
    file, voen = Path(shutil.copytree(EXAMPLES / "apply", tmp_path / "apply")) / "product.yaml", COMPANIES["file"]
    session = tmp_path / "config" / "mik" / "session.json"
    assert "run `mik login`" in run("apply", file, code=2)

    office.run(sys.executable, "-c", "import journey; journey.register()", VOEN=voen)
    person = ("login", f"aysel@{voen}.example", "--url", office.live.base_url)
    assert "refuses" in run(*person, answers="wrong\n", code=2)
    assert not session.exists()
    assert "for Sample Tube" in run(*person, answers="correct horse battery staple\n")
    assert session.stat().st_mode & 0o777 == 0o600
    assert "correct horse" not in session.read_text()

    assert "stays a draft" in run("apply", file, answers="n\n", code=1)  # the person did not declare
    office.run(sys.executable, "-c", WAIT, VOEN=voen)
    said = run("apply", file, "--declare")
    assert "Submitted MIK-A-" in said
    assert "Uploaded" not in said  # what the first run did stays
    assert re.search(r"MIK-A-\S+ is \w+ already", run("apply", file, "--declare"))

    assert "Signed out" in run("logout")
    assert not session.exists()
    assert "Nobody is signed in" in run("logout", code=2)
