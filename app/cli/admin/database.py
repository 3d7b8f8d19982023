"""Implement `mik admin migrate`."""

import typer

from app import database_schema
from app.cli.common import handle_errors, load_settings
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
