"""Whether the table of certificates still says what was signed and logged: names the first row that does not."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app import audit, jws, strict_json
from app.certificates import credential, store
from app.certificates.credential import CertificateContent
from app.certificates.logged import EVENT
from app.certificates.model import Certificate, CertificateStatus
from app.jws import PublicKey
from app.ledger import store as ledger
from app.ledger.entry import LogEvent
from app.ledger.examine import Wrong
from app.ledger.model import LogEntry


def compare(session: Session, keys: Mapping[str, PublicKey]) -> tuple[int, Wrong | None]:
    """How many certificates hold, and the first one that does not. `keys` are all that ever signed, by `kid`."""
    held = 0
    try:
        for page in store.pages(session):
            numbers = [certificate.number for certificate in page]
            issued, last = ledger.issued_of(session, numbers), ledger.last_about(session, numbers)
            for certificate in page:
                detail = _wrong_with(certificate, issued.get(certificate.number), keys) or _wrong_status(
                    certificate, last[certificate.number][0]
                )
                if detail:
                    return held, Wrong(f"certificate {certificate.number}", detail)
                held += 1
            session.expunge_all()
    except audit.UNREADABLE:
        return held, Wrong(f"certificate after the first {held}", "It cannot be read.")
    missing = store.logged_without_row(session)
    if missing is not None:
        seq, number = missing
        return held, Wrong(f"certificate {number}", f"Entry {seq} of the log says that it was issued; its row is gone.")
    return held, None


def _wrong_with(certificate: Certificate, entry: LogEntry | None, keys: Mapping[str, PublicKey]) -> str | None:
    if entry is None:
        return "Its issue is not in the log."
    try:
        verified = jws.verify(certificate.token, typ=jws.CREDENTIAL, keys=keys)
    except jws.Refused:
        return "Its token does not verify."
    if not verified.signed_hash == certificate.token_sha256 == entry.sha256:
        return f"Its token is not the one of entry {entry.seq} of the log."
    if not verified.kid == certificate.kid == strict_json.loads(entry.entry).get("key"):
        return f"Its key is not the one of entry {entry.seq} of the log."
    if credential.build(_content(certificate, verified.payload)) != verified.payload:
        return "It does not say what was signed."
    return None


def _wrong_status(certificate: Certificate, last: str) -> str | None:
    expected = EVENT[CertificateStatus(certificate.status)]
    as_issued = certificate.status == CertificateStatus.ACTIVE and last == LogEvent.CERTIFICATE_ISSUED
    if last == expected or as_issued:
        return None
    return f"It is {certificate.status}, but the last the log says of it is {last}."


def _content(certificate: Certificate, payload: Mapping[str, object]) -> CertificateContent:
    """What the row says, with what only the token holds: the address and the owner's name of that day."""
    issuer, address = payload["issuer"], payload["id"]
    assert isinstance(issuer, Mapping) and isinstance(address, str)  # the linter saw to it before it was signed
    return CertificateContent(
        number=certificate.number,
        base_url=address.removesuffix(f"/v1/certificates/{certificate.number}"),
        issuer=issuer["id"],
        issuer_name=issuer["name"],
        scheme_code=certificate.scheme_code,
        scheme_name=certificate.scheme_name,
        ruleset_version=certificate.ruleset_version,
        holder_name=certificate.holder_name,
        holder_voen=certificate.holder_voen,
        product_names=certificate.product_names,
        hs6=certificate.hs6,
        gtin=certificate.gtin,
        park_code=certificate.park_code,
        district=certificate.district,
        origin_criterion=certificate.origin_criterion,
        valid_from=certificate.valid_from,
        valid_until=certificate.valid_until,
        status_list_id=certificate.status_list_id,
        status_index=certificate.status_index,
    )
