"""Add the facts of the second edition of the rules.

These are material lines, subjects of evidence, declarations and waivers of the visit. No entered value is lost. An
originating mark becomes the claim of the line. Evidence keeps the product that it named; documents of a kind that now
requires a site or a product, and name none, stay and prove nothing.
"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261127_0900_rules_facts"
down_revision = "20261123_0130_extracts"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
ABOUT_PRODUCT = {"about": "product", "country": "AZ"}

# SQLite keeps decimals as scaled integers: a value with six places is a hundred times the one with four.
OF_FOUR_PLACES, OF_SIX_PLACES = database.ExactDecimal(16, 4), database.ExactDecimal(18, 6)


def upgrade() -> None:
    _materials_up()
    with op.batch_alter_table("process_steps", schema=None) as batch_op:
        batch_op.alter_column(
            "operation",
            existing_type=sa.Text(),
            existing_nullable=False,
            comment="code of the list of operations, or free text",
        )
        batch_op.alter_column(
            "country", existing_type=sa.Text(), nullable=True, comment="ISO 3166-1 alpha-2; null: not known"
        )
    _evidence_up()
    op.create_table(
        "declarations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column(
            "declared_hash", sa.Text(), nullable=False, comment="SHA-256 over what the applicant entered and uploaded"
        ),
        sa.Column("documents", JSON, nullable=False, comment="ids of the evidence documents that it covers"),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", database.UtcDateTime(), nullable=False),
        sa.CheckConstraint("method IN ('click', 'e_signature')", name=op.f("ck_declarations_method")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_declarations_application_id")),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_declarations_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declarations")),
    )
    op.create_index(op.f("ix_declarations_application_id"), "declarations", ["application_id"], unique=False)
    op.create_table(
        "visit_waivers",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waived_by", sa.Uuid(), nullable=False),
        sa.Column("waived_at", database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_visit_waivers_application_id")),
        sa.ForeignKeyConstraint(["waived_by"], ["users.id"], name=op.f("fk_visit_waivers_waived_by")),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_visit_waivers")),
    )
    for table, same in FOREVER.items():
        _guard(table, same)


FOREVER = {"declarations": "id = NEW.id", "visit_waivers": "application_id = NEW.application_id"}
"""Table → what makes a row the same one. SQLite's REPLACE would delete it past the trigger on DELETE."""


def _guard(table: str, same: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END"
        exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 (constants only)
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}")
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


def _materials_up() -> None:
    with op.batch_alter_table("materials", schema=None) as batch_op:
        batch_op.alter_column("hs4", existing_type=sa.Text(), nullable=True, comment="HS 2022 heading; null: not known")
        batch_op.alter_column(
            "origin_country", existing_type=sa.Text(), nullable=True, comment="ISO 3166-1 alpha-2; null: not known"
        )
        batch_op.add_column(
            sa.Column("origin_district", sa.Text(), nullable=True, comment="of the territory, in Azerbaijan")
        )
        batch_op.alter_column(
            "originating",
            new_column_name="claim",
            existing_type=sa.Boolean(),
            nullable=True,
            comment="whether the applicant says that it originates; never decides",
        )
        batch_op.add_column(sa.Column("basis", sa.Text(), nullable=True, comment="how the value was taken"))
        batch_op.add_column(sa.Column("packing", sa.Boolean(), nullable=True, comment="said to be retail packing"))
        batch_op.add_column(sa.Column("supplier", sa.Text(), nullable=True, comment="taxpayer number or name"))
        batch_op.add_column(
            sa.Column("proofs", JSON, nullable=True, comment="ids of the evidence documents that it lists")
        )
        batch_op.alter_column(
            "value",
            existing_type=OF_FOUR_PLACES,
            type_=OF_SIX_PLACES,
            existing_nullable=True,
            existing_comment="AZN per unit of product",
        )
    op.execute(
        "UPDATE materials SET packing = false, proofs = '[]', "
        "basis = CASE WHEN origin_country = 'AZ' THEN 'domestic' ELSE 'cif' END"
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE materials SET value = value * 100")
    with op.batch_alter_table("materials", schema=None) as batch_op:
        batch_op.alter_column("packing", existing_type=sa.Boolean(), nullable=False)
        batch_op.alter_column("proofs", existing_type=JSON, nullable=False)
        batch_op.create_check_constraint(op.f("ck_materials_basis"), "basis IN ('cif', 'domestic', 'own')")


def _evidence_up() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("product_ids", JSON, nullable=True, comment="products that it is about, by id"))
        batch_op.add_column(sa.Column("site_id", sa.Uuid(), nullable=True, comment="the site that it is about"))
        batch_op.add_column(
            sa.Column(
                "entered",
                JSON,
                nullable=True,
                comment="dates, number, values and subject as the applicant stated them; null: added by staff",
            )
        )
    connection = op.get_bind()
    table = _evidence(with_product=True)
    staff = sa.text("SELECT id FROM users WHERE is_staff = true")
    of_staff = set(connection.execute(staff.columns(id=sa.Uuid())).scalars())
    for row in connection.execute(sa.select(table)).mappings().all():
        stated = dict(row["stated"])
        if row["kind"] == "origin-document":
            stated = {**ABOUT_PRODUCT, **stated}
        product_ids = [] if row["product_id"] is None else [str(row["product_id"])]
        entered = {
            "product_ids": product_ids,
            "site_id": None,
            "issued_on": row["issued_on"] and row["issued_on"].isoformat(),
            "valid_until": row["valid_until"] and row["valid_until"].isoformat(),
            "number": row["number"],
            "values": stated,
        }
        connection.execute(
            table.update()
            .where(table.c.id == row["id"])
            .values(
                stated=stated,
                product_ids=product_ids,
                entered=sa.null() if row["uploaded_by"] in of_staff else entered,
            )
        )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.alter_column("product_ids", existing_type=JSON, nullable=False)
        batch_op.drop_constraint("fk_evidence_product_id", type_="foreignkey")
        batch_op.drop_column("product_id")
        batch_op.create_foreign_key(op.f("fk_evidence_site_id"), "sites", ["site_id"], ["id"])


