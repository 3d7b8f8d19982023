"""Add matters, certified descriptions, surrenders during an investigation and causes of suspension.

Existing certificates are described by the current values of their product, site and company.
"""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261127_1900_matters"
down_revision = "20261127_1200_short_terms"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
AT_ONCE = 1_000

FORMER_CAUSES = ("residency", "hearing", "surveillance", "holder")
NEW_CAUSES = ("document", "change", "licence", "mark", "incident", "court")
CAUSES = "residency document hearing surveillance change licence mark holder incident court"
KINDS = "lost_ground change report"
MATTER_CAUSES = (
    "evidence_withdrawn evidence_ended evidence_false stage_back non_resident fact_differs name address materials "
    "supplier price capacity step site heading ownership other"
)
REASONS = (
    "false-documents mark-on-uncertified-goods critical-nonconformity residency-cancelled bankruptcy "
    "repeated-suspension court-order"
)
FROZEN = "certified_descriptions"


def one_of(column, words):
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def upgrade() -> None:
    op.add_column(
        "certificates",
        sa.Column(
            "during_investigation",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="given back while it was suspended for cause, or while a matter was open",
        ),
    )
    _causes(CAUSES.split())
    op.create_table(
        FROZEN,
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="over the canonical JSON of the content"),
        sa.Column(
            "frozen_at",
            database.UtcDateTime(),
            nullable=False,
            comment="the issue; of certificates of before, the migration",
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_certified_descriptions_certificate_id")
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certified_descriptions")),
    )
    _matters()
    op.add_column(
        "evidence",
        sa.Column("withdrawal_reason", sa.Text(), nullable=True, comment="why the last confirmation was withdrawn"),
    )
    op.add_column(
        "evidence",
        sa.Column(
            "found_false",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="withdrawn because it is false; it is never confirmed again",
        ),
    )
    op.add_column(
        "residencies",
        sa.Column("plot_no", sa.Text(), nullable=True, comment="of the park, as printed on its certificate"),
    )
    op.create_index("ix_residencies_plot", "residencies", ["park_code", "plot_no"], unique=False)
    op.create_index("ix_certificates_holder_voen", "certificates", ["holder_voen"], unique=False)
    _describe(op.get_bind())
    _guard()


