"""what the virus scanner said of each file"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0430_file_scans"
down_revision = "20261128_0420_manifests"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "file_scans",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=True, comment="name of what was found; null: clean"),
        sa.Column("scanner", sa.Text(), nullable=False, comment="version of the scanner and its signatures"),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_file_scans"),
    )


def downgrade():
    op.drop_table("file_scans")
