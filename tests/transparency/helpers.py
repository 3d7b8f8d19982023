"""A log key for tests, from a number, so that it is the same in every run; and how a log is read back."""

import json

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.database_schema import APPEND_ONLY_TABLES
from app.integrity.transparency_log import recompute_log
from app.transparency import log_repository
from app.transparency.signed_note import NoteSigner, parse_vkey

ORIGIN = "mark.example/log"


def signer_of(value=1, name=ORIGIN):
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(value.to_bytes(32, "big")))


def disarm(connection):
    """Take the guards away, as an owner of the tables can."""
    disarm_certificates(connection)
    for table in APPEND_ONLY_TABLES:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete", "insert"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        else:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


def disarm_certificates(connection):
    if connection.dialect.name == "sqlite":
        for name in ("", "_insert", "_delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS certificates_signed_columns{name}")
    else:
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS certificates_signed_columns CASCADE")


def attack(database, *statements, **values):
    with database.write_engine.begin() as connection:
        disarm(connection)
        for statement in statements:
            connection.execute(sa.text(statement), values)


def head_of(database):
    with database.read_session() as session:
        return log_repository.get_head(session)


def derived(database, against=None):
    """The log derived anew, by the key it names."""
    with database.read_session() as session:
        return recompute_log(session, parse_vkey(log_repository.get_head(session).vkey), against)


def entries_in(content):
    """The entries of a bundle."""
    entries, place = [], 0
    while place < len(content):
        end = place + 2 + int.from_bytes(content[place : place + 2], "big")
        assert end <= len(content)
        entries.append(content[place + 2 : end])
        place = end
    return entries


def entries_of(database):
    """Every entry as JSON, in order."""
    with database.read_session() as session:
        return [json.loads(row.entry) for row in log_repository.iterate_rows(session)]
