"""The documents of decisions: exactly what is decided, and every part of it in the hash."""

from uuid import UUID

import pytest

from app.applications.decision_document import DecisionAct, build_decision_document
from app.certificates.status_decisions.status_document import StatusAct, build_status_document
from app.core import canonical_json

pytestmark = pytest.mark.pure

PERSON, OTHER, THING = UUID(int=1), UUID(int=2), UUID(int=3)
PRODUCTS = [{"product_id": str(THING), "outcome": "approved", "reasons": [], "failed": [], "resolutions": []}]
DECIDED = {
    "application": "A-2026-000001",
    "version": 4,
    "recommendation": UUID(int=4),
    "recommended": [{"product_id": str(THING), "outcome": "approve"}],
    "recommended_by": PERSON,
    "decided_by": OTHER,
    "ruleset": "MIK/2026.1",
    "dossier": "ab" * 32,
    "products": PRODUCTS,
    "reason": None,
}


def test_the_document_of_an_approval():
    document = build_decision_document(DecisionAct.APPROVE, **DECIDED)
    assert document == {
        "v": 1,
        "act": "approve",
        "application": "A-2026-000001",
        "version": 4,
        "recommendation": "00000000-0000-0000-0000-000000000004",
        "recommended": canonical_json.digest(DECIDED["recommended"]),
        "recommended_by": str(PERSON),
        "decided_by": str(OTHER),
        "ruleset": "MIK/2026.1",
        "dossier": "ab" * 32,
        "products": [{"product": str(THING), "outcome": "approved", "reasons": []}],
        "details": canonical_json.digest(PRODUCTS),
        "reason": None,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"application": "A-2026-000002"},
        {"version": 5},
        {"recommendation": THING},
        {"recommended": []},
        {"recommended_by": THING},
        {"decided_by": THING},
        {"ruleset": "MIK/2026.2"},
        {"dossier": "cd" * 32},
        {"products": []},
        {"products": [PRODUCTS[0] | {"outcome": "rejected"}]},
        {"products": [PRODUCTS[0] | {"failed": [{"rule": "MIK-01"}]}]},
        {"products": [PRODUCTS[0] | {"resolutions": [{"rule": "MIK-01", "accept": True, "reason": "Seen."}]}]},
        {"reason": "False documents."},
    ],
    ids=str,
)
def test_every_part_of_a_decision_is_in_its_hash(changed):
    documents = [build_decision_document(DecisionAct.APPROVE, **DECIDED | each) for each in ({}, changed)]
    assert len({canonical_json.digest(document) for document in documents}) == 2


def test_an_approval_and_a_rejection_have_different_hashes():
    documents = [build_decision_document(act, **DECIDED) for act in DecisionAct]
    assert len({canonical_json.digest(document) for document in documents}) == 2


@pytest.mark.parametrize("act", StatusAct)
def test_the_document_of_a_decision_on_the_status(act):
    document = build_status_document(act, certificate="MIK-2026-000001-X", version=2, code="hearing", note="N", by=None)
    member = "cause" if act in {StatusAct.SUSPEND, StatusAct.REINSTATE} else "reason"
    assert document == {
        "v": 1,
        "act": act,
        "certificate": "MIK-2026-000001-X",
        "version": 2,
        member: "hearing",
        "note": "N",
        "by": "system",
    }


def test_who_decided_on_the_status_is_in_the_document():
    document = build_status_document(
        StatusAct.REVOKE, certificate="MIK-2026-000001-X", version=1, code="court-order", note=None, by=PERSON
    )
    assert (document["by"], document["note"]) == (str(PERSON), None)
