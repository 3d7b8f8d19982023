"""lists of numbers to verify, with their signed results"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261128_0420_manifests"
down_revision = "20261128_0410_events"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "manifests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "organisation_id",
            sa.Uuid(),
            nullable=True,
            comment="the company that reads it; null: of a member of staff",
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False, comment="user or API client"),
        sa.Column("name", sa.Text(), nullable=False, comment="of the file"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the file as it was sent"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False, comment="numbers evaluated so far"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="finished or cancelled"),
        sa.Column("verdicts", JSON, nullable=True, comment="verdict → count, at the end"),
        sa.Column("token", sa.Text(), nullable=True, comment="signed result"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('running', 'finished', 'cancelled')", name="state"),
        sa.CheckConstraint("(state = 'finished') = (token IS NOT NULL)", name="finished_is_signed"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_manifests_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_manifests"),
    )
    op.create_index("ix_manifests_organisation_id", "manifests", ["organisation_id"])
    op.create_index("ix_manifests_created_by", "manifests", ["created_by"])
    op.create_table(
        "manifest_parts",
        sa.Column("manifest_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("numbers", JSON, nullable=False, comment="as they were sent"),
        sa.Column(
            "results",
            JSON,
            nullable=True,
            comment="number, verdict and last day of each; null: not yet evaluated",
        ),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "mac",
            sa.LargeBinary(),
            nullable=True,
            comment="HMAC-SHA-256 under keys/rows.key; without it the row gives nothing",
        ),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifests.id"], name="fk_manifest_parts_manifest_id"),
        sa.PrimaryKeyConstraint("manifest_id", "position", name="pk_manifest_parts"),
    )


def downgrade():
    op.drop_table("manifest_parts")
    op.drop_table("manifests")
