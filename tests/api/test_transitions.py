"""Every move of an application and of a certificate through the API: who may, from where, against which version.

The tables below are written down from the rules once more, by hand: a slip in `workflow.py` shows as a difference.
"""

import itertools
from functools import cache

import pytest

from app.applications import workflow
from app.certificates import status_workflow
from app.core.actor import Role
from tests.factories import (
    QUESTION,
    REASON,
    both,
    certified_again,
    in_state,
    ok,
    other_approver,
    other_reviewer,
    program_of,
)
from tests.helpers import refused, rows, supersede

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]


# state → action → (role, states that it may lead to)
LIFE = {
    "draft": {"submit": ("applicant", {"submitted"}), "withdraw": ("applicant", {"withdrawn"})},
    "submitted": {
        "claim": ("reviewer", {"in_review"}),
        "assign": ("reviewer", {"in_review"}),
        "withdraw": ("applicant", {"withdrawn"}),
    },
    "in_review": {
        "hand-over": ("reviewer", {"in_review"}),
        "release": ("reviewer", {"submitted"}),
        "request-information": ("reviewer", {"information_requested"}),
        "recommend": ("reviewer", {"recommended"}),
        "withdraw": ("applicant", {"withdrawn"}),
    },
    "information_requested": {"respond": ("applicant", {"in_review"}), "withdraw": ("applicant", {"withdrawn"})},
    "recommended": {
        "approve": ("approver", {"approved", "rejected"}),
        "reject": ("approver", {"rejected"}),
        "return": ("approver", {"in_review"}),
        "withdraw": ("applicant", {"withdrawn"}),
    },
    "approved": {},
    "rejected": {},
    "withdrawn": {},
    "lapsed": {},
}
BY_APPLICANT = ("submit", "respond", "withdraw")
BY_REVIEWER = ("claim", "hand-over", "release", "request-information", "recommend")
BY_APPROVER = ("approve", "reject", "return")
ACTIONS = BY_APPLICANT + BY_REVIEWER + BY_APPROVER
ALL_LISTED = [(state, action) for state, moves in LIFE.items() for action in moves]
LISTED = [(state, action) for state, action in ALL_LISTED if action != "assign"]  # of many cases at once: by itself


def path_of(action, case_id):
    return f"/v1/applications/{case_id}/{action}"


def body_of(app, action, case_id):
    """A body that is right for the case as it is."""
    case = ok(app.auditor.get(f"/v1/applications/{case_id}"))
    if action == "respond":
        waiting = [q["id"] for q in case["questions"] if q["answer"] is None]
        return {"answers": [{"question_id": i, "text": "On 1 March 2024."} for i in waiting]}
    if action == "recommend":
        return {"products": [{"product_id": i, "outcome": "approve"} for i in case["product_ids"]]}
    if action == "hand-over":
        return {"to": other_reviewer(app).id}
    return {"request-information": QUESTION, "reject": REASON, "return": REASON}.get(action)


def do(app, caller, action, case_id, *, body=..., **headers):
    body = body_of(app, action, case_id) if body is ... else body
    return caller.post(path_of(action, case_id), **({"json": body} if body else {}), **headers)


def seen(app, case_id):
    """State, version and history: whatever a refused request must leave as it was."""
    case = ok(app.auditor.get(f"/v1/applications/{case_id}"))
    history = ok(app.auditor.get(f"/v1/applications/{case_id}/timeline"))["items"]
    return case["state"], case["version"], case["assignee_id"], len(history), case["certificates"]


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


@pytest.fixture(scope="module")
def callers(shared_app, company):
    """Everybody by name; `applicant` is the company's own member."""
    app = shared_app
    staff = {role.value: app.staff(role) for role in Role if role not in {Role.APPLICANT, Role.SYSTEM}}
    return staff | {"applicant": company, "program": program_of(company)}


@pytest.fixture(scope="module")
def standing(shared_app, company):
    """state → a case that stays in it, for tests that see that it does."""
    return cache(lambda state: in_state(shared_app, company, state))


def test_the_table_of_the_code_is_this_one():
    listed = {
        (state.value, action.value): (move.by.value, {to.value for to in move.to})
        for (state, action), move in workflow.TRANSITIONS.items()
        if action is not workflow.Action.LAPSE
    }
    assert listed == {(state, action): LIFE[state][action] for state, action in ALL_LISTED}
    assert {state.value for state in workflow.State} == LIFE.keys()
    assert {action.value for action in workflow.Action} == {*ACTIONS, "assign", "lapse"}


