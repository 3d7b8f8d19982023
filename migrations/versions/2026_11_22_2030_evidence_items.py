"""Add the stated values of evidence documents, their confirmation, and documents of a company.

Existing evidence belongs to the company of its application, and is not confirmed.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261122_2030_evidence_items"
down_revision = "20261122_2010"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organisation_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("issued_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("valid_until", sa.Date(), nullable=True, comment="last day, inclusive; null: open")
        )
        batch_op.add_column(sa.Column("number", sa.Text(), nullable=True, comment="as printed on the document"))
        batch_op.add_column(
            sa.Column("stated", JSON, nullable=True, comment="structured values of its kind; decimals as text")
        )
        batch_op.add_column(sa.Column("confirmed_by", sa.Uuid(), nullable=True, comment="the member of staff"))
        batch_op.add_column(sa.Column("confirmed_at", database.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE evidence SET stated = '{}', version = 1, organisation_id = "
        "(SELECT a.organisation_id FROM applications a WHERE a.id = evidence.application_id)"
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.alter_column("organisation_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("stated", existing_type=JSON, nullable=False)
        batch_op.alter_column("version", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("application_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column(
            "kind", existing_type=sa.Text(), existing_nullable=False, comment="one of app/schemes/evidence_kinds.toml"
        )
        batch_op.drop_constraint("uq_evidence_application_id_sha256_kind", type_="unique")
        batch_op.create_index("ix_evidence_organisation_id", ["organisation_id"], unique=False)
        batch_op.create_foreign_key("fk_evidence_organisation_id", "organisations", ["organisation_id"], ["id"])
        batch_op.create_foreign_key("fk_evidence_confirmed_by", "users", ["confirmed_by"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_evidence_confirmed_by_somebody"), "(confirmed_by IS NULL) = (confirmed_at IS NULL)"
        )


def downgrade() -> None:
    """The older service knows no evidence of a company alone, and one item for each file and kind."""
    op.execute("DELETE FROM evidence WHERE application_id IS NULL")
    op.execute(
        "DELETE FROM evidence AS later WHERE EXISTS (SELECT 1 FROM evidence AS first WHERE first.id < later.id "
        "AND first.application_id = later.application_id AND first.sha256 = later.sha256 AND first.kind = later.kind)"
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_evidence_confirmed_by_somebody"), type_="check")
        batch_op.drop_constraint("fk_evidence_confirmed_by", type_="foreignkey")
        batch_op.drop_constraint("fk_evidence_organisation_id", type_="foreignkey")
        batch_op.drop_index("ix_evidence_organisation_id")
        batch_op.create_unique_constraint(
            "uq_evidence_application_id_sha256_kind", ["application_id", "sha256", "kind"]
        )
        batch_op.alter_column("application_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("kind", existing_type=sa.Text(), existing_nullable=False, comment=None)
        for name in (
            "version",
            "confirmed_at",
            "confirmed_by",
            "stated",
            "number",
            "valid_until",
            "issued_on",
            "organisation_id",
        ):
            batch_op.drop_column(name)
