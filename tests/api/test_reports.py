"""Reports of misuse: by anybody, counted by address, read by staff, without a trace of the sender beside their row."""

import base64
import logging
import re

import pytest

from app.certificates.reports import MAX_OPEN_REPORTS
from tests.factories import ok
from tests.helpers import refused, rows

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
FOREIGN = "https://mik-az.example/v/MIK-2026-000042-Y"


def send(app, **body):
    return app.anonymous.post("/v1/reports", json=body)


def listed(app, by="registrar"):
    return ok(getattr(app, by).get("/v1/reports"))["items"]


def test_about_a_certificate_in_force_it_opens_a_matter(app, caplog):
    number = app.certify()
    caplog.set_level(logging.DEBUG)
    photo = base64.b64encode(PNG).decode()
    said = {"text": "Sold on the market.", "email": "buyer@secret.example", "photo": photo, "address": FOREIGN}
    answer = ok(send(app, number=f"№ {number.lower()}.", **said))
    assert re.fullmatch(r"R-[2-9A-Z]{5}-[2-9A-Z]{5}", answer["receipt"])
    (matter,) = ok(app.owner.get("/v1/matters?kind=report"))["items"]
    assert (matter["certificate"], matter["cause"], matter["text"]) == (number, "other", "Sold on the market.")
    assert matter["details"] == {"receipt": answer["receipt"], "address": FOREIGN}
    for reader in ("owner", "registrar", "auditor"):
        (report,) = listed(app, reader)
        assert (report["number"], report["address"], report["email"]) == (number, FOREIGN, "buyer@secret.example")
        assert (report["has_photo"], report["matter_id"], report["receipt"]) == (True, matter["id"], answer["receipt"])
        got = getattr(app, reader).get(f"/v1/reports/{report['id']}/photo")
        assert (got.content, got.headers["content-type"]) == (PNG, "image/png")
    # nothing of the sender in the chain or in the log of the service
    events = str(rows(app, "SELECT event, data FROM audit_events"))
    assert "report.received" in events
    for secret in ("buyer@secret", "Sold on the market", "mik-az.example"):
        assert secret not in events and secret not in caplog.text


def test_about_anything_else_it_is_kept(app):
    for body in ({"address": FOREIGN}, {"number": "MIK-2026-999999-X"}, {"number": "what is printed here"}):
        assert ok(send(app, **body))["receipt"]
    assert [each["matter_id"] for each in listed(app)] == [None] * 3
    assert ok(app.owner.get("/v1/matters?kind=report"))["items"] == []


def test_what_cannot_be_right(app):
    for body in (
        {}, {"text": "x"}, {"number": ""}, {"address": "x" * 2_001}, {"number": "1", "email": "nobody"},
        {"number": "1", "photo": "no base64!"}, {"number": "1", "photo": base64.b64encode(b"%PDF-1.7").decode()},
        {"number": "1", "photo": base64.b64encode(PNG + bytes(5_242_880)).decode()}, {"number": "1", "other": 1},
    ):  # fmt: skip
        refused(send(app, **body), 422)
    assert listed(app) == []


def test_ten_from_one_address(app):
    for _ in range(10):
        ok(send(app, address=FOREIGN))
    answer = send(app, address=FOREIGN)
    refused(answer, 429, "too-many-attempts")
    assert int(answer.headers["Retry-After"]) > 0
    app.clock.advance(minutes=16)
    ok(send(app, address=FOREIGN))
    assert len(listed(app)) == 11


def test_a_flood_does_not_fill_the_list_of_matters(app):
    number = app.certify()
    for _ in range(3):
        for _ in range(10):
            ok(send(app, number=number))
        app.clock.advance(minutes=16)
    assert len(ok(app.owner.get("/v1/matters?kind=report&limit=100"))["items"]) == MAX_OPEN_REPORTS
    assert len(ok(app.owner.get("/v1/reports?limit=100"))["items"]) == 30


def test_a_report_alone_is_no_inquiry(app):
    """Nobody can mark a certificate of a competitor as given back during an investigation."""
    company = app.set_up_company()
    number = app.certify(company, company.add_product())
    ok(send(app, number=number))
    company.act(f"/v1/certificates/{number}/surrender")
    assert "during_investigation" not in ok(app.anonymous.get(f"/v1/certificates/{number}"))


def test_not_for_companies_or_strangers(app):
    company = app.set_up_company()
    ok(send(app, address=FOREIGN))
    (report,) = listed(app)
    for path in ("/v1/reports", f"/v1/reports/{report['id']}/photo"):
        refused(app.anonymous.get(path), 401)
        for caller in (company, app.reviewer, app.approver):
            refused(caller.get(path), 403)
    refused(app.owner.get(f"/v1/reports/{report['id']}/photo"), 404)
