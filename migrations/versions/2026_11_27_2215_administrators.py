"""administrators of companies

The earliest active member of each company becomes its administrator.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_2215_administrators"
down_revision = "20261127_2210_mail"
branch_labels = None
depends_on = None

COMMENT = "of their company: invites and removes members, manages API clients"


def upgrade() -> None:
    # Written out: on SQLite, batch mode would make the table anew, which rows of other tables refer to.
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


def downgrade() -> None:
    """Every member may invite and remove again."""
    op.drop_column("users", "is_administrator")
