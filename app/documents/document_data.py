"""Load what documents show about a certificate, before any slow rendering begins."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.certificates.credential.reader import parse_credential
from app.certificates.model import Certificate
from app.certificates.read_model.proven_records import require_token
from app.certificates.read_model.record import CertificateRecord
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRing
from app.core.dates import baku_day
from app.core.errors import NotFound
from app.documents.pdf.content import PdfFacts
from app.documents.qr_token import QrToken, page_url
from app.documents.renderer import DocumentData
from app.reference import parks
from app.schemes import scheme_repository
from app.schemes.emblems import read_emblem


def load_document_data(
    session: Session, row: Certificate, record: CertificateRecord, keys: KeyRing, base_url: str
) -> DocumentData:
    """Load the data of the PDF certificate and the QR token, in the wording of the day of issue.

    Everything that is certified comes from the proven record and the token that it names. Raises `RecordDamaged` where
    the row holds another token.
    """
    c = record
    credential_text = require_token(session, row, record, keys)
    credential = jws.verify(credential_text, typ=jws.TYP_CREDENTIAL, keys=keys.all_public)
    certified = parse_credential(credential.payload)
    assert record.logged_at is not None  # only such records are shown
    scheme = scheme_repository.find_scheme(session, c.scheme_code)
    mark: Mapping[str, Any] = scheme.content if scheme else {}
    authority = mark.get("authority") or {}
    facts = PdfFacts(
        number=c.number,
        mark_name=c.scheme_name,
        mark_names=dict(mark.get("names", {})),
        issuer_name=credential.payload["issuer"]["name"],
        ruleset=f"{c.scheme_code} {certified.ruleset_version}",
        holder_name=c.holder_name,
        holder_name_az=c.holder_name_az,
        holder_voen=c.holder_voen,
        product_names=dict(c.product_names),
        hs6=c.hs6,
        gtin=c.gtin,
        park_names=_load_park_names(session, c.park_code),
        district=c.district,
        country=c.country,
        origin_criterion=c.origin_criterion,
        issued_on=baku_day(record.logged_at),
        valid_from=c.valid_from,
        valid_until=c.valid_until,
        url=page_url(base_url, c.number),
        token=credential_text,
        emblem=read_emblem(mark.get("emblem")),
        authority_names=dict(authority.get("names", {})),
        contact=tuple(filter(None, (authority.get(name) for name in ("email", "phone", "address")))),
    )
    qr_token = QrToken.from_certificate(
        number=c.number,
        holder_name=c.holder_name,
        product_names=c.product_names,
        hs6=c.hs6,
        valid_from=c.valid_from,
        valid_until=c.valid_until,
        list_id=c.status_list_id,
        index=c.status_index,
    )
    return DocumentData(facts, qr_token, row.version)


def _load_park_names(session: Session, code: str | None) -> dict[str, str]:
    """Return the names of a park; the code of a park that is no longer registered."""
    if code is None:
        return {}
    try:
        return dict(parks.get_park(session, code).names)
    except NotFound:
        return {"az": code}
