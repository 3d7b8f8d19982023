"""evidence is confirmed by another person than the one who added it

What was confirmed by its upload keeps its confirmation, and is marked.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_2220_rights"
down_revision = "20261127_2100_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "evidence",
        sa.Column(
            "confirmed_by_uploader",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="confirmed by its upload, when that was enough; never set by now",
        ),
    )
    op.execute("UPDATE evidence SET confirmed_by_uploader = TRUE WHERE confirmed_by = uploaded_by")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_check_constraint(
            op.f("ck_evidence_confirmed_by_another"), "confirmed_by <> uploaded_by OR confirmed_by_uploader"
        )


def downgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_evidence_confirmed_by_another"), type_="check")
    op.drop_column("evidence", "confirmed_by_uploader")
