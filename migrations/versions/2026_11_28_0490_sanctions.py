"""sanctions lists with decisions, answers of registers of others, certificates by time of change"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261128_0490_sanctions"
down_revision = "20261128_0470_sign_on"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "sanctions_lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the file"),
        sa.Column(
            "threshold", sa.Integer(), nullable=False, comment="score, 0-100, from which a name resembles another"
        ),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("entries", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sanctions_lists"),
    )
    op.create_table(
        "sanctions_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column(
            "entry_sha256",
            sa.Text(),
            nullable=False,
            comment="of the entry as it was: another one is to be decided again",
        ),
        sa.Column("names_sha256", sa.Text(), nullable=False, comment="of the company's names as they were"),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('same', 'different')", name="decision"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name="fk_sanctions_decisions_organisation_id"
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name="fk_sanctions_decisions_decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_sanctions_decisions"),
    )
    op.create_index("ix_sanctions_decisions_organisation_id", "sanctions_decisions", ["organisation_id"])
    op.create_table(
        "register_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False, comment="residents or tax"),
        sa.Column("source", sa.Text(), nullable=False, comment="name of a file, or the address that was asked"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "stated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the register says so itself; null: a file",
        ),
        sa.Column("signature", sa.Text(), nullable=True, comment="JWS of the register; null: a file"),
        sa.Column(
            "applied", sa.Boolean(), nullable=False, comment="false: refused whole, for the faults in the report"
        ),
        sa.Column("report", JSON, nullable=False),
        sa.CheckConstraint("register IN ('residents', 'tax')", name="register"),
        sa.PrimaryKeyConstraint("id", name="pk_register_answers"),
    )
    op.create_index("ix_register_answers_sha256", "register_answers", ["register", "sha256"])
    op.create_index("ix_certificates_status_since", "certificates", ["status_since"])


def downgrade():
    op.drop_index("ix_certificates_status_since", "certificates")
    op.drop_table("register_answers")
    op.drop_table("sanctions_decisions")
    op.drop_table("sanctions_lists")
