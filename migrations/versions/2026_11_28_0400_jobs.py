"""jobs: work that is run in the background

Down: if jobs wait, run or are parked, the table is kept under another name; the next upgrade takes it back.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261128_0400_jobs"
down_revision = "20261128_0370_authenticators"
branch_labels = None
depends_on = None


KEPT = "kept_jobs"


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table(KEPT):
        op.rename_table(KEPT, "jobs")
        return
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="of its type; a version that does not know it leaves it to one that does",
        ),
        sa.Column("key", sa.Text(), nullable=True, comment="of all jobs of a type one has this key; null: any number"),
        sa.Column(
            "payload",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
            comment="ids, codes and numbers",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "due_at",
            database.UtcDateTime(),
            nullable=True,
            comment="when a worker may take it; while one runs it, when another may; null: done or parked",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            nullable=False,
            comment="begun since it last succeeded or was retried by a person",
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("progress_done", sa.Integer(), nullable=True),
        sa.Column("progress_total", sa.Integer(), nullable=True),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("started_at", database.UtcDateTime(), nullable=True, comment="of the newest attempt"),
        sa.Column("finished_at", database.UtcDateTime(), nullable=True, comment="when it last succeeded or was parked"),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="+1 by each change of state: a worker changes what it took itself",
        ),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'parked')", name=op.f("ck_jobs_state")),
        sa.CheckConstraint("(state IN ('done', 'parked')) = (due_at IS NULL)", name=op.f("ck_jobs_due_until_done")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("key", "name", name=op.f("uq_jobs_key_name")),
    )
    op.create_index(
        op.f("ix_jobs_due_at"),
        "jobs",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_jobs_state"),
        "jobs",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )


def downgrade() -> None:
    open_jobs = sa.text(
        "SELECT count(*) FROM jobs WHERE state <> 'done' AND key IS DISTINCT FROM ''"
    )  # but recurring ones
    if op.get_bind().scalar(open_jobs):
        op.rename_table("jobs", KEPT)
    else:
        op.drop_table("jobs")
