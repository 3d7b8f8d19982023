"""The extract from the register: what a check prints of one certificate, written down as it is printed. Pure.

A check reads one short row instead of two long ones, and prints it as it stands. An extract is made in the transaction
that issues a certificate or changes its status; the database itself drops it with every other change of the row (see
the migration), and then the certificate is read in full until there is a new one. So an extract never says anything
else than its certificate.
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
"""All that the law of checks looks at, besides the log. Their texts hold no space."""


def public_fields(record: CertificateRecord) -> dict[str, Any]:
    """The public face of a certificate, here and in the register: no VÖEN of a natural person, no person, no cost.

    `during_investigation` is a member only where it is true, so that every other face stays as it was.
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
    """The extract: lines of UTF-8. None for what is not in the public log as it was signed.

    What is judged (days, status, key, with a space between); the number; since when it has its status; when it was
    issued; when that was logged; 16 hexadecimal digits that differ where anything here differs; its face, as JSON.
    """
    if record.logged_at is None or record.logged_sha256 != record.token_sha256:
        return None
    judged = " ".join(str(getattr(record, name)) for name in VERDICT_FIELDS)
    moments = (format_utc(moment) for moment in (record.status_since, record.issued_at, record.logged_at))
    shown = [judged, record.number, *moments]
    face = jws.dump_json(public_fields(record))
    mark = hashlib.sha256("\n".join(shown).encode() + face).hexdigest()[:16]
    return "\n".join([*shown, mark, ""]).encode() + face


def parse_verdict_fields(judged: bytes) -> Mapping[str, Any]:
    """The first line of an extract, by name."""
    valid_from, valid_until, status, kid = judged.decode().split(" ")
    return {
        "valid_from": date.fromisoformat(valid_from),
        "valid_until": date.fromisoformat(valid_until),
        "status": status,
        "kid": kid,
    }
