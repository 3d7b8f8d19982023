"""Add sessions, refresh tokens, second factors, invitations, resets, access requests, client scopes.

Safe while the previous version of the service runs: columns are added first and removed one release later. The two
existing tables are changed by plain ALTER TABLE: a rebuild, as by SQLite's batch mode, would break references to users.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261122_2040"
down_revision = "20261122_2030_evidence_items"
branch_labels = None
depends_on = None

GRANTED_SO_FAR = '["applications:submit","applications:write","certificates:surrender","products:write","read"]'
"""Clients that exist could do all of this; they keep it."""


def upgrade() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", database.UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", database.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'grant-role') = (role IS NOT NULL)", name=op.f("ck_access_requests_role_to_grant")),
        sa.CheckConstraint(
            "(state = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_access_requests_decided_by_somebody"),
        ),
        sa.CheckConstraint("kind IN ('grant-role', 'reset-second-factor')", name=op.f("ck_access_requests_kind")),
        sa.CheckConstraint(
            "role IN ('approver', 'auditor', 'inspector', 'owner', 'registrar', 'reviewer')",
            name=op.f("ck_access_requests_role"),
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (decided_by IS NOT NULL AND decided_by <> requested_by AND decided_by <> user_id)",
            name=op.f("ck_access_requests_four_eyes"),
        ),
        sa.CheckConstraint("state IN ('open', 'confirmed', 'refused')", name=op.f("ck_access_requests_state")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_access_requests_decided_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_access_requests_requested_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_access_requests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
    )
    op.create_index(op.f("ix_access_requests_user_id"), "access_requests", ["user_id"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="lower case"),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(), nullable=False),
        sa.Column("closed_at", database.UtcDateTime(), nullable=True, comment="accepted or withdrawn"),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "accepted_by IS NULL OR closed_at IS NOT NULL", name=op.f("ck_invitations_accepted_is_closed")
        ),
        sa.ForeignKeyConstraint(["accepted_by"], ["users.id"], name=op.f("fk_invitations_accepted_by")),
        sa.ForeignKeyConstraint(["invited_by"], ["users.id"], name=op.f("fk_invitations_invited_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_invitations_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index(op.f("ix_invitations_organisation_id"), "invitations", ["organisation_id"], unique=False)

    op.create_table(
        "password_resets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True, comment="null: the command line"),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(), nullable=False),
        sa.Column("closed_at", database.UtcDateTime(), nullable=True, comment="used, or made void by a newer one"),
        sa.ForeignKeyConstraint(["issued_by"], ["users.id"], name=op.f("fk_password_resets_issued_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(op.f("ix_password_resets_user_id"), "password_resets", ["user_id"], unique=False)

    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True, comment="the secret in force"),
        sa.Column("confirmed_at", database.UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True, comment="of the newest code that was accepted"),
        sa.Column("pending", sa.Text(), nullable=True, comment="a new secret that no code has confirmed yet"),
        sa.Column("pending_since", database.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(pending IS NULL) = (pending_since IS NULL)", name=op.f("ck_second_factors_pending_since_when")
        ),
        sa.CheckConstraint(
            "(sealed IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_second_factors_confirmed_or_not")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(), nullable=False, comment="absolute: no renewal moves it"),
        sa.Column("second_factor_at", database.UtcDateTime(), nullable=True),
        sa.Column("ended_at", database.UtcDateTime(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_sign_ins_end_with_cause")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_sign_ins_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_expires_at"), "sign_ins", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sign_ins_user_id"), "sign_ins", ["user_id"], unique=False)

    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.Text(), nullable=False, comment="SHA-256 of 32 random bytes"),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("used_at", database.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_ins.id"], name=op.f("fk_refresh_tokens_sign_in_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_sign_in_id"), "refresh_tokens", ["sign_in_id"], unique=False)

    op.add_column(
        "api_clients",
        sa.Column(
            "scopes",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
            server_default=GRANTED_SO_FAR,
            comment="what it was granted when it was made",
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "former_email", sa.Text(), nullable=True, comment="of a removed account: its address may come in anew"
        ),
    )


def downgrade() -> None:
    op.drop_column("users", "former_email")
    op.drop_column("api_clients", "scopes")
    op.drop_table("refresh_tokens")
    op.drop_table("sign_ins")
    op.drop_table("second_factors")
    op.drop_table("password_resets")
    op.drop_table("invitations")
    op.drop_table("access_requests")
