"""A register file goes in whole or not at all; a second time it changes nothing; every line tells what it did."""

import hashlib
from datetime import date, timedelta
from importlib.resources import files

import pytest
import sqlalchemy as sa

from app.audit.model import AuditEvent
from app.core.actor import SYSTEM, Role
from app.core.errors import Conflict, Forbidden, Invalid
from app.organisations import organisation_repository
from app.organisations.model import Organisation, RegisterImport, Residency, Site
from app.organisations.residency_transitions import ResidencyChangeKind
from app.organisations.resident_import import resident_imports
from app.organisations.resident_import.csv_format import parse_resident_file
from app.organisations.resident_import.resident_imports import ImportFile
from app.reference import parks as reference_parks
from app.reference.model import Park
from tests.organisations.factories import NOW, TODAY, VOENS, WRONG_CHECK_DIGIT, confirm, member, register, staff

SAMPLE = files("app.demo") / "sample"
LINE = {
    "resident_id": "R01",
    "legal_name_az": "Nümunə-Boru MMC",
    "legal_name_en": "Sample Pipe",
    "legal_form": "MMC",
    "voen": VOENS[0],
    "zone_code": "AGDAM-SP",
    "zone_name_en": "Aghdam Industrial Park",
    "district": "Ağdam",
    "district_iso": "AZ-AGM",
    "economic_region": "QARABAG",
    "status": "resident",
    "registration_no": "AGSP-R-2021-001",
    "registered_on": "2021-11-22",
    "stage": "construction",
    "size_class": "medium",
    "foreign_share_pct": "49",
}
COLUMNS = list(LINE)
OUTSIDE = {"zone_code": "", "zone_name_en": "", "status": "none", "registration_no": "", "registered_on": ""}


@pytest.fixture(autouse=True)
def parks(session):
    reference_parks.seed_parks(session)
    session.commit()


def as_file(*changes, name="register.csv"):
    rows = [LINE | change for change in changes or ({},)]
    return from_bytes("\n".join([",".join(COLUMNS), *(",".join(r[c] for c in COLUMNS) for r in rows)]).encode(), name)


def from_bytes(data, name="register.csv"):
    return ImportFile(parse_resident_file(data), name, hashlib.sha256(data).hexdigest())


def put(session, *changes, now=NOW, actor=SYSTEM):
    applied = resident_imports.apply_import(session, actor, as_file(*changes), now)
    session.commit()
    return applied


def lines(plan):
    return plan.report()["lines"]


def actions(applied):
    return [line["action"] for line in lines(applied.plan)]


def changed(applied, line=0):
    return {c["field"]: (c["from"], c["to"]) for c in lines(applied.plan)[line]["changes"]}


def kinds(applied):
    return [change.kind for change in applied.changes]


def the_residency(session):
    return session.scalars(sa.select(Residency).order_by(Residency.id)).all()


def everything(session):
    """All rows of the registry and of the audit, to see that nothing moved."""
    session.expire_all()
    tables = [each.__table__ for each in (Park, Organisation, Site, Residency, RegisterImport, AuditEvent)]
    return {table.name: session.execute(sa.select(table).order_by(*table.primary_key)).all() for table in tables}


@pytest.mark.parametrize(("name", "count"), [("residents.csv", 19), ("others.csv", 14)])
def test_the_sample_registers_go_in_and_a_second_time_change_nothing(session, name, count):
    file = from_bytes((SAMPLE / name).read_bytes(), name)
    applied = resident_imports.apply_import(session, SYSTEM, file, NOW)
    session.commit()
    assert actions(applied) == ["created"] * count
    assert applied.record.sha256 == file.sha256
    before = everything(session)
    again = resident_imports.apply_import(session, SYSTEM, file, NOW)
    session.commit()
    assert (again.record, set(actions(again))) == (None, {"unchanged"})
    assert everything(session) == before


