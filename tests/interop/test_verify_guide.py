"""docs/verify.md: whoever pastes its commands sees what it says."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.factories import Clock, running_app
from tests.interop.helpers import FOLDER, NODE, install
from tests.live import clean_environment, free_port, serving
from tests.readers import scan
from tests.test_readme import END_OF_BLOCK, as_pattern, blocks

GUIDE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text("utf-8")


def test_the_guide_prints_what_it_says(tmp_path):
    install()
    port = free_port()
    base = f"http://localhost:{port}"
    (tmp_path / "data").mkdir()
    database = f"sqlite:///{tmp_path / 'data' / 'mik.sqlite3'}"
    with running_app(database, tmp_path, Clock(datetime.now(UTC)), base_url=base) as app:
        number = app.certify()
        paper = app.anonymous.get(f"/v1/certificates/{number}/certificate.pdf").content
    place = tmp_path / "desk"
    place.mkdir()
    (place / "node_modules").symlink_to(FOLDER / "node_modules")
    (stamped,) = (text for text in scan(paper, tmp_path) if "#" in text)
    commands, shown = blocks(GUIDE, "bash")[1:], blocks(GUIDE, "text")
    assert len(commands) == len(shown) == 6
    script = blocks(GUIDE, "bash")[0] + "".join(f"{each}\necho '{END_OF_BLOCK}'\n" for each in commands)
    with serving(tmp_path, port) as live:
        environment = clean_environment() | live.environment | {
            "MIK": base, "NUMBER": number, "SCANNED": stamped, "NO_PROXY": "*", "PYTHON": sys.executable,
            "MIK_COMMAND": f"{sys.executable} -m app.cli", "PYTHONPATH": str(Path(__file__).parents[2]),
            "PATH": f"{NODE.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        run = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=place, env=environment, capture_output=True, check=False, text=True, timeout=120,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    printed = run.stdout.split(f"{END_OF_BLOCK}\n")[:-1]
    for block, expected, came in zip(commands, shown, printed, strict=True):
        assert re.fullmatch(as_pattern(expected), came), f"{block}\nprinted\n{came}"


def test_jose_takes_ten_lines():
    (script,) = re.findall(r"check\.mjs <<'END'\n(.*?)END\n", GUIDE, flags=re.DOTALL)
    assert len(script.splitlines()) == 10
