"""The table of docs/trust.md is read, and every cell of it made on a copy of a register: rights x attacks."""

import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.database_rights import grant_statements
from app.transparency import verified_log
from tests.conftest import _admin, _fresh
from tests.factories import running_app
from tests.integrity.drills import ATTACKS, RIGHTS, Register, run, staged
from tests.integrity.helpers import copied

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
ROLE, SAME = f"mik_drill_{os.getpid()}", "="


def documented():
    """(attack, rights) → cell, as docs/trust.md has it."""
    text = Path("docs/trust.md").read_text("utf-8").partition("## Every attack, with each set of rights\n")[2]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| (?!---)", line)]
    (_, *columns), *body = lines
    assert tuple(columns) == RIGHTS
    return {(attack, rights): cell for attack, *cells in body for rights, cell in zip(columns, cells, strict=True)}


TABLE = documented()
CELLS = [cell for cell in TABLE if TABLE[cell] != SAME]


def test_the_table_has_every_attack_and_no_other():
    assert {attack for attack, _ in TABLE} == set(ATTACKS)
    assert not [attack for attack in ATTACKS if TABLE[attack, RIGHTS[0]] == SAME]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def register(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with _fresh(request, folder, is_prepared=True) as url:
        with running_app(url, folder, is_prepared=True) as app:
            made = Register(app)
            made.open_witness(app, folder / "witness")
        yield url, folder / "data", made
        made.close()


@pytest.mark.parametrize(("attack", "rights"), CELLS, ids=[" with ".join(cell) for cell in CELLS])
def test_a_cell(register, attack, rights, request, monkeypatch, tmp_path):
    """`=`: the attack uses none of the keys that this column adds. SQLite has no roles."""
    monkeypatch.setattr(verified_log, "REFRESH_SECONDS", 0.0)
    url, data_dir, made = register
    is_role = rights == RIGHTS[1]
    if is_role and url.startswith("sqlite"):
        return
    with copied(url, request, tmp_path) as own:
        role_url = None
        if is_role:
            _admin(own, f"CREATE ROLE {ROLE} LOGIN PASSWORD 'x'")
            _admin(own, grant_statements(ROLE))
            role_url = sa.make_url(own).set(username=ROLE, password="x").render_as_string(hide_password=False)
        try:
            with staged(own, data_dir, tmp_path, made, rights, role_url) as stage:
                assert run(attack, stage, monkeypatch) == TABLE[attack, rights]
        finally:
            if is_role:
                _admin(own, f"DROP OWNED BY {ROLE}")
                _admin(own, f"DROP ROLE {ROLE}")