def test_what_the_two_samples_make(session):
    for name in ("residents.csv", "others.csv"):
        resident_imports.apply_import(session, SYSTEM, from_bytes((SAMPLE / name).read_bytes(), name), NOW)
    session.commit()
    assert session.query(Organisation).filter_by(status="listed", source="register").count() == 33
    assert session.query(Residency).filter_by(status="resident").count() == 21
    assert session.query(Residency).filter_by(status="non_resident").count() == 6
    first = organisation_repository.find_company_by_voen(session, "0010000101")
    [period] = organisation_repository.list_residencies(session, organisation_id=first.id)
    assert (period.holder_voen, period.starts_on, period.stage) == ("0010000101", date(2021, 11, 22), "operating")
    assert (period.planned_investment_azn, period.planned_jobs, period.plot_ha) == (18_000_000, 150, 4)
    dairy = organisation_repository.find_company_by_voen(session, "0010003141")
    [site] = organisation_repository.list_sites(session, dairy.id)
    assert (site.district, site.economic_region, site.park_code) == ("Ağdərə", "QARABAG", None)
    assert organisation_repository.list_residencies(session, organisation_id=dairy.id) == []
    person = organisation_repository.find_company_by_voen(session, "0010003422")
    assert (person.legal_form, person.voen_needs_review) == ("fiziki şəxs", False)


def test_the_record_and_the_audit_say_which_file_and_what_it_did(session):
    registrar = staff(session)
    applied = put(session, actor=registrar)
    record = session.query(RegisterImport).one()
    assert (record.imported_by, record.file_name, record.imported_at) == (registrar.id, "register.csv", NOW)
    assert record.report == applied.plan.report()
    assert record.report["totals"] == {
        "lines": 1,
        "created": 1,
        "cancelled": 0,
        "restored": 0,
        "updated": 0,
        "unchanged": 0,
        "refused": 0,
        "errors": 0,
    }
    events = {e.event: e for e in session.query(AuditEvent) if e.event != "user.created"}
    assert set(events) == {"organisation.listed", "residency.begun", "register.imported"}
    assert events["register.imported"].data["sha256"] == record.sha256
    assert the_residency(session)[0].source == f"import:{record.id}"


def test_changes_are_told_field_by_field(session):
    put(session)
    applied = put(session, {"legal_name_en": "Sample Tube", "stage": "operating", "foreign_share_pct": "12.5"})
    assert actions(applied) == ["updated"]
    assert changed(applied) == {
        "legal_name_en": ("Sample Pipe", "Sample Tube"),
        "foreign_share_pct": ("49.00", "12.5"),
        "stage": ("construction", "operating"),
    }
    assert kinds(applied) == [ResidencyChangeKind.UNCHANGED]
    company = organisation_repository.find_company_by_voen(session, VOENS[0])
    assert (company.version, company.legal_name_en) == (2, "Sample Tube")
    assert organisation_repository.list_organisations(session, status=None, q="tube", after=None, limit=9) == [company]
    assert the_residency(session)[0].version == 2


def test_an_empty_cell_says_nothing(session):
    put(session)
    before = everything(session)
    empty = {"stage": "", "size_class": "", "foreign_share_pct": "", "registered_on": "", "registration_no": ""}
    assert actions(put(session, empty)) == ["unchanged"]
    assert everything(session) == before


def test_on_a_later_day_only_the_day_of_the_word_moves_on(session):
    put(session)
    later = put(session, now=NOW + timedelta(days=30))
    assert actions(later) == ["unchanged"]
    [period] = the_residency(session)
    assert (period.confirmed_on, period.source, period.version) == (
        TODAY + timedelta(days=30),
        f"import:{later.record.id}",
        1,
    )


def test_cancelled_and_restored(session):
    put(session)
    cancelled = put(session, {"status": "cancelled"})
    [period] = the_residency(session)
    assert (actions(cancelled), changed(cancelled)) == (["cancelled"], {"status": ("resident", "cancelled")})
    assert (kinds(cancelled), period.cancelled_on) == ([ResidencyChangeKind.LOST], TODAY)
    assert actions(put(session, {"status": "cancelled"}, now=NOW + timedelta(days=3))) == ["unchanged"]
    assert period.cancelled_on == TODAY
    restored = put(session, {"stage": "operating"})
    assert (actions(restored), kinds(restored)) == (["restored"], [ResidencyChangeKind.RESTORED])
    assert changed(restored) == {"status": ("cancelled", "resident"), "stage": ("construction", "operating")}
    session.refresh(period)
    assert (period.cancelled_on, period.stage) == (None, "operating")


