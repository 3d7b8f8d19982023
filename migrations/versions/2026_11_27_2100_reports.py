"""Create the table of misuse reports."""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261127_2100_reports"
down_revision = "20261127_1900_matters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False, comment="what whoever told of it was given"),
        sa.Column("received_at", database.UtcDateTime(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True, comment="in display form where it is a number"),
        sa.Column("certificate_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True, comment="as it was sent"),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("photo_type", sa.Text(), nullable=True),
        sa.Column("matter_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("number IS NOT NULL OR address IS NOT NULL", name=op.f("ck_reports_about_something")),
        sa.CheckConstraint("(photo IS NULL) = (photo_type IS NULL)", name=op.f("ck_reports_photo")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificates.id"], name=op.f("fk_reports_certificate_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_reports_matter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("receipt", name=op.f("uq_reports_receipt")),
    )


def downgrade() -> None:
    """The matters that reports opened stay, with the text of the report."""
    op.drop_table("reports")
