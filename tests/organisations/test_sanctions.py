"""Names against a sanctions list: what resembles, who decides, and what that stops."""

import pytest

from app.core.errors import Invalid
from app.jobs.job_type import JobRun
from app.organisations.sanctions import screening
from app.organisations.sanctions.list_file import ListEntry, parse_list
from app.organisations.sanctions.matching import find_candidates
from app.worker.handlers import SCREEN_HOLDERS, build_handlers
from tests.factories import STAFF_DOCUMENTS, ok, upload
from tests.helpers import count, refused
from tests.organisations.sanctions import HEADER, load_list


def entry(*names, ident="SL-1"):
    return ListEntry(ident, names, "XX", "TEST")


@pytest.mark.parametrize(
    ("company", "listed"),
    [
        ("Nümunə Boru MMC", "NUMUNA BORU"),
        ("“Şuşa-Tikinti” QSC", "ООО «Шуша Тикинти»"),
        ("Sample Pipe Ltd", "Pipe Sample"),
        ("Qarabağ İpəyi", "Qarabag Ipeyi LLC"),
        ("Karabakh Silk House", "Karabakh Silkhouse"),
        ("Gəncə Çörək", "GƏNCƏ ÇÖREK"),
    ],
)
def test_spellings_of_one_name_resemble(company, listed):
    assert find_candidates([company], [entry("Another", listed)], 85), company


@pytest.mark.parametrize(
    ("company", "listed"),
    [
        ("Nümunə Boru MMC", "Nümunə Süd MMC"),
        ("Ağdam Tekstil", "Ağdam Metal"),
        ("Xan", "Han Xankəndi Daş"),
        ("MMC", "OOO"),
    ],
)
def test_other_names_do_not(company, listed):
    assert find_candidates([company], [entry(listed)], 85) == []


def test_a_name_without_letters_resembles_nothing():
    assert find_candidates(["!!!"], [entry("…")], 50) == find_candidates(["Sample"], [entry("…")], 50) == []


def test_a_name_of_legal_forms_alone_is_compared_as_it_is():
    assert find_candidates(["MMC"], [entry("MMC")], 85) and not find_candidates(["MMC"], [entry("QSC")], 85)


def test_the_most_similar_comes_first_and_each_once():
    listed = [entry("Sample Pipes", ident="B"), entry("Sample Pipe", "Pipe Sample", ident="A")]
    found = find_candidates(["Sample Pipe", "Sample Pipe"], listed, 80)
    assert [each.entry.id for each in found] == ["A", "B"] and found[0].score == 100


@pytest.mark.parametrize(
    "text",
    [
        "", HEADER, "id,names\n1,a\n", HEADER + "1,,X,T\n", HEADER + ",a,X,T\n", HEADER + "1,a,X\n",
        HEADER + "1,a,X,T\n1,b,X,T\n", HEADER + '1,"a,X,T\n',
    ],
)  # fmt: skip
def test_a_file_is_taken_whole_or_not_at_all(text):
    with pytest.raises(Invalid):
        parse_list(text.encode())


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(Invalid, match="UTF-8"):
        parse_list(b"\xff\xfe")


def test_names_and_aliases_are_separated_by_semicolons():
    (read,) = parse_list(("\ufeff" + HEADER + "SL-1,One; Two ;One;,AZ,P\n").encode())
    assert (read.names, ListEntry.from_json(read.to_json())) == (("One", "Two"), read)
    assert parse_list((HEADER + "SL-1,One,AZ,Q\n").encode())[0].sha256 != read.sha256


def check_of(app, company):
    """An unconfirmed background check of a company."""
    path = f"/v1/organisations/{company.organisation_id}/evidence"
    stated = {"issued_on": app.clock().date().isoformat()} | STAFF_DOCUMENTS["background-check"]
    return upload(app.registrar, path, "background-check", b"%PDF-1.4\n%%EOF\n", None, stated)


