"""The public certificate object: the item of the register and part of a verification."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.certificates.model import Certificate, CertificateStatus
from app.certificates.read_model.record import CertificateRecord
from app.certificates.read_model.snapshot import certificate_members
from app.web.schema_types import Answer

VC_JWT = "application/vc+jwt"
JSON = "application/json"


class Mark(Answer):
    code: str = Field(examples=["MIK"])
    name: str = Field(examples=["Made in Karabakh – Heart of Azerbaijan"])


class Holder(Answer):
    name: str = Field(description="English", examples=["Sample Pipe (fictional)"])
    name_az: str | None = Field(
        description="legal name with its form; null where it is not known for certain", examples=["“Nümunə-Boru” MMC"]
    )
    voen: str | None = Field(description="of a legal person; null for a natural person", examples=["0010000101"])


class CertifiedProduct(Answer):
    name: dict[str, str]
    hs6: str
    gtin: str | None


class CertifiedSite(Answer):
    park: str | None
    district: str


class CertificateAnswer(Answer):
    """The public face of a certificate. `status` is what was decided; whether it is good today says `/v1/verify`."""

    number: str = Field(examples=["MIK-2026-000042-Y"])
    scheme: Mark
    holder: Holder
    product: CertifiedProduct
    site: CertifiedSite
    country: str = Field(description="of origin, ISO 3166-1 alpha-2", examples=["AZ"])
    origin_criterion: str = Field(examples=["CTH"])
    valid_from: date
    valid_until: date = Field(description="inclusive, Asia/Baku")
    status: CertificateStatus
    status_since: datetime
    reason: str | None
    during_investigation: bool = Field(
        False, description="true: given back while an inquiry about it was open; otherwise the member is absent"
    )


def public_face(row: Certificate) -> dict[str, Any]:
    return certificate_members(CertificateRecord.of(row))
