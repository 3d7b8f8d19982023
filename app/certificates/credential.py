"""What a certificate says, and the names in it. Pure. How it is written down: `credential_untp.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """All that a certificate says. `base_url` has no slash at its end; both dates are inclusive days in Asia/Baku."""

    number: str  # in display form
    base_url: str
    issuer: str  # the DID
    issuer_name: str
    scheme_code: str
    scheme_name: str
    ruleset_version: str
    assessment_level: str  # who stands behind the assessment, in the words of UNTP
    holder_id: UUID
    holder_name: str  # English
    holder_name_az: str  # with its legal form
    holder_voen: str | None  # of a legal person; that of a natural person is not certified
    product_id: UUID
    product_names: Mapping[str, str]  # by language
    hs6: str
    gtin: str | None
    site_id: UUID
    park_code: str | None
    district: str
    country: str  # of origin, ISO 3166-1 alpha-2
    origin_criterion: str
    valid_from: date
    valid_until: date
    status_list_id: int
    status_index: int


def mask_voen(voen: str) -> str | None:
    """First and last three digits, as certificates of the shape `certificate-1` have it; None for a natural person
    (10th digit 2) and for what is no VÖEN."""
    if len(voen) != 10 or not voen.isascii() or not voen.isdigit() or voen[9] == "2":
        return None
    return f"{voen[:3]}****{voen[-3:]}"
