"""Add administrators of companies, and addresses that are confirmed before a registration.

The earliest active member of each company becomes its administrator.
"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261127_2215_administrators"
down_revision = "20261127_2210_mail"
branch_labels = None
depends_on = None

COMMENT = "of their company: invites and removes members, manages API clients"


def upgrade() -> None:
    # Plain SQL: SQLite's batch mode would rebuild the table, which rows of other tables reference.
    op.execute(
        "ALTER TABLE users ADD COLUMN is_administrator BOOLEAN NOT NULL DEFAULT false "
        "CONSTRAINT ck_users_administrator_of_company CHECK (NOT (is_staff AND is_administrator))"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN users.is_administrator IS '{COMMENT}'")
    op.execute(
        sa.text(
            """
            UPDATE users SET is_administrator = true WHERE active AND organisation_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM users AS earlier WHERE earlier.organisation_id = users.organisation_id AND earlier.active
                AND (earlier.created_at < users.created_at
                     OR (earlier.created_at = users.created_at AND earlier.id < users.id)))
            """
        )
    )

    op.create_table(
        "address_confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="lower case"),
        sa.Column("language", sa.Text(), nullable=True, comment="that was asked for: az, en or ru"),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(), nullable=False),
        sa.Column(
            "closed_at", database.UtcDateTime(), nullable=True, comment="used, or another one of the address was"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_confirmations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_address_confirmations_token_hash")),
    )
    op.create_index(op.f("ix_address_confirmations_email"), "address_confirmations", ["email"])
    op.create_index(op.f("ix_address_confirmations_expires_at"), "address_confirmations", ["expires_at"])


def downgrade() -> None:
    """Every member may invite and remove again. Who has a token asks for another one."""
    op.drop_table("address_confirmations")
    op.drop_column("users", "is_administrator")
