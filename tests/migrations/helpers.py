"""Run a migration command, and fill the columns that a row needs."""

from datetime import UTC, date, datetime
from decimal import Decimal

from app.core.crypto.row_macs import ROW_MACS, ensure_row_macs
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


def sign_rows_again(app):
    """As the first start after the migration that adds MACs: the older tables had none."""
    app.settings.row_key.unlink()
    app.database.attach_session_info({ROW_MACS: ensure_row_macs(app.database, app.settings.row_key)})


def some(column):
    """Any value that the column can hold."""
    kind = column.type.python_type
    plain = {int: 1, bool: False, datetime: datetime(2026, 11, 22, tzinfo=UTC), date: date(2026, 11, 22), dict: {}}
    return plain.get(kind, Decimal(1) if kind is Decimal else [] if kind is list else "x")
