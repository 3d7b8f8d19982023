"""Feeds that buyers follow without an account."""

from xml.etree import ElementTree as ET

import pytest

from app.events.atom_feed import write_feed
from tests.helpers import refused

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)
    return [
        (each.find(f"{ATOM}category").get("term"), each.findtext(f"{ATOM}title").partition(":")[0])
        for each in feed.iter(f"{ATOM}entry")
    ]


@pytest.mark.pure
def test_a_feed_without_events_is_valid():
    path = "/v1/headings/73/events.atom"
    feed = ET.fromstring(write_feed([], {}, base_url="https://x.example", path=path, title="<"))
    assert feed.findtext(f"{ATOM}id") == "tag:x.example,2026:/v1/headings/73/events.atom"
    assert feed.findtext(f"{ATOM}updated") == "2026-01-01T00:00:00Z"
    assert feed.findtext(f"{ATOM}title") == "<"


def test_certificates_are_followed(app):
    company, other = app.set_up_company(), app.set_up_company()
    number, foreign = app.certify(company), app.certify(other)
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing", "note": "Between us."})
    get = app.anonymous.get
    of_one = get(f"/v1/certificates/{number}/events.atom")
    own = [("certificate.suspended", number), ("certificate.issued", number)]
    assert entries(of_one) == own
    assert "Between us" not in of_one.text
    assert "hearing" not in of_one.text
    assert entries(get(f"/v1/holders/{company.organisation_id}/events.atom")) == own
    assert entries(get("/v1/headings/73/events.atom")) == [own[0], ("certificate.issued", foreign), own[1]]
    assert entries(get("/v1/headings/7308/events.atom")) == []

    tag = {"If-None-Match": of_one.headers["ETag"]}
    assert get(f"/v1/certificates/{number}/events.atom", headers=tag).status_code == 304
    app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
    changed = get(f"/v1/certificates/{number}/events.atom", headers=tag)
    assert entries(changed)[0][0] == "certificate.reinstated"
    ids = [each.findtext(f"{ATOM}id") for each in ET.fromstring(changed.content).iter(f"{ATOM}entry")]
    assert ids[1:] == [each.findtext(f"{ATOM}id") for each in ET.fromstring(of_one.content).iter(f"{ATOM}entry")]


@pytest.mark.parametrize(
    "path",
    [
        "certificates/MIK-2026-000001-F",
        "certificates/x",
        "holders/00000000-0000-7000-8000-000000000000",
        "holders/x",
        "headings/730",
        "headings/%D9%A7%D9%A3",
        "headings/73%25",
    ],
)
def test_what_there_is_not_is_absent(shared_app, path):
    refused(shared_app.anonymous.get(f"/v1/{path}/events.atom"), 404, "not-found")
