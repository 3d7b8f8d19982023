"""Allow at most one active key, and add pauses of issuance."""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261122_2230_key_life"
down_revision = "20261122_2200_public_log"
branch_labels = None
depends_on = None

ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    op.create_index(
        "uq_signing_keys_active", "signing_keys", ["state"], unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE
    )
    op.create_table(
        "issuance_pauses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=True, comment="true or null: one is open at most"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", database.UtcDateTime(), nullable=False),
        sa.Column("until", database.UtcDateTime(), nullable=True),
        sa.CheckConstraint("(is_open IS NULL) = (until IS NOT NULL)", name=op.f("ck_issuance_pauses_open")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuance_pauses")),
        sa.UniqueConstraint("is_open", name=op.f("uq_issuance_pauses_is_open")),
    )


def downgrade() -> None:
    op.drop_table("issuance_pauses")
    op.drop_index("uq_signing_keys_active", "signing_keys")
