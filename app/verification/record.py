"""One row of the table of certificates, as a check needs it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple


class CertificateRecord(NamedTuple):
    """Field names are column names, in the order in which the store reads them. Moments are aware, in UTC."""

    number: str
    scheme_code: str
    scheme_name: str
    holder_name: str
    holder_voen: str
    product_names: Mapping[str, str]
    hs6: str
    gtin: str | None
    park_code: str | None
    district: str
    origin_criterion: str
    valid_from: date  # both days inclusive, Asia/Baku
    valid_until: date
    status: str
    status_since: datetime
    status_reason: str | None
    issued_at: datetime
    kid: str
    token_sha256: str
