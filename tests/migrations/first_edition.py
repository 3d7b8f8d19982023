"""The data of a demo that ran before the second edition of the rules, loaded into either kind of database.

`first_edition.json.gz` holds what the service of revision 20261123_0130 wrote: tables with the type of each column, the
keys of that demo (throw-away ones, as every demo makes for itself), and the verdict on each certificate. Beside the
demo's own cases one was left recommended, and a product has a unit, a flag and an operation of the maker's own words.
"""

import base64
import gzip
import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from alembic import command

from app.commit_pipeline import open_database
from app.core.database import ExactDecimal, JsonColumn, UtcDateTime
from app.database_schema import alembic_config

FILE = Path(__file__).with_name("first_edition.json.gz")
TYPES = {
    "uuid": (sa.Uuid(), UUID),
    "json": (JsonColumn, lambda value: value),
    "bool": (sa.Boolean(), bool),
    "int": (sa.BigInteger(), int),
    "text": (sa.Text(), str),
    "date": (sa.Date(), date.fromisoformat),
    "time": (UtcDateTime(), datetime.fromisoformat),
    "bytes": (sa.LargeBinary(), base64.b64decode),
}


def read():
    return json.loads(gzip.decompress(FILE.read_bytes()))


def load(database_url, folder, data):
    """Bring an empty database back to the revision of the data and fill it; the keys go to the data folder."""
    database = open_database(database_url)
    with database.write_engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, data["revision"])
    with database.write_engine.begin() as connection:
        for name, table in data["tables"].items():
            columns, rows = _typed(table)
            target = sa.table(name, *columns)
            connection.execute(sa.delete(target))  # what the migrations put there
            connection.execute(target.insert(), rows)
    database.dispose()
    keys = folder / "data" / "keys"
    keys.mkdir(mode=0o700, parents=True)
    for name, content in data["keys"].items():
        (keys / name).write_bytes(base64.b64decode(content))
        (keys / name).chmod(0o600)


def rows_of(data, name):
    """The rows of one table, with their values typed."""
    return _typed(data["tables"][name])[1]


def _typed(table):
    columns, read_value = [], {}
    for name, kind in table["columns"].items():
        if places := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind):
            column_type, reader = ExactDecimal(int(places[1]), int(places[2])), Decimal
        else:
            column_type, reader = TYPES[kind]
        columns.append(sa.column(name, column_type))
        read_value[name] = reader
    rows = [
        {
            name: None if value is None else reader(value)
            for (name, reader), value in zip(read_value.items(), row, strict=True)
        }
        for row in table["rows"]
    ]
    return columns, rows
