"""Add the authenticators of staff, which confirm decisions, and MACs of proposals."""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261128_0320_authenticators"
down_revision = "20261128_0310_proposals"
branch_labels = None
depends_on = None

COMMENT = "HMAC-SHA-256 under keys/rows.key; without it the row gives nothing"


def upgrade() -> None:
    op.create_table(
        "staff_credentials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False, comment="given by the authenticator, base64url"),
        sa.Column("public_key", sa.Text(), nullable=False, comment="COSE key, base64url"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="by which the person knows it"),
        sa.Column("sign_count", sa.BigInteger(), nullable=False, comment="of its last signature; 0: it does not count"),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="over credential id, public key and user; the log holds it"
        ),
        sa.Column("registered_at", database.UtcDateTime(), nullable=False),
        sa.Column("removed_at", database.UtcDateTime(), nullable=True),
        sa.Column(
            "mac",
            sa.LargeBinary(),
            nullable=True,
            comment=COMMENT,
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_staff_credentials_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_credentials")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_staff_credentials_credential_id")),
    )
    op.create_index(op.f("ix_staff_credentials_user_id"), "staff_credentials", ["user_id"])
    op.add_column("proposals", sa.Column("mac", sa.LargeBinary(), nullable=True, comment=COMMENT))


def downgrade() -> None:
    """Drop the authenticators; the public log still names them."""
    op.drop_column("proposals", "mac")
    op.drop_table("staff_credentials")
