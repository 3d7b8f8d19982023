"""Decisions get their document and its hash; decisions on the status of certificates become rows that never change.

Of decisions made before, the documents are built from their columns, and of the status from the audit trail. `unknown`
in a document names what neither of them holds. Log entries and audit events of that time name no document.
Safe while the previous version of the service runs, but what it decides then has no document, and `mik doctor` says so.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261128_0300_decisions"
down_revision = "20261128_0200_standard_names"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
PAGE_ROWS = 1_000
ACTS = {
    "certificate.suspended": "suspend",
    "certificate.suspension_narrowed": "reinstate",
    "certificate.reinstated": "reinstate",
    "certificate.revoked": "revoke",
    "certificate.surrendered": "surrender",
    "certificate.superseded": "supersede",
}
"""Audit event → act of the decision."""
DOCUMENT = "exactly what was decided (`{}_document.py`)"
HASH = "over the canonical JSON of the document"
CONFIRMATION = "what the person signed; null where nobody was asked to"


def upgrade() -> None:
    _add_documents()
    status_decisions = op.create_table(
        "status_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("document", JSON, nullable=False, comment=DOCUMENT.format("status")),
        sa.Column("sha256", sa.Text(), nullable=False, comment=HASH),
        sa.Column("confirmation", JSON, nullable=True, comment=CONFIRMATION),
        sa.Column("decided_at", database.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "act IN ('suspend', 'reinstate', 'revoke', 'surrender', 'supersede')",
            name=op.f("ck_status_decisions_act"),
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_status_decisions_certificate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_decisions")),
    )
    op.create_index(op.f("ix_status_decisions_certificate_id"), "status_decisions", ["certificate_id"])
    _add_status_decisions(status_decisions)
    _guard("status_decisions", "id = NEW.id")


def _add_documents() -> None:
    op.add_column(
        "decisions",
        sa.Column("document", JSON, nullable=False, server_default="{}", comment=DOCUMENT.format("decision")),
    )
    op.add_column("decisions", sa.Column("sha256", sa.Text(), nullable=False, server_default="", comment=HASH))
    op.add_column("decisions", sa.Column("confirmation", JSON, nullable=True, comment=CONFIRMATION))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(
        "DROP TRIGGER decisions_no_update"
        if is_sqlite
        else "ALTER TABLE decisions DISABLE TRIGGER decisions_no_rewrite"
    )
    _fill_documents()
    op.execute(
        "CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions "
        "BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END"
        if is_sqlite
        else "ALTER TABLE decisions ENABLE TRIGGER decisions_no_rewrite"
    )


def _fill_documents() -> None:
    """The version of the application on which it was decided was never stored."""
    connection = op.get_bind()
    decisions = sa.table(
        "decisions",
        *(sa.column(name, sa.Uuid()) for name in ("id", "application_id", "recommendation_id")),
        *(sa.column(name, sa.Uuid()) for name in ("recommended_by", "decided_by")),
        *(sa.column(name, sa.Text()) for name in ("reason", "ruleset_version", "dossier_hash", "sha256")),
        *(sa.column(name, JSON) for name in ("products", "document")),
    )
    applications = sa.table(
        "applications",
        sa.column("id", sa.Uuid()),
        sa.column("number", sa.Text()),
        sa.column("scheme_code", sa.Text()),
    )
    recommendations = sa.table("recommendations", sa.column("id", sa.Uuid()), sa.column("products", JSON))
    query = (
        sa.select(
            decisions,
            applications.c.number,
            applications.c.scheme_code,
            recommendations.c.products.label("recommended"),
        )
        .join(applications, applications.c.id == decisions.c.application_id)
        .join(recommendations, recommendations.c.id == decisions.c.recommendation_id)
        .order_by(decisions.c.id)
        .limit(PAGE_ROWS)
    )
    last = None
    while rows := connection.execute(query if last is None else query.where(decisions.c.id > last)).all():
        last = rows[-1].id
        for row in rows:
            document = {
                "v": 1,
                "act": "approve" if row.reason is None else "reject",
                "application": row.number,
                "version": None,
                "recommendation": str(row.recommendation_id),
                "recommended": _digest(row.recommended),
                "recommended_by": str(row.recommended_by),
                "decided_by": str(row.decided_by),
                "ruleset": f"{row.scheme_code}/{row.ruleset_version}",
                "dossier": row.dossier_hash,
                "products": [
                    {
                        "product": each["product_id"],
                        "outcome": each["outcome"],
                        "reasons": list(each.get("reasons", ())),
                    }
                    for each in row.products
                ],
                "details": _digest(row.products),
                "reason": row.reason,
                "unknown": ["version"],
            }
            change = sa.update(decisions).where(decisions.c.id == row.id)
            connection.execute(change.values(document=document, sha256=_digest(document)))


def _add_status_decisions(status_decisions: sa.Table) -> None:
    """One row for each event of the audit trail; the note of a suspension is in its row."""
    connection = op.get_bind()
    events = sa.table(
        "audit_events",
        sa.column("seq", sa.BigInteger()),
        sa.column("at", database.UtcDateTime()),
        sa.column("event", sa.Text()),
        sa.column("actor_id", sa.Uuid()),
        sa.column("subject_id", sa.Text()),
        sa.column("data", JSON),
    )
    certificates = sa.table("certificates", sa.column("id", sa.Uuid()), sa.column("number", sa.Text()))
    suspensions = sa.table(
        "suspensions",
        sa.column("certificate_id", sa.Uuid()),
        sa.column("cause", sa.Text()),
        sa.column("note", sa.Text()),
        sa.column("since", database.UtcDateTime()),
    )
    query = (
        sa.select(events, certificates.c.id.label("certificate_id"))
        .join(certificates, certificates.c.number == events.c.subject_id)
        .where(events.c.event.in_(ACTS))
        .order_by(events.c.seq)
        .limit(PAGE_ROWS)
    )
    last = 0
    while rows := connection.execute(query.where(events.c.seq > last)).all():
        last = rows[-1].seq
        about = {row.certificate_id for row in rows}
        notes = {
            (each.certificate_id, each.cause, each.since): each.note
            for each in connection.execute(sa.select(suspensions).where(suspensions.c.certificate_id.in_(about)))
        }
        added = []
        for row in rows:
            member = "cause" if "cause" in row.data else "reason"
            code = row.data.get(member)
            document = {
                "v": 1,
                "act": ACTS[row.event],
                "certificate": row.subject_id,
                "version": None,
                member: code,
                "note": notes.get((row.certificate_id, code, row.at)) if ACTS[row.event] == "suspend" else None,
                "by": "system" if row.actor_id is None else str(row.actor_id),
                "unknown": ["version"],
            }
            added.append(
                {
                    "id": database.new_id(),
                    "certificate_id": row.certificate_id,
                    "act": document["act"],
                    "document": document,
                    "sha256": _digest(document),
                    "decided_at": row.at,
                }
            )
        op.bulk_insert(status_decisions, added)


def _digest(value) -> str:
    """Hash as `app/core/canonical_json.py` does."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _guard(table, same) -> None:
    """Reject changes on any connection. SQLite's REPLACE would delete a row past the trigger on DELETE."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END"
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}")
        exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 (constants only)
        op.execute(f"CREATE TRIGGER {table}_no_insert BEFORE INSERT ON {table} {exists} {refuse}")
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_rewrite BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite()"
    )


def downgrade() -> None:
    op.drop_table("status_decisions")
    for column in ("confirmation", "sha256", "document"):
        op.drop_column("decisions", column)
