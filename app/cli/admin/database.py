"""Implement `mik admin migrate` and `mik admin database-rights`: tables and permissions."""

import re
from typing import Annotated

import typer

from app import database_schema
from app.cli.common import fail, handle_errors, load_settings
from app.commit_pipeline import open_database


def migrate() -> None:
    """Bring the database to this version of the service.

    Back it up first, and stop the service. In the demo profile `mik serve` does the same.
    """
    settings = load_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with handle_errors():
        database = open_database(settings.sqlalchemy_url)
        database_schema.migrate(database)
        database.dispose()
    typer.echo("The database is at this version.")


def database_rights(
    role: Annotated[str, typer.Option(help="Database role that the service connects as.")] = "mik_app",
) -> None:
    """Print the SQL for a database role that cannot rewrite history.

    For PostgreSQL; run the SQL as the owner of the tables. The owner of a table has every right on it, so the rights
    only help if the service does not own its tables: migrate as the owner, serve as this role. Run it again after a
    migration.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        fail("A role has small letters, digits and underscores, and begins with no digit.")
    typer.echo(database_schema.grant_statements(role))
