"""Two deeds at once against two things that rest on one another: both may be done, but in an order that explains all.

Each has a row and a version of its own, so neither is refused for the other's sake alone. The chain says which came
first, and what the second one was answered has to follow from the first.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.organisations.model import Organisation, Residency, Site
from tests.factories import PDF, ok
from tests.helpers import rows
from tests.races.helpers import (
    ROUNDS,
    Contest,
    assert_chain_holds,
    assert_history_leads_to_the_present,
    assert_one_certificate_at_most,
    at_once,
)

CLOSING = {"on": "2026-11-22", "reason": "Taken back by the park."}


def site_edited(contest):
    path = f"/v1/sites/{contest.company.site_id}"
    body = {"name": "Hall 1", "production_started_on": f"2024-0{1 + contest.seen % 8}-09"}
    return partial(contest.company.put, path, version=contest.company.version_of(path), json=body), "site.updated"


def confirmation_withdrawn(contest):
    permits = f"/v1/organisations/{contest.company.organisation_id}/evidence"
    items = ok(contest.app.registrar.get(permits))["items"]
    item = next(each for each in items if each["kind"] == "permit" and each["confirmed_at"])
    path = f"/v1/evidence/{item['id']}/withdraw-confirmation"
    version = contest.app.registrar.version_of(path)
    body = {"reason": "It was of another company."}
    return partial(contest.app.registrar.post, path, version=version, json=body), "evidence.confirmation_withdrawn"


def stage_set_back(contest):
    (residency,) = ok(contest.company.get("/v1/residencies"))["items"]
    path = f"/v1/residencies/{residency['id']}/stage"
    put = partial(contest.app.registrar.put, path, version=residency["version"], json={"stage": "construction"})
    return put, "residency.updated"


@pytest.mark.parametrize("change", [site_edited, confirmation_withdrawn, stage_set_back])
def test_approval_and_a_change_to_what_it_rests_on(shared_app, change):
    """Changed first: nothing is granted, back to review. Approved first: a certificate over what was looked at, and
    the site, certified by now, is changed only after a report."""
    for round_ in range(ROUNDS):
        contest = Contest(shared_app, shared_app.set_up_company(), "recommended")
        changing, event = change(contest)
        approved, changed = at_once([contest.prepared("approver approve"), changing], round_)
        events = contest.events()
        if approved.status_code == 200 and change is site_edited:
            assert (changed.status_code, changed.json()["code"]) == (409, "certified"), changed.text
            assert event not in events
        elif approved.status_code == 200:
            assert changed.status_code == 200, changed.text
            assert events.index("certificate.issued") < events.index(event), events
        else:
            assert changed.status_code == 200, changed.text
            assert (approved.status_code, approved.json()["code"]) in NOT_AS_RECOMMENDED, approved.text
            assert events.index(event) < events.index("application.returned"), events
        state = assert_history_leads_to_the_present(contest)
        assert state == ("approved" if approved.status_code == 200 else "in_review")
        assert_one_certificate_at_most(contest, state)
    assert_chain_holds(shared_app)


@pytest.mark.parametrize(
    "change",
    [
        sa.update(Site).values(production_started_on=date(2024, 9, 9)),
        sa.update(Organisation).values(legal_name_en="Another name"),
        sa.update(Residency).values(stage="construction"),
    ],
    ids=["site", "company", "residency"],
)
def test_an_approval_waits_for_a_change_that_is_under_way(shared_app, change):
    """Written, not yet committed: whoever decided now would decide over what is no longer so."""
    contest = Contest(shared_app, shared_app.set_up_company(), "recommended")
    approve = contest.prepared("approver approve")
    table = change.table
    of_company = table.c.get("organisation_id", table.c.id) == UUID(contest.company.organisation_id)
    with shared_app.database.session() as other, ThreadPoolExecutor(1) as thread:
        other.execute(change.where(of_company))
        deciding = thread.submit(approve)
        with pytest.raises(TimeoutError):
            deciding.result(timeout=0.5)
        other.commit()
        answer = deciding.result(timeout=60)
    assert (answer.status_code, answer.json()["code"]) in NOT_AS_RECOMMENDED, answer.text
    assert_one_certificate_at_most(contest, assert_history_leads_to_the_present(contest))


NOT_AS_RECOMMENDED = {(409, "dossier-changed"), (409, "not-eligible")}


@pytest.mark.parametrize("deed", ["revoke", "suspend"])
def test_the_owner_and_the_register_at_once(shared_app, deed):
    """The residency is cancelled while the owner acts on the certificate: what the register says is never lost."""
    for round_ in range(ROUNDS):
        contest = Contest(shared_app, shared_app.set_up_company(), "active")
        (residency,) = ok(contest.company.get("/v1/residencies"))["items"]
        path = f"/v1/residencies/{residency['id']}/cancel"
        cancel = partial(shared_app.registrar.post, path, version=residency["version"], json=CLOSING)
        acted, cancelled = at_once([contest.prepared(f"owner {deed}"), cancel], round_)
        assert cancelled.status_code == 200, cancelled.text
        number = contest.path.rpartition("/")[2]
        told = [each for each in contest.events() if each.startswith("certificate.")]
        if acted.status_code == 412:  # the register came first, and the owner had not seen that
            assert told == ["certificate.suspended"]
            assert shared_app.verify(number)["certificate"]["reason"] == "residency"
        else:
            assert acted.status_code == 200, acted.text
            if deed == "suspend":
                assert told == ["certificate.suspended"] * 2
            else:
                assert told in (["certificate.revoked"], ["certificate.suspended", "certificate.revoked"])
        assert shared_app.verify(number)["verdict"] == ("revoked" if told[-1].endswith("revoked") else "suspended")
        causes = "SELECT count(*) FROM suspensions s JOIN certificates c ON c.id = s.certificate_id"
        ((open_causes,),) = rows(shared_app, f"{causes} WHERE c.number = :n AND s.ended_at IS NULL", n=number)
        assert open_causes == (0 if told[-1] == "certificate.revoked" else told.count("certificate.suspended"))
    assert_chain_holds(shared_app)


def test_a_file_added_while_the_application_is_submitted(shared_app):
    """What is in the dossier when it is submitted was there before; nothing slips in behind."""
    company = shared_app.set_up_company()
    for round_ in range(ROUNDS):
        contest = Contest(shared_app, company, "draft")
        path = f"/v1/applications/{contest.case_id}/evidence"
        files = {"files": {"file": ("a.pdf", PDF)}, "data": {"kind": "other"}}
        submitted, added = at_once([contest.prepared("company submit"), partial(company.post, path, **files)], round_)
        told = [each for each in contest.events() if each in {"application.submitted", "evidence.added"}]
        kept = ok(company.get(path))["items"]
        if added.status_code == 201:  # nobody has declared that it is true: nothing is submitted
            assert (submitted.status_code, submitted.json()["code"]) == (409, "declaration-missing"), submitted.text
            assert told == ["evidence.added"]
            assert [each["id"] for each in kept] == [added.json()["id"]]
        else:
            assert submitted.status_code == 200, submitted.text
            assert (added.status_code, added.json()["code"]) == (409, "application-frozen")
            assert (told, kept) == (["application.submitted"], [])
    assert_chain_holds(shared_app)


def test_one_application_is_withdrawn_while_the_next_one_for_the_product_is_submitted(shared_app):
    company = shared_app.set_up_company()
    for round_ in range(ROUNDS):
        contest = Contest(shared_app, company, "submitted")
        (product_id,) = company.application(contest.case_id)["product_ids"]
        following = company.prepare(company.draft(product_id))
        submit = partial(company.post, f"/v1/applications/{following}/submit", version=1)
        withdrawn, submitted = at_once([contest.prepared("company withdraw"), submit], round_)
        assert withdrawn.status_code == 200, withdrawn.text
        told = [each for each in contest.events() if each in {"application.withdrawn", "application.submitted"}]
        if submitted.status_code == 200:
            assert told == ["application.withdrawn", "application.submitted"]
        else:
            assert (submitted.status_code, submitted.json()["code"]) == (409, "already-applied")
            assert told == ["application.withdrawn"]
    assert_chain_holds(shared_app)
