"""Every mapped table in one import, and the migrations that make them."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import audit
from app.access import model as access
from app.applications import model as applications
from app.certificates import model as certificates
from app.db import Base, Database
from app.ledger import model as ledger
from app.notifications import model as notifications
from app.products import model as products
from app.registry import model as registry
from app.schemes import model as schemes

__all__ = [
    "NEVER_REWRITTEN",
    "Base",
    "access",
    "applications",
    "audit",
    "certificates",
    "ledger",
    "migrate",
    "migrated",
    "notifications",
    "products",
    "registry",
    "rights_of",
    "schemes",
]


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    return config


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database to this revision, in one transaction."""
    config = alembic_config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def migrated(database: Database) -> bool:
    """Whether the database stands at the head of the migrations that this code knows."""
    with database.read_engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        return MigrationContext.configure(connection).get_current_revision() == _head()


NEVER_REWRITTEN = frozenset(
    {
        "assessments",
        "audit_events",
        "certified_descriptions",
        "decided_products",
        "decisions",
        "declarations",
        "log_entries",
        "rulesets",
        "visit_waivers",
    }
)
"""Tables with a trigger against UPDATE, DELETE and TRUNCATE (migrations). Rows are only ever added."""


def rights_of(role: str) -> str:
    """SQL for PostgreSQL that gives this role what the service needs, and nothing with which history can be rewritten.

    It may not own the tables: an owner can drop triggers and grant itself everything.
    """
    lines = [
        "-- Run as the owner of the tables. The role must exist and be no member of the owner's role.",
        "BEGIN;",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role};",
        f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};",
        f"GRANT USAGE ON SCHEMA public TO {role};",
        f"GRANT SELECT ON alembic_version TO {role};",
    ]
    for table in sorted(Base.metadata.tables):
        verbs = "SELECT, INSERT" if table in NEVER_REWRITTEN else "SELECT, INSERT, UPDATE, DELETE"
        if table in {audit.AuditHead.__tablename__, ledger.LogHead.__tablename__}:
            verbs = "SELECT, UPDATE"  # its one row is made by the migration
        lines.append(f"GRANT {verbs} ON {table} TO {role};")
    lines.append("COMMIT;")
    return "\n".join(lines)
