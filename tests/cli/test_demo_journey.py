"""The demo's journey: what it shows, and that it can be cut off anywhere and played again without adding anything."""

import json
import re

import jsonschema_rs
import pytest

from app.demo import scenario_data
from app.demo.api_client import NoService
from app.demo.scenario import run
from app.events.catalogue import json_schema, load_catalogue
from app.events.event_reader import events_after
from app.events.public_event import SOURCES
from tests.cli.helpers import Line, LineDead, counts, demo_app, issued, stage, transcript
from tests.factories import ok
from tests.helpers import rows

pytestmark = pytest.mark.no_coverage
CUT_EVERY = 23
"""Writes until the line dies. More cuts take longer and tell the same."""


@pytest.fixture(scope="module")
def app(sqlite_template, tmp_path_factory):
    """Played once, to its end; tests that change it bring their own."""
    with demo_app(sqlite_template, tmp_path_factory.mktemp("played")) as app:
        app.first_stage, app.said = stage(app)
        app.played = run(app.first_stage)
        yield app


def test_every_kind_of_outcome_is_shown(app):
    assert {each["reference"]: each["outcome"] for each in app.played.applications} == {
        "demo-MIK-R01": "approved",
        "demo-MIK-R03": "approved",
        "demo-MIK-R06": "approved",
        "demo-MIK-R07": "rejected",
        "demo-MIK-R09": "approved",
        "demo-MIK-K01": "approved",
        "demo-MIK-R04": "approved",
        "demo-MIK-R02": "information_requested",
        "demo-MIA-N01": "approved",
        "demo-URVA-U01": "approved",
        "demo-MIA-V01": "submitted",
    }


def test_every_event_of_the_journey_fits_its_schema(app):
    with app.database.read_session() as session:
        found = events_after(session, 0, 10_000)
    types = load_catalogue().types
    for event in found:
        jsonschema_rs.Draft202012Validator(json_schema(types[event.type])).validate(event.to_dict())
    shown = {event.type for event in found}
    assert {"application.decided", "certificate.issued", "certificate.suspended", "certificate.revoked"} <= shown
    names = {row.event for row in rows(app, "SELECT DISTINCT event FROM audit_events")}
    assert names <= SOURCES.keys() | load_catalogue().internal.keys()
    text = json.dumps([event.to_dict() for event in found], ensure_ascii=False)
    people = rows(app, "SELECT full_name, email FROM users")
    assert [each for row in people for each in row if each in text] == []


def test_certificates_are_issued_one_is_suspended_one_revoked(app):
    verdicts = {each["number"]: each["verdict"] for each in app.played.certificates}
    numbers = issued(app.played)
    assert len(verdicts) == 11
    assert verdicts.pop(numbers["MIK", "P016"]) == "suspended"
    assert verdicts.pop(numbers["MIK", "P005"]) == "revoked"
    assert set(verdicts.values()) == {"valid"}
    assert app.played.certificates[0]["verdict_by_token"] == "valid"


def test_a_refusal_names_every_failed_criterion(app):
    refused = next(each for each in app.played.applications if each["outcome"] == "rejected")
    assert [re.search(r"\(criterion (C-\d+|K-\d+)", reason)[1] for reason in refused["reasons"]] == ["C-06", "K-06"]
    assert "(1900 − 1560) / 1900 × 100 = 17.9 %" in refused["reasons"][0]


def test_an_unconfirmed_company_is_told_why_it_may_not_submit(app):
    assert app.played.refused["code"] == "organisation-unconfirmed"


def test_one_is_asked_and_answers_and_one_is_left_waiting(app):
    asked = {each["reference"]: each["questions"] for each in app.played.applications}
    assert asked["demo-MIK-R04"][0]["answer"].startswith("Yes, since 3 November 2025")
    assert [question["answer"] for question in asked["demo-MIK-R02"]] == [None]


@pytest.mark.parametrize(("product", "rule"), [("P002", "K-06"), ("P017", "C-04"), ("K01-1", "K-02")])
def test_a_manual_rule_is_resolved_with_the_reviewers_reason(app, product, rule):
    assert any(words.startswith(f"The reviewer accepts {rule} for {product}: ") for words in app.said)


