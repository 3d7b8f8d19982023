"""Add announced holidays, questions about one field, decided products, and indexes of the audit chain.

Safe while the previous version of the service runs: columns are added first and removed one release later.
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261122_2010"
down_revision = "20261122_1910"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "holidays",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False, comment="a moved holiday of the calendar file, or other"),
        sa.Column("works", sa.Boolean(), nullable=False, comment="worked, although it would be free"),
        sa.Column("announced_by", sa.Uuid(), nullable=False),
        sa.Column("announced_at", database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["announced_by"], ["users.id"], name=op.f("fk_holidays_announced_by")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holidays")),
    )
    decided = op.create_table(
        "decided_products",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("hs4", sa.Text(), nullable=False, comment="HS heading, first four digits of hs6"),
        sa.Column("hs6", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("outcome IN ('approved', 'rejected')", name=op.f("ck_decided_products_outcome")),
        sa.CheckConstraint("substr(hs6, 1, 4) = hs4", name=op.f("ck_decided_products_heading")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_decided_products_decision_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_decided_products_organisation_id")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_decided_products_product_id")),
        sa.ForeignKeyConstraint(["scheme_code"], ["schemes.code"], name=op.f("fk_decided_products_scheme_code")),
        sa.PrimaryKeyConstraint("decision_id", "product_id", name=op.f("pk_decided_products")),
    )
    op.create_index("ix_decided_products_heading", "decided_products", ["scheme_code", "hs4", "decision_id"])
    op.create_index("ix_audit_events_actor", "audit_events", ["actor_id", "seq"])
    op.create_index("ix_audit_events_subject", "audit_events", ["subject_type", "subject_id", "seq"])
    op.add_column(
        "information_requests",
        sa.Column("field", sa.Text(), nullable=True, comment="what the question is about, from a closed list"),
    )
    op.add_column(
        "information_requests",
        sa.Column("evidence_ids", JSON, nullable=True, comment="files that the answer names; null until answered"),
    )
    _fill(decided)
    _guard()


def _fill(decided: sa.Table) -> None:
    """Decisions made before: the product's code of today is the best that is known of them."""
    connection = op.get_bind()
    outcomes = {
        (str(row.id).replace("-", ""), each["product_id"].replace("-", "")): each["outcome"]
        for row in connection.execute(sa.text("SELECT id, products FROM decisions"))
        for each in (json.loads(row.products) if isinstance(row.products, str) else row.products)
    }
    found = connection.execute(
        sa.text(
            "SELECT d.id AS decision_id, p.id AS product_id, a.scheme_code, a.organisation_id, p.hs6 "
            "FROM decisions d JOIN applications a ON a.id = d.application_id "
            "JOIN application_products ap ON ap.application_id = a.id JOIN products p ON p.id = ap.product_id"
        ).columns(decision_id=sa.Uuid(), product_id=sa.Uuid(), organisation_id=sa.Uuid())
    )
    rows = [
        {**row._mapping, "hs4": row.hs6[:4], "outcome": outcomes[row.decision_id.hex, row.product_id.hex]}  # noqa: SLF001 (SQLAlchemy's public name for it)
        for row in found
    ]
    if rows:
        op.bulk_insert(decided, rows)


def _guard() -> None:
    """Reject changes on any connection, as for decisions."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER decided_products_no_{verb.lower()} BEFORE {verb} ON decided_products "
                "BEGIN SELECT RAISE(ABORT, 'decided_products are never changed'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER decided_products_no_rewrite BEFORE UPDATE OR DELETE ON decided_products "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()"
    )
    op.execute(
        "CREATE TRIGGER decided_products_no_truncate BEFORE TRUNCATE ON decided_products "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite()"
    )


def downgrade() -> None:
    op.drop_column("information_requests", "evidence_ids")
    op.drop_column("information_requests", "field")
    op.drop_index("ix_audit_events_subject", "audit_events")
    op.drop_index("ix_audit_events_actor", "audit_events")
    op.drop_table("decided_products")
    op.drop_table("holidays")
