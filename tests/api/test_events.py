"""GET /v1/events: in the order of commits, without gap or repetition, and only of one's own company."""

import re

import pytest

from tests.factories import in_state, ok, program_of
from tests.helpers import refused

pytestmark = pytest.mark.pg_sampled


def all_pages(caller, query="limit=3"):
    found, path = [], f"/v1/events?{query}"
    while path:
        answer = caller.get(path)
        found += ok(answer)["items"]
        path = link[1] if (link := re.match("<(.*)>", answer.headers.get("Link", ""))) else None
    return found


def test_a_company_follows_its_events(app):
    company, other = app.set_up_company(), app.set_up_company()
    first = all_pages(company)
    number = app.certify(company)
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    app.certify(other)

    found = all_pages(company)
    assert found[: len(first)] == first
    assert [each["id"] for each in found] == sorted({each["id"] for each in found})
    assert found == all_pages(company, "limit=100")
    assert found[len(first) :] == all_pages(company, f"limit=2&after={first[-1]['id']}")
    assert all_pages(company, f"after={found[-1]['id']}") == []
    assert [each["subject"]["id"] for each in found if each["subject"]["kind"] == "certificate"] == [number] * 2

    ours, theirs = ({each["id"] for each in all_pages(caller)} for caller in (company, other))
    assert not ours & theirs
    assert all_pages(company, f"after={all_pages(other)[-1]['id']}") == []  # an id is a place, whoever was told


def test_types_are_chosen(app):
    company = app.set_up_company()
    in_state(app, company, "information_requested")
    chosen = all_pages(company, "type=application.submitted&type=application.information_requested&limit=1")
    assert [each["type"] for each in chosen] == ["application.submitted", "application.information_requested"]
    assert {each["type"] for each in all_pages(company)} > {"application.submitted"}
    refused(company.get("/v1/events?type=application.nothing"), 422)


def test_accounts_are_for_administrators(app):
    company = app.set_up_company()
    program = program_of(company)
    assert "account.rights_changed" in {each["type"] for each in all_pages(company)}
    assert not {each["type"] for each in all_pages(program) if each["type"].startswith("account.")}
    assert all_pages(program, "type=account.rights_changed") == []


@pytest.mark.parametrize("query", ["after=7", "after=evt_7", "after=MIK", "cursor=x", "cursor=_____________________w"])
def test_another_place_is_refused(shared_app, query):
    company = shared_app.register()
    refused(company.get(f"/v1/events?{query}"), 422)


def test_staff_and_strangers_have_no_events(shared_app):
    refused(shared_app.anonymous.get("/v1/events"), 401)
    refused(shared_app.owner.get("/v1/events"), 403)
