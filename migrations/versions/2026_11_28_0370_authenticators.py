"""messages about authenticators that were proposed, registered or removed"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261128_0370_authenticators"
down_revision = "20261128_0360_reissued_tokens"
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
)
ADDED = ("authenticator-proposed", "authenticator-registered", "authenticator-removed")


def upgrade():
    _allow((*BEFORE, *ADDED))


def downgrade():
    message = sa.table("outgoing_messages", sa.column("kind"))
    op.execute(sa.delete(message).where(message.c.kind.in_(ADDED)))
    _allow(BEFORE)


def _allow(kinds):
    with op.batch_alter_table("outgoing_messages") as batch_op:
        batch_op.drop_constraint(op.f("ck_outgoing_messages_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_outgoing_messages_kind"), database.check_in("kind", list(kinds)))
