"""What a deed costs the database, counted in statements: exact on every machine, however many products it is about."""

import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from tests.factories import ok

ONCE_A_SECOND = 4
"""Statements by which a process reads log and keys once a second; they may fall into the act that is counted."""
MOST_FOR_AN_APPROVAL = 54
MOST_FOR_A_SUSPENSION = 20
MOST_FOR_AN_ASSESSMENT = 18


@contextmanager
def counting(app):
    """A list that every statement is added to; one that writes many rows is one."""
    seen = []

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        seen.append(statement)

    engines = {app.database.write_engine, app.database.read_engine}
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


def cost(caller, path, body=None):
    """How many statements a decision took that is confirmed already; its version is asked for before.

    Without those that a process makes once a second, as often as they can have fallen into it.
    """
    version = caller.version_of(path)
    asked = caller.without_confirmation().post(path, version=version, json=body).json()
    signed = {"Mik-Confirmation": caller.confirmation(asked["document"])}
    began = time.monotonic()
    with counting(caller.app) as seen:
        ok(caller.post(path, version=version, json=body, headers=signed))
    return len(seen) - ONCE_A_SECOND * (1 + int(time.monotonic() - began))


@pytest.fixture
def company(app):
    company = app.set_up_company()
    app.certify(company)  # the first of all opens the status lists
    return company


def approval(app, company, products):
    case_id = company.apply(*(company.add_product() for _ in range(products)))
    app.review(case_id)
    return cost(app.approver, f"/v1/applications/{case_id}/approve")


def test_an_approval_takes_as_many_statements_for_one_product_as_for_many(app, company):
    """The least of three: what a process reads once a second falls into some of them, on a busy machine twice."""
    assert min(approval(app, company, 1) for _ in range(3)) <= MOST_FOR_AN_APPROVAL
    assert min(approval(app, company, 12) for _ in range(3)) <= MOST_FOR_AN_APPROVAL


def test_a_suspension_costs_little(app, company):
    paths = [f"/v1/certificates/{app.certify(company)}/suspend" for _ in range(3)]
    assert min(cost(app.owner, path, {"cause": "hearing"}) for path in paths) <= MOST_FOR_A_SUSPENSION


def test_an_assessment_takes_as_many_statements_for_one_product_as_for_many(company):
    for products in (1, 12):
        body = {"product_ids": [company.add_product() for _ in range(products)]}
        with counting(company.app) as seen:
            ok(company.post("/v1/schemes/MIK/assessments", json=body))
        assert len(seen) <= MOST_FOR_AN_ASSESSMENT
