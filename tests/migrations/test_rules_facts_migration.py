"""Products and evidence from before the second edition of the rules: nothing entered is lost, there and back."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from alembic import command

from app.applications.evidence import details
from app.applications.model import Evidence
from app.core.database import new_id
from app.products.model import Material, ProcessStep
from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from tests.migrations.helpers import run, some

BEFORE, AFTER = "20261123_0130_extracts", "20261127_0900_rules_facts"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def ids(database):
    made = ("company", "site", "product", "member", "clerk", "origin", "permit", "record", "looked_up", "plain")
    return {name: new_id() for name in made}


@pytest.fixture
def before(database, ids):
    """Rows as the older service wrote them."""
    run(database, command.downgrade, BEFORE)
    sqlite = database.is_sqlite

    def stored(value):
        if isinstance(value, Decimal) and sqlite:  # a scaled integer with four places
            return int(value.scaleb(4))
        return value.hex if sqlite and hasattr(value, "hex") and hasattr(value, "bytes") else value

    with database.write_engine.begin() as connection:

        def insert(table_name, **values):
            table = sa.Table(table_name, sa.MetaData(), autoload_with=connection)
            needed = {c.name: some(c) for c in table.columns if not c.nullable and c.name not in values}
            connection.execute(table.insert().values({k: stored(v) for k, v in (needed | values).items()}))

        company = {"organisation_id": ids["company"]}
        insert("organisations", id=ids["company"], voen="0010000101", standing="unconfirmed", source="applicant")
        insert("sites", id=ids["site"], **company, source="applicant", name="Hall", country="AZ", district="Ağdam")
        product = {"site_id": ids["site"], "hs6": "730630", "unit": "bushel", "flags": ["organic"]}
        insert("products", id=ids["product"], **company, **product)
        home = {"origin_country": "AZ", "originating": True, "value": Decimal("12.3456")}
        abroad = {"origin_country": "TR", "originating": False, "value": Decimal(830)}
        for position, line in enumerate((home, abroad, abroad | {"value": None}), start=1):
            insert("materials", product_id=ids["product"], position=position, name="m", hs4="7208", **line)
        insert("process_steps", product_id=ids["product"], seq=1, country="AZ", operation="my own way")
        insert("users", id=ids["member"], email="m", **company, is_staff=False, active=True)
        insert("users", id=ids["clerk"], email="c", is_staff=True, active=True)
        papers = {
            "origin": ("origin-document", ids["product"], "member", {"form": "CT1", "hs4": "7306"}),
            "permit": ("permit", None, "member", {}),
            "record": ("production-record", ids["product"], "member", {}),
            "looked_up": ("tax-status", None, "clerk", {"taxpayer_status": "active"}),
            "plain": ("conformity-document", ids["product"], "member", {}),
        }
        for name, (kind, product_id, by, stated) in papers.items():
            insert(
                "evidence",
                id=ids[name],
                **company,
                kind=kind,
                product_id=product_id,
                uploaded_by=ids[by],
                stated=stated,
                issued_on=date(2026, 1, 2),
                number="N 1",
            )
    return ids


def test_what_was_entered_comes_along(database, before):
    run(database, command.upgrade, AFTER)
    with database.write_engine.connect() as connection:
        lines = connection.execute(
            sa.select(
                *(
                    getattr(Material, name)
                    for name in ("claim", "basis", "packing", "proofs", "value", "origin_country")
                )
            ).order_by(Material.position)
        ).all()
        assert [tuple(line) for line in lines] == [
            (True, "domestic", False, [], Decimal("12.3456"), "AZ"),
            (False, "cif", False, [], Decimal(830), "TR"),
            (False, "cif", False, [], None, "TR"),
        ]
        assert connection.execute(sa.select(ProcessStep.operation)).scalars().all() == ["my own way"]
        found = {
            row.id: row
            for row in connection.execute(
                sa.select(
                    *(
                        getattr(Evidence, name)
                        for name in ("id", "kind", "product_ids", "site_id", "stated", "entered", "number", "issued_on")
                    )
                )
            )
        }
    product = [str(before["product"])]
    origin, permit = found[before["origin"]], found[before["permit"]]
    assert origin.stated == {"form": "CT1", "hs4": "7306", "about": "product", "country": "AZ"}
    assert origin.product_ids == found[before["plain"]].product_ids == product
    assert origin.entered == {
        "product_ids": product,
        "site_id": None,
        "issued_on": "2026-01-02",
        "valid_until": None,
        "number": "N 1",
        "values": origin.stated,
    }
    assert (permit.product_ids, permit.site_id) == ([], None)
    assert found[before["looked_up"]].entered is None  # by staff
    assert {row.number for row in found.values()} == {"N 1"}


def test_documents_without_a_subject_stay_and_speak_for_none(database, before):
    run(database, command.upgrade, "head")
    with database.session() as session:
        rows = session.scalars(sa.select(Evidence)).all()
        seen = {item.kind: item.subject for item in details.to_facts(rows, before["product"], before["site"]).items}
        elsewhere = {item.kind for item in details.to_facts(rows, before["site"], before["site"]).items}
    assert seen == {
        "origin-document": "product",
        "conformity-document": "product",
        "permit": None,  # names no site
        "production-record": "product",  # speaks for its product until it ends
        "tax-status": "company",
    }
    assert elsewhere == {"permit", "tax-status"}
    assert load_evidence_kinds()["permit"].scope is EvidenceScope.SITE


def test_it_goes_back_and_comes_again(database, before):
    run(database, command.upgrade, AFTER)
    run(database, command.downgrade, BEFORE)
    with database.write_engine.connect() as connection:
        table = sa.Table("materials", sa.MetaData(), autoload_with=connection)
        rows = connection.execute(sa.select(table).order_by(table.c.position)).mappings().all()
        assert [row["originating"] for row in rows] == [True, False, False]
        assert Decimal(rows[0]["value"]) == (123456 if database.is_sqlite else Decimal("12.3456"))
        evidence = sa.Table("evidence", sa.MetaData(), autoload_with=connection)
        products = connection.execute(sa.select(evidence.c.product_id).order_by(evidence.c.kind)).scalars().all()
        assert [each is not None for each in products] == [True, True, False, True, False]
        stated = connection.execute(sa.select(evidence.c.stated).where(evidence.c.kind == "origin-document")).scalar()
        assert (json.loads(stated) if isinstance(stated, str) else stated)["form"] == "CT1"
    run(database, command.upgrade, "head")
    with database.write_engine.connect() as connection:
        values = connection.execute(sa.select(Material.value).order_by(Material.position)).scalars().all()
        assert values == [Decimal("12.3456"), Decimal(830), None]
