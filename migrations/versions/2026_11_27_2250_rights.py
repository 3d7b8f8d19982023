"""Require another person to confirm evidence than the one who added it; make client secrets expire.

Evidence that was confirmed by its upload keeps its confirmation, and is marked. Existing secrets are valid for one full
lifetime from the migration.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261127_2250_rights"
down_revision = "20261127_2240_holder"
branch_labels = None
depends_on = None


LIFE = timedelta(days=365)  # as MIK_CLIENT_SECRET_DAYS has it where nothing is set

CLIENTS = sa.table(
    "api_clients",
    *(sa.column(name, sa.Uuid()) for name in ("id", "created_by")),
    sa.column("secret_hash", sa.Text()),
    *(sa.column(name, database.UtcDateTime()) for name in ("created_at", "last_used_at")),
)
SECRETS = sa.table(
    "client_secrets",
    *(sa.column(name, sa.Uuid()) for name in ("id", "client_id", "created_by")),
    sa.column("secret_hash", sa.Text()),
    *(sa.column(name, database.UtcDateTime()) for name in ("created_at", "expires_at", "last_used_at", "ended_at")),
)


def upgrade() -> None:
    _evidence_up()
    op.create_table(
        "client_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column(
            "secret_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of 32 random bytes: nothing to guess, so no slow hash",
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", database.UtcDateTime(), nullable=True),
        sa.Column(
            "ended_at", database.UtcDateTime(), nullable=True, comment="by a member of the company, before it expired"
        ),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_client_secrets_expires_after_it_begins")),
        sa.ForeignKeyConstraint(["client_id"], ["api_clients.id"], name=op.f("fk_client_secrets_client_id")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_client_secrets_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_secrets")),
    )
    op.create_index(op.f("ix_client_secrets_client_id"), "client_secrets", ["client_id"])
    connection = op.get_bind()
    until = datetime.now(UTC) + LIFE
    for client in connection.execute(sa.select(CLIENTS)).all():
        connection.execute(
            sa.insert(SECRETS).values(
                id=database.new_id(),
                client_id=client.id,
                secret_hash=client.secret_hash,
                created_by=client.created_by,
                created_at=client.created_at,
                expires_at=max(until, client.created_at + LIFE),
                last_used_at=client.last_used_at,
            )
        )
    op.execute("ALTER TABLE api_clients DROP COLUMN secret_hash")


def _evidence_up() -> None:
    op.add_column(
        "evidence",
        sa.Column(
            "confirmed_by_uploader",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="confirmed by its upload, when that was enough; never set by now",
        ),
    )
    op.execute("UPDATE evidence SET confirmed_by_uploader = TRUE WHERE confirmed_by = uploaded_by")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_check_constraint(
            op.f("ck_evidence_confirmed_by_another"), "confirmed_by <> uploaded_by OR confirmed_by_uploader"
        )


def downgrade() -> None:
    """The older service knows one secret of a client, which never expires: it gets the newest that works."""
    op.add_column(
        "api_clients",
        sa.Column(
            "secret_hash",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="SHA-256 of 32 random bytes: nothing to guess, so no slow hash",
        ),
    )
    connection = op.get_bind()
    for secret in connection.execute(sa.select(SECRETS).order_by(SECRETS.c.id)).all():
        if secret.ended_at is None and secret.expires_at > datetime.now(UTC):
            newest = sa.update(CLIENTS).where(CLIENTS.c.id == secret.client_id)
            connection.execute(newest.values(secret_hash=secret.secret_hash))
    op.drop_table("client_secrets")
    with op.batch_alter_table("api_clients", schema=None) as batch_op:
        batch_op.alter_column("secret_hash", server_default=None)
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_evidence_confirmed_by_another"), type_="check")
    op.drop_column("evidence", "confirmed_by_uploader")
