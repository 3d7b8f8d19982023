"""Build the document of a decision on an application: exactly what is decided. Pure.

Its hash is in the audit trail and in the log entries of the certificates. It contains no moment of the server, so that
a person can confirm it before anything is stored. `recommended` and `details` are hashes of the recommendation's
products and of the decision's products, with every resolution and failed finding.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.core import canonical_json

DOCUMENT_VERSION = 1


class DecisionAct(StrEnum):
    APPROVE = "approve"  # confirms the recommendation, which may reject some or all products
    REJECT = "reject"  # rejects every product, whatever was recommended


def build_decision_document(
    act: DecisionAct,
    *,
    application: str,
    version: int | None,
    recommendation: UUID,
    recommended: Sequence[Any],
    recommended_by: UUID,
    decided_by: UUID,
    ruleset: str,
    dossier: str,
    products: Sequence[Mapping[str, Any]],
    reason: str | None,
) -> dict[str, Any]:
    """Return the document. `application` is its number, `version` the one that the decision was made on."""
    return {
        "v": DOCUMENT_VERSION,
        "act": act.value,
        "application": application,
        "version": version,
        "recommendation": str(recommendation),
        "recommended": canonical_json.digest(recommended),
        "recommended_by": str(recommended_by),
        "decided_by": str(decided_by),
        "ruleset": ruleset,
        "dossier": dossier,
        "products": [
            {"product": each["product_id"], "outcome": each["outcome"], "reasons": list(each["reasons"])}
            for each in products
        ],
        "details": canonical_json.digest(products),
        "reason": reason,
    }
