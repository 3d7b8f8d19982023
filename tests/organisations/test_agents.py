"""Agents: a person acts for several companies by dated authorities, and each request names one."""

import uuid

import pytest

from app.core.actor import Role
from tests.factories import ApiClient, ok, product
from tests.helpers import execute, refused, rows

SCOPES = ["read", "products:write"]
DAYS = {"first_day": "2026-11-22", "last_day": "2026-12-31"}


class Agent(ApiClient):
    """The same person and session, who names a company in each request."""

    def __init__(self, caller, named):
        super().__init__(caller.app, caller.subject)
        self.named = named

    def request(self, method, path, *, headers=None, **more):
        return super().request(method, path, headers={"Organisation": self.named} | (headers or {}), **more)


def offer(company, agent, **changed):
    body = {"email": f"member@{agent.voen}.example", "scopes": SCOPES} | DAYS | changed
    return ok(company.post("/v1/authorities", json=body))


def accepted(company, agent, **changed):
    """The agent as they act for the company."""
    row = offer(company, agent, **changed)
    ok(agent.post(f"/v1/me/authorities/{row['id']}/accept"))
    return Agent(agent, company.organisation_id)


@pytest.fixture
def companies(app):
    """Two companies that give authorities, and the one whose member is the agent."""
    return [app.set_up_company(evidence=()) for _ in range(3)]


def test_an_agent_acts_for_the_company_that_they_name(companies):
    first, second, agent = companies
    for_first, for_second = accepted(first, agent), accepted(second, agent)
    made = ok(for_first.post("/v1/products", json=product(first.site_id)))["id"]
    assert [each["id"] for each in ok(for_first.get("/v1/products"))["items"]] == [made]
    assert ok(for_second.get("/v1/products"))["items"] == []
    refused(for_second.get(f"/v1/products/{made}"), 404)
    own = Agent(agent, agent.organisation_id)
    assert ok(own.get("/v1/products"))["items"] == []
    assert ok(for_first.get("/v1/me"))["organisation"]["id"] == first.organisation_id


def test_without_the_name_of_a_company_only_the_own_account_is_open(companies):
    first, _, agent = companies
    ok(agent.get("/v1/products"))  # no agent yet
    accepted(first, agent)
    refused(agent.get("/v1/products"), 403, "organisation-required")
    refused(agent.get("/v1/members"), 403, "organisation-required")
    ok(agent.get("/v1/me"))
    assert len(ok(agent.get("/v1/me/authorities"))["items"]) == 1


def test_what_names_no_authority_in_force(app, companies):
    first, second, agent = companies
    accepted(first, agent)
    offered = offer(second, agent)
    for named in (second.organisation_id, str(uuid.uuid4()), "x", ""):
        refused(Agent(agent, named).get("/v1/products"), 403, "no-authority")
    headers = [("Organisation", first.organisation_id), ("Organisation", agent.organisation_id)]
    token = app.container.access_tokens.issue(agent.subject, app.clock())
    two = app.http.get("/v1/products", headers=[*headers, ("Authorization", f"Bearer {token}")])
    refused(two, 403, "no-authority")
    refused(Agent(app.reviewer, first.organisation_id).get("/v1/products"), 403, "no-authority")
    refused(Agent(second, first.organisation_id).get("/v1/products"), 403, "no-authority")
    refused(first.post(f"/v1/me/authorities/{offered['id']}/accept"), 404)


def test_an_authority_is_dated(app, companies):
    first, second, agent = companies
    later = accepted(first, agent, first_day="2026-11-24", last_day="2026-11-25")
    refused(later.get("/v1/products"), 403, "no-authority")
    ok(agent.get("/v1/products"))  # not yet an agent
    app.clock.advance(days=2)
    ok(later.get("/v1/products"))
    app.clock.advance(days=2)  # 26 November in Baku
    refused(later.get("/v1/products"), 403, "no-authority")
    ok(agent.get("/v1/products"))
    (listed,) = ok(first.get(f"/v1/organisations/{first.organisation_id}/authorities"))["items"]
    assert listed["state"] == "expired" and listed["last_day"] == "2026-11-25"
    wrong = (
        {"first_day": "2026-11-27", "last_day": "2026-11-26"},
        {"last_day": "2026-11-25"},
        {"last_day": "2029-11-22"},
    )
    for days in wrong:
        body = {"email": "a@numune.example", "scopes": ["read"]} | DAYS | days
        refused(second.post("/v1/authorities", json=body), 422)


