"""Migrations run up, down and up again on both databases, and equal the models, check constraints included."""

import sqlalchemy as sa
from alembic import command

from app.database_schema import Base, alembic_config, is_migrated, migrate


def run(database, verb, *args):
    config = alembic_config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        verb(config, *args)


def test_up_down_up_and_equal_to_the_models(database):
    assert is_migrated(database)
    run(database, command.check)
    run(database, command.downgrade, "base")
    assert not is_migrated(database)
    with database.read_engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    migrate(database)
    run(database, command.check)
    assert is_migrated(database)


def test_every_check_constraint_of_the_models_is_in_the_database(database):
    with database.read_engine.connect() as connection:
        inspector = sa.inspect(connection)
        for table in Base.metadata.sorted_tables:
            declared = {c.name for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            found = {c["name"] for c in inspector.get_check_constraints(table.name)}
            assert declared <= found, table.name


def test_an_empty_database_is_not_migrated(tmp_path):
    from app.core.database import Database  # noqa: PLC0415 (only this test makes its own)

    assert not is_migrated(Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}"))
