"""Implement `mik admin rights`: the least rights of the service's role in PostgreSQL."""

import re
from typing import Annotated

import typer

from app import database_rights
from app.cli.common import fail


def rights(
    role: Annotated[str, typer.Option(help="Database role that the service connects as.")] = "mik_app",
) -> None:
    """Print the SQL that gives a database role exactly what the service needs.

    For PostgreSQL; run the SQL as the owner of the tables. The role can insert history and never change it, and update
    no column that a certificate signs. The owner of a table has every right on it, so this only helps if the service
    does not own its tables: migrate as the owner, serve as this role. Run it again after a migration.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        fail("A role has small letters, digits and underscores, and begins with no digit.")
    typer.echo(database_rights.grant_statements(role))