@pytest.mark.parametrize("by", ["company", "agent", "row"])
def test_an_authority_ends_at_once(app, companies, by):
    first, _, agent = companies
    acting = accepted(first, agent)
    ok(acting.get("/v1/products"))
    (row,) = ok(agent.get("/v1/me/authorities"))["items"]
    if by == "company":
        assert ok(first.delete(f"/v1/authorities/{row['id']}"))["state"] == "ended"
        refused(first.delete(f"/v1/authorities/{row['id']}"), 409, "authority-over")
    elif by == "agent":
        assert agent.delete(f"/v1/me/authorities/{row['id']}").status_code == 204
    else:  # changed past the service, to what it does not give
        execute(app, 'UPDATE authorities SET scopes = \'["read", "applications:submit"]\'')
    refused(acting.get("/v1/products"), 403, "no-authority")


def test_an_agent_acts_in_the_scopes_alone_and_is_no_member(companies):
    first, _, agent = companies
    acting = accepted(first, agent, scopes=["read"])
    refused(acting.post("/v1/products", json=product(first.site_id)), 403, "insufficient-scope")
    for method, path in (
        ("GET", "/v1/members"),
        ("POST", "/v1/invitations"),
        ("POST", "/v1/api-clients"),
        ("POST", "/v1/authorities"),
        ("POST", "/v1/me/password"),
        ("GET", "/v1/me/authorities"),
    ):
        refused(acting.request(method, path, json={} if method == "POST" else None), 403, "forbidden")


def test_who_may_give_accept_and_read(app, companies):
    first, second, agent = companies
    row = offer(first, agent)
    path = f"/v1/organisations/{first.organisation_id}/authorities"
    refused(second.get(path), 404)
    (shown,) = ok(app.reviewer.get(path))["items"]
    assert shown["state"] == "offered" and shown["agent_name"] is None
    refused(second.delete(f"/v1/authorities/{row['id']}"), 404)
    refused(second.post(f"/v1/me/authorities/{row['id']}/accept"), 404)
    refused(app.register().post("/v1/authorities", json={"email": "a@numune.example", "scopes": ["read"]} | DAYS), 409)
    own = {"email": f"member@{first.voen}.example", "scopes": ["read"]} | DAYS
    refused(first.post("/v1/authorities", json=own), 409, "already-member")
    to_staff = {"email": "reviewer@staff.example", "scopes": ["read"]} | DAYS
    staff_row = ok(first.post("/v1/authorities", json=to_staff))
    refused(app.reviewer.post(f"/v1/me/authorities/{staff_row['id']}/accept"), 403)
    ok(agent.post(f"/v1/me/authorities/{row['id']}/accept"))
    refused(agent.post(f"/v1/me/authorities/{row['id']}/accept"), 409, "authority-over")
    subjects = {each.subject for each in app.mail(f"member@{first.voen}.example")}
    assert any("authority was accepted" in subject.lower() for subject in subjects)
    assert any("authority" in each.subject for each in app.mail(f"member@{agent.voen}.example"))


def test_the_audit_trail_names_both(app, companies):
    first, _, agent = companies
    acting = accepted(first, agent)
    made = ok(acting.post("/v1/products", json=product(first.site_id)))["id"]
    (row,) = ok(agent.get("/v1/me/authorities"))["items"]
    query = "SELECT actor_id, data FROM audit_events WHERE event = 'product.created'"
    found = [each for each in rows(app, query) if row["id"] in str(each[1])]
    assert len(found) == 1 and made
    assert first.organisation_id in str(found[0][1])
    assert uuid.UUID(str(found[0][0])) == uuid.UUID(agent.id)


def test_a_key_of_one_company_answers_nothing_for_another(companies):
    first, second, agent = companies
    for_first, for_second = accepted(first, agent), accepted(second, agent)
    body, key = product(first.site_id), {"Idempotency-Key": "the-same-key-of-both"}
    made = ok(for_first.post("/v1/products", json=body, headers=key))
    assert ok(for_first.post("/v1/products", json=body, headers=key)) == made
    again = for_second.post("/v1/products", json=body, headers=key)
    assert again.status_code in {404, 422}, again.text  # the site is not theirs, and the answer is not the first one


def test_staff_roles_are_not_those_of_an_agent(app, companies):
    first, _, agent = companies
    acting = accepted(first, agent)
    refused(acting.get("/v1/users"), 403)
    assert ok(acting.get("/v1/me"))["roles"] == [Role.APPLICANT.value]