def test_another_registration_after_a_cancellation_is_another_period(session):
    put(session)
    put(session, {"status": "cancelled"})
    again = put(session, {"registration_no": "AGSP-R-2026-099", "registered_on": "2026-11-01"})
    assert (actions(again), kinds(again)) == (["updated"], [ResidencyChangeKind.NEW])
    assert [p.cancelled_on for p in the_residency(session)] == [TODAY, None]


def test_resident_and_non_resident_are_two_periods_and_going_back_restores(session):
    put(session)
    away = put(session, {"status": "non_resident"})
    assert (actions(away), changed(away)) == (["updated"], {"status": ("resident", "non_resident")})
    assert kinds(away) == [ResidencyChangeKind.LOST, ResidencyChangeKind.NEW]
    assert actions(put(session, {"status": "non_resident"})) == ["unchanged"]
    back = put(session)
    assert (actions(back), kinds(back)) == (["restored"], [ResidencyChangeKind.LOST, ResidencyChangeKind.RESTORED])
    assert [(p.status, p.ends_on) for p in the_residency(session)] == [("resident", None), ("non_resident", TODAY)]
    again = put(session, {"status": "non_resident"})
    assert (kinds(again), len(the_residency(session))) == ([ResidencyChangeKind.LOST, ResidencyChangeKind.RESTORED], 2)


def test_a_period_that_is_still_to_begin_ends_on_its_first_day(session):
    put(session, {"registered_on": "2026-12-24"})
    put(session, {"registered_on": "2026-12-24", "status": "non_resident"})
    assert the_residency(session)[0].ends_on == date(2026, 12, 24)


def test_a_status_change_without_a_date_begins_today(session):
    put(session, {"registered_on": ""})
    assert the_residency(session)[0].starts_on is None
    put(session, {"registered_on": "", "status": "non_resident"})
    assert the_residency(session)[1].starts_on == TODAY


def test_a_cancelled_residency_that_nobody_knew_goes_on_record(session):
    applied = put(session, {"status": "cancelled"})
    assert (actions(applied), kinds(applied)) == (["created"], [ResidencyChangeKind.NEW])
    [period] = the_residency(session)
    assert (period.status, period.cancelled_on) == ("resident", TODAY)
    assert actions(put(session, {"status": "cancelled"})) == ["unchanged"]


def test_nothing_is_left_to_cancel_after_an_end(session):
    put(session)
    [period] = the_residency(session)
    period.ends_on = TODAY - timedelta(days=1)
    session.commit()
    applied = put(session, {"status": "cancelled"})
    assert actions(applied) == ["unchanged"]
    assert "had ended on 2026-11-21" in lines(applied.plan)[0]["remarks"][0]["detail"]
    assert period.cancelled_on is None


def test_a_new_registration_number_is_taken_over_and_remarked(session):
    put(session)
    applied = put(session, {"registration_no": "AGSP-R-2021-111"})
    assert (actions(applied), kinds(applied)) == (["updated"], [ResidencyChangeKind.UNCHANGED])
    assert [r["column"] for r in lines(applied.plan)[0]["remarks"]] == ["status"]


def test_a_claim_that_waits_is_nothing_to_an_import(session):
    claimed, _ = register(session)
    put(session)
    [company] = session.query(Organisation).filter_by(source="register")
    assert (company.status, company.voen, company.legal_name_en) == ("listed", claimed.voen, "Sample Pipe")
    assert (claimed.status, claimed.source) == ("unconfirmed", "applicant")
    assert [each.organisation_id for each in the_residency(session)] == [company.id]


