"""cosignatures of witnesses, by size of the log"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0350_witnesses"
down_revision = "20261128_0340_signed_columns"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "log_cosignatures",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.Text(), nullable=False, comment="name and id of its key"),
        sa.Column("checkpoint", sa.Text(), nullable=False, comment="the note with the signature of the log alone"),
        sa.Column("line", sa.Text(), nullable=False, comment="the signature line of the witness"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size >= 0", name="size"),
        sa.PrimaryKeyConstraint("size", "witness", name="pk_log_cosignatures"),
    )


def downgrade():
    op.drop_table("log_cosignatures")