def _evidence(*, with_product: bool) -> sa.TableClause:
    columns = [
        sa.column("id", sa.Uuid()),
        sa.column("kind", sa.Text()),
        sa.column("issued_on", sa.Date()),
        sa.column("valid_until", sa.Date()),
        sa.column("number", sa.Text()),
        sa.column("stated", JSON),
        sa.column("uploaded_by", sa.Uuid()),
        sa.column("product_ids", JSON),
        sa.column("entered", JSON),
    ]
    return sa.table("evidence", *columns, *([sa.column("product_id", sa.Uuid())] if with_product else []))


def downgrade() -> None:
    """The older service knows one product of a document, and no line whose heading, origin or claim is not known."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in FOREVER:
        if is_sqlite:
            for verb in ("update", "delete", "insert"):
                op.execute(f"DROP TRIGGER {table}_no_{verb}")
        else:
            op.execute(f"DROP TRIGGER {table}_no_rewrite ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    op.drop_table("visit_waivers")
    op.drop_index(op.f("ix_declarations_application_id"), table_name="declarations")
    op.drop_table("declarations")
    _evidence_down()
    op.execute("UPDATE process_steps SET country = 'ZZ' WHERE country IS NULL")
    with op.batch_alter_table("process_steps", schema=None) as batch_op:
        batch_op.alter_column("operation", existing_type=sa.Text(), existing_nullable=False, comment=None)
        batch_op.alter_column("country", existing_type=sa.Text(), nullable=False, comment=None)
    _materials_down()


def _evidence_down() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("product_id", sa.Uuid(), nullable=True))
    connection = op.get_bind()
    table = _evidence(with_product=True)
    for row in connection.execute(sa.select(table)).mappings().all():
        if row["product_ids"]:
            first = UUID(row["product_ids"][0])
            connection.execute(table.update().where(table.c.id == row["id"]).values(product_id=first))
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_evidence_site_id"), type_="foreignkey")
        for name in ("entered", "site_id", "product_ids"):
            batch_op.drop_column(name)
        batch_op.create_foreign_key("fk_evidence_product_id", "products", ["product_id"], ["id"])


def _materials_down() -> None:
    op.execute("UPDATE materials SET claim = false WHERE claim IS NULL")
    op.execute("UPDATE materials SET hs4 = '' WHERE hs4 IS NULL")
    op.execute("UPDATE materials SET origin_country = 'ZZ' WHERE origin_country IS NULL")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE materials SET value = value / 100")
    with op.batch_alter_table("materials", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_materials_basis"), type_="check")
        batch_op.alter_column(
            "value",
            existing_type=OF_SIX_PLACES,
            type_=OF_FOUR_PLACES,
            existing_nullable=True,
            existing_comment="AZN per unit of product",
        )
        for name in ("proofs", "supplier", "packing", "basis", "origin_district"):
            batch_op.drop_column(name)
        batch_op.alter_column(
            "claim", new_column_name="originating", existing_type=sa.Boolean(), nullable=False, comment=None
        )
        batch_op.alter_column("origin_country", existing_type=sa.Text(), nullable=False, comment=None)
        batch_op.alter_column("hs4", existing_type=sa.Text(), nullable=False, comment=None)
