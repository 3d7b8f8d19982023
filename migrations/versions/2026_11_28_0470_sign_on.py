"""sign-on by providers and passkeys, and authorities of agents"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261128_0470_sign_on"
down_revision = "20261128_0461_watches"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MAC = "HMAC-SHA-256 under keys/rows.key; without it the row gives nothing"
BEFORE = (
    "registration-requested",
    "reset-requested",
    "confirm-address",
    "address-taken",
    "reset-password",
    "first-password",
    "invitation",
    "claim-confirmed",
    "claim-refused",
    "claim-disputed",
    "member-removed",
    "account-closed",
    "role-granted",
    "role-taken",
    "administrator-given",
    "administrator-taken",
    "certificates-reissued",
    "authenticator-proposed",
    "authenticator-registered",
    "authenticator-removed",
    "notice",
    "confirm-watch",
    "watched-change",
)
ADDED = ("sign-in-added", "sign-in-removed", "authority-offered", "authority-accepted", "authority-ended")


def upgrade():
    op.create_table(
        "identity_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="`sub` of the ID token"),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True, comment=MAC),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_identity_links_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_links"),
    )
    op.create_index("ix_identity_links_user_id", "identity_links", ["user_id"])
    for name, columns in (("identity", ["issuer", "subject"]), ("account", ["user_id", "issuer"])):
        present = sa.text("removed_at IS NULL")
        op.create_index(
            f"uq_identity_links_{name}",
            "identity_links",
            columns,
            unique=True,
            sqlite_where=present,
            postgresql_where=present,
        )
    op.create_table(
        "provider_sessions",
        sa.Column("user_session_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("roles", JSON, nullable=True, comment="the most roles of the session; null: no bound"),
        sa.Column("provider_session", sa.Text(), nullable=True, comment="`sid` of the ID token"),
        sa.Column("mac", sa.LargeBinary(), nullable=True, comment=MAC),
        sa.ForeignKeyConstraint(
            ["user_session_id"], ["user_sessions.id"], name="fk_provider_sessions_user_session_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["link_id"], ["identity_links.id"], name="fk_provider_sessions_link_id"),
        sa.PrimaryKeyConstraint("user_session_id", name="pk_provider_sessions"),
    )
    op.create_index("ix_provider_sessions_link_id", "provider_sessions", ["link_id"])
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False, comment="given by the authenticator, base64url"),
        sa.Column("public_key", sa.Text(), nullable=False, comment="COSE key, base64url"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="by which the person knows it"),
        sa.Column("sign_count", sa.BigInteger(), nullable=False, comment="of its last signature; 0: it does not count"),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True, comment=MAC),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_passkeys_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    op.create_table(
        "used_tickets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="from then on the row is not needed",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_used_tickets"),
    )
    op.create_index("ix_used_tickets_expires_at", "used_tickets", ["expires_at"])
    op.create_table(
        "authorities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="whom it was offered to, lower case"),
        sa.Column("agent_id", sa.Uuid(), nullable=True, comment="who accepted it"),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "valid_from", sa.DateTime(timezone=True), nullable=False, comment="when its first day begins in Baku"
        ),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False, comment="when its last day ends in Baku"),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="before its last day: revoked, given up or declined",
        ),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True, comment=MAC),
        sa.CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        sa.CheckConstraint("(agent_id IS NULL) = (accepted_at IS NULL)", name="accepted_by_somebody"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_authorities_organisation_id"),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name="fk_authorities_agent_id"),
        sa.ForeignKeyConstraint(["granted_by"], ["users.id"], name="fk_authorities_granted_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name="fk_authorities_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_authorities"),
    )
    for column in ("organisation_id", "email", "agent_id"):
        op.create_index(f"ix_authorities_{column}", "authorities", [column])
    _allow((*BEFORE, *ADDED))


def downgrade():
    message = sa.table("outgoing_messages", sa.column("kind"))
    op.execute(sa.delete(message).where(message.c.kind.in_(ADDED)))
    _allow(BEFORE)
    for table in ("authorities", "used_tickets", "passkeys", "provider_sessions", "identity_links"):
        op.drop_table(table)


def _allow(kinds):
    with op.batch_alter_table("outgoing_messages") as batch_op:
        batch_op.drop_constraint(op.f("ck_outgoing_messages_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_outgoing_messages_kind"), database.check_in("kind", list(kinds)))
