"""The answer to a check, as bytes: the same for the API, the page and the command line. Pure.

Nothing of what was asked is echoed, and nothing in the body depends on the second of asking, so an unchanged
certificate answers 304, and one that expired does not.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from app.certificates.read_model.snapshot import public_fields
from app.core.crypto import jws
from app.core.dates import format_utc
from app.verification.expectation import ExpectedFields, compare_fields
from app.verification.verdict import Verdict, VerificationResult

EncodedResponse = tuple[Verdict, bytes, bytes]
"""Verdict, JSON body and strong ETag, quotes included: another body has another one."""


def encode(judgement: VerificationResult, base_url: str, *, demo: bool = False) -> bytes:
    """The JSON body. `base_url` has no slash at its end; the answer of a demo says that it is one."""
    return jws.dump_json(to_dict(judgement, base_url, demo=demo))


def encode_with_etag(judgement: VerificationResult, base_url: str, *, demo: bool = False) -> EncodedResponse:
    body = encode(judgement, base_url, demo=demo)
    return judgement.verdict, body, b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()


def encode_with_comparison(
    judgement: VerificationResult, base_url: str, expected: ExpectedFields, *, demo: bool = False
) -> bytes:
    """JSON body with one more member, `expect`: `match` or `differs` for each field that was given.

    Null where no certificate is shown: there is nothing to compare with, and what was expected is not echoed.
    """
    record = judgement.record
    compared = {name: found.value for name, found in compare_fields(expected, record).items()} if record else None
    return jws.dump_json({**to_dict(judgement, base_url, demo=demo), "expect": compared})


def encode_batch(bodies: Iterable[bytes]) -> bytes:
    """JSON body of a batch from the bodies of its items, in their order."""
    return b'{"items":[' + b",".join(bodies) + b"]}"


def to_dict(judgement: VerificationResult, base_url: str, *, demo: bool = False) -> dict[str, Any]:
    """The body before it is encoded, for batches and pages."""
    record = judgement.record
    members: dict[str, Any] = {
        "verdict": judgement.verdict.value,
        "message": judgement.message,
        "as_of": format_utc(judgement.as_of) if judgement.as_of else None,
        "certificate": public_fields(record) if record else None,
        "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in judgement.checks],
        "links": {
            "credential": f"{base_url}/v1/certificates/{record.number}" if record else None,
            "page": f"{base_url}/v/{record.number}" if record else None,
        },
    }
    if demo:  # a member only where it is true: no program takes a demo for the register
        members["demo"] = True
    return members
