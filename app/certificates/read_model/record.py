"""One row of the table of certificates, as a check needs it, with what the public log says of it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from app.certificates.model import Certificate
from app.transparency.model import LogEntry


class CertificateRecord(NamedTuple):
    """Field names are column names, in the order in which the store reads them. Moments are aware, in UTC."""

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
    during_investigation: bool  # given back while an inquiry was open
    issued_at: datetime
    kid: str
    token_sha256: str
    logged_at: datetime | None = None  # when its issue went into the public log; None: it is not there
    logged_sha256: str | None = None  # what the log says that was signed

    @classmethod
    def from_row(cls, row: Certificate, entry: LogEntry | None = None) -> "CertificateRecord":
        """The record of a mapped row. Who wants to judge it must give the entry of the log with which it was issued."""
        logged = (entry.at, entry.sha256) if entry else (None, None)
        return cls(*(getattr(row, name) for name in RECORD_COLUMNS), *logged)


RECORD_COLUMNS = CertificateRecord._fields[:-2]
"""Those of the table of certificates; the others come from the public log."""