def test_a_company_that_registered_itself_keeps_its_standing_and_gets_the_names_of_the_register(session):
    company, _ = register(session)
    confirm(session, staff(session), company)
    applied = put(session)
    assert changed(applied)["source"] == ("applicant", "register")
    assert changed(applied)["site"] == (None, "Ağdam")
    assert changed(applied)["status"] == ("none", "resident")
    assert (company.status, company.legal_name_en) == ("confirmed", "Sample Pipe")


def test_outside_parks_there_is_a_site_and_no_residency(session):
    put(session, OUTSIDE | {"district": "Tərtər", "district_iso": "AZ-TAR"})
    [site] = session.query(Site)
    assert (site.district, site.park_code, site.register_key, site.country) == ("Tərtər", None, "", "AZ")
    assert the_residency(session) == []
    moved = put(session, OUTSIDE | {"district": "Bərdə", "district_iso": "AZ-BAR"})
    assert changed(moved) == {"district": ("Tərtər", "Bərdə")}
    assert session.query(Site).one().version == 2


def test_a_company_can_be_in_two_parks(session):
    other = {
        "resident_id": "R02",
        "zone_code": "ARAZ-VADISI",
        "district": "Cəbrayıl",
        "district_iso": "AZ-CAB",
        "economic_region": "SERQI-ZENGEZUR",
    }
    applied = put(session, {}, other)
    assert actions(applied) == ["created", "updated"]
    assert (session.query(Organisation).count(), session.query(Site).count()) == (1, 2)
    assert [p.park_code for p in the_residency(session)] == ["AGDAM-SP", "ARAZ-VADISI"]
    assert actions(put(session, {}, other)) == ["unchanged", "unchanged"]


def test_an_unknown_park_comes_in_with_a_line_that_says_enough(session):
    new = {"zone_code": "XANKENDI-SP", "zone_name_en": "Khankendi Park", "district": "Xankəndi", "district_iso": ""}
    put(session, new, new | {"resident_id": "R02", "voen": VOENS[1], "zone_name_en": ""})
    park = session.get(Park, "XANKENDI-SP")
    assert (park.names, park.district, park.economic_region) == ({"en": "Khankendi Park"}, "Xankəndi", "QARABAG")
    assert len(the_residency(session)) == 2


def test_an_unknown_wrong_check_digit_is_listed_for_review(session):
    put(session, {"voen": WRONG_CHECK_DIGIT})
    assert session.query(Organisation).one().voen_needs_review


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"zone_code": "NOWHERE", "zone_name_en": ""}, "zone_code", "zone_name_en"),
        ({"zone_code": "NOWHERE", "district": ""}, "zone_code", "district"),
        ({"economic_region": "SERQI-ZENGEZUR"}, "economic_region", "Ağdam lies in QARABAG"),
        ({"economic_region": "QARABAĞ"}, "economic_region", "no economic region"),
        ({"district": "Cəbrayıl", "economic_region": "SERQI-ZENGEZUR"}, "district", "lies in Ağdam"),
        ({"zone_code": "", "zone_name_en": ""}, "zone_code", "no park is named"),
        ({"status": "none"}, "status", "a park is named"),
        (OUTSIDE | {"district": "", "district_iso": ""}, "district", "the district is needed"),
        ({"voen": "10000101"}, "voen", "10 digits"),
        ({"status": "tenant"}, "status", "one of"),
    ],
)
def test_one_wrong_line_and_nothing_goes_in(session, change, column, words):
    before = everything(session)
    file = as_file({"resident_id": "R09", "voen": VOENS[3]}, change)
    plan = resident_imports.plan_import(session, SYSTEM, file.content, TODAY)
    report = plan.report()
    found = [e for line in report["lines"] for e in line["errors"]] + report["errors"]
    assert [(e["line"], e["column"]) for e in found] == [(3, column)]
    assert words in found[0]["detail"]
    with pytest.raises(Invalid) as refusal:
        resident_imports.apply_import(session, SYSTEM, file, NOW)
    session.commit()
    assert refusal.value.refusal_code == "register-invalid"
    assert [e["pointer"] for e in refusal.value.data["errors"]] == [f"/lines/3/{column}"]
    assert everything(session) == before


