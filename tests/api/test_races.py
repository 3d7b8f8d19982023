"""Many at once, on both kinds of database: one wins, the others are refused, and nothing is there twice."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.actor import Role
from app.web.limits.concurrency import DEFAULT_LIMITS, ConcurrencyLimits, WorkClass
from tests.factories import PASSWORD, in_state, ok, other_approver, other_reviewer, product, voen_of
from tests.helpers import count, refused, rows

pytestmark = pytest.mark.no_coverage
LOST = {409, 412}
FALSE = {"reason": "It is false.", "found_false": True}


def at_once(*deeds):
    """Do all of them in the same moment; their results in order."""
    start = threading.Barrier(len(deeds))

    def run(deed):
        start.wait(timeout=30)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as threads:
        return [done.result(timeout=120) for done in [threads.submit(run, deed) for deed in deeds]]


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def test_twenty_approvals_of_one_case_make_one_certificate_per_product(app):
    company = app.set_up_company()
    products = [company.add_product() for _ in range(3)]
    case_id = company.apply(*products)
    app.review(case_id)
    approvers = [app.approver, other_approver(app)]
    version = app.approver.version_of(f"/v1/applications/{case_id}")

    def approve(who):
        return lambda: approvers[who % 2].post(f"/v1/applications/{case_id}/approve", version=version)

    answers = at_once(*(approve(who) for who in range(20)))
    assert statuses(answers)[200] == 1, statuses(answers)
    assert statuses(answers).keys() <= {200} | LOST
    for answer in answers:
        if answer.status_code != 200:
            assert "MIK-2026" not in refused(answer, answer.status_code)["detail"]
    issued = rows(app, "SELECT product_id, serial, status_index FROM certificates ORDER BY serial")
    assert len({row.product_id for row in issued}) == len(issued) == 3
    assert [row.serial for row in issued] == [1, 2, 3]
    assert len({row.status_index for row in issued}) == 3
    assert count(app, "decisions") == 1
    assert ok(company.get(f"/v1/applications/{case_id}"))["state"] == "approved"


def test_many_cases_approved_at_once_have_serials_without_a_gap(app):
    """Cases of two companies; those that are sent back take no number."""
    companies = [app.set_up_company(), app.set_up_company()]
    good = [in_state(app, companies[i % 2], "recommended") for i in range(6)]
    stopped = app.set_up_company()
    bad = [in_state(app, stopped, "recommended") for _ in range(2)]
    (residency,) = ok(stopped.get("/v1/residencies"))["items"]
    ok(app.registrar.put(f"/v1/residencies/{residency['id']}/stage", version="now", json={"stage": "planned"}))
    approver = app.approver
    deeds = [lambda c=c: approver.post(f"/v1/applications/{c}/approve", version="now") for c in (*good, *bad)]
    answers = at_once(*deeds)
    assert [answer.status_code for answer in answers] == [200] * 6 + [409] * 2
    numbers = [ok(answer)["certificates"][0] for answer in answers[:6]]
    assert sorted(number[:15] for number in numbers) == [f"MIK-2026-{serial:06d}" for serial in range(1, 7)]
    issued = rows(app, "SELECT serial, status_list_id, status_index FROM certificates")
    assert sorted(row.serial for row in issued) == list(range(1, 7))
    assert len({(row.status_list_id, row.status_index) for row in issued}) == 6
    for number in numbers:
        assert app.verify(number)["verdict"] == "valid"


def test_one_product_is_applied_for_once(app):
    company = app.set_up_company()
    shared = company.add_product()
    drafts = [company.prepare(company.draft(shared)) for _ in range(4)]
    answers = at_once(
        *(lambda d=d: company.post(f"/v1/applications/{d}/submit", version="now") for d in drafts),
    )
    assert statuses(answers) == {200: 1, 409: 3}
    assert {refused(a, 409)["code"] for a in answers if a.status_code == 409} == {"already-applied"}
    states = Counter(state for (state,) in rows(app, "SELECT state FROM applications"))
    assert states == {"submitted": 1, "draft": 3}


def test_applications_that_share_some_products_do_not_block_each_other(app):
    """Named in opposite orders, as two people would: no deadlock, one wins."""
    company = app.set_up_company()
    first, second = company.add_product(), company.add_product()
    for _ in range(3):
        drafts = [company.prepare(company.draft(*each)) for each in ((first, second), (second, first))]
        answers = at_once(*(lambda d=d: company.post(f"/v1/applications/{d}/submit", version="now") for d in drafts))
        assert statuses(answers) == {200: 1, 409: 1}
        won = next(d for d, answer in zip(drafts, answers, strict=True) if answer.status_code == 200)
        company.act(f"/v1/applications/{won}/withdraw")


def registration(voen, email):
    member = {"full_name": "Aysel Nümunə", "email": email, "password": PASSWORD}
    names = {"legal_name_az": "“Nümunə” MMC", "legal_name_en": "Sample", "legal_form": "MMC"}
    return names | {"voen": voen, "member": member}


def confirmed_at_once(app, voen):
    """Six claims of one number, all made at once; then all confirmed at once by as many registrars."""
    bodies = [registration(voen, f"person{i}@sample.example") for i in range(6)]
    answers = at_once(*(lambda b=b: app.send_registration(b) for b in bodies))
    assert statuses(answers) == {201: 6}
    registrars = [app.staff(Role.REGISTRAR, name=f"registrar-{i}") for i in range(6)]
    deeds = []
    for registrar, answer in zip(registrars, answers, strict=True):
        path = f"/v1/claims/{answer.json()['claim_id']}/confirm"
        deeds.append(lambda r=registrar, p=path: r.post(p, json={"basis": "Seen."}, version=1))
    decided = at_once(*deeds)
    assert statuses(decided) == {200: 1, 409: 5} or statuses(decided) == {200: 1, 412: 5}
    assert rows(app, "SELECT count(*) FROM organisations WHERE status = 'confirmed'") == [(1,)]
    assert rows(app, "SELECT count(*) FROM organisations WHERE status = 'refused'") == [(5,)]
    assert rows(app, "SELECT count(*) FROM users WHERE NOT is_staff AND read_only_since IS NULL") == [(1,)]


def test_of_claims_at_once_one_is_confirmed(app):
    confirmed_at_once(app, voen_of(7001))
    assert count(app, "organisations") == 6


def test_one_address_is_registered_once(app):
    bodies = [registration(voen_of(7100 + i), "one@sample.example") for i in range(6)]
    answers = at_once(*(lambda b=b: app.send_registration(b) for b in bodies))
    assert statuses(answers) == {201: 1, 409: 5}
    assert {refused(a, 409)["code"] for a in answers if a.status_code == 409} <= {"email-taken", "token-over"}
    assert count(app, "organisations") == count(app, "users") == 1


def test_of_claims_of_a_listed_company_one_is_confirmed(app):
    voen = voen_of(7200)
    columns = "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region"
    line = f"N01,“Nümunə” MMC,Sample,MMC,{voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,non_resident,Asphalt mixes,true"
    listed = app.import_register(f"{columns},status,activity_en,is_fictional\n{line}\n")
    assert listed.status_code == 200, listed.text
    assert count(app, "organisations") == 1
    confirmed_at_once(app, voen)
    assert rows(app, "SELECT legal_name_en FROM organisations WHERE status = 'confirmed'") == [("Sample",)]


def test_a_case_has_one_holder(app):
    company = app.set_up_company()
    case_id = company.apply()
    reviewers = [app.reviewer, other_reviewer(app)]
    version = app.reviewer.version_of(f"/v1/applications/{case_id}")
    answers = at_once(
        *(lambda r=reviewers[i % 2]: r.post(f"/v1/applications/{case_id}/claim", version=version) for i in range(6))
    )
    assert statuses(answers) == {200: 1, 412: 5}
    winner = next(answer for answer in answers if answer.status_code == 200).json()["assignee_id"]
    assert ok(app.reviewer.get(f"/v1/applications/{case_id}"))["assignee_id"] == winner
    assert count(app, "applications") == 1
    claimed = rows(app, "SELECT count(*) FROM audit_events WHERE event = 'application.claimed'")
    assert claimed[0][0] == 1


@pytest.mark.parametrize("attempt", range(2))
def test_approve_against_withdraw(app, attempt):
    """Either a certificate, or a withdrawn application: never both, never neither."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    version = app.approver.version_of(f"/v1/applications/{case_id}")
    approved, withdrawn = at_once(
        lambda: app.approver.post(f"/v1/applications/{case_id}/approve", version=version),
        lambda: company.post(f"/v1/applications/{case_id}/withdraw", version=version),
    )
    assert sorted([approved.status_code, withdrawn.status_code]) in ([200, 409], [200, 412])
    state = ok(company.get(f"/v1/applications/{case_id}"))["state"]
    assert (state, count(app, "certificates")) == (("approved", 1) if approved.status_code == 200 else ("withdrawn", 0))


