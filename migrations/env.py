"""Run migrations on the database of MIK_DATABASE_URL, or on a connection passed by the caller.

On PostgreSQL one migration runs at a time (advisory lock) and gives up rather than block the service for long.
"""

import sqlalchemy as sa
from alembic import context

import app.database_schema  # noqa: F401 (fills the metadata)
from app.core.database import Base, ExactDecimal, UtcDateTime
from app.core.settings import Settings

ONE_AT_A_TIME = 7_064_037_036  # any fixed number: the key of the advisory lock


def render_item(kind, item, autogen_context):
    """Write our column types by name, so that a migration reads like the model."""
    if kind == "type" and isinstance(item, UtcDateTime | ExactDecimal):
        autogen_context.imports.add("from app.core import database")
        if isinstance(item, ExactDecimal):
            return f"database.ExactDecimal({item.precision}, {item.scale})"
        return "database.UtcDateTime()"
    return False


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
        # Without the second plugin `alembic check` does not look at check constraints at all.
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL lock_timeout = '15s'"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    engine = sa.create_engine(Settings().sqlalchemy_url)
    with engine.connect() as own:
        run(own)
        own.commit()
