"""`mik verify -`: one number or token on each line."""

import pytest
from typer.testing import CliRunner

from app.cli import app as mik


@pytest.fixture
def verify(app, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    return lambda *arguments, **more: CliRunner().invoke(mik, ["verify", *arguments], **more)


def test_a_line_for_each(app, verify):
    number = app.certify()
    token = app.token(number)
    answer = verify("-", input=f"\n{number[:-1]}?\n  {token[:-4]}AAAA\n  {token}x\n\nMIK-2026-000777-X\n")
    lines = answer.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["mistyped", "forged", "unreadable", "mistyped"]
    assert lines[0].endswith(f"{number[:-1]}?")
    assert len(lines[1]) < 80
    assert answer.exit_code == 1


def test_all_good_ends_with_0_and_nothing_is_all_good(app, verify):
    assert verify("-", input="\n \n").exit_code == 0