def test_an_error_takes_the_place_of_the_remark_about_the_same_cell(session):
    plan = resident_imports.plan_import(session, SYSTEM, as_file({"economic_region": "SERQI-ZENGEZUR"}).content, TODAY)
    [line] = lines(plan)
    assert (line["action"], line["changes"], line["remarks"]) == ("refused", [], [])


def test_two_lines_that_describe_one_company_differently(session):
    other = {"resident_id": "R02", "legal_name_en": "Somebody else"} | OUTSIDE
    plan = resident_imports.plan_import(session, SYSTEM, as_file({}, other).content, TODAY)
    assert [(e.line, e.column) for e in plan.errors] == [(3, "voen")]


def test_many_errors_are_not_all_sent_back(session):
    rows = [{"resident_id": f"R{n}", "voen": "1"} for n in range(150)]
    with pytest.raises(Invalid) as refusal:
        resident_imports.apply_import(session, SYSTEM, as_file(*rows), NOW)
    assert len(refusal.value.data["errors"]) == 100
    assert "150 errors" in refusal.value.message


def test_a_plan_changes_nothing_and_foretells_what_is_lost(session):
    put(session, {}, {"resident_id": "R02", "voen": VOENS[1]})
    put(session, {"status": "cancelled"})
    before = everything(session)
    sheet = as_file({}, {"resident_id": "R02", "voen": VOENS[1], "status": "cancelled"}).content
    plan = resident_imports.plan_import(session, SYSTEM, sheet, TODAY)
    session.commit()
    assert everything(session) == before
    assert {(c.organisation_id, c.kind) for c in plan.residency_changes} == {
        (organisation_repository.find_company_by_voen(session, VOENS[0]).id, ResidencyChangeKind.RESTORED),
        (organisation_repository.find_company_by_voen(session, VOENS[1]).id, ResidencyChangeKind.LOST),
    }


def test_who_may_import(session):
    user = register(session)[1]
    for other in (member(user), staff(session, Role.REVIEWER, "reviewer")):
        with pytest.raises(Forbidden):
            resident_imports.apply_import(session, other, as_file(), NOW)
        with pytest.raises(Forbidden):
            resident_imports.plan_import(session, other, as_file().content, TODAY)


def test_two_imports_at_once_end_in_one_and_a_clear_refusal(database, monkeypatch):
    """Both plan on the same registry; the slower writer meets the company of the faster one."""
    if database.is_sqlite:  # one writer: a second session cannot even begin before the first commits
        return
    with database.session() as slow, database.session() as fast:
        stale = resident_imports.plan_import(slow, SYSTEM, as_file().content, TODAY, lock=True)
        resident_imports.apply_import(fast, SYSTEM, as_file(), NOW)
        fast.commit()
        monkeypatch.setattr(resident_imports, "plan_import", lambda *_arguments, **_named: stale)
        with pytest.raises(Conflict) as refusal:
            resident_imports.apply_import(slow, SYSTEM, as_file(), NOW)
        assert refusal.value.refusal_code == "register-changed"


def test_what_belongs_to_no_line_is_told_as_well(session):
    file = as_file()
    data = "\n".join(f"{line},x" for line in [",".join(COLUMNS) + ",colour", ",".join(LINE[c] for c in COLUMNS)])
    data = data.replace("colour,x", "colour")
    report = resident_imports.plan_import(session, SYSTEM, parse_resident_file(data.encode()), TODAY).report()
    assert [(r["line"], r["column"]) for r in report["remarks"]] == [(1, "colour")]
    empty = resident_imports.plan_import(session, SYSTEM, parse_resident_file(b""), TODAY)
    assert (empty.is_refused, [e["line"] for e in empty.report()["errors"]]) == (True, [0])
    assert resident_imports.plan_import(session, SYSTEM, file.content, TODAY).report()["remarks"] == []
