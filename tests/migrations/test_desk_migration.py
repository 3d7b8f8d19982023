"""Decisions made before the table of decided products existed are found in it after the migration."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import command

from app.database_schema import alembic_config, migrate

BEFORE = "20261122_1910"
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def downgrade(database, revision):
    config = alembic_config()
    with database.write_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def insert(connection, table, **values):
    """A row of a table as the database has it now, whatever the models say."""
    found = sa.Table(table, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    for column in found.columns:
        if isinstance(column.type, sa.DateTime) and not column.nullable:
            stored = NOW.replace(tzinfo=None) if connection.dialect.name == "sqlite" else NOW
            values.setdefault(column.name, stored)
    if connection.dialect.name == "sqlite":  # keeps ids as text without hyphens
        values = {name: value.hex if isinstance(value, UUID) else value for name, value in values.items()}
    connection.execute(found.insert().values(**values))


def test_decisions_made_before_are_carried_over(database):
    downgrade(database, BEFORE)
    ids = {name: uuid4() for name in ("company", "site", "tube", "coil", "one", "two", "case", "advice", "decision")}
    words = {"legal_name_az": "x", "legal_name_en": "x", "legal_form": "MMC", "voen": "0010000101"}
    with database.write_engine.begin() as connection:
        add = partial(insert, connection)
        add(
            "organisations",
            id=ids["company"],
            voen_needs_review=False,
            source="applicant",
            search_text="x",
            standing="unconfirmed",
            version=1,
            **words,
        )
        add(
            "sites",
            id=ids["site"],
            organisation_id=ids["company"],
            name="x",
            country="AZ",
            district="Ağdam",
            source="applicant",
            version=1,
        )
        for product, hs6 in (("tube", "730630"), ("coil", "720810")):
            add(
                "products",
                id=ids[product],
                organisation_id=ids["company"],
                site_id=ids["site"],
                names={},
                hs6=hs6,
                unit="t",
                flags=[],
                joint_production=[],
                version=1,
            )
        for person in ("one", "two"):
            add("users", id=ids[person], email=person, full_name=person, password_hash="x", is_staff=True, active=True)
        add("schemes", code="MIK", content={}, current_ruleset="1")
        add(
            "applications",
            id=ids["case"],
            number="1",
            scheme_code="MIK",
            organisation_id=ids["company"],
            state="approved",
            version=1,
        )
        outcomes = {"tube": "approved", "coil": "rejected"}
        for position, product in enumerate(outcomes):
            add("application_products", application_id=ids["case"], product_id=ids[product], position=position)
        add(
            "recommendations",
            id=ids["advice"],
            application_id=ids["case"],
            recommended_by=ids["one"],
            dossier_hash="x",
            products=[],
        )
        add(
            "decisions",
            id=ids["decision"],
            application_id=ids["case"],
            recommendation_id=ids["advice"],
            recommended_by=ids["one"],
            decided_by=ids["two"],
            outcome="approved",
            ruleset_version="1",
            dossier_hash="x",
            products=[{"product_id": str(ids[p]), "outcome": o} for p, o in outcomes.items()],
        )
    migrate(database)
    with database.read_engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT hs4, hs6, outcome, scheme_code FROM decided_products ORDER BY hs4"))
        assert [tuple(row) for row in rows] == [
            ("7208", "720810", "rejected", "MIK"),
            ("7306", "730630", "approved", "MIK"),
        ]
