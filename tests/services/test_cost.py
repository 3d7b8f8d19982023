"""What a deed costs the database, counted in statements: exact on every machine, however many products it is about."""

from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from tests.factories import ok

MOST_FOR_AN_APPROVAL = 54
MOST_FOR_A_SUSPENSION = 18
MOST_FOR_AN_ASSESSMENT = 18


@contextmanager
def counting(house):
    """A list that every statement is added to; one that writes many rows is one."""
    seen = []

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        seen.append(statement)

    engines = {house.database.write_engine, house.database.read_engine}
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


def cost(caller, path, body=None):
    """How many statements a write took; its version is asked for before."""
    version = caller.version_of(path)
    with counting(caller.house) as seen:
        ok(caller.post(path, version=version, json=body))
    return len(seen)


@pytest.fixture
def company(house):
    company = house.company()
    house.certify(company)  # the first of all opens the status lists
    return company


def approval(house, company, products):
    case_id = company.apply(*(company.add_product() for _ in range(products)))
    house.review(case_id)
    return cost(house.approver, f"/v1/cases/{case_id}/approve")


def test_an_approval_takes_as_many_statements_for_one_product_as_for_many(house, company):
    assert approval(house, company, 1) <= MOST_FOR_AN_APPROVAL
    assert approval(house, company, 12) <= MOST_FOR_AN_APPROVAL


def test_a_suspension_costs_little(house, company):
    number = house.certify(company)
    path = f"/v1/certificates/{number}/suspend"
    assert cost(house.owner, path, {"cause": "hearing"}) <= MOST_FOR_A_SUSPENSION


def test_an_assessment_takes_as_many_statements_for_one_product_as_for_many(company):
    for products in (1, 12):
        body = {"product_ids": [company.add_product() for _ in range(products)]}
        with counting(company.house) as seen:
            ok(company.post("/v1/schemes/MIK/assessments", json=body))
        assert len(seen) <= MOST_FOR_AN_ASSESSMENT
