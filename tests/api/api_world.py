"""What the tests of the API share: a look at refusals, at the tables, and applications in every state."""

from uuid import UUID

import sqlalchemy as sa

from app.access.service import Subject
from app.actor import ActorKind, Role, Scope
from app.web.problem_codes import problem_codes
from tests.support import Caller, ok

QUESTION = {"questions": [{"text": "When did series production start?"}]}
REASON = {"reason": "The cost statement does not add up."}


def refused(answer, status, code=None):
    """The problem document of an answer that had to be refused in just this way."""
    said = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code == status, said
    assert answer.headers["content-type"] == "application/problem+json", said
    document = answer.json()
    assert document["status"] == status, said
    assert document["code"] in problem_codes(), said
    assert document["type"].endswith(f"/problems/{document['code']}"), said
    assert document["title"] and document["detail"], said
    if code is not None:
        assert document["code"] == code, said
    return document


def rows(house, statement, **values):
    """What a statement finds in the tables, past the service."""
    with house.database.write_engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()


def count(house, table):
    return rows(house, f"SELECT count(*) FROM {table}")[0][0]


def execute(house, statement, **values):
    """Change the tables past the service."""
    with house.database.write_engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def stored_id(house, text):
    """An id as the kind of database stores it, for statements in plain SQL."""
    return text.replace("-", "") if house.database.is_sqlite else text


def program_of(company, name="Order system"):
    """An API client of the company, signed in."""
    made = ok(company.post("/v1/api-clients", json={"name": name, "scopes": list(Scope)}))
    return Caller(company.house, Subject(ActorKind.CLIENT, UUID(made["id"])))


def other_reviewer(house):
    return house.staff(Role.REVIEWER, name="second-reviewer")


def other_approver(house):
    return house.staff(Role.APPROVER, name="second-approver")


def both(house):
    """One person with both roles: the one that four eyes are about."""
    return house.staff(Role.REVIEWER, Role.APPROVER, name="reviewer-and-approver")


def in_state(house, company, state, *, reviewer=None):
    """Id of an application of the company that has come to this state on the proper way."""
    reviewer = reviewer or house.reviewer
    case_id = company.prepare(company.draft())
    if state in {"draft", "lapsed"}:
        if state == "lapsed":  # what falls due is the sweep's
            execute(house, "UPDATE applications SET state = 'lapsed' WHERE id = :id", id=stored_id(house, case_id))
        return case_id
    company.submit(case_id)
    path = f"/v1/applications/{case_id}"
    if state == "withdrawn":
        company.act(f"/v1/applications/{case_id}/withdraw")
    if state in {"submitted", "withdrawn"}:
        return case_id
    reviewer.act(f"{path}/claim")
    if state == "in_review":
        return case_id
    if state == "information_requested":
        reviewer.act(f"{path}/request-information", QUESTION)
        return case_id
    house.review(case_id, reviewer=reviewer)
    if state == "approved":
        house.approve(case_id)
    if state == "rejected":
        house.approver.act(f"{path}/reject", REASON)
    return case_id


def certified_again(house, company):
    """A certificate for a company whose earlier ones were revoked or given back: a reviewer accepts the past (C-12)."""
    case_id = company.apply()
    house.reviewer.act(f"/v1/applications/{case_id}/claim")
    (judged,) = ok(house.reviewer.get(f"/v1/applications/{case_id}/assessment"))["items"]
    open_ = [each["rule"] for each in judged["rules"] if each["outcome"] == "manual"]
    assert set(open_) <= {"C-12"}
    house.review(case_id, resolutions=[{"rule": rule, "accept": True, "reason": "Not of this line."} for rule in open_])
    return house.approve(case_id)["certificates"][0]