def _causes(allowed) -> None:
    with op.batch_alter_table("suspensions", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_suspensions_cause"), type_="check")
        batch_op.create_check_constraint(op.f("ck_suspensions_cause"), one_of("cause", allowed))


def _matters() -> None:
    is_open = sa.text("state = 'open'")
    op.create_table(
        "matters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column(
            "subject", sa.Text(), nullable=True, comment="type:id of what it is about; at most one is open for each"
        ),
        sa.Column("text", sa.Text(), nullable=True, comment="in the words of whoever told of it"),
        sa.Column("details", JSON, nullable=False, comment="days, names of fields and the like, by cause"),
        sa.Column("opened_at", database.UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True, comment="null: the system"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_at", database.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("revocation_reason", sa.Text(), nullable=True, comment="what was upheld; null where it was not"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was closed like that"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(one_of("kind", KINDS.split()), name=op.f("ck_matters_kind")),
        sa.CheckConstraint(one_of("cause", MATTER_CAUSES.split()), name=op.f("ck_matters_cause")),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_matters_state")),
        sa.CheckConstraint("outcome IN ('unfounded', 'corrected', 'upheld')", name=op.f("ck_matters_outcome")),
        sa.CheckConstraint(one_of("revocation_reason", REASONS.split()), name=op.f("ck_matters_revocation_reason")),
        sa.CheckConstraint("revocation_reason IS NULL OR outcome = 'upheld'", name=op.f("ck_matters_upheld_for_it")),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL AND outcome IS NOT NULL "
            "AND reason IS NOT NULL)",
            name=op.f("ck_matters_closed_by_somebody"),
        ),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificates.id"], name=op.f("fk_matters_certificate_id")),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name=op.f("fk_matters_closed_by")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_matters_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matters")),
    )
    op.create_index(op.f("ix_matters_certificate_id"), "matters", ["certificate_id"], unique=False)
    op.create_index(
        "uq_matters_open",
        "matters",
        ["certificate_id", "cause", "subject"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _guard() -> None:
    """As the other tables of history: rows are only added."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{FROZEN} are never changed'); END"
        same = f"SELECT 1 FROM {FROZEN} WHERE certificate_id = NEW.certificate_id"  # noqa: S608 (constants only)
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {FROZEN}_no_{verb.lower()} BEFORE {verb} ON {FROZEN} {refuse}")
        op.execute(f"CREATE TRIGGER {FROZEN}_no_insert BEFORE INSERT ON {FROZEN} WHEN EXISTS ({same}) {refuse}")
        return
    for name, verbs, level in (("rewrite", "UPDATE OR DELETE", "ROW"), ("truncate", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {FROZEN}_no_{name} BEFORE {verbs} ON {FROZEN} "
            f"FOR EACH {level} EXECUTE FUNCTION refuse_rewrite()"
        )


def downgrade() -> None:
    """The older service knows four causes: an open one that it does not know becomes `surveillance`."""
    op.drop_index("ix_certificates_holder_voen", table_name="certificates")
    op.drop_index("ix_residencies_plot", table_name="residencies")
    op.execute("ALTER TABLE residencies DROP COLUMN plot_no")
    op.execute("ALTER TABLE evidence DROP COLUMN found_false")
    op.execute("ALTER TABLE evidence DROP COLUMN withdrawal_reason")
    op.drop_table("matters")
    op.drop_table(FROZEN)  # and its triggers with it
    for cause in NEW_CAUSES:
        taken = (
            "EXISTS (SELECT 1 FROM suspensions other WHERE other.certificate_id = suspensions.certificate_id "
            "AND other.cause = 'surveillance' AND other.ended_at IS NULL)"
        )
        op.execute(
            f"UPDATE suspensions SET cause = 'surveillance' WHERE cause = '{cause}' "  # noqa: S608 (constants only)
            f"AND (ended_at IS NOT NULL OR NOT {taken})"
        )
        op.execute(f"DELETE FROM suspensions WHERE cause = '{cause}'")  # noqa: S608 (constants only)
    op.execute(
        f"UPDATE certificates SET status_reason = 'surveillance' WHERE status = 'suspended' "  # noqa: S608 (constants)
        f"AND {one_of('status_reason', NEW_CAUSES)}"
    )
    _causes(FORMER_CAUSES)
    op.execute("ALTER TABLE certificates DROP COLUMN during_investigation")  # not by batch: it would lose its triggers


MONEY, VALUE, WEIGHT = database.ExactDecimal(16, 4), database.ExactDecimal(18, 6), database.ExactDecimal(16, 6)
CAPACITY = database.ExactDecimal(16, 3)


def _table(name, **typed):
    plain = {text: sa.Text() for text in typed.pop("texts", ())}
    return sa.table(name, *(sa.column(column, kind) for column, kind in {**plain, **typed}.items()))


CERTIFICATES = _table("certificates", id=sa.Uuid(), product_id=sa.Uuid(), site_id=sa.Uuid(), organisation_id=sa.Uuid())
COMPANIES = _table("organisations", id=sa.Uuid(), texts=("legal_name_az", "legal_name_en", "legal_form", "voen"))
SITES = _table(
    "sites",
    id=sa.Uuid(),
    production_started_on=sa.Date(),
    texts=("name", "country", "district", "economic_region", "park_code"),
)
PRODUCTS = _table(
    "products",
    id=sa.Uuid(),
    names=JSON,
    annual_capacity=CAPACITY,
    flags=JSON,
    joint_production=JSON,
    ex_works=MONEY,
    texts=("hs6", "national_code", "gtin", "unit", "brand"),
)
MATERIALS = _table(
    "materials",
    product_id=sa.Uuid(),
    position=sa.Integer(),
    claim=sa.Boolean(),
    packing=sa.Boolean(),
    proofs=JSON,
    value=VALUE,
    weight_kg=WEIGHT,
    texts=("name", "hs4", "origin_country", "origin_district", "basis", "supplier"),
)
STEPS = _table(
    "process_steps",
    product_id=sa.Uuid(),
    seq=sa.Integer(),
    is_essential=sa.Boolean(),
    texts=("name", "operation", "country", "district", "subcontractor"),
)
COSTS = _table("cost_items", product_id=sa.Uuid(), amount=MONEY, texts=("kind", "place"))
ORDER = {"materials": ("position",), "process_steps": ("seq",), "cost_items": ("kind", "place")}


def _describe(connection) -> None:
    frozen_at = datetime.now(UTC)
    held = _table(FROZEN, certificate_id=sa.Uuid(), content=JSON, sha256=sa.Text(), frozen_at=database.UtcDateTime())
    after = None
    while True:
        query = sa.select(CERTIFICATES).order_by(CERTIFICATES.c.id).limit(AT_ONCE)
        rows = connection.execute(query if after is None else query.where(CERTIFICATES.c.id > after)).all()
        if not rows:
            return
        described = []
        for row, content in zip(rows, _contents(connection, rows), strict=True):
            text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
            digest = hashlib.sha256(text.encode("ascii")).hexdigest()
            described.append({"certificate_id": row.id, "content": content, "sha256": digest, "frozen_at": frozen_at})
        connection.execute(sa.insert(held), described)
        after = rows[-1].id


def _contents(connection, rows):
    companies = _by_id(connection, COMPANIES, {row.organisation_id for row in rows})
    sites = _by_id(connection, SITES, {row.site_id for row in rows})
    product_ids = {row.product_id for row in rows}
    products = _by_id(connection, PRODUCTS, product_ids)
    materials, steps, costs = (_children(connection, table, product_ids) for table in (MATERIALS, STEPS, COSTS))
    for row in rows:
        yield {
            "v": 1,
            "company": companies[row.organisation_id],
            "site": sites[row.site_id],
            "product": products[row.product_id],
            "materials": materials.get(row.product_id, []),
            "steps": steps.get(row.product_id, []),
            "costs": costs.get(row.product_id, []),
        }


def _by_id(connection, table, ids):
    found = connection.execute(sa.select(table).where(table.c.id.in_(ids))).mappings()
    return {row["id"]: {name: _value(value) for name, value in row.items()} for row in found}


def _children(connection, table, ids):
    order = [table.c[name] for name in ORDER[table.name]]
    found = {}
    for row in connection.execute(sa.select(table).where(table.c.product_id.in_(ids)).order_by(*order)).mappings():
        members = {name: _value(value) for name, value in row.items() if name != "product_id"}
        found.setdefault(row["product_id"], []).append(members)
    return found


def _value(value):
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    return value.isoformat() if hasattr(value, "isoformat") else value
