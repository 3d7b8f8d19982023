"""A company that follows the remedies of one dry assessment, name by name, comes to a submitted application.

What it is asked for it answers truthfully and whole: a field of the product with the figures of its books, a kind of
document with the paper. It knows nothing of the rules but what the answers say.
"""

import pytest

from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from tests.factories import COMPANY_DOCUMENTS, PDF, ok, product, upload

pytestmark = pytest.mark.pg_sampled
MOST_CALLS, MOST_DOCUMENTS = 12, 6
BARE = ("names", "hs6", "unit", "site_id")
BOOKS = ("ex_works", "materials", "steps", "costs")


class Counted:
    """Calls of a company, counted."""

    def __init__(self, company):
        self.company, self.app = company, company.app
        self.calls = self.documents = 0

    def request(self, method, path, **more):
        self.calls += 1
        return self.company.request(method, path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)


def test_remedies_followed_by_name_lead_to_a_submitted_application(app):
    company = app.set_up_company(evidence=False)
    whole = product(company.site_id)
    made = company.post("/v1/products", json={name: whole[name] for name in BARE})
    product_id, tag = ok(made)["id"], made.headers["ETag"]
    counted = Counted(company)

    remedies = remedies_of(counted, product_id)
    fields = {each["field"].split("/")[1] for each in remedies if each["field"]}
    assert fields == set(BOOKS)
    body = {name: whole[name] for name in (*BARE, *fields)}
    ok(counted.request("PUT", f"/v1/products/{product_id}", json=body, headers={"If-Match": tag}))
    for kind in sorted({kind for each in remedies for kind in (each["evidence"], *each["also"]) if kind}):
        upload_kind(counted, kind, product_id)
    application_id = submitted(counted, product_id)

    assert company.application(application_id)["state"] == "submitted"
    assert counted.documents <= MOST_DOCUMENTS
    assert counted.calls <= MOST_CALLS
    left = [each for each in remedies_of(company, product_id, whole_list=True) if not each["by_staff"]]
    assert left == []  # nothing is left to the company; staff confirm and look up


@pytest.mark.parametrize("scheme", ["MIK", "MIA"])
def test_every_incomplete_answer_has_a_remedy_that_names_something(app, scheme):
    company = app.set_up_company(evidence=False)
    whole = product(company.site_id)
    product_id = ok(company.post("/v1/products", json={name: whole[name] for name in BARE}))["id"]
    for each in findings_of(company, product_id, scheme):
        if each["outcome"] != "incomplete":
            assert each["remedy"] is None
            continue
        remedy = each["remedy"]
        assert remedy["field"] or remedy["evidence"] or remedy["by_staff"], each["rule"]
        assert {remedy["evidence"], *remedy["also"]} - {None} <= load_evidence_kinds().keys()
        assert remedy["field"] is None or remedy["field"].split("/")[1] in {*BARE, *BOOKS, "site"}


def findings_of(caller, product_id, scheme="MIK"):
    answer = caller.post(f"/v1/schemes/{scheme}/assessments", json={"product_ids": [product_id]})
    return ok(answer)["items"][0]["rules"]


def remedies_of(caller, product_id, *, whole_list=False):
    """Of the incomplete answers; those that are not left to staff alone."""
    found = [each["remedy"] for each in findings_of(caller, product_id) if each["outcome"] == "incomplete"]
    return found if whole_list else [each for each in found if not each["by_staff"]]


def upload_kind(counted, kind, product_id):
    company, scope = counted.company, load_evidence_kinds()[kind].scope
    details = COMPANY_DOCUMENTS[kind] | ({"unit": "t"} if kind == "capacity-statement" else {})
    about = product_id if scope in (EvidenceScope.PRODUCT, EvidenceScope.LOT) else None
    site = company.site_id if scope is EvidenceScope.SITE else None
    counted.documents += 1
    upload(counted, f"/v1/organisations/{company.organisation_id}/evidence", kind, PDF, about, details, site=site)


def submitted(counted, product_id):
    """Draft, submit, declare what the refusal names, submit."""
    drafted = counted.post("/v1/applications", json={"scheme": "MIK", "product_ids": [product_id]})
    application_id, tag = ok(drafted)["id"], drafted.headers["ETag"]
    submit = f"/v1/applications/{application_id}/submit"
    refusal = counted.post(submit, headers={"If-Match": tag})
    assert refusal.status_code == 409, refusal.text
    named = refusal.json()
    assert named["code"] == "declaration-missing"
    declared = {name: named[name] for name in ("text_version", "declared_hash")}
    ok(counted.post(f"/v1/applications/{application_id}/declaration", json=declared))
    ok(counted.post(submit, headers={"If-Match": tag}))
    return application_id
