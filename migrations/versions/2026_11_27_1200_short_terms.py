"""Add the applicant's consent to a short term, to the answer that gives it."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_1200_short_terms"
down_revision = "20261127_0900_rules_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("information_requests", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "accepts",
                sa.Boolean(),
                nullable=True,
                comment="whether a short term is accepted; null: not asked about",
            )
        )
        batch_op.add_column(
            sa.Column("accepted_until", sa.Date(), nullable=True, comment="last day of the term that was accepted")
        )


def downgrade() -> None:
    with op.batch_alter_table("information_requests", schema=None) as batch_op:
        batch_op.drop_column("accepted_until")
        batch_op.drop_column("accepts")
