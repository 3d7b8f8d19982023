"""The set-up with two database roles, with the very commands of docs/production.md, on an empty PostgreSQL."""

import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.factories import Installation
from tests.cli.test_production_start import PASSWORD, Live
from tests.conftest import _admin
from tests.factories import running_app

pytestmark = [pytest.mark.no_coverage]
OWNER, SERVICE, DATABASE = (f"{name}_{os.getpid()}" for name in ("two_owner", "two_service", "two_base"))
HOST = "db.internal"
COMMAND = re.compile(r"(?:MIK_DATABASE_URL='(.*?)' )?mik (.*?)(?: \| psql (.*))?")


def documented_commands():
    """The SQL of the administrator and the commands of the shell, in their order."""
    text = Path("docs/production.md").read_text("utf-8")
    block = re.search(r"## Two roles in the database\n.*?```sh\n(.*?)```", text, re.DOTALL).group(1)
    sql, shell = re.fullmatch(r"psql .*? <<'SQL'\n(.*?)\nSQL\n(.*)", block, re.DOTALL).groups()
    return [named(line) for line in sql.splitlines()], [named(line) for line in shell.splitlines() if line.strip()]


def named(line):
    """The line with the names of this test: roles and databases belong to the whole server."""
    line = re.sub(r"\s+(--|#) .*", "", line)
    line = line.replace("mik_owner", OWNER).replace("'…'", f"'{PASSWORD}'")
    line = re.sub(r"(ROLE|--role) mik\b", rf"\1 {SERVICE}", line)
    line = line.replace("//mik@", f"//{SERVICE}@").replace("DATABASE mik ", f"DATABASE {DATABASE} ")
    return line.replace(f"{HOST}/mik", f"{HOST}/{DATABASE}")


@pytest.fixture
def addresses(pg_url):
    """Maps an address of the documentation to one of this server; roles and database are dropped at the end."""
    server = sa.make_url(pg_url)

    def here(address):
        role = sa.make_url(address).username
        return server.set(username=role, password=PASSWORD, database=DATABASE).render_as_string(hide_password=False)

    yield here
    _admin(pg_url, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    for role in (OWNER, SERVICE):
        _admin(pg_url, f"DROP ROLE IF EXISTS {role}")


def test_from_an_empty_server_to_a_certificate(pg_url, addresses, tmp_path):
    sql, shell = documented_commands()
    for statement in sql:
        _admin(pg_url, statement)
    installation = Installation(addresses(f"postgresql://{SERVICE}@{HOST}/mik"), tmp_path)
    del installation.environment["MIK_DATABASE_OWNER_ALLOWED"]
    live = Live(installation)
    ran = []
    for line in shell:
        assignment, words, piped = COMMAND.fullmatch(line).groups()
        live.environment["MIK_DATABASE_URL"] = addresses(assignment) if assignment else installation.database_url
        if words.startswith("serve"):
            with live.serving() as ready:
                assert ready.status_code == 200
        else:
            done = live.mik(*words.split())
            assert done.returncode == 0, (line, done.stdout + done.stderr)
            if piped:
                _admin(addresses(re.search(r"'(.*)'", piped).group(1)), done.stdout)
        ran.append(words.split(" --")[0])
    assert ran == ["admin migrate", "admin rights", "doctor", "serve"]
    live.environment["MIK_DATABASE_URL"] = installation.database_url
    person = ("--email", "owner@mark.az", "--name", "First Owner", "--role", "owner")
    assert live.mik("admin", "users", "create", *person, input=f"{PASSWORD}\n").returncode == 0
    rights = live.mik("doctor", "--only", "rights")
    assert rights.returncode == 0, rights.stdout
    assert "exactly the rights that the service needs" in rights.stdout
    with running_app(installation.database_url, tmp_path) as app:
        number = app.certify()
        assert app.verify(number)["verdict"] == "valid"


def test_the_owner_of_the_tables_may_not_serve(pg_url, addresses, tmp_path):
    sql, shell = documented_commands()
    for statement in sql:
        _admin(pg_url, statement)
    owner = re.search(r"'(.*?)'", shell[0]).group(1)
    installation = Installation(addresses(owner), tmp_path)
    del installation.environment["MIK_DATABASE_OWNER_ALLOWED"]
    live = Live(installation)
    assert live.mik("admin", "migrate").returncode == 0
    refused = live.mik("doctor", "--only", "config")
    assert refused.returncode == 2
    assert "mik admin rights" in refused.stdout
