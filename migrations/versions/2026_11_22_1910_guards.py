"""Create triggers that reject changes of the audit chain and of published rules, on any connection."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_1910"
down_revision = "20261122_1900"
branch_labels = None
depends_on = None

FOREVER = {
    "audit_events": "seq = NEW.seq",
    "rulesets": "scheme_code = NEW.scheme_code AND version = NEW.version",
    "assessments": "id = NEW.id",
    "decisions": "id = NEW.id OR application_id = NEW.application_id",
}
"""Table → what makes a row the same one. SQLite's REPLACE would delete it past the trigger on DELETE."""


def upgrade() -> None:
    op.execute(sa.text("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :genesis)").bindparams(genesis="0" * 64))
    if op.get_bind().dialect.name == "sqlite":
        for table, same in FOREVER.items():
            refuse = f"BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END"
            exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 (constants only)
            for verb in ("UPDATE", "DELETE"):
                op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}")
            op.execute(f"CREATE TRIGGER {table}_no_insert BEFORE INSERT ON {table} {exists} {refuse}")
        return
    op.execute(
        "CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% are never changed', TG_TABLE_NAME; END $$"
    )
    for table in FOREVER:
        op.execute(
            f"CREATE TRIGGER {table}_no_rewrite BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in FOREVER:
            for verb in ("update", "delete", "insert"):
                op.execute(f"DROP TRIGGER {table}_no_{verb}")
    else:
        for table in FOREVER:
            op.execute(f"DROP TRIGGER {table}_no_rewrite ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute("DROP FUNCTION refuse_rewrite()")
    op.execute("DELETE FROM audit_head")
