"""A race: two deeds against one thing, in the same moment, and what has to be true afterwards."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

from app import audit
from app.actor import Role
from app.applications.workflow import TRANSITIONS, Action, State
from app.cli import sweep
from tests.api.api_world import in_state, rows, stored_id
from tests.support import LONG_AGO, Company, House, ok, product

ROUNDS = int(os.environ.get("MIK_TEST_ROUNDS", "1"))
"""Of each race: 1 in `make test`, 50 in `make test-long`."""
FURTHEST_APART = 0.012
"""Seconds between the two in the first and in the last round: about what a request takes. In between they meet."""

QUESTION = {"questions": [{"text": "When did series production start?"}]}
REASON = {"reason": "The cost statement does not add up."}

DONE = {
    Action.SUBMIT: "application.submitted",
    Action.CLAIM: "application.claimed",
    Action.ASSIGN: "application.assigned",
    Action.HAND_OVER: "application.handed_over",
    Action.RELEASE: "application.released",
    Action.REQUEST_INFORMATION: "application.information_requested",
    Action.RESPOND: "application.answered",
    Action.RECOMMEND: "application.recommended",
    Action.APPROVE: "application.approved",
    Action.REJECT: "application.rejected",
    Action.RETURN: "application.returned",
    Action.WITHDRAW: "application.withdrawn",
    Action.LAPSE: "application.lapsed",
    "edit": "application.changed",
    "suspend": "certificate.suspended",
    "reinstate": "certificate.reinstated",
    "revoke": "certificate.revoked",
    "surrender": "certificate.surrendered",
    "edit site": "site.changed",
    "change stage": "residency.stage_changed",
    "cancel residency": "residency.cancelled",
    "withdraw confirmation": "evidence.confirmation_withdrawn",
}
"""Deed → the event that says that it was done."""
ACTIONS = {DONE[action]: action for action in Action}


@dataclass
class Scene:
    """One thing that two people are about to lay their hands on."""

    house: House
    company: Company
    case_id: str
    number: str | None = None  # of a certificate, where it is about one
    before: int = field(init=False)  # last event before the race

    def __post_init__(self):
        self.before = last_event(self.house)

    def deed(self, name):
        """The request, made against the present version, unsent."""
        who, _, what = name.partition("'s ")
        make = _DEEDS[Action(what) if what in set(Action) else what]
        return make(self, self._person(who))

    def _person(self, who):
        if who == "company":
            return self.company
        second = {"second reviewer": Role.REVIEWER, "second approver": Role.APPROVER}
        return self.house.staff(second[who], name=who.replace(" ", "-")) if who in second else getattr(self.house, who)

    def events(self):
        """What was done since, in the order of the chain, with its data."""
        found = rows(self.house, "SELECT seq, event, data FROM audit_events WHERE seq > :seq ORDER BY seq", seq=self.before)
        return [row.event for row in found]

    def history(self):
        with self.house.database.read_session() as session:
            return audit.events_of_case(session, UUID(self.case_id))


def last_event(house):
    return rows(house, "SELECT max(seq) FROM audit_events")[0][0]