def test_a_background_check_waits_for_a_decision_about_each_candidate(app):
    company = app.confirm(app.register())
    path = f"/v1/organisations/{company.organisation_id}/sanctions-screening"
    assert ok(app.reviewer.get(path)) | {"candidates": []} == {
        "list_sha256": None, "loaded_at": None, "threshold": None, "is_clear": False, "candidates": [],
    }  # fmt: skip
    load_list(app, company.name.upper())
    check = check_of(app, company)
    confirm = f"/v1/evidence/{check['id']}/confirm"
    assert refused(app.reviewer.post(confirm, json={}, version=1), 409, "sanctions-undecided")["entries"] == ["SL-1"]
    (found,) = ok(app.reviewer.get(path))["candidates"]
    assert (found["entry_id"], found["decision"], found["company_name"]) == ("SL-1", None, company.name)
    body = {"entry_id": "SL-1", "entry_sha256": found["entry_sha256"], "reason": "Extract seen."}
    ok(app.registrar.post(f"{path}/decisions", json=body | {"decision": "same"}))
    refused(app.reviewer.post(confirm, json={}, version=1), 409, "sanctions-match")
    told = ok(app.registrar.post(f"{path}/decisions", json=body | {"decision": "different"}))
    assert told["is_clear"] and told["candidates"][0]["decision"]["decision"] == "different"
    assert count(app, "sanctions_decisions") == 2
    ok(app.reviewer.post(confirm, json={}, version=1))
    load_list(app, company.name.upper(), "An alias")  # another entry under the same id
    refused(app.registrar.post(f"{path}/decisions", json=body | {"decision": "same"}), 409, "no-such-candidate")
    assert not ok(app.reviewer.get(path))["is_clear"]


def test_nothing_is_confirmed_before_the_list_of_the_settings_was_loaded(app):
    company = app.confirm(app.register())
    check = check_of(app, company)
    app.database.attach_session_info({screening.REQUIRED_KEY: True})
    confirm = f"/v1/evidence/{check['id']}/confirm"
    refused(app.reviewer.post(confirm, json={}, version=1), 409, "sanctions-list-missing")
    load_list(app, "Somebody Else")
    ok(app.reviewer.post(confirm, json={}, version=1))


def test_a_check_with_a_match_needs_no_decision(app):
    company = app.confirm(app.register())
    load_list(app, company.name)
    check = check_of(app, company)
    ok(app.reviewer.post(f"/v1/evidence/{check['id']}/confirm", json={"values": {"sanctions_match": True}}, version=1))


def test_only_staff_read_and_only_registrars_and_reviewers_decide(app):
    company = app.confirm(app.register())
    load_list(app, company.name)
    path = f"/v1/organisations/{company.organisation_id}/sanctions-screening"
    (found,) = ok(app.auditor.get(path))["candidates"]
    refused(company.get(path), 403)
    refused(app.register().get(path), 404)
    refused(app.inspector.get(path), 403)
    body = {
        "entry_id": "SL-1", "entry_sha256": found["entry_sha256"], "reason": "It is.", "decision": "different",
    }  # fmt: skip
    for caller in (company, app.auditor, app.approver, app.owner):
        refused(caller.post(f"{path}/decisions", json=body), 403)
    refused(app.registrar.without_factor().post(f"{path}/decisions", json=body), 403)
    assert count(app, "sanctions_decisions") == 0


def test_a_new_list_opens_a_matter_about_a_holder_once(app, tmp_path):
    number = app.certify()
    listed = tmp_path / "list.csv"
    holder = ok(app.anonymous.get(f"/v1/certificates/{number}"))["holder"]["name"]
    listed.write_text(f"{HEADER}SL-7,{holder},XX,TEST\n", encoding="utf-8")
    settings = app.settings.model_copy(update={"sanctions_list": str(listed)})
    with app.with_services(settings=settings):
        for _ in range(2):
            run_screening(app)
        (matter,) = ok(app.owner.get("/v1/matters"))["items"]
        assert "SL-7" in matter["text"] and count(app, "sanctions_lists") == 1
        listed.write_text("broken", encoding="utf-8")
        with pytest.raises(Invalid):
            run_screening(app)
    assert count(app, "sanctions_lists") == 1


def run_screening(app):
    run = JobRun(None, {}, 1, app.clock(), lambda _done, _total: None, lambda: False)
    build_handlers(app.container)[SCREEN_HOLDERS](run)
