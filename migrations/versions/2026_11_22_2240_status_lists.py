"""Create two status lists for each list number in use, filled from the existing certificates.

The first request signs a list. The previous version of the service does not update the bits: stop it before this
migration, or run `mik doctor --only status-lists` afterwards.
"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261122_2240_status_lists"
down_revision = "20261122_2235_register_search"
branch_labels = None
depends_on = None

BYTES = 131_072 // 8
SET_BY = {"revocation": ("revoked", "surrendered", "superseded"), "suspension": ("suspended",)}


def upgrade() -> None:
    table = op.create_table(
        "status_lists",
        sa.Column("list_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="moves with every change of a bit"),
        sa.Column("token_version", sa.Integer(), nullable=True),
        sa.Column("kid", sa.Text(), nullable=True, comment="the key that signed the token"),
        sa.Column("signed_at", database.UtcDateTime(), nullable=True),
        sa.Column("bits", sa.LargeBinary(), nullable=False, comment="bit 0 is the left-most"),
        sa.Column("token", sa.Text(), nullable=True),
        sa.CheckConstraint("list_id > 0", name=op.f("ck_status_lists_list_id")),
        sa.CheckConstraint("purpose IN ('revocation', 'suspension')", name=op.f("ck_status_lists_purpose")),
        sa.CheckConstraint(
            "(token IS NULL) = (token_version IS NULL) AND (token IS NULL) = (kid IS NULL) "
            "AND (token IS NULL) = (signed_at IS NULL)",
            name=op.f("ck_status_lists_signed"),
        ),
        sa.PrimaryKeyConstraint("list_id", "purpose", name=op.f("pk_status_lists")),
    )
    _fill(op.get_bind(), table)


def _fill(connection: sa.Connection, table: sa.Table) -> None:
    numbers = connection.execute(sa.text("SELECT DISTINCT status_list_id FROM certificates")).scalars().all()
    query = sa.text("SELECT status_index, status FROM certificates WHERE status_list_id = :id AND status <> 'active'")
    for list_id in numbers:
        found = connection.execute(query, {"id": list_id}).all()
        for purpose, statuses in SET_BY.items():
            bits = bytearray(BYTES)
            for index, status in found:
                if status in statuses:
                    bits[index // 8] |= 0x80 >> index % 8
            row = {"list_id": list_id, "purpose": purpose, "version": 1, "bits": bytes(bits)}
            connection.execute(table.insert().values(**row))


def downgrade() -> None:
    """The bits repeat what the certificates say: nothing is lost."""
    op.drop_table("status_lists")