@pytest.mark.parametrize("attempt", range(3))
def test_approve_against_cancelling_the_residency(app, attempt):
    """Whichever comes first: no active certificate rests on a cancelled residency."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    residency = ok(company.get("/v1/residencies"))["items"][0]
    version = app.approver.version_of(f"/v1/applications/{case_id}")
    closing = {"on": "2026-11-22", "reason": "Taken back by the park."}
    path = f"/v1/residencies/{residency['id']}/cancel"
    approved, cancelled = at_once(
        lambda: app.approver.post(f"/v1/applications/{case_id}/approve", version=version),
        lambda: app.registrar.post(path, version=residency["version"], json=closing),
    )
    assert cancelled.status_code == 200, cancelled.text
    if approved.status_code == 200:
        (number,) = approved.json()["certificates"]
        assert app.verify(number)["verdict"] == "suspended"
        assert [hit["number"] for hit in cancelled.json()["certificates"]] == [number]
    else:
        refused(approved, 409, "not-eligible")
        assert count(app, "certificates") == 0
        assert ok(app.reviewer.get(f"/v1/applications/{case_id}"))["state"] == "in_review"


def test_a_product_does_not_change_while_it_is_submitted(app):
    """Either the product is changed, and nobody has declared that yet, or the change is refused."""
    company = app.set_up_company()
    product_id = company.add_product()
    draft = company.prepare(company.draft(product_id))
    changed = product(company.site_id) | {"ex_works": "1460"}
    change, submit = at_once(
        lambda: company.put(f"/v1/products/{product_id}", version=1, json=changed),
        lambda: company.post(f"/v1/applications/{draft}/submit", version="now"),
    )
    price = ok(company.get(f"/v1/products/{product_id}"))["ex_works"]
    if change.status_code == 200:
        refused(submit, 409, "declaration-missing")
        assert price.startswith("1460")
        company.submit(draft)
    else:
        refused(change, 409, "product-frozen")
        assert submit.status_code == 200, submit.text
        assert price.startswith("1450")
    app.review(draft)
    assert app.approve(draft)["state"] == "approved"


def test_the_history_has_no_fork(app):
    """Twenty writers at once: one chain, numbered without a gap."""
    company = app.set_up_company()
    before = count(app, "audit_events")
    answers = at_once(*(lambda: company.post("/v1/products", json=product(company.site_id)) for _ in range(20)))
    assert statuses(answers) == {201: 20}
    events = rows(app, "SELECT seq, prev_hash, hash FROM audit_events ORDER BY seq")
    assert len(events) == before + 20
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.prev_hash for event in events[1:]] == [event.hash for event in events[:-1]]


def test_more_writers_than_threads_all_come_through(app):
    """Seventy writers and seventy readers: nobody waits for somebody who waits for a thread."""
    company = app.set_up_company()
    write = [lambda: company.post("/v1/products", json=product(company.site_id)) for _ in range(70)]
    read = [lambda: company.get("/v1/products?limit=1") for _ in range(70)]
    answers = at_once(*write, *read)
    assert statuses(answers) == {201: 70, 200: 70}


def test_many_who_sign_in_do_not_keep_readers_waiting(app):
    company = app.set_up_company()
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    answers = at_once(
        *[lambda: app.anonymous.post("/v1/auth/token", data=form) for _ in range(60)],
        *[lambda: company.get("/v1/me") for _ in range(20)],
    )
    assert statuses(answers) == {200: 80}


def test_where_one_may_write_at_a_time_the_others_do_not_wait_on_threads(app):
    """They would wait for the lock of SQLite, looking again every tenth of a second."""
    expected = {"sqlite": 1, "postgresql": DEFAULT_LIMITS[WorkClass.WRITE]}[app.database.write_engine.dialect.name]
    assert app.container.concurrency._shared[WorkClass.WRITE]._free == expected


def test_a_house_that_is_full_says_so(app):
    """Writers wait in their own line; when it does not move they are told to come back, and readers go on."""
    company = app.set_up_company()
    trial = {"product_ids": [company.add_product()]}
    full = ConcurrencyLimits({WorkClass.WRITE: 0, WorkClass.READ: 1, WorkClass.PASSWORD_HASH: 1}, timeout=0.05)
    with app.with_services(concurrency=full):
        answer = company.post("/v1/api-clients", json={"name": "Order system"})
        refused(answer, 503, "unavailable")
        assert answer.headers["Retry-After"]
        for _ in range(3):
            ok(company.get("/v1/products"))
            ok(company.post("/v1/schemes/MIK/assessments", json=trial))
    ok(company.post("/v1/api-clients", json={"name": "Order system"}))


def test_a_surrender_beside_a_matter_knows_of_it_or_comes_before_it(app):
    """Either the matter was open and the surrender says so, or the certificate was given back and none opened."""
    for _ in range(3):
        company = app.set_up_company()
        number = app.certify(company)
        items = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
        path = f"/v1/evidence/{next(each['id'] for each in items if each['kind'] == 'permit')}"
        versions = app.registrar.version_of(path), company.version_of(f"/v1/certificates/{number}")
        withdrawn, given_back = at_once(
            lambda p=path, v=versions[0]: app.registrar.post(f"{p}/withdraw-confirmation", json=FALSE, version=v),
            lambda n=number, v=versions[1], c=company: c.post(f"/v1/certificates/{n}/surrender", version=v),
        )
        assert (withdrawn.status_code, given_back.status_code) == (200, 200)
        matters = ok(app.owner.get("/v1/matters", params={"certificate": number}))["items"]
        assert given_back.json().get("during_investigation", False) is bool(matters)


def test_of_many_closings_of_a_matter_one_is_done(app):
    company = app.set_up_company()
    number = app.certify(company)
    change = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}
    matter = ok(company.post(f"/v1/certificates/{number}/changes", json=change))
    body = {"outcome": "corrected", "reason": "Proven."}
    callers = [app.owner, app.registrar] * 4
    path = f"/v1/matters/{matter['id']}/close"
    answers = at_once(*(lambda c=caller: c.post(path, json=body, version=1) for caller in callers))
    assert statuses(answers)[200] == 1
    assert statuses(answers).keys() <= {200} | LOST
    assert count(app, "matters") == 1
