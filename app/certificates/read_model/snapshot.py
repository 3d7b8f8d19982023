"""Serialize and parse certificate snapshots: everything a verification response shows. Pure.

A verification reads one short row instead of two long ones. The snapshot is written in the transaction that issues a
certificate or changes its status. Database triggers delete it on any other change of the row (see the migration);
verification then reads the certificate itself until a new snapshot exists. So a snapshot never differs from its
certificate.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from app.certificates.read_model.record import CertificateRecord
from app.core.crypto import jws
from app.core.dates import format_utc
from app.organisations.legal_forms import public_voen

VERDICT_FIELDS = ("valid_from", "valid_until", "status", "kid")
"""All columns that verdict functions read, besides the log. Their texts contain no space."""


def public_fields(record: CertificateRecord) -> dict[str, Any]:
    """Return the public fields of a certificate, for verification responses and the register.

    They contain no VÖEN of a natural person, no user and no cost. `during_investigation` is a member only
    where it is true, so that responses for all other certificates stay unchanged.
    """
    members: dict[str, Any] = {
        "number": record.number,
        "scheme": {"code": record.scheme_code, "name": record.scheme_name},
        "holder": {
            "name": record.holder_name,
            "name_az": record.holder_name_az,
            "voen": public_voen(record.holder_voen, is_legal=record.holder_is_legal_person),
        },
        "product": {"name": dict(sorted(record.product_names.items())), "hs6": record.hs6, "gtin": record.gtin},
        "site": {"park": record.park_code, "district": record.district},
        "country": record.country,
        "origin_criterion": record.origin_criterion,
        "valid_from": record.valid_from.isoformat(),
        "valid_until": record.valid_until.isoformat(),
        "status": record.status,
        "status_since": format_utc(record.status_since),
        "reason": record.status_reason,
    }
    if record.during_investigation:
        members["during_investigation"] = True
    return members


def serialize(record: CertificateRecord) -> bytes | None:
    """Serialize a record as lines of UTF-8; None where it is not in the log as it was signed.

    The lines are: verdict fields (days, status, key, separated by spaces); number; time of the status; time of issue;
    time of the log entry; 16 hexadecimal digits of a hash over all other lines; public fields as JSON.
    """
    if record.logged_at is None or record.logged_sha256 != record.token_sha256:
        return None
    verdict_fields = " ".join(str(getattr(record, name)) for name in VERDICT_FIELDS)
    moments = (format_utc(moment) for moment in (record.status_since, record.issued_at, record.logged_at))
    lines = [verdict_fields, record.number, *moments]
    displayed = jws.dump_json(public_fields(record))
    content_hash = hashlib.sha256("\n".join(lines).encode() + displayed).hexdigest()[:16]
    return "\n".join([*lines, content_hash, ""]).encode() + displayed


def parse_verdict_fields(verdict_fields: bytes) -> Mapping[str, Any]:
    """Parse the first line of a snapshot into verdict fields by name."""
    valid_from, valid_until, status, kid = verdict_fields.decode().split(" ")
    return {
        "valid_from": date.fromisoformat(valid_from),
        "valid_until": date.fromisoformat(valid_until),
        "status": status,
        "kid": kid,
    }
