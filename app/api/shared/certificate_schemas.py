"""Response schemas of the public certificate, used by the public register and by verifications."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.certificates.model import Certificate, CertificateStatus
from app.certificates.read_model.record import KEY_COMPROMISED, CertificateRecord, public_fields
from app.organisations.legal_forms import public_voen
from app.schemes.origin_calculation import OriginCriterion
from app.web.schema_types import ResponseModel

VC_JWT = "application/vc+jwt"
JSON = "application/json"


class SchemeSummaryResponse(ResponseModel):
    code: str = Field(examples=["MIK"])
    name: str = Field(examples=["Made in Karabakh – Heart of Azerbaijan"])


class HolderResponse(ResponseModel):
    name: str = Field(description="English", examples=["Sample Pipe (fictional)"])
    name_az: str | None = Field(
        description="legal name with its form; null if it is not certain", examples=["“Nümunə-Boru” MMC"]
    )
    voen: str | None = Field(description="VÖEN of a legal person; null for a natural person", examples=["0010000101"])


class CertifiedProductResponse(ResponseModel):
    name: dict[str, str]
    hs6: str
    gtin: str | None


class CertifiedSiteResponse(ResponseModel):
    park: str | None
    district: str


class CertificateResponse(ResponseModel):
    """The public members of a certificate. `status` is as decided; `/v1/verify` says whether it is valid today."""

    number: str = Field(examples=["MIK-2026-000042-Y"])
    scheme: SchemeSummaryResponse
    holder: HolderResponse
    product: CertifiedProductResponse
    site: CertifiedSiteResponse
    country: str = Field(description="country of origin, ISO 3166-1 alpha-2", examples=["AZ"])
    origin_criterion: str = Field(
        examples=["CTH"], json_schema_extra={"enum": [criterion.value for criterion in OriginCriterion]}
    )
    valid_from: date
    valid_until: date = Field(description="last valid day, inclusive, Asia/Baku")
    status: str = Field(json_schema_extra={"enum": [*map(str, CertificateStatus), KEY_COMPROMISED]})
    status_since: datetime
    reason: str | None
    during_investigation: bool = Field(
        False, description="true: surrendered during an investigation; otherwise the member is absent"
    )


def certificate_fields(row: Certificate) -> dict[str, Any]:
    """Return the members of a row that this request has changed, for whoever changed it; nothing public uses it."""
    values = {name: getattr(row, name) for name in CertificateRecord._fields if hasattr(row, name)}
    voen = public_voen(row.holder_voen, is_legal=row.holder_is_legal_person)
    return public_fields(CertificateRecord(**(values | {"holder_voen": voen})))
