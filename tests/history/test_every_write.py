"""Every route that changes something is walked, and the chain of events has grown by it.

The routes come from the OpenAPI document: a new one turns this red until its walk is written down here. A walk prepares
what it needs and answers with the last request, not yet sent.
"""

import re
from functools import partial

import pytest
import sqlalchemy as sa

from app.audit.model import AuditHead
from app.core.actor import STAFF_ROLES
from app.core.database import Base
from app.integrity.audit_chain import check_audit_chain
from tests.factories import ok
from tests.history.access_walks import BY_STAFF
from tests.history.walks import READS_ONLY, WALKS
from tests.second_factor import CONFIRMED, NEEDED, NOT_NEEDED

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
WRITES = {"post", "put", "patch", "delete"}


def head(app):
    with app.database.read_session() as session:
        return session.scalars(sa.select(AuditHead.seq)).one()


def routes_of(app):
    paths = app.fastapi.openapi()["paths"]
    return {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs if verb in WRITES}


def test_no_route_is_unknown(app):
    assert routes_of(app) == WALKS.keys() | READS_ONLY.keys()
    assert not WALKS.keys() & READS_ONLY.keys()


def matches(request, route):
    verb, path = route.split(" ")
    return request.method == verb and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.url.path)


def leaves(value):
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield str(value)


def test_the_table_of_second_factors_names_routes_that_there_are():
    assert not NEEDED & NOT_NEEDED.keys()
    assert NEEDED | NOT_NEEDED.keys() <= WALKS.keys()
    assert CONFIRMED <= NEEDED


def test_the_document_names_the_routes_that_take_a_confirmation(app):
    described = {
        f"{verb.upper()} {path}"
        for path, verbs in app.fastapi.openapi()["paths"].items()
        for verb, operation in verbs.items()
        if any(each["name"] == "Mik-Confirmation" for each in operation.get("parameters", []))
    }
    assert described == CONFIRMED | {"POST /v1/proposals"}  # of some kinds


def content(app):
    """Every row of every table."""
    with app.database.read_session() as session:
        return {name: session.execute(sa.select(table)).all() for name, table in Base.metadata.tables.items()}


def check_needs_second_factor(app, send, route):
    """Send the request as staff of all roles who gave a password only: refused, and no row of any table has changed.

    The caller whom the walk prepared is tried likewise where it is a member of staff: it alone may hold the case.
    """
    people = [app.staff(*STAFF_ROLES, name="everything")]
    if send.func.__self__.is_staff:
        people.append(send.func.__self__)
    for person in people:
        thief = person.without_factor()
        before = content(app)
        answer = send.func.__func__(thief, *send.args, **send.keywords)
        assert answer.status_code in {403, 404}, answer.text
        if route in NEEDED:
            assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-required")
        assert content(app) == before


def check_needs_confirmation(app, send):
    """Send the request without the signature of the person: refused, and no row of any table has changed."""
    caller = send.func.__self__.without_confirmation()
    before = content(app)
    answer = send.func.__func__(caller, *send.args, **send.keywords)
    assert (answer.status_code, answer.json()["code"]) == (403, "confirmation-required")
    wrong = answer.json()["document"] | {"v": 2}
    headers = {"Mik-Confirmation": send.func.__self__.confirmation(wrong)}
    answer = send.func.__func__(caller, *send.args, **send.keywords, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "confirmation-invalid")
    assert content(app) == before


@pytest.mark.parametrize(
    ("route", "walk"),
    [pytest.param(route, walk, id=route) for route, walk in [*sorted(WALKS.items()), *BY_STAFF.items()]],
)
def test_a_write_is_recorded(app, route, walk):
    """And staff who gave a password only change nothing by it, save what the table lists with a reason."""
    send = walk(app)
    caller = getattr(send.func, "__self__", app.anonymous)
    caller = app.anonymous if caller is app else caller  # companies register without signing in
    assert (route in NEEDED | NOT_NEEDED.keys()) or not caller.is_staff, "enter it in second_factor.py"
    if route not in NOT_NEEDED and caller is not app.anonymous:
        check_needs_second_factor(app, send, route)
    if route in CONFIRMED:
        check_needs_confirmation(app, send)
    before = head(app)
    answer = send()
    assert answer.status_code in {200, 201, 202, 204}, answer.text
    assert matches(answer.request, route)
    assert head(app) > before
    for event in ok(app.auditor.get("/v1/audit", params={"limit": 100}))["items"]:
        assert all(re.fullmatch(r"[\x21-\x7e]*", leaf) for leaf in leaves(event["data"])), event  # no names, no prose
    with app.database.read_session() as session:
        assert check_audit_chain(session).first_break is None


@pytest.mark.parametrize("route", sorted(READS_ONLY))
def test_what_only_reads_records_nothing(app, route):
    send = READS_ONLY[route](app)
    before = head(app)
    assert send().status_code in {200, 202}
    assert head(app) == before


def test_a_refused_write_records_nothing(app):
    company = app.set_up_company()
    case_id = company.apply()
    reviewer, owner = app.reviewer, app.owner
    before = head(app)
    for send in (
        partial(company.post, f"/v1/applications/{case_id}/submit", version="now"),
        partial(reviewer.post, f"/v1/applications/{case_id}/claim", version=99),
        partial(owner.post, "/v1/calendar/holidays", json={"year": 1, "days": []}),
    ):
        assert send().status_code >= 400
    assert head(app) == before


def test_keys_rules_and_rights_are_recorded_from_the_first_day_on(app):
    app.staff("reviewer", "approver", name="first")
    recorded = [item["event"] for item in ok(app.auditor.get("/v1/audit", params={"limit": 100}))["items"]]
    kinds = {event.split(".")[0] for event in recorded}
    assert {"key", "ruleset"} <= kinds
    assert recorded.count("ruleset.published") == len(ok(app.anonymous.get("/v1/schemes"))["items"])
    assert any(event.startswith(("user.", "staff.")) for event in recorded)
