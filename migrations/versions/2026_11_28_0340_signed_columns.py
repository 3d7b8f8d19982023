"""what a certificate signs is never changed, and no certificate deleted; rows that give rights have MACs

The key of the MACs is a file that a migration does not have: the first start signs the rows that are there.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0340_signed_columns"
down_revision = "20261128_0330_snapshots"
branch_labels = None
depends_on = None

CHANGEABLE = {"status", "status_since", "status_reason", "during_investigation", "version"}
"""Columns of certificates that have a life after the issue."""
REFUSAL = "signed columns of certificates are never changed"
TRIGGER = "certificates_signed_columns"
WITH_MACS = (
    "api_clients",
    "client_secrets",
    "invitations",
    "password_resets",
    "refresh_tokens",
    "staff_roles",
    "totp_enrolments",
    "user_sessions",
    "users",
)
COMMENT = "HMAC-SHA-256 under keys/rows.key; without it the row gives nothing"


def upgrade() -> None:
    for table in WITH_MACS:
        op.add_column(table, sa.Column("mac", sa.LargeBinary(), nullable=True, comment=COMMENT))
    columns = [each["name"] for each in sa.inspect(op.get_bind()).get_columns("certificates")]
    signed = ", ".join(name for name in columns if name not in CHANGEABLE)
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        op.execute(f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OF {signed} ON certificates {refuse}")
        same = "SELECT 1 FROM certificates WHERE id = NEW.id OR number = NEW.number"
        op.execute(  # REPLACE would delete the row first
            f"CREATE TRIGGER {TRIGGER}_insert BEFORE INSERT ON certificates WHEN EXISTS ({same}) {refuse}"
        )
        op.execute(f"CREATE TRIGGER {TRIGGER}_delete BEFORE DELETE ON certificates {refuse}")
        return
    op.execute(
        f"CREATE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION '{REFUSAL}'; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OF {signed} ON certificates FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()"
    )
    op.execute(
        f"CREATE TRIGGER {TRIGGER}_delete BEFORE DELETE OR TRUNCATE ON certificates "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {TRIGGER}()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}")
        op.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}_insert")
        op.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}_delete")
    else:
        op.execute(f"DROP FUNCTION IF EXISTS {TRIGGER}() CASCADE")
    for table in WITH_MACS:
        op.drop_column(table, "mac")
