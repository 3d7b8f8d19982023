"""State what the service may do with each table, print it as SQL for PostgreSQL, and compare a role with it.

History is only ever inserted. Of what a certificate signs no column is updated. Nothing is truncated, and no table,
trigger or right is changed: that is for the owner of the tables, who migrates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.database_schema import Base


@dataclass(frozen=True, slots=True)
class TableRights:
    """What the service may do with a table besides reading it."""

    insert: bool = True
    update: frozenset[str] = frozenset()
    delete: bool = False


HISTORY = TableRights()
"""Rows are inserted and never changed."""


def _changes(*columns: str, insert: bool = True, delete: bool = False) -> TableRights:
    return TableRights(insert, frozenset(columns), delete)


def _edited(table: str, *fixed: str, delete: bool = False) -> TableRights:
    """Return rights on rows that people edit by forms: all columns but the key and the fixed ones."""
    columns = Base.metadata.tables[table].columns
    return TableRights(True, frozenset(c.name for c in columns if not c.primary_key) - frozenset(fixed), delete)


_STATUS = ("status", "status_since", "status_reason", "during_investigation", "version")
_CLAIM_DECISION = ("decided_at", "decided_by", "reason", "basis", "evidence_seen")
_CONFIRMATION = ("confirmed_by", "confirmed_at", "confirmed_by_uploader")
_WITHDRAWAL = ("withdrawal_reason", "found_false", "withdrawn_by", "withdrawn_at", "erased_at")
_MATTER_END = ("state", "closed_at", "closed_by", "outcome", "revocation_reason", "reason", "version")
_USER_RIGHTS = ("password_hash", "organisation_id", "active", "is_administrator", "read_only_since", "mac")
_TOTP = ("encrypted_secret", "confirmed_at", "last_step", "encrypted_pending_secret", "pending_since", "mac")
_ANSWER = ("answer", "answered_by", "answered_at", "evidence_ids", "accepts", "accepted_until")
_JOB = (
    *("state", "due_at", "attempts", "last_error", "progress_done", "progress_total"),
    *("started_at", "finished_at", "version"),
)
_MAIL = ("kind", "encrypted_token", "void_at", "next_attempt_at", "attempts", "last_error", "delivered_at")

RIGHTS: Mapping[str, TableRights] = MappingProxyType(
    {
        "address_confirmations": _changes("closed_at", delete=True),
        "api_clients": _changes("organisation_id", "last_used_at", "revoked_at", "mac"),
        "application_products": _changes(delete=True),
        "applications": _edited("applications", "number", "scheme_code", "created_by", "created_at"),
        "assessments": HISTORY,
        "audit_events": HISTORY,
        "audit_head": _changes("seq", "hash", insert=False),  # the migration inserts the only row
        "authorities": _changes("agent_id", "accepted_at", "ended_at", "ended_by", "organisation_id", "mac"),
        "case_notes": HISTORY,
        "certificate_search_terms": HISTORY,
        "certificate_snapshots": _edited("certificate_snapshots", delete=True),  # a cache, authenticated by its MAC
        "certificates": _changes(*_STATUS),
        "certified_descriptions": HISTORY,
        "claims": _changes(
            "organisation_id", "state", "proposed_at", "proposed_by", "proposal", "version", *_CLAIM_DECISION
        ),
        "client_secrets": _changes("last_used_at", "ended_at", "mac"),
        "cost_items": _changes(delete=True),
        "counters": _changes("value"),
        "decided_products": HISTORY,
        "decisions": HISTORY,
        "declarations": HISTORY,
        "event_cursors": _changes("sequence"),
        "evidence": _changes(
            "organisation_id", "number", "stated", "valid_until", "version", *_CONFIRMATION, *_WITHDRAWAL, delete=True
        ),
        "file_scans": _changes("signature", "scanner", "scanned_at"),
        "failed_logins": _changes("failures", "window_start", delete=True),
        "holidays": _changes("announced_at", delete=True),  # replaced, a year at a time; locking needs a column
        "identity_links": _changes("last_used_at", "removed_at", "mac"),
        "idempotency_records": _changes("status", "headers", "body", delete=True),
        "inbox_settings": _changes("read_up_to", "not_mailed"),
        "information_requests": _changes(*_ANSWER),
        "invitations": _changes("organisation_id", "closed_at", "accepted_by", "mac"),
        "issuance_pauses": _changes("is_open", "until"),
        "jobs": _changes(*_JOB, delete=True),
        "log_cosignatures": _changes("checkpoint", "line", "received_at", delete=True),
        "log_entries": HISTORY,
        "log_head": _changes("size", "vkey", "checkpoint", insert=False),
        "manifest_parts": _changes("results", "evaluated_at", "mac", delete=True),
        "manifests": _changes(
            "organisation_id", "state", "done", "ended_at", "verdicts", "token", "version", delete=True
        ),
        "materials": _changes(delete=True),
        "matters": _changes(*_MATTER_END),
        "notice_reads": _changes(delete=True),
        "notice_recipients": _changes("organisation_id"),
        "notices": HISTORY,
        "organisations": _edited("organisations", "created_at", delete=True),
        "outgoing_messages": _changes(*_MAIL, delete=True),
        "parks": _changes("names", "district", "economic_region", "area_ha", "legal_basis"),
        "passkeys": _changes("name", "sign_count", "last_used_at", "removed_at", "mac"),
        "password_resets": _changes("closed_at", "mac"),
        "process_steps": _changes(delete=True),
        "products": _edited("products", "created_at", "annual_capacity"),
        "proposals": _changes(
            "state", "decided_by", "decided_at", "confirmed_sha256", "confirmer_confirmation", "version", "mac"
        ),
        "provider_sessions": _changes("mac", delete=True),  # goes with its session; locking needs a column
        "recommendations": _changes("voided_at"),
        "refresh_tokens": _changes("used_at", "mac"),
        "reissued_tokens": HISTORY,
        "register_answers": HISTORY,
        "register_imports": _changes("report"),
        "reminders": HISTORY,
        "reports": HISTORY,
        "residencies": _edited("residencies", "organisation_id", "created_at"),
        "rulesets": HISTORY,
        "sanctions_decisions": HISTORY,
        "sanctions_lists": HISTORY,
        "schemes": _changes("content", "current_ruleset", "updated_at"),
        "service_identity": HISTORY,
        "signing_keys": _changes("state", "state_since"),
        "sites": _edited("sites", "created_at", delete=True),
        "staff_credentials": _changes("sign_count", "removed_at", "mac"),
        "staff_roles": _changes("mac", delete=True),  # given and taken; locking needs a column
        "status_decisions": HISTORY,
        "status_lists": _changes("version", "token_version", "kid", "signed_at", "bits", "token"),
        "suspensions": _changes("ended_at"),
        "totp_enrolments": _changes(*_TOTP, delete=True),
        "used_tickets": _changes(delete=True),
        "user_sessions": _changes("second_factor_at", "ended_at", "ended_because", "mac", delete=True),
        "users": _changes("email", "former_email", "language", *_USER_RIGHTS),
        "visit_waivers": HISTORY,
        "watches": _changes("confirmed_at", delete=True),
        "webhook_attempts": _changes(delete=True),
        "webhook_deliveries": _changes(
            "state", "attempts", "next_attempt_at", "failing_since", "finished_at", delete=True
        ),
        "webhook_endpoints": _edited("webhook_endpoints", "created_at", delete=True),
    }
)
"""What the service needs. A table that is not named gets no right at all."""


def grant_statements(role: str) -> str:
    """Return PostgreSQL statements that give this role what the service needs, and take everything else.

    The role must not own the tables: an owner can drop triggers and grant itself everything.
    """
    lines = [
        "-- Run as the owner of the tables. The role must exist and be no member of the owner's role.",
        "BEGIN;",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role};",
        f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};",
        f"GRANT USAGE ON SCHEMA public TO {role};",
        f"GRANT SELECT ON alembic_version TO {role};",
    ]
    for table, rights in sorted(RIGHTS.items()):
        verbs = ["SELECT"]
        if rights.insert:
            verbs.append("INSERT")
        if rights.update:
            verbs.append(f"UPDATE ({', '.join(sorted(rights.update))})")
        if rights.delete:
            verbs.append("DELETE")
        lines.append(f"GRANT {', '.join(verbs)} ON {table} TO {role};")
    lines.append("COMMIT;")
    return "\n".join(lines)


_OWNED = sa.text(
    "SELECT bool_or(pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname = ANY(:tables)"
)
_TABLE_RIGHTS = sa.text(
    "SELECT relname AS table_name, verb FROM pg_class CROSS JOIN unnest(:verbs) AS verb "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname = ANY(:tables) "
    "AND has_table_privilege(current_user, oid, verb)"
).bindparams(sa.bindparam("verbs", type_=sa.ARRAY(sa.Text())))
_COLUMN_RIGHTS = sa.text(
    "SELECT relname AS table_name, attname AS column_name FROM pg_class JOIN pg_attribute ON attrelid = oid "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname = ANY(:tables) "
    "AND attnum > 0 AND NOT attisdropped AND has_column_privilege(current_user, oid, attnum, 'UPDATE')"
).columns(table_name=sa.Text(), column_name=sa.Text())


@dataclass(frozen=True, slots=True)
class RoleReport:
    """How the role of this connection differs from `RIGHTS`, such as `DELETE on decisions`."""

    owns_tables: bool
    excess: tuple[str, ...]
    missing: tuple[str, ...]


def compare_role(session: Session) -> RoleReport | None:
    """Compare the role of this connection with `RIGHTS`; None on SQLite, which has no roles."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    tables = {"tables": sorted({*Base.metadata.tables, "alembic_version"})}
    held = set(_rights_held(session, tables))
    needed = set(_rights_needed())
    return RoleReport(
        owns_tables=bool(session.scalar(_OWNED, tables)),
        excess=tuple(sorted(held - needed)),
        missing=tuple(sorted(needed - held)),
    )


def _rights_held(session: Session, tables: Mapping[str, list[str]]) -> Iterator[str]:
    verbs = ["SELECT", "INSERT", "DELETE", "TRUNCATE", "TRIGGER"]
    for row in session.execute(_TABLE_RIGHTS, {**tables, "verbs": verbs}):
        yield f"{row.verb} on {row.table_name}"
    for row in session.execute(_COLUMN_RIGHTS, tables):
        yield f"UPDATE ({row.column_name}) on {row.table_name}"


def _rights_needed() -> Iterator[str]:
    yield "SELECT on alembic_version"
    for table, rights in RIGHTS.items():
        yield f"SELECT on {table}"
        if rights.insert:
            yield f"INSERT on {table}"
        if rights.delete:
            yield f"DELETE on {table}"
        for column in rights.update:
            yield f"UPDATE ({column}) on {table}"
