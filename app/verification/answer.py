"""The answer to a check, as bytes: the same for the API, the page and the command line. Pure.

Nothing of what was asked is echoed, and nothing in the body depends on the second of asking: its hash is the ETag, so
an unchanged certificate answers 304, and one that expired does not.
"""

import hashlib
from typing import Any

from app import jws
from app.certificates.credential import mask_voen
from app.verification.checks import Judgement, utc_text
from app.verification.record import CertificateRecord


def answer(judgement: Judgement, base_url: str) -> tuple[bytes, str]:
    """JSON body and strong ETag, quotes included. `base_url` has no slash at its end."""
    body = jws.dump_json(as_members(judgement, base_url))
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def as_members(judgement: Judgement, base_url: str) -> dict[str, Any]:
    """The body before it is encoded, for batches and pages."""
    record = judgement.record
    return {
        "verdict": judgement.verdict.value,
        "message": judgement.message,
        "as_of": utc_text(judgement.as_of) if judgement.as_of else None,
        "certificate": certificate_members(record) if record else None,
        "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in judgement.checks],
        "links": {
            "credential": f"{base_url}/v1/certificates/{record.number}" if record else None,
            "page": f"{base_url}/v/{record.number}" if record else None,
        },
    }


def certificate_members(record: CertificateRecord) -> dict[str, Any]:
    """The public face of a certificate, here and in the register: no VÖEN in full, no person, no cost."""
    return {
        "number": record.number,
        "scheme": {"code": record.scheme_code, "name": record.scheme_name},
        "holder": {"name": record.holder_name, "voen": mask_voen(record.holder_voen)},
        "product": {"name": dict(record.product_names), "hs6": record.hs6, "gtin": record.gtin},
        "site": {"park": record.park_code, "district": record.district},
        "origin_criterion": record.origin_criterion,
        "valid_from": record.valid_from.isoformat(),
        "valid_until": record.valid_until.isoformat(),
        "status": record.status,
        "status_since": utc_text(record.status_since),
        "reason": record.status_reason,
    }
