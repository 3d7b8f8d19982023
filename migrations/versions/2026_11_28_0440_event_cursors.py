"""how far the followers of the events have come"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0440_event_cursors"
down_revision = "20261128_0430_file_scans"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "event_cursors",
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="of the last event it has dealt with"),
        sa.PrimaryKeyConstraint("follower", name="pk_event_cursors"),
    )


def downgrade():
    op.drop_table("event_cursors")
