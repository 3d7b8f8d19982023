"""Unconfirmed companies become claims with all that was entered; a listing keeps what the register and staff say."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
import sqlalchemy as sa
from alembic import command

from app.applications.model import Application, ApplicationProduct, Evidence
from app.auth.model import ApiClient, User
from app.core.database import UtcDateTime, new_id
from app.database_schema import is_migrated
from app.organisations.model import Claim, Organisation, Residency, Site
from app.products.model import Product
from tests.migrations.helpers import run

BEFORE = "20261127_1900_matters"
START = datetime(2026, 11, 1, tzinfo=UTC)
LISTED, NEW, REFUSED, KNOWN = "0010000101", "0010000231", "0010000361", "0010000491"


def some(column):
    if isinstance(column.type, UtcDateTime):
        return START
    kind = column.type.python_type
    plain = {int: 1, bool: False, datetime: START, date: START.date(), dict: {}, str: "x"}
    return plain.get(kind, Decimal(1) if kind is Decimal else [])


class Before:
    """The database as the service of before left it; every thing is named by a word."""

    def __init__(self, connection):
        self.connection, self.ids, self.tables, self.serials = connection, {}, {}, count()

    def add(self, model, name, *, day=0, **values):
        table = self.tables.get(model.__tablename__)
        if table is None:
            present = {c["name"]: c for c in sa.inspect(self.connection).get_columns(model.__tablename__)}
            columns = [sa.Column(c.name, c.type, nullable=c.nullable) for c in model.__table__.c if c.name in present]
            gone = [c for name, c in present.items() if name not in model.__table__.c]
            columns += [sa.Column(c["name"], c["type"], nullable=c["nullable"]) for c in gone]
            table = self.tables[model.__tablename__] = sa.Table(model.__tablename__, sa.MetaData(), *columns)
        at = START + timedelta(days=day, seconds=next(self.serials))
        values |= {each: at for each in ("created_at", "uploaded_at", "updated_at") if each in table.c}
        if "id" in table.c:
            values["id"] = self.ids[name] = new_id()
        needed = {c.name: some(c) for c in table.c if not c.nullable and c.name not in values}
        self.connection.execute(table.insert().values(needed | values))
        return values.get("id")

    def company(self, name, voen, standing, source, **values):
        decided = {"confirmed_by": new_id(), "confirmed_at": START} if standing == "confirmed" else {}
        return self.add(
            Organisation, name, voen=voen, standing=standing, source=source, legal_name_en=name, **decided, **values
        )

    def person(self, name, company, *, day, active=True):
        values = {"organisation_id": company, "is_staff": False, "active": active, "email": f"{name}@x.example"}
        return self.add(User, name, day=day, **values)

    def product(self, name, company, site, *, day):
        body = {"organisation_id": company, "site_id": site, "hs6": "730630", "reference": name, "names": {"en": name}}
        return self.add(Product, name, day=day, **body, unit="t", national_code=None)

    def draft(self, name, company, *products, day):
        values = {"organisation_id": company, "scheme_code": "MIK", "state": "draft", "number": name}
        draft = self.add(Application, name, day=day, **values, reference=name)
        for position, product in enumerate(products):
            self.add(ApplicationProduct, "", application_id=draft, product_id=product, position=position)
        return draft

    def paper(self, name, company, *, day, by=None, **values):
        entered = {"values": {}} if by else None
        common = {"organisation_id": company, "kind": "permit", "entered": entered, "uploaded_by": by}
        return self.add(Evidence, name, day=day, **common, **values)


@pytest.fixture
def ids(database):
    run(database, command.downgrade, BEFORE)
    with database.write_engine.begin() as connection:
        if not connection.execute(sa.text("SELECT 1 FROM parks WHERE code = 'AGDAM-SP'")).first():
            park = "INSERT INTO parks (code, kind, names) VALUES ('AGDAM-SP', 'industrial_park', '{}')"
            connection.execute(sa.text(park))
        if not connection.execute(sa.text("SELECT 1 FROM schemes WHERE code = 'MIK'")).first():
            schemes = sa.Table("schemes", sa.MetaData(), autoload_with=connection)
            values = {c.name: some(c) for c in schemes.c if not c.nullable} | {"code": "MIK", "content": {}}
            connection.execute(schemes.insert().values(values))
        fill(before := Before(connection))
    run(database, command.upgrade, "head")
    return before.ids


BY_CLAIMANT = {"source": "applicant", "register_key": None, "park_code": None}


def fill(before):
    listing = before.company("listing", LISTED, "unconfirmed", "register")
    before.add(Residency, "residency", organisation_id=listing, park_code="AGDAM-SP", status="resident", stage=None)
    hall = before.add(
        Site, "register site", organisation_id=listing, source="register", register_key="AGDAM-SP", park_code="AGDAM-SP"
    )
    before.paper("look-up", listing, day=9)
    first = before.person("impostor", listing, day=1, active=False)
    lost = before.product("lost product", listing, hall, day=1)
    left = before.draft("lost draft", listing, lost, day=1)
    before.paper("lost paper", listing, day=1, by=first)
    before.paper("paper of the lost draft", listing, day=1, by=first, application_id=left)

    second = before.person("claimant", listing, day=5)
    own = before.add(Site, "own site", day=5, organisation_id=listing, **BY_CLAIMANT)
    here = before.product("own product", listing, own, day=5)
    there = before.product("product at the register site", listing, hall, day=5)
    draft = before.draft("own draft", listing, here, there, lost, day=6)
    before.paper("own paper", listing, day=6, by=second, site_id=own)
    before.paper("paper about the register site", listing, day=6, by=second, site_id=hall)
    before.paper("paper of the own draft", listing, day=6, by=second, application_id=draft)
    before.add(ApiClient, "program", organisation_id=listing, created_by=second, scopes=[])

    for name, voen, standing, active in (("new", NEW, "unconfirmed", True), ("old", REFUSED, "listed", False)):
        company = before.company(name, voen, standing, "applicant", refusal_reason=None if active else "Forged letter")
        before.person(f"{name} person", company, day=2, active=active)
        site = before.add(Site, "", organisation_id=company, **BY_CLAIMANT)
        before.product(f"{name} product", company, site, day=2)
    known = before.company("known", KNOWN, "confirmed", "register")
    before.person("member", known, day=2)


def owner_of(session, model, an_id):
    return session.execute(sa.select(model.organisation_id).where(model.id == an_id)).scalar_one()


def test_what_a_claimant_entered_leaves_the_listing(database, ids):
    with database.read_session() as session:
        claims = {claim.claimant_id: claim for claim in session.scalars(sa.select(Claim))}
        waiting, lost = claims[ids["claimant"]], claims[ids["impostor"]]
        assert (waiting.state, waiting.voen, lost.state, lost.voen) == ("waiting", LISTED, "refused", LISTED)
        assert len({waiting.organisation_id, lost.organisation_id, ids["listing"]}) == 3
        listing = session.get(Organisation, ids["listing"])
        assert (listing.status, listing.source, listing.version) == ("listed", "register", 2)
        standings = [session.get(Organisation, each.organisation_id).status for each in (waiting, lost)]
        assert standings == ["unconfirmed", "refused"]
        for names, model, at in (
            (("own product", "product at the register site"), Product, waiting),
            (("own draft",), Application, waiting),
            (("own paper", "paper about the register site", "paper of the own draft"), Evidence, waiting),
            (("own site",), Site, waiting),
            (("claimant",), User, waiting),
            (("program",), ApiClient, waiting),
            (("lost product",), Product, lost),
            (("lost draft",), Application, lost),
            (("lost paper", "paper of the lost draft"), Evidence, lost),
            (("impostor",), User, lost),
        ):
            for name in names:
                assert owner_of(session, model, ids[name]) == at.organisation_id, name
        for name, model in (("register site", Site), ("look-up", Evidence), ("residency", Residency)):
            assert owner_of(session, model, ids[name]) == ids["listing"], name
        copied = session.get(Product, ids["product at the register site"]).site_id
        assert owner_of(session, Site, copied) == waiting.organisation_id
        assert session.get(Site, copied).source == "applicant"
        assert session.get(Evidence, ids["paper about the register site"]).site_id == copied
        assert session.get(Product, ids["own product"]).site_id == ids["own site"]
        lines = sa.select(ApplicationProduct.product_id).where(ApplicationProduct.application_id == ids["own draft"])
        assert set(session.scalars(lines)) == {ids["own product"], ids["product at the register site"]}


def test_others_become_claims_where_they_lie_and_companies_stay(database, ids):
    with database.read_session() as session:
        claims = {claim.organisation_id: claim for claim in session.scalars(sa.select(Claim))}
        assert (claims[ids["new"]].state, claims[ids["new"]].claimant_id) == ("waiting", ids["new person"])
        assert (claims[ids["old"]].state, claims[ids["old"]].reason) == ("refused", "Forged letter")
        standings = {name: session.get(Organisation, ids[name]).status for name in ("new", "old", "known")}
        assert standings == {"new": "unconfirmed", "old": "refused", "known": "confirmed"}
        assert ids["known"] not in claims
        assert owner_of(session, User, ids["member"]) == ids["known"]


def test_down_and_up_again(database, ids):
    run(database, command.downgrade, BEFORE)
    with database.read_engine.connect() as connection:
        found = connection.execute(sa.text("SELECT voen, standing FROM organisations")).all()
        assert {tuple(row) for row in found} >= {
            (LISTED, "listed"),
            (NEW, "unconfirmed"),
            (KNOWN, "confirmed"),
        }
        assert len({row.voen for row in found}) == len(found)
        active = connection.execute(sa.text("SELECT email FROM users WHERE active")).scalars()
        assert set(active) == {"new person@x.example", "member@x.example"}
    run(database, command.upgrade, "head")
    assert is_migrated(database)
    run(database, command.downgrade, "base")
    run(database, command.upgrade, "head")
