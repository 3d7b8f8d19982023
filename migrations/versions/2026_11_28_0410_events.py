"""reminders that were recorded; the events of a case by number"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0410_events"
down_revision = "20261128_0400_jobs"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "reminders",
        sa.Column("event", sa.Text(), nullable=False, comment="name of the audit event"),
        sa.Column("subject_id", sa.Text(), nullable=False, comment="as in the audit event"),
        sa.Column("last_day", sa.Date(), nullable=False, comment="inclusive, Asia/Baku"),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False, comment="before the last day"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event", "subject_id", "last_day", "days", name="pk_reminders"),
    )
    op.create_index("ix_reminders_last_day", "reminders", ["last_day"])
    op.create_index("ix_audit_events_case", "audit_events", ["case_id", "seq"])
    op.drop_index("ix_audit_events_case_id", "audit_events")


def downgrade():
    op.create_index("ix_audit_events_case_id", "audit_events", ["case_id"])
    op.drop_index("ix_audit_events_case", "audit_events")
    op.drop_table("reminders")
