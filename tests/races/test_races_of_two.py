"""Two deeds against one thing at once, on both kinds of database: one is done, the other is refused and leaves nothing.

One round of each in `make test`, fifty in `make test-long` (`MIK_TEST_ROUNDS`).
"""

import pytest

from tests.races.helpers import (
    DEEDS,
    ROUNDS,
    Contest,
    assert_chain_holds,
    assert_history_leads_to_the_present,
    assert_one_certificate_at_most,
    at_once,
    won,
)

RACES = """
    draft                  company submit                   company edit
    draft                  company submit                   company withdraw
    submitted              reviewer claim                   company withdraw
    submitted              reviewer claim                   second reviewer claim
    submitted              reviewer claim                   second reviewer assign
    submitted              second reviewer assign           company withdraw
    in_review              reviewer recommend               company withdraw
    in_review              reviewer recommend               reviewer hand-over
    in_review              reviewer recommend               reviewer request-information
    in_review              reviewer hand-over               reviewer release
    in_review              reviewer hand-over               company withdraw
    in_review              reviewer request-information     company withdraw
    information_requested  company respond                  company withdraw
    information_requested  company respond                  sweep lapse
    information_requested  company withdraw                 sweep lapse
    recommended            approver approve                 company withdraw
    recommended            approver approve                 second approver approve
    recommended            approver approve                 second approver return
    recommended            approver approve                 second approver reject
    recommended            approver return                  company withdraw
    recommended            approver reject                  company withdraw
    recommended            approver reject                  second approver return
    active                 owner revoke                     company surrender
    active                 owner suspend                    company surrender
    suspended              owner reinstate                  company surrender
"""
"""State, one deed, another: each possible alone, and only one of them after the other is not asked for anew."""


def races():
    return list(_races())


def _races():
    for line in RACES.strip().splitlines():
        state, first, second = (part.strip() for part in line.split("  ") if part.strip())
        yield pytest.param(state, first, second, id=f"{first} against {second} ({state})")


@pytest.mark.parametrize(("state", "first", "second"), races())
def test_one_is_done_and_the_other_refused(shared_app, state, first, second):
    company = shared_app.set_up_company()
    contests = [Contest(shared_app, company, state) for _ in range(ROUNDS)]
    if "lapse" in second:
        shared_app.clock.advance(days=30)
    for round_, contest in enumerate(contests):
        one_wins(contest, round_, first, second)
    assert_chain_holds(shared_app)


@pytest.mark.parametrize(("state", "deed"), [("active", "suspend"), ("suspended", "reinstate")])
def test_a_revocation_is_confirmed_whatever_one_owner_does(shared_app, state, deed):
    """A proposed revocation does not stop the suspension of the certificate, nor a suspension the revocation."""
    company = shared_app.set_up_company()
    for round_ in range(ROUNDS):
        contest = Contest(shared_app, company, state)
        seen = len(contest.events())
        acted, confirmed = at_once([contest.prepared(f"owner {deed}"), contest.prepared("owner revoke")], round_)
        assert won(confirmed)
        done = [DEEDS[event] for event in contest.events()[seen:] if event in DEEDS]
        assert done == ([deed, "revoke"] if won(acted) else ["revoke"])
        assert shared_app.verify(contest.path.rpartition("/")[2])["verdict"] == "revoked"
        assert_one_certificate_at_most(contest, assert_history_leads_to_the_present(contest))
    assert_chain_holds(shared_app)


def one_wins(contest, round_, *contenders):
    before = contest.company.version_of(contest.path)
    seen = len(contest.events())
    answers = at_once([contest.prepared(each) for each in contenders], round_)
    winners = [each for each, answer in zip(contenders, answers, strict=True) if won(answer)]
    assert len(winners) == 1, [getattr(answer, "text", answer) for answer in answers]

    # What the answer said is what is written: once, in the history and in the row. The loser left no trace.
    (winner,) = winners
    done = [DEEDS[event] for event in contest.events()[seen:] if event in DEEDS]
    assert done == [winner.rpartition(" ")[2]]
    assert contest.company.version_of(contest.path) == before + 1
    assert_one_certificate_at_most(contest, assert_history_leads_to_the_present(contest))
