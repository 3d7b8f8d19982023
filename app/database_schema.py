"""Import every mapped table and run migrations."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import app.applications.model
import app.auth.agents.model
import app.auth.model
import app.auth.sign_on.model
import app.bulk.model
import app.certificates.model
import app.core.counters
import app.events.model
import app.jobs.model
import app.notifications.model
import app.organisations.model
import app.products.model
import app.reference.model
import app.schemes.model
import app.signing.model
import app.watches.model
import app.web.idempotency_repository
import app.webhooks.model  # noqa: F401 (each import above and this one adds tables to Base.metadata)
from app.core.database import Base, Database

__all__ = ["APPEND_ONLY_TABLES", "Base", "is_migrated", "migrate"]


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    return config


def migrate(database: Database, revision: str = "head") -> None:
    """Migrate the database to this revision, in one transaction."""
    config = alembic_config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@cache
def _head_revision() -> str | None:
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def is_migrated(database: Database) -> bool:
    """Whether the database is at the head revision of this version of the service."""
    with database.read_engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        return MigrationContext.configure(connection).get_current_revision() == _head_revision()


APPEND_ONLY_TABLES = frozenset(
    {
        "assessments",
        "audit_events",
        "certified_descriptions",
        "decided_products",
        "decisions",
        "declarations",
        "log_entries",
        "reissued_tokens",
        "rulesets",
        "status_decisions",
        "visit_waivers",
    }
)
"""Tables with a trigger against UPDATE, DELETE and TRUNCATE (see migrations); rows are only inserted."""
