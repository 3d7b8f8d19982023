"""Define the certificate record that verification evaluates, with its log entry."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from app.certificates.model import Certificate
from app.transparency.model import LogEntry


class CertificateRecord(NamedTuple):
    """Columns of a certificate in the order in which the store reads them.

    Field names are column names. Moments are aware, in UTC.
    """

    number: str
    scheme_code: str
    scheme_name: str
    holder_name: str
    holder_name_az: str | None  # with its legal form
    holder_voen: str
    holder_is_legal_person: bool  # only then is its VÖEN shown
    product_names: Mapping[str, str]
    hs6: str
    gtin: str | None
    park_code: str | None
    district: str
    country: str  # of origin
    origin_criterion: str
    valid_from: date  # both days inclusive, Asia/Baku
    valid_until: date
    status: str
    status_since: datetime
    status_reason: str | None
    during_investigation: bool  # surrendered while an investigation was open
    issued_at: datetime
    kid: str
    token_sha256: str
    logged_at: datetime | None = None  # when its issue was logged; None: it is not in the log
    logged_sha256: str | None = None  # hash in the log entry

    @classmethod
    def from_row(cls, row: Certificate, entry: LogEntry | None = None) -> "CertificateRecord":
        """Build the record of a mapped row.

        Without the log entry of its issue the record can be shown, but is evaluated as not logged.
        """
        logged = (entry.at, entry.sha256) if entry else (None, None)
        return cls(*(getattr(row, name) for name in RECORD_COLUMNS), *logged)


RECORD_COLUMNS = CertificateRecord._fields[:-2]
"""Fields that are columns of `certificates`; the others come from the log entry."""
