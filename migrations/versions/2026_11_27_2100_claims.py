"""documents that their company withdrew"""

import sqlalchemy as sa
from alembic import op

from app import db

revision = "20261127_2100_claims"
down_revision = "20261127_1900_matters"
branch_labels = None
depends_on = None

WITHDRAWN = "why the last confirmation was withdrawn"


def upgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.alter_column(
            "withdrawal_reason",
            existing_type=sa.Text(),
            existing_nullable=True,
            comment="why the confirmation, or the document, was withdrawn",
        )
        batch_op.add_column(
            sa.Column("withdrawn_by", sa.Uuid(), nullable=True, comment="the member of the company who withdrew it")
        )
        batch_op.add_column(
            sa.Column("withdrawn_at", db.UtcDateTime(), nullable=True, comment="kept, and no longer counted")
        )


def downgrade() -> None:
    """The older service would count what was withdrawn: it loses the document."""
    op.execute("DELETE FROM evidence WHERE withdrawn_at IS NOT NULL")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("withdrawn_by")
        batch_op.alter_column("withdrawal_reason", existing_type=sa.Text(), existing_nullable=True, comment=WITHDRAWN)