@pytest.mark.parametrize(("state", "action"), LISTED)
def test_a_listed_move_succeeds_and_enters_its_state(shared_app, company, callers, state, action):
    case_id = in_state(shared_app, company, state)
    role, following = LIFE[state][action]
    version = company.version_of(f"/v1/applications/{case_id}")
    answer = do(shared_app, callers[role], action, case_id, version=version)
    case = ok(answer)
    assert case["state"] in following
    assert case["version"] > version
    assert answer.headers["ETag"] == f'"{case["version"]}"'
    assert ok(company.get(f"/v1/applications/{case_id}"))["state"] == case["state"]


@pytest.mark.parametrize(("state", "action"), [m for m in LISTED if LIFE[m[0]][m[1]][0] == "applicant"])
def test_a_program_of_the_company_acts_like_its_members(shared_app, company, callers, state, action):
    case_id = in_state(shared_app, company, state)
    answer = do(shared_app, callers["program"], action, case_id, version="now")
    assert ok(answer)["state"] in LIFE[state][action][1]


@pytest.mark.parametrize("state", LIFE)
def test_every_other_triple_is_refused_and_changes_nothing(shared_app, standing, callers, state):
    app = shared_app
    case_id = standing(state)
    before = seen(app, case_id)
    version = before[1]
    bodies = {action: body_of(app, action, case_id) for action in ACTIONS}
    for action, (name, caller) in itertools.product(ACTIONS, callers.items()):
        role = "applicant" if action in BY_APPLICANT else "reviewer" if action in BY_REVIEWER else "approver"
        is_role = role == ("applicant" if name == "program" else name)
        answer = (
            do(app, caller, action, case_id, body=bodies[action], version=version)
            if (not is_role or action not in LIFE[state])
            else None
        )
        if answer is None:
            continue  # listed: another test
        if not is_role:
            refused(answer, 403)
        else:
            document = refused(answer, 409, "wrong-state")
            assert document["state"] == state
            assert document["action"] == action
            assert sorted(document["allowed"]) == sorted(LIFE[state])
    anonymous = app.anonymous.post(path_of("approve", case_id), version=version)
    refused(anonymous, 401, "unauthenticated")
    assert seen(app, case_id) == before


@pytest.mark.parametrize(("state", "action"), LISTED)
def test_a_move_names_the_version_it_was_made_against(shared_app, standing, callers, state, action):
    app = shared_app
    case_id = standing(state)
    before = seen(app, case_id)
    caller = callers[LIFE[state][action][0]]
    body = body_of(app, action, case_id)
    refused(do(app, caller, action, case_id, body=body), 428, "version-required")
    for stale in ('"0"', f'"{before[1] + 1}"', f'W/"{before[1]}"', f"{before[1]}", "*"):
        refused(do(app, caller, action, case_id, body=body, headers={"If-Match": stale}), 412, "stale-version")
    assert seen(app, case_id) == before


@pytest.mark.parametrize("action", ["hand-over", "release", "request-information", "recommend"])
def test_only_the_reviewer_who_holds_a_case_works_on_it(shared_app, company, action):
    app = shared_app
    case_id = in_state(app, company, "in_review")
    before = seen(app, case_id)
    refused(do(app, other_reviewer(app), action, case_id, version=before[1]), 403, "not-case-holder")
    refused(do(app, other_reviewer(app), action, case_id), 403, "not-case-holder")  # before the missing version
    assert seen(app, case_id) == before
    assert action not in ok(other_reviewer(app).get(f"/v1/applications/{case_id}"))["allowed_actions"]
    assert action in ok(app.reviewer.get(f"/v1/applications/{case_id}"))["allowed_actions"]


@pytest.mark.parametrize("action", BY_APPROVER)
def test_who_recommended_does_not_decide(shared_app, company, action):
    app = shared_app
    person = both(app)
    case_id = in_state(app, company, "recommended", reviewer=person)
    before = seen(app, case_id)
    refused(do(app, person, action, case_id, version=before[1]), 403, "four-eyes")
    refused(do(app, person, action, case_id), 403, "four-eyes")  # before the missing version
    assert seen(app, case_id) == before
    assert action not in ok(person.get(f"/v1/applications/{case_id}"))["allowed_actions"]
    ok(do(app, other_approver(app), action, case_id, version=before[1]))


def test_four_eyes_look_at_the_standing_recommendation_and_not_at_an_old_one(shared_app, company):
    """Returned and recommended anew by somebody else: the first recommender may decide, the second may not."""
    app = shared_app
    first, second = both(app), app.staff(Role.REVIEWER, Role.APPROVER, name="second-with-both-roles")
    case_id = in_state(app, company, "recommended", reviewer=first)
    app.approver.act(f"/v1/applications/{case_id}/return", REASON)
    first.act(f"/v1/applications/{case_id}/release")
    app.review(case_id, reviewer=second)
    refused(second.post(f"/v1/applications/{case_id}/approve", version="now"), 403, "four-eyes")
    assert first.act(f"/v1/applications/{case_id}/approve")["state"] == "approved"


