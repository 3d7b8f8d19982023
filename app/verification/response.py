"""Encode a verification result as JSON for the API, the pages and the command line. Pure.

The body does not echo the request and does not depend on the second of the request, so that an unchanged certificate
answers 304 and an expired one does not.
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
"""Verdict, JSON body and strong ETag (with quotes) of that body."""


def encode(result: VerificationResult, base_url: str, *, demo: bool = False) -> bytes:
    """Encode the JSON body. `base_url` has no trailing slash; a demo's body has `"demo": true`."""
    return jws.dump_json(to_dict(result, base_url, demo=demo))


def encode_with_etag(result: VerificationResult, base_url: str, *, demo: bool = False) -> EncodedResponse:
    body = encode(result, base_url, demo=demo)
    return result.verdict, body, b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()


def encode_with_comparison(
    result: VerificationResult, base_url: str, expected: ExpectedFields, *, demo: bool = False
) -> bytes:
    """Encode the JSON body with `expect`: `match` or `differs` for each field that was given.

    `expect` is null where no certificate is shown: there is nothing to compare with, and expected values are not
    echoed.
    """
    record = result.record
    compared = {name: found.value for name, found in compare_fields(expected, record).items()} if record else None
    return jws.dump_json({**to_dict(result, base_url, demo=demo), "expect": compared})


def encode_batch(bodies: Iterable[bytes]) -> bytes:
    """Join the bodies of items, in order, into the JSON body of a batch."""
    return b'{"items":[' + b",".join(bodies) + b"]}"


def to_dict(result: VerificationResult, base_url: str, *, demo: bool = False) -> dict[str, Any]:
    """Build the body as a dictionary, for batches and pages."""
    record = result.record
    members: dict[str, Any] = {
        "verdict": result.verdict.value,
        "message": result.message,
        "as_of": format_utc(result.as_of) if result.as_of else None,
        "certificate": public_fields(record) if record else None,
        "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in result.checks],
        "links": {
            "credential": f"{base_url}/v1/certificates/{record.number}" if record else None,
            "page": f"{base_url}/v/{record.number}" if record else None,
        },
    }
    if demo:  # only where it is true: API clients must not take a demo for the real service
        members["demo"] = True
    return members
