"""notices of events, what people have read of them, and their mails"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261128_0450_inbox"
down_revision = "20261128_0440_event_cursors"
branch_labels = None
depends_on = None

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
)
FOLLOWER = "inbox"


def upgrade():
    op.create_table(
        "notices",
        sa.Column(
            "sequence",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="of the event in the audit chain",
        ),
        sa.Column("type", sa.Text(), nullable=False, comment="of the event"),
        sa.Column("at", database.UtcDateTime(), nullable=False),
        sa.Column(
            "content",
            database.JsonColumn,
            nullable=False,
            comment="the event as it left the service; no personal data",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_notices")),
    )
    op.create_table(
        "notice_recipients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column(
            "organisation_id",
            sa.Uuid(),
            nullable=True,
            comment="no reference: an event may name a company that was merged since",
        ),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "audience IN ('company', 'administrators', 'person', 'owner')",
            name=op.f("ck_notice_recipients_audience"),
        ),
        sa.CheckConstraint(
            "(audience IN ('company', 'administrators')) = (organisation_id IS NOT NULL)",
            name=op.f("ck_notice_recipients_organisation"),
        ),
        sa.CheckConstraint("(audience = 'person') = (user_id IS NOT NULL)", name=op.f("ck_notice_recipients_person")),
        sa.ForeignKeyConstraint(["sequence"], ["notices.sequence"], name=op.f("fk_notice_recipients_sequence_notices")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_recipients_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_recipients")),
    )
    op.create_index("ix_notice_recipients_organisation_id", "notice_recipients", ["organisation_id", "sequence"])
    op.create_index("ix_notice_recipients_user_id", "notice_recipients", ["user_id", "sequence"])
    for_owner = sa.text("audience = 'owner'")
    op.create_index(
        "ix_notice_recipients_owner",
        "notice_recipients",
        ["sequence"],
        sqlite_where=for_owner,
        postgresql_where=for_owner,
    )
    op.create_table(
        "notice_reads",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("read_at", database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["sequence"], ["notices.sequence"], name=op.f("fk_notice_reads_sequence_notices")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_reads_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "sequence", name=op.f("pk_notice_reads")),
    )
    op.create_table(
        "inbox_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("read_up_to", sa.BigInteger(), nullable=False, comment="this notice and all before it"),
        sa.Column("not_mailed", database.JsonColumn, nullable=False, comment="types of events"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_inbox_settings_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_inbox_settings")),
    )
    with op.batch_alter_table("outgoing_messages") as batch_op:
        batch_op.add_column(
            sa.Column(
                "sequence",
                sa.BigInteger(),
                nullable=True,
                comment="of the notice that it delivers; null of other kinds",
            )
        )
        batch_op.create_foreign_key(
            op.f("fk_outgoing_messages_sequence_notices"), "notices", ["sequence"], ["sequence"]
        )
        batch_op.drop_constraint(op.f("ck_outgoing_messages_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_outgoing_messages_kind"), database.check_in("kind", [*BEFORE, "notice"])
        )
        batch_op.create_check_constraint(
            op.f("ck_outgoing_messages_notice"), "(kind = 'notice') = (sequence IS NOT NULL)"
        )
    is_notice = sa.text("sequence IS NOT NULL")
    op.create_index(
        "uq_outgoing_messages_sequence",
        "outgoing_messages",
        ["sequence", "recipient"],
        unique=True,
        sqlite_where=is_notice,
        postgresql_where=is_notice,
    )
    # People are told of what happens from now on, not of the past; on a new database from the first event on.
    cursors = sa.table("event_cursors", sa.column("follower"), sa.column("sequence"))
    events = sa.table("audit_events", sa.column("seq", sa.BigInteger()))
    last = sa.select(sa.literal(FOLLOWER), sa.func.coalesce(sa.func.max(events.c.seq), 0))
    op.execute(sa.insert(cursors).from_select(["follower", "sequence"], last))


def downgrade():
    cursors = sa.table("event_cursors", sa.column("follower"))
    op.execute(sa.delete(cursors).where(cursors.c.follower == FOLLOWER))
    messages = sa.table("outgoing_messages", sa.column("kind"))
    op.execute(sa.delete(messages).where(messages.c.kind == "notice"))
    op.drop_index("uq_outgoing_messages_sequence", table_name="outgoing_messages")
    with op.batch_alter_table("outgoing_messages") as batch_op:
        batch_op.drop_constraint(op.f("ck_outgoing_messages_notice"), type_="check")
        batch_op.drop_constraint(op.f("ck_outgoing_messages_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_outgoing_messages_kind"), database.check_in("kind", list(BEFORE)))
        batch_op.drop_constraint(op.f("fk_outgoing_messages_sequence_notices"), type_="foreignkey")
        batch_op.drop_column("sequence")
    op.drop_table("inbox_settings")
    op.drop_table("notice_reads")
    op.drop_table("notice_recipients")
    op.drop_table("notices")