@pytest.mark.parametrize("state", LIFE)
def test_only_submitted_cases_are_assigned_and_by_reviewers_only(shared_app, company, standing, callers, state):
    app = shared_app
    case_id = in_state(app, company, state) if state == "submitted" else standing(state)
    before = seen(app, case_id)
    body = {"application_ids": [case_id], "to": other_reviewer(app).id}
    for name, caller in callers.items():
        if name != "reviewer":
            refused(caller.post("/v1/applications/assign", json=body), 403)
    refused(app.anonymous.post("/v1/applications/assign", json=body), 401)
    if state == "submitted":
        for wrong in (app.approver.id, company.id, app.auditor.id, company.organisation_id):
            refused(app.reviewer.post("/v1/applications/assign", json=body | {"to": wrong}), 422, "invalid")
    else:
        also = in_state(app, company, "submitted")
        for ids in ([case_id], [also, case_id]):  # all or none
            (why,) = refused(app.reviewer.post("/v1/applications/assign", json=body | {"application_ids": ids}), 409)[
                "applications"
            ]
            assert why["application_id"] == case_id
        assert seen(app, also)[0] == "submitted"
    assert seen(app, case_id) == before
    if state == "submitted":
        (case,) = ok(app.reviewer.post("/v1/applications/assign", json=body))["items"]
        assert case["state"] == "in_review"
        assert seen(app, case_id)[2] == other_reviewer(app).id


def test_a_case_is_handed_over_to_another_reviewer_only(shared_app, company):
    app = shared_app
    case_id = in_state(app, company, "in_review")
    before = seen(app, case_id)
    for wrong in (app.reviewer.id, app.approver.id, company.id, "00000000-0000-7000-8000-000000000000", None, "x"):
        refused(
            app.reviewer.post(f"/v1/applications/{case_id}/hand-over", json={"to": wrong}, version="now"),
            422,
            "invalid",
        )
    assert seen(app, case_id) == before
    app.reviewer.act(f"/v1/applications/{case_id}/hand-over", {"to": other_reviewer(app).id})
    assert seen(app, case_id)[2] == other_reviewer(app).id
    refused(app.reviewer.post(f"/v1/applications/{case_id}/release", version="now"), 403, "not-case-holder")


def test_moves_say_what_each_caller_can_do(standing, callers):
    for state, moves in LIFE.items():
        case_id = standing(state)
        for name, caller in callers.items():
            if name == "inspector":
                continue  # does not read cases
            mine = {a for a, (role, _) in moves.items() if role == ("applicant" if name == "program" else name)}
            assert set(ok(caller.get(f"/v1/applications/{case_id}"))["allowed_actions"]) == mine, (state, name)


# Certificates: status → deed → status

KEEPING = {
    "active": {"suspend": "suspended", "revoke": "revoked", "surrender": "surrendered"},
    "suspended": {"suspend": "suspended", "reinstate": "active", "revoke": "revoked", "surrender": "surrendered"},
    "revoked": {},
    "surrendered": {},
    "superseded": {},
}
DEEDS = {
    "suspend": {"cause": "surveillance"},
    "reinstate": {"cause": "hearing"},
    "revoke": {"reason": "bankruptcy"},
    "surrender": None,
}
KEPT = [(status, deed) for status, deeds in KEEPING.items() for deed in deeds]


def certificate_in(app, company, status):
    number = certified_again(app, company)
    act = {
        "suspended": (app.owner, "suspend", {"cause": "hearing"}),
        "revoked": (app.owner, "revoke", {"reason": "court-order"}),
        "surrendered": (company, "surrender", None),
    }
    if status in act:
        caller, deed, body = act[status]
        if deed == "revoke":
            app.revoke(number, **body)
        else:
            caller.act(f"/v1/certificates/{number}/{deed}", body)
    if status == "superseded":  # renewal comes later
        supersede(app, number)
    return number


def keep(caller, number, deed, **headers):
    body = DEEDS[deed]
    return caller.post(f"/v1/certificates/{number}/{deed}", **({"json": body} if body else {}), **headers)


