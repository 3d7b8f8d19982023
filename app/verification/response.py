"""Encode a verification result as JSON for the API, the pages and the command line. Pure.

The body does not echo the request and does not depend on the second of the request, so that an unchanged certificate
answers 304 and an expired one does not.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from app.certificates.read_model.record import parse_public_fields, public_fields
from app.certificates.read_model.snapshot import Snapshot
from app.core.crypto import jws
from app.core.database import UNREADABLE
from app.core.dates import format_utc
from app.core.text.marking import Marking
from app.verification.expectation import ExpectedFields, compare_fields
from app.verification.verdict import NUMBER_CHECKS, TOKEN_CHECKS, Check, Verdict, VerificationResult

EncodedResponse = tuple[Verdict, bytes, bytes]
"""Verdict, JSON body and strong ETag (with quotes) of that body."""


def encode(result: VerificationResult, base_url: str, *, marking: Marking | None = None) -> bytes:
    """Encode the JSON body. `base_url` has no trailing slash; the body of a demo has `"demo": true`, and so on."""
    return jws.dump_json(to_dict(result, base_url, marking=marking))


def encode_with_etag(result: VerificationResult, base_url: str, *, marking: Marking | None = None) -> EncodedResponse:
    body = encode(result, base_url, marking=marking)
    return result.verdict, body, etag_of(body)


def etag_of(body: bytes) -> bytes:
    return b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()


def encode_with_comparison(
    result: VerificationResult, base_url: str, expected: ExpectedFields, *, marking: Marking | None = None
) -> bytes:
    """Encode the JSON body with `expect`: `match` or `differs` for each field that was given.

    `expect` is null where no certificate is shown: there is nothing to compare with, and expected values are not
    echoed.
    """
    record = result.record
    compared = {name: found.value for name, found in compare_fields(expected, record).items()} if record else None
    return jws.dump_json({**to_dict(result, base_url, marking=marking), "expect": compared})


def encode_batch(bodies: Iterable[bytes]) -> bytes:
    """Join the bodies of items, in order, into the JSON body of a batch."""
    return b'{"items":[' + b",".join(bodies) + b"]}"


def to_dict(result: VerificationResult, base_url: str, *, marking: Marking | None = None) -> dict[str, Any]:
    """Build the body as a dictionary, for batches and pages."""
    record = result.record
    members: dict[str, Any] = {
        "verdict": result.verdict.value,
        "message": result.message,
        "as_of": format_utc(result.as_of) if result.as_of else None,
        "certificate": public_fields(record) if record else None,
        "checks": [_check_members(check) for check in result.checks],
        "links": {
            "credential": f"{base_url}/v1/certificates/{record.number}" if record else None,
            "page": f"{base_url}/v/{record.number}" if record else None,
        },
    }
    if marking:  # only where there is one: API clients must not take a demo or a sandbox for the real service
        members[marking.value] = True
    return members


def _check_members(check: Check) -> dict[str, Any]:
    return {"name": check.name, "passed": check.passed, "detail": check.detail}


def _beginning(checks: Iterable[Check]) -> bytes:
    """Return how the checks of a body begin. A text inside the body cannot contain it: there quotes are escaped."""
    return b'"checks":' + jws.dump_json(list(map(_check_members, checks)))[:-1]


_OF_NUMBER, _OF_TOKEN = _beginning(NUMBER_CHECKS), _beginning(TOKEN_CHECKS)
_VERDICT_BEGIN = len(b'{"verdict":"')
_BEGINNINGS = tuple(b'{"verdict":"%b"' % verdict.encode() for verdict in Verdict)


def to_token_body(body: bytes) -> bytes:
    """Turn the answer to a number into the answer to its token: only the first checks differ."""
    return body.replace(_OF_NUMBER, _OF_TOKEN, 1)


def is_answer(body: bytes) -> bool:
    """Whether the body begins as every answer does: with one of the verdicts."""
    return body.startswith(_BEGINNINGS)


def verdict_in(body: bytes) -> Verdict:
    return _VERDICTS[body[_VERDICT_BEGIN : body.index(b'"', _VERDICT_BEGIN)]]


_VERDICTS = {verdict.encode(): verdict for verdict in Verdict}


def parse_snapshot(snapshot: Snapshot) -> VerificationResult | None:
    """Return the result that a snapshot holds; None where its body is no answer of this version."""
    try:
        return _parse(snapshot)
    except (*UNREADABLE, LookupError):
        return None


def _parse(snapshot: Snapshot) -> VerificationResult:
    members = json.loads(snapshot.body)
    return VerificationResult(
        Verdict(members["verdict"]),
        tuple(Check(**check) for check in members["checks"]),
        datetime.fromisoformat(members["as_of"]),
        parse_public_fields(
            members["certificate"],
            kid=snapshot.kid,
            token_sha256=snapshot.signed_hash.hex(),
            logged_at=datetime.fromtimestamp(snapshot.issued_at, UTC),
            log_seq=snapshot.log_seq,
            holder_id=snapshot.holder_id,
            place=(snapshot.list_id, snapshot.status_index),
        ),
    )
