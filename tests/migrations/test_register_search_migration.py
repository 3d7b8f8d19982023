"""Certificates that lay here before the words did can be found after, and the older service can have them back."""

from datetime import UTC, date, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import command

from tests.migrations.helpers import run

BEFORE, AFTER = "20261122_2230_key_life", "20261122_2235_register_search"


def put(database):
    """One certificate and its holder, past the rows that they rest on: those are not what is tested here."""
    engine = sa.create_engine(database.url)  # without the foreign keys that our own engine asks SQLite to keep
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        insert(
            connection,
            "organisations",
            voen="0010000101",
            legal_name_az="“Ağdam Boru” MMC",
            standing="unconfirmed",
            source="applicant",
        )
        insert(
            connection,
            "certificates",
            number="MIK-2026-000042-Y",
            holder_name="Pipe Works",
            product_names={"az": "Polad boru", "en": "Steel tube"},
            hs6="730630",
            district="Ağdam",
            status="active",
        )
    engine.dispose()


def insert(connection, name, **values):
    """All ids are one: the certificate is the only one, and its holder is as well."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    needed = {c.name: some(c) for c in table.columns if not c.nullable and c.name not in values}
    connection.execute(table.insert().values(needed | values))


IDENTITY = UUID(int=7)


def some(column):
    """Any value that the column can hold."""
    kind = column.type.python_type
    if kind is UUID or (kind is str and column.type.length == 32):  # how SQLite keeps an id
        return IDENTITY if kind is UUID else IDENTITY.hex
    return {int: 1, bool: False, datetime: datetime(2026, 11, 22, tzinfo=UTC), date: date(2026, 11, 22)}.get(kind, "x")


def test_words_come_and_go(database):
    run(database, command.downgrade, BEFORE)
    put(database)
    run(database, command.upgrade, AFTER)
    with database.read_engine.connect() as connection:
        words = set(connection.execute(sa.text("SELECT field, word FROM certificate_words")))
        assert words == {
            *(("number", each) for each in ("mik", "2026", "000042", "i")),
            *(("holder", each) for each in ("pipa", "vorks", "akdam", "boru", "mc")),
            *(("product", each) for each in ("polad", "boru", "stal", "tuba")),
            *(("hs", each) for each in ("hs", "730630")),
            ("place", "akdam"),
        }
        assert "search_text" not in {c["name"] for c in sa.inspect(connection).get_columns("certificates")}
    run(database, command.downgrade, BEFORE)
    with database.read_engine.connect() as connection:
        text = connection.execute(sa.text("SELECT search_text FROM certificates")).scalar_one()
        assert text == "mik-2026-000042-y pipe works"
