"""A race: two deeds against one thing in the same moment, and what has to be true afterwards."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from app.applications import application_deadlines
from app.applications.workflow import TRANSITIONS, Action
from app.audit import audit_repository
from app.core.actor import SYSTEM, Role
from app.integrity import audit_chain
from tests.factories import in_state, ok
from tests.helpers import rows, stored_id

ROUNDS = int(os.environ.get("MIK_TEST_ROUNDS", "1"))
"""Of each race: 1 in `make test`, 50 in `make test-long`."""
FURTHEST_APART = 0.015
"""Seconds from one start to the other in the first and in the last round, about what a request takes: in the rounds
between them each begins in every moment of the other."""

QUESTION = {"questions": [{"text": "When did series production start?"}]}
REASON = {"reason": "The cost statement does not add up."}

DEEDS = {
    "application.changed": "edit",
    "application.submitted": Action.SUBMIT,
    "application.claimed": Action.CLAIM,
    "application.assigned": Action.ASSIGN,
    "application.handed_over": Action.HAND_OVER,
    "application.released": Action.RELEASE,
    "application.information_requested": Action.REQUEST_INFORMATION,
    "application.answered": Action.RESPOND,
    "application.recommended": Action.RECOMMEND,
    "application.approved": Action.APPROVE,
    "application.rejected": Action.REJECT,
    "application.returned": Action.RETURN,
    "application.withdrawn": Action.WITHDRAW,
    "application.lapsed": Action.LAPSE,
    "certificate.suspended": "suspend",
    "certificate.reinstated": "reinstate",
    "certificate.revoked": "revoke",
    "certificate.surrendered": "surrender",
}
"""Event → the deed that it says was done."""

LOST = {
    (412, "stale-version"),
    (409, "wrong-state"),
    (409, "not-assignable"),
    (403, "not-case-holder"),  # it was given away or put back
}
"""How the second of two is refused."""


class Contest:
    """A case in a state, or a certificate, that two users are about to change."""

    def __init__(self, app, company, state):
        self.app, self.company = app, company
        certified = state in {"active", "suspended"}
        self.case_id = in_state(app, company, "approved" if certified else state)
        self.path = f"/v1/applications/{self.case_id}"
        if certified:
            (number,) = company.application(self.case_id)["certificates"]
            self.path = f"/v1/certificates/{number}"
            if state == "suspended":
                app.owner.act(f"{self.path}/suspend", {"cause": "holder"})
        self.seen = rows(app, "SELECT max(seq) FROM audit_events")[0][0]

    def prepared(self, who_does_what):
        """`company withdraw` → that request, against the present version, unsent."""
        who, _, what = who_does_what.rpartition(" ")
        if what == "lapse":
            return partial(_lapse, self.app, self.case_id)
        person = self._person(who)
        if what == "assign":
            return partial(
                person.post, "/v1/applications/assign", json={"application_ids": [self.case_id], "to": person.id}
            )
        path = self.path
        if what == "revoke":  # proposed before; the race is about the confirmation
            proposal = person.act(f"{path}/revoke", self._body(what))
            return partial(self.app.second_owner.post, f"/v1/proposals/{proposal['id']}/confirm", version=1)
        version, body = person.version_of(path), self._body(what)
        send = partial(person.put, path) if what == "edit" else partial(person.post, f"{path}/{what}")
        return partial(send, version=version, **({"json": body} if body else {}))

    def _person(self, who):
        if who == "company":
            return self.company
        role = {"second reviewer": Role.REVIEWER, "second approver": Role.APPROVER}.get(who)
        return self.app.staff(role, name=who.replace(" ", "-")) if role else getattr(self.app, who)

    def _body(self, what):
        if what == "respond":
            (question,) = self.company.application(self.case_id)["questions"]
            return {"answers": [{"question_id": question["id"], "text": "On 1 March 2024."}]}
        if what == "recommend":
            products = self.company.application(self.case_id)["product_ids"]
            return {"products": [{"product_id": each, "outcome": "approve"} for each in products]}
        return {
            "request-information": QUESTION,
            "hand-over": {"to": self._person("second reviewer").id},
            "reject": REASON,
            "return": REASON,
            "edit": {"product_ids": self.company.application(self.case_id)["product_ids"], "reference": self.case_id},
            "suspend": {"cause": "hearing"},
            "reinstate": {"cause": "holder"},
            "revoke": {"reason": "bankruptcy"},
        }.get(what)

    def events(self):
        """What was done since, in the order of the chain."""
        found = rows(self.app, "SELECT event FROM audit_events WHERE seq > :seen ORDER BY seq", seen=self.seen)
        return [row.event for row in found]

    def count(self, table, **where):
        """Rows of a table that belong to the case."""
        more = "".join(f" AND {column} = '{value}'" for column, value in where.items())
        statement = f"SELECT count(*) FROM {table} WHERE application_id = :id{more}"
        return rows(self.app, statement, id=stored_id(self.app, self.case_id))[0][0]


def _lapse(app, case_id):
    """What `mik admin sweep` does with one case whose time is over, in a transaction of its own: whether it lapsed."""
    with app.database.session() as session:
        lapsed = application_deadlines.lapse_application(session, SYSTEM, UUID(case_id), app.clock())
        session.commit()
    return lapsed


def at_once(deeds, round_):
    """The answers to both, sent in the same moment, or in early and late rounds a little one after the other."""
    apart = FURTHEST_APART * (2 * round_ / (ROUNDS - 1) - 1) if ROUNDS > 1 else 0.0
    start = threading.Barrier(len(deeds))

    def run(deed, wait):
        start.wait(timeout=30)
        time.sleep(wait)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as threads:
        waits = (max(0.0, -apart), max(0.0, apart))
        running = [threads.submit(run, deed, wait) for deed, wait in zip(deeds, waits, strict=True)]
        return [each.result(timeout=120) for each in running]


def won(answer):
    """Whether this one was done; a refusal has to be one that the loser of a race gets."""
    if isinstance(answer, bool):
        return answer
    if answer.status_code == 200:
        return True
    document = answer.json()
    assert (answer.status_code, document["code"]) in LOST, f"{answer.request.url}: {answer.text}"
    assert document["detail"]
    return False


def assert_history_leads_to_the_present(contest):
    """Every step of the case is one of the table and begins where the one before ended; the last one is the state."""
    with contest.app.database.read_session() as session:
        told = [(row.event, row.data) for row in audit_repository.timeline(session, UUID(contest.case_id))]
    state = "draft"
    for event, data in told:
        if "was" not in data:
            continue
        assert data["was"] == state, told
        assert data["state"] in TRANSITIONS[state, DEEDS[event]].to, told
        state = data["state"]
    assert contest.company.application(contest.case_id)["state"] == state
    return state


def assert_one_certificate_at_most(contest, state):
    granted = int(state == "approved")
    assert contest.count("certificates") == granted
    assert contest.count("decisions") == int(state in {"approved", "rejected"})
    listed = ok(contest.app.anonymous.get("/v1/certificates?limit=100"))["items"]
    mine = contest.company.application(contest.case_id)["certificates"]
    assert len(mine) == granted
    assert [each["number"] for each in listed].count(mine[0] if mine else None) == granted


def assert_chain_holds(app):
    with app.database.read_session() as session:
        assert audit_chain.check_audit_chain(session).first_break is None
