"""Run a migration command, and fill the columns that a row needs."""

from datetime import UTC, date, datetime
from decimal import Decimal

from app.core.crypto.row_macs import ROW_MACS, sign_present_rows
from app.database_schema import alembic_config

RENAMED_TABLES = {
    "extracts": "certificate_snapshots",
    "certificate_words": "certificate_search_terms",
    "guesses": "failed_logins",
    "kept_answers": "idempotency_records",
    "second_factors": "totp_enrolments",
    "sign_ins": "user_sessions",
}
"""By the name that each had until 20261128_0200."""


def run(database, verb, revision):
    """At the head, rows get their MACs again as at a first start: the tables of older versions hold none."""
    config = alembic_config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        verb(config, revision)
    with database.session() as session:
        if revision == "head" and ROW_MACS in session.info:
            sign_present_rows(session, session.info[ROW_MACS])
            session.commit()


def some(column):
    """Any value that the column can hold."""
    kind = column.type.python_type
    plain = {int: 1, bool: False, datetime: datetime(2026, 11, 22, tzinfo=UTC), date: date(2026, 11, 22), dict: {}}
    return plain.get(kind, Decimal(1) if kind is Decimal else [] if kind is list else "x")