def kept(app, number):
    found = rows(app, "SELECT status, status_reason, version FROM certificates WHERE number = :n", n=number)
    causes = rows(
        app,
        "SELECT count(*) FROM suspensions JOIN certificates c ON c.id = certificate_id WHERE c.number = :n",
        n=number,
    )
    events = rows(app, "SELECT count(*) FROM audit_events WHERE subject_id = :n", n=number)
    return *found[0], causes[0][0], events[0][0]


def test_the_table_of_certificates_is_this_one():
    listed = {(status.value, deed.value): to.value for (status, deed), to in status_workflow.TRANSITIONS.items()}
    assert listed == {(status, deed): KEEPING[status][deed] for status, deed in KEPT}
    assert {deed.value for deed in status_workflow.CertificateAction} == DEEDS.keys()


@pytest.mark.parametrize(("status", "deed"), KEPT)
def test_a_listed_deed_succeeds(shared_app, company, status, deed):
    app = shared_app
    number = certificate_in(app, company, status)
    caller = company if deed == "surrender" else app.owner
    version = kept(app, number)[2]
    answer = keep(caller, number, deed, version=version)
    if deed == "revoke":
        assert (answer.status_code, ok(answer)["state"]) == (201, "proposed")
        assert kept(app, number)[:3] == (status, *kept(app, number)[1:2], version)
        assert app.confirm_proposal(ok(answer))["state"] == "confirmed"
    else:
        assert ok(answer)["status"] == KEEPING[status][deed]
        assert answer.headers["ETag"] == f'"{version + 1}"'
    assert (kept(app, number)[0], kept(app, number)[2]) == (KEEPING[status][deed], version + 1)
    verdict = {"active": "valid"}.get(KEEPING[status][deed], KEEPING[status][deed])
    assert app.verify(number)["verdict"] == verdict


@pytest.mark.parametrize("status", KEEPING)
def test_every_other_deed_is_refused_and_changes_nothing(shared_app, company, callers, status):
    app = shared_app
    number = certificate_in(app, company, status)
    before = kept(app, number)
    stranger = app.register()
    for deed, (name, caller) in itertools.product(DEEDS, callers.items()):
        role = "applicant" if deed == "surrender" else "owner"
        if (name if name != "program" else "applicant") != role:
            refused(keep(caller, number, deed, version=before[2]), 403)
        elif deed not in KEEPING[status]:
            document = refused(keep(caller, number, deed, version=before[2]), 409, "wrong-state")
            assert sorted(document["allowed"]) == sorted(KEEPING[status])
        else:
            refused(keep(caller, number, deed), 428, "version-required")
            refused(keep(caller, number, deed, version=before[2] + 1), 412, "stale-version")
    for deed in DEEDS:
        refused(keep(stranger, number, deed, version=before[2]), 404 if deed == "surrender" else 403)
        refused(keep(app.anonymous, number, deed, version=before[2]), 401)
    assert kept(app, number) == before


def test_a_suspension_ends_with_its_last_cause(shared_app, company):
    app = shared_app
    number = certified_again(app, company)
    path = f"/v1/certificates/{number}"
    app.owner.act(f"{path}/suspend", {"cause": "hearing", "note": "A hearing is set."})
    app.owner.act(f"{path}/suspend", {"cause": "surveillance"})
    before = kept(app, number)
    again = app.owner.post(f"{path}/suspend", json={"cause": "hearing"}, version=before[2])
    refused(again, 409, "already-suspended")
    refused(app.owner.post(f"{path}/reinstate", json={"cause": "holder"}, version=before[2]), 409, "other-cause")
    refused(app.owner.post(f"{path}/reinstate", json={"cause": "residency"}, version=before[2]), 409, "residency-lost")
    assert kept(app, number) == before
    assert app.owner.act(f"{path}/reinstate", {"cause": "hearing"})["status"] == "suspended"
    assert app.verify(number)["verdict"] == "suspended"
    assert app.owner.act(f"{path}/reinstate", {"cause": "surveillance"})["status"] == "active"
    assert app.verify(number)["verdict"] == "valid"


def test_a_revocation_takes_its_reason_from_the_closed_list(shared_app, company):
    app = shared_app
    number = certified_again(app, company)
    before = kept(app, number)
    for body in ({}, {"reason": "because"}, {"reason": None}, {"reason": ""}, {"reason": "bankruptcy", "note": "x"}):
        refused(app.owner.post(f"/v1/certificates/{number}/revoke", json=body, version=before[2]), 422, "invalid")
    assert kept(app, number) == before


def test_no_deed_on_what_was_never_issued(shared_app):
    for number in ("MIK-2026-999999-0", "x", "%00", "MIK-2026-000001-0"):
        for deed in DEEDS:
            refused(keep(shared_app.owner, number, deed, version=1), 404, "not-found")