def test_every_criterion_of_origin_is_shown(app):
    criteria = {each["product"]: each["criterion"] for each in app.played.certificates}
    assert criteria["Honey, natural"] == "WO"
    assert criteria["Wheat flour"] == "PE"
    assert criteria["Welded steel tube, circular"] == "CTH"
    assert criteria["Ready-mixed concrete"] == "RVC"


def test_no_step_of_it_was_refused(app):
    assert [words for words in app.said if " stays " in words] == []


def test_the_readme_shows_what_it_says(app):
    shown = [line.removeprefix("· ") for line in transcript() if line.startswith("· ")]
    assert len(shown) > 5
    assert [line for line in shown if line not in app.said] == []


def test_the_dry_run_names_who_would_be_hit_and_changes_nothing(app):
    numbers = issued(app.played)
    hit = app.played.would_be_hit["certificates"]
    assert sorted(hit) == sorted([numbers["MIK", "P001"], numbers["MIK", "P002"]])
    assert app.verify(hit[0])["verdict"] == "valid"


def test_a_second_run_adds_nothing_and_shows_the_same(app):
    before = counts(app.database)
    app.clock.advance(days=1)
    assert run(stage(app)[0]) == app.played
    assert counts(app.database) == before


@pytest.mark.long
@pytest.mark.parametrize("last_goes_out", [True, False], ids=["answer lost", "request lost"])
def test_cut_off_anywhere_the_next_run_completes_it(app, sqlite_template, tmp_path, last_goes_out):
    cut_off = 0
    with demo_app(sqlite_template, tmp_path) as other:
        while True:
            line = Line(other.http, CUT_EVERY + cut_off % 3, last_goes_out=last_goes_out)
            try:
                played = run(stage(other, line)[0])
                break
            except LineDead:
                cut_off += 1
                other.clock.advance(minutes=1)  # no code of an authenticator is good twice
        assert counts(other.database) == counts(app.database)
    assert cut_off > 8
    for what, shown in (("applications", "outcome"), ("certificates", "verdict")):
        whole = [each[shown] for each in getattr(app.played, what)]
        assert [each[shown] for each in getattr(played, what)] == whole


def test_what_a_visitor_changed_is_left_alone(sqlite_template, tmp_path):
    with demo_app(sqlite_template, tmp_path) as app:
        suspended = issued(run(stage(app)[0]))["MIK", "P016"]
        app.clock.advance(minutes=5)
        app.owner.act(f"/v1/certificates/{suspended}/reinstate", {"cause": "hearing"})
        (unconfirmed,) = ok(app.registrar.get("/v1/claims?state=waiting"))["items"]
        app.registrar.act(f"/v1/claims/{unconfirmed['id']}/confirm", {"basis": "Seen."})
        before = counts(app.database)

        played = run(stage(app)[0])

        assert counts(app.database) == before
        assert played.refused == {}
        assert app.verify(suspended)["verdict"] == "valid"
        on_the_desk = ok(app.auditor.get("/v1/applications?limit=100"))["items"]
        assert scenario_data.UNCONFIRMED.reference not in [each["reference"] for each in on_the_desk]


def test_a_claim_of_somebody_else_changes_nothing(sqlite_template, tmp_path):
    with demo_app(sqlite_template, tmp_path) as app:
        on_stage, _ = stage(app)
        stranger = app.register(on_stage.listing["R01"]["voen"])
        run(on_stage)
        assert ok(app.registrar.get(f"/v1/claims/{stranger.claim_id}"))["state"] == "refused"


def test_a_stranger_under_the_address_of_the_demo_is_not_confirmed(sqlite_template, tmp_path):
    with demo_app(sqlite_template, tmp_path) as app:
        on_stage, _ = stage(app)
        [company] = [each for each in scenario_data.COMPANIES if each.party == "R01"]
        member = {"full_name": "Yad Adam", "email": company.email, "password": "another-password-29"}
        stranger = app.register(on_stage.listing["R01"]["voen"], member=member)
        with pytest.raises(NoService, match="Sample Pipe"):
            run(on_stage)
        assert ok(app.registrar.get(f"/v1/claims/{stranger.claim_id}"))["state"] == "waiting"
