"""A company that makes what it says where it says gets its certificate, and anybody can check it."""

from joserfc import jws
from joserfc.jwk import KeySet

from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from tests.factories import COMPANY_DOCUMENTS, STAFF_DOCUMENTS, ok

UNITS = {"capacity-statement": {"unit": "t"}}


def test_the_honest_company_gets_its_certificate(app):
    # A company registers itself. Nobody has confirmed yet that these people act for it.
    company = app.register()
    company.add_site()

    # It describes what it makes, uploads its papers, and tries the rules before it applies: nothing
    # fails, but nobody has read the papers yet, nor looked into the tax register.
    tube = company.add_product(names={"az": "Qaynaqlı polad boru", "en": "Welded steel tube"})
    papers = [
        company.upload(
            kind,
            about=tube if load_evidence_kinds()[kind].scope is EvidenceScope.PRODUCT else None,
            **details | UNITS.get(kind, {}),
        )
        for kind, details in COMPANY_DOCUMENTS.items()
    ]
    (tried,) = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [tube]}))["items"]
    assert tried["outcome"] == "incomplete"
    missing = {finding["rule"] for finding in tried["rules"] if finding["outcome"] == "incomplete"}
    assert missing >= {"C-03", "C-11", "K-10", "K-11"}
    assert tried["origin"]["criterion"] == "CTH"

    # It drafts an application, but may not submit it.
    application = company.draft(tube)
    refusal = company.post(f"/v1/applications/{application}/submit", version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "organisation-unconfirmed")

    # The registrar sees the papers and confirms, and looks up what only staff can; now it may.
    app.add_residency(app.confirm(company))
    for paper in papers:
        app.confirm_evidence(paper)
    app.add_staff_evidence(company, *STAFF_DOCUMENTS)
    (tried,) = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [tube]}))["items"]
    assert tried["outcome"] == "pass"
    company.add_evidence(application)
    assert company.submit(application)["state"] == "submitted"

    # A reviewer recommends, an approver decides, and the certificate is there.
    app.review(application)
    decided = app.approve(application)
    assert decided["state"] == "approved"
    (number,) = decided["certificates"]

    # Anybody may check it by its number, however it is typed …
    answer = app.verify(number)
    assert answer["verdict"] == "valid"
    assert answer["certificate"]["holder"] == {
        "name": company.name,
        "name_az": company.name.replace("Sample ", "“Nümunə-") + "” MMC",
        "voen": company.voen,
    }
    assert answer["certificate"]["product"]["name"]["en"] == "Welded steel tube"
    assert app.verify(number.lower().replace("-", " "))["verdict"] == "valid"

    # … or by its token, with another library and nothing but the published keys.
    token = app.token(number)
    keys = KeySet.import_key_set(ok(app.anonymous.get("/.well-known/jwks.json")))
    assert number.encode() in jws.deserialize_compact(token, keys, algorithms=["ES256"]).payload
    assert ok(app.anonymous.post("/v1/verify", json={"token": token}))["verdict"] == "valid"

    # The company sees who did what, though not the names of the staff.
    timeline = ok(company.get(f"/v1/applications/{application}/timeline"))["items"]
    told = [each["event"] for each in timeline if each["event"].startswith("application.")]
    deeds = ("drafted", "declared", "submitted", "claimed", "recommended", "approved")
    assert told == [f"application.{deed}" for deed in deeds]
    assert {each["name"] for each in timeline if each["by"] == "staff"} == {None}

    # Three years later the certificate has run out, and nobody had to do anything for that.
    app.clock.advance(days=3 * 366)
    assert app.verify(number)["verdict"] == "expired"


def test_it_cannot_ask_twice_for_the_same_product(app):
    company = app.set_up_company()
    tube = company.add_product()
    number = app.certify(company, tube)

    again = company.draft(tube)
    refusal = company.post(f"/v1/applications/{again}/submit", version="now").json()
    assert (refusal["code"], refusal["certificates"]) == ("already-certified", [number])

    # Another mark is another question.
    assert app.certify(company, tube, scheme="MIA").startswith("MIA-")
