"""Run a migration command, and fill the columns that a row needs."""

from datetime import UTC, date, datetime
from decimal import Decimal

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
    config = alembic_config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        verb(config, revision)


def some(column):
    """Any value that the column can hold."""
    kind = column.type.python_type
    plain = {int: 1, bool: False, datetime: datetime(2026, 11, 22, tzinfo=UTC), date: date(2026, 11, 22), dict: {}}
    return plain.get(kind, Decimal(1) if kind is Decimal else [] if kind is list else "x")
