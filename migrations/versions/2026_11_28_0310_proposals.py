"""acts of two people become proposals, with their documents' hashes; access requests move into them

Down: requests for roles and resets of authenticators move back, expired ones as open, withdrawn ones as refused.
Proposals of other kinds have no place in the older table and go.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261128_0310_proposals"
down_revision = "20261128_0300_decisions"
branch_labels = None
depends_on = None

LIFE = timedelta(days=14)
KINDS = {"grant-role": "role", "reset-second-factor": "second-factor-reset"}
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")

REQUESTS = sa.table(
    "access_requests",
    sa.column("id", sa.Uuid()),
    sa.column("user_id", sa.Uuid()),
    sa.column("kind", sa.Text()),
    sa.column("role", sa.Text()),
    sa.column("state", sa.Text()),
    sa.column("requested_by", sa.Uuid()),
    sa.column("requested_at", database.UtcDateTime()),
    sa.column("decided_by", sa.Uuid()),
    sa.column("decided_at", database.UtcDateTime()),
    sa.column("version", sa.Integer()),
)
PROPOSALS = sa.table(
    "proposals",
    sa.column("id", sa.Uuid()),
    sa.column("kind", sa.Text()),
    sa.column("content", JSON),
    sa.column("sha256", sa.Text()),
    sa.column("subject_type", sa.Text()),
    sa.column("subject_id", sa.Text()),
    sa.column("user_id", sa.Uuid()),
    sa.column("state", sa.Text()),
    sa.column("proposed_by", sa.Uuid()),
    sa.column("proposed_at", database.UtcDateTime()),
    sa.column("expires_at", database.UtcDateTime()),
    sa.column("decided_by", sa.Uuid()),
    sa.column("decided_at", database.UtcDateTime()),
    sa.column("confirmed_sha256", sa.Text()),
    sa.column("version", sa.Integer()),
)


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="a key of the table of kinds in app/proposal_kinds.py"),
        sa.Column("content", JSON, nullable=False, comment="exactly what is proposed: ids, codes and moments"),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="of the canonical JSON of the document that proposes it"
        ),
        sa.Column("subject_type", sa.Text(), nullable=False, comment="user, key or certificate, as in audit events"),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True, comment="whom it is about, who therefore cannot confirm it"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", database.UtcDateTime(), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", database.UtcDateTime(), nullable=True),
        sa.Column("confirmed_sha256", sa.Text(), nullable=True, comment="of the document that confirms it"),
        sa.Column("proposer_confirmation", JSON, nullable=True, comment="the proposer's signature of `sha256`"),
        sa.Column(
            "confirmer_confirmation", JSON, nullable=True, comment="the confirmer's signature of `confirmed_sha256`"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (decided_by IS NOT NULL AND decided_by <> proposed_by "
            "AND (user_id IS NULL OR decided_by <> user_id))",
            name=op.f("ck_proposals_four_eyes"),
        ),
        sa.CheckConstraint(
            "state <> 'withdrawn' OR decided_by = proposed_by", name=op.f("ck_proposals_withdrawn_by_proposer")
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_proposals_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "(state = 'confirmed') = (confirmed_sha256 IS NOT NULL)", name=op.f("ck_proposals_confirmed_document")
        ),
        sa.CheckConstraint("expires_at > proposed_at", name=op.f("ck_proposals_expires_after_it_begins")),
        sa.CheckConstraint(
            "state IN ('confirmed', 'proposed', 'refused', 'withdrawn')", name=op.f("ck_proposals_state")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_proposals_decided_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_proposals_proposed_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_proposals_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index(op.f("ix_proposals_user_id"), "proposals", ["user_id"], unique=False)
    connection = op.get_bind()
    for request in connection.execute(sa.select(REQUESTS)).all():
        connection.execute(sa.insert(PROPOSALS).values(**_proposal_of(request)))
    op.drop_table("access_requests")


def _proposal_of(request: Any) -> dict[str, Any]:
    kind, content = KINDS[request.kind], {"user_id": str(request.user_id)}
    if request.role is not None:
        content["role"] = request.role
    sha256 = _digest({"v": 1, "act": "propose", "kind": kind, "content": content, "by": str(request.requested_by)})
    state = {"open": "proposed"}.get(request.state, request.state)
    if state == "refused" and request.decided_by == request.requested_by:
        state = "withdrawn"
    confirmation = {
        "v": 1,
        "act": "confirm",
        "kind": kind,
        "content": content,
        "proposal": str(request.id),
        "proposed": sha256,
        "by": str(request.decided_by),
    }
    return {
        "id": request.id,
        "kind": kind,
        "content": content,
        "sha256": sha256,
        "subject_type": "user",
        "subject_id": str(request.user_id),
        "user_id": request.user_id,
        "state": state,
        "proposed_by": request.requested_by,
        "proposed_at": request.requested_at,
        "expires_at": request.requested_at + LIFE,
        "decided_by": request.decided_by,
        "decided_at": request.decided_at,
        "confirmed_sha256": _digest(confirmation) if state == "confirmed" else None,
        "version": request.version,
    }


def _digest(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def downgrade() -> None:
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
    connection = op.get_bind()
    kinds = {new: old for old, new in KINDS.items()}
    states = {"proposed": "open", "withdrawn": "refused"}
    for row in connection.execute(sa.select(PROPOSALS).where(PROPOSALS.c.kind.in_(kinds))).all():
        connection.execute(
            sa.insert(REQUESTS).values(
                id=row.id,
                user_id=row.user_id,
                kind=kinds[row.kind],
                role=row.content.get("role"),
                state=states.get(row.state, row.state),
                requested_by=row.proposed_by,
                requested_at=row.proposed_at,
                decided_by=row.decided_by,
                decided_at=row.decided_at,
                version=row.version,
            )
        )
    op.drop_table("proposals")
