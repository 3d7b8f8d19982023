"""The answer to a check, as bytes: the same for the API, the page and the command line. Pure.

Nothing of what was asked is echoed, and nothing in the body depends on the second of asking: its hash is the ETag, so
an unchanged certificate answers 304, and one that expired does not.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from app import jws
from app.certificates.credential import mask_voen
from app.verification.checks import Judgement, utc_text
from app.verification.expect import Expectation, compare
from app.verification.record import CertificateRecord


def answer(judgement: Judgement, base_url: str) -> tuple[bytes, str]:
    """JSON body and strong ETag, quotes included. `base_url` has no slash at its end."""
    body = jws.dump_json(as_members(judgement, base_url))
    return body, etag_of(body)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def answer_with_expectation(judgement: Judgement, base_url: str, expected: Expectation) -> bytes:
    """JSON body with one more member, `expect`: `match` or `differs` for each field that was given.

    Null where no certificate is shown: there is nothing to compare with, and what was expected is not echoed.
    """
    record = judgement.record
    compared = {name: found.value for name, found in compare(expected, record).items()} if record else None
    return jws.dump_json({**as_members(judgement, base_url), "expect": compared})


def answer_many(bodies: Iterable[bytes]) -> bytes:
    """JSON body of a batch from the bodies of its items, in their order."""
    return b'{"items":[' + b",".join(bodies) + b"]}"


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
