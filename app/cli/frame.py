"""What every command shares: settings, the database, and an end in words instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import schema
from app.commit_pipeline import open_database
from app.db import Database
from app.errors import Invalid, MikError
from app.ledger import log
from app.ledger.log_key import LogKeyFile
from app.settings import Settings

stderr = Console(stderr=True, soft_wrap=True, highlight=False)
REFUSED = 2


def stop(message: str) -> NoReturn:
    stderr.print(message, style="red", markup=False)
    raise typer.Exit(REFUSED)


@contextmanager
def in_words() -> Iterator[None]:
    """Turns refusals into a message and exit code 2."""
    try:
        yield
    except Invalid as why:
        places = "\n".join(f"  {e['pointer']}: {e['detail']}" for e in why.data.get("errors", []))
        stop(f"{why.message}\n{places}" if places else why.message)
    except MikError as why:
        stop(why.message)
    except OperationalError as why:
        stop(f"The database cannot be used: {why.orig}")


def load_settings(kind: type[Settings] = Settings) -> Settings:
    try:
        return kind()
    except ValidationError as why:
        lines = []
        for error in why.errors():
            name = "MIK_" + "_".join(map(str, error["loc"])).upper() + ": " if error["loc"] else ""
            lines.append(name + error["msg"].removeprefix("Value error, "))
        stop("The settings are refused.\n" + "\n".join(lines))


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The migrated database."""
    database = open_database(settings.sqlalchemy_url)
    try:
        if not schema.migrated(database):
            stop(
                "The database is not migrated to this version: run `mik migrate` (or `mik serve` in the demo profile)."
            )
        database.carry({log.SIGNER: LogKeyFile(settings.log_key)})
        yield database
    finally:
        database.dispose()


@contextmanager
def writing(settings: Settings) -> Iterator[Session]:
    """A session on the migrated database, committed at the end."""
    with opened(settings) as database, database.session() as session:
        yield session
        session.commit()
