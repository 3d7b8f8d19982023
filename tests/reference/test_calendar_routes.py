"""The calendar in public, and its moved holidays as the owner announces them."""

import pytest

from tests.factories import ok
from tests.helpers import pointers, refused

pytestmark = pytest.mark.pg_sampled

NOVRUZ = [{"day": f"2027-03-{day}", "occasion": "novruz"} for day in (20, 21, 22, 23, 24)]


def announce(caller, days, year=2027, **more):
    return caller.post("/v1/calendar/holidays", json={"year": year, "days": days}, **more)


def events(app):
    found = ok(app.auditor.get("/v1/audit", params={"event": "calendar.announced"}))["items"]
    return [(item["subject"]["id"], item["data"]) for item in found]


def test_everybody_reads_the_calendar_of_a_year(app):
    year = ok(app.anonymous.get("/v1/calendar", params={"year": 2027}))
    assert year["year"] == 2027
    assert year["awaited"] == ["novruz", "ramazan", "gurban"]
    days = {day["day"]: day for day in year["days"]}
    assert days["2027-05-28"] == {
        "day": "2027-05-28",
        "occasion": "independence",
        "name": {"az": "Müstəqillik Günü", "en": "Independence Day"},
        "works": False,
        "announced": False,
        "instead_of": None,
    }
    assert days["2027-05-10"]["instead_of"] == "2027-05-09"
    assert ok(app.anonymous.get("/v1/calendar"))["year"] == 2026
    for wrong in ("1999", "2101", "x", "99999999999999999999"):
        refused(app.anonymous.get("/v1/calendar", params={"year": wrong}), 422)


def test_default_days_are_listed_until_their_occasion_is_announced(app):
    def ramazan():
        year = ok(app.anonymous.get("/v1/calendar", params={"year": 2027}))
        return {day["day"]: (day["announced"], day["name"]) for day in year["days"] if day["occasion"] == "ramazan"}

    estimate = (False, {"az": "Ramazan bayramı (təxmini)", "en": "Ramazan (Eid al-Fitr) (estimated)"})
    assert ramazan() == {"2027-03-09": estimate, "2027-03-10": estimate}
    days = [{"day": f"2027-03-{day}", "occasion": "ramazan"} for day in (10, 11)]
    assert "ramazan" not in ok(announce(app.owner, days))["awaited"]
    announced = (True, {"az": "Ramazan bayramı", "en": "Ramazan (Eid al-Fitr)"})
    assert ramazan() == {"2027-03-10": announced, "2027-03-11": announced}
    ok(announce(app.owner, []))
    assert ramazan() == {"2027-03-09": estimate, "2027-03-10": estimate}


def test_the_owner_announces_and_corrects(app):
    year = ok(announce(app.owner, NOVRUZ))
    assert year["awaited"] == ["ramazan", "gurban"]
    assert [d["day"] for d in year["days"] if d["announced"]] == [d["day"] for d in NOVRUZ]
    assert ok(announce(app.owner, NOVRUZ)) == year  # nothing new, no second event
    corrected = ok(announce(app.owner, [*NOVRUZ[:4], {"day": "2027-03-27", "occasion": "other", "works": True}]))
    assert ok(app.anonymous.get("/v1/calendar", params={"year": 2027})) == corrected
    ok(announce(app.owner, [], year=2028))
    ok(announce(app.owner, []))
    assert ok(app.anonymous.get("/v1/calendar", params={"year": 2027}))["awaited"] == ["novruz", "ramazan", "gurban"]
    first = [d["day"] for d in NOVRUZ]
    assert events(app) == [
        ("2027", {"free": first, "worked": []}),
        ("2027", {"free": first[:4], "worked": ["2027-03-27"]}),
        ("2027", {"free": [], "worked": []}),
    ]


@pytest.mark.parametrize(
    ("days", "pointer"),
    [
        ([{"day": "2026-03-20", "occasion": "novruz"}], "/days/0/day"),
        ([NOVRUZ[0], NOVRUZ[0]], "/days/1/day"),
        ([{"day": "2027-03-20", "occasion": "nowruz"}], "/days/0/occasion"),
        ([{"day": "2027-03-20", "occasion": "flag"}], "/days/0/occasion"),
        ([{"day": "2027-03-20", "occasion": "novruz", "works": True}], "/days/0/occasion"),
        ([{"day": "2027-02-29", "occasion": "novruz"}], "/days/0/day"),
        ([{"day": None, "occasion": "novruz"}], "/days/0/day"),
        ([{"day": "2027-03-20", "occasion": "novruz", "works": "yes"}], "/days/0/works"),
        ([NOVRUZ[0]] * 61, "/days"),
    ],
)
def test_what_cannot_be_right_is_refused_whole(app, days, pointer):
    assert pointers(refused(announce(app.owner, days), 422)) == [pointer]
    assert events(app) == []


def test_only_the_owner_announces(app):
    for caller in (app.reviewer, app.approver, app.registrar, app.auditor, app.inspector, app.register()):
        refused(announce(caller, NOVRUZ), 403)
    refused(announce(app.anonymous, NOVRUZ), 401)
    refused(announce(app.owner, NOVRUZ, year=2019), 422)
    assert events(app) == []
