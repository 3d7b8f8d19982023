"""Add an index of evidence by the hash of its file."""

from alembic import op

revision = "20261127_2230_evidence_hash"
down_revision = "20261127_2215_administrators"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_evidence_sha256", "evidence")
