"""Compare certificate rows and snapshots with what was signed and logged; report the first that differs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from unicodedata import normalize

from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.credential import reader
from app.certificates.log_events import STATUS_EVENT
from app.certificates.model import Certificate, CertificateStatus, ReissuedToken
from app.certificates.read_model import snapshot_repository
from app.certificates.read_model.snapshot import Snapshot, SnapshotKey
from app.certificates.status_list import PURPOSES, StatusListRejected, list_name
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey
from app.core.database import UNREADABLE, pages_of
from app.integrity.reissued_tokens import find_token_error, further_tokens
from app.integrity.transparency_log import IntegrityFinding
from app.organisations.legal_forms import public_voen
from app.signing import signing_repository
from app.transparency import log_repository
from app.transparency.log_entry import LogEvent
from app.transparency.model import LogEntry

_SIGNED_FIELDS = (
    *("number", "scheme_code", "ruleset_version", "hs6", "gtin", "park_code", "origin_criterion"),
    *("valid_from", "valid_until"),
)
_NFC_FIELDS = ("scheme_name", "holder_name", "district")


def check_certificates(
    session: Session, keys: Mapping[str, PublicKey], snapshot_key: SnapshotKey | None
) -> tuple[int, IntegrityFinding | None]:
    """Return how many certificates match, and the first that does not. `keys`: all that ever signed, by `kid`.

    Without `snapshot_key` the codes of snapshots are not checked.
    """
    matching = 0
    try:
        for page in pages_of(session, Certificate, Certificate.id):
            numbers = [certificate.number for certificate in page]
            issued, last = (
                log_repository.find_issue_entries(session, numbers),
                log_repository.get_last_events(session, numbers),
            )
            statuses = log_repository.get_last_events(session, numbers, without=LogEvent.CERTIFICATE_REISSUED)
            further = further_tokens(session, numbers)
            corrections = _last_corrections(session)
            surrenders = log_repository.find_entries_about(session, LogEvent.CERTIFICATE_SURRENDERED, numbers)
            snapshots = snapshot_repository.by_number(session, numbers)
            described = certificate_repository.descriptions_of(session, [each.id for each in page])
            for certificate in page:
                entry = issued.get(certificate.number)
                detail = (
                    _certificate_error(certificate, entry, keys, described.get(certificate.id, {}))
                    or find_token_error(certificate, further.get(certificate.number, ()), keys)
                    or _status_error(certificate, statuses[certificate.number].event)
                    or _surrender_error(certificate, surrenders.get(certificate.number))
                    or _snapshot_error(
                        _hashes_of(certificate, further.get(certificate.number, ())),
                        last[certificate.number].seq,
                        corrections,
                        snapshots.get(certificate.number),
                        snapshot_key,
                    )
                )
                if detail:
                    return matching, IntegrityFinding(f"certificate {certificate.number}", detail)
                matching += 1
            session.expunge_all()
    except UNREADABLE:
        return matching, IntegrityFinding(f"certificate after the first {matching}", "It cannot be read.")
    missing = certificate_repository.log_entry_without_certificate(session)
    if missing is not None:
        seq, number = missing
        return matching, IntegrityFinding(
            f"certificate {number}", f"Entry {seq} of the log records its issue, but its row is missing."
        )
    orphan = snapshot_repository.orphan_number(session)
    if orphan is not None:
        return matching, IntegrityFinding(
            f"certificate {orphan}", "Verification uses a snapshot of it, but there is no certificate."
        )
    return matching, None


def _hashes_of(certificate: Certificate, further: Sequence[ReissuedToken]) -> frozenset[str]:
    return frozenset({certificate.token_sha256, *(each.token_sha256 for each in further)})


def row_errors(
    session: Session, certificates: Sequence[Certificate], keys: Mapping[str, PublicKey]
) -> dict[str, list[str]]:
    """Return by number what differs between the row of a certificate, its first token and the log."""
    issued = log_repository.find_issue_entries(session, [each.number for each in certificates])
    described = certificate_repository.descriptions_of(session, [each.id for each in certificates])
    found = {}
    for each in certificates:
        if error := _certificate_error(each, issued.get(each.number), keys, described.get(each.id, {})):
            found[each.number] = [error]
    return found


def _last_corrections(session: Session) -> Mapping[str, int]:
    """Return `kid` → index of the last entry about the compromise of that key."""
    kids = [key.kid for key in signing_repository.list_keys(session)]
    last = log_repository.get_last_events(session, kids)
    return {kid: each.seq for kid, each in last.items() if each.event == LogEvent.KEY_COMPROMISED}


def _certificate_error(
    certificate: Certificate, entry: LogEntry | None, keys: Mapping[str, PublicKey], described: Mapping[str, Any]
) -> str | None:
    if entry is None:
        return "Its issue is not in the log."
    try:
        verified = jws.verify(certificate.token, typ=jws.TYP_CREDENTIAL, keys=keys)
    except jws.TokenRejected:
        return "Its token does not verify."
    if not verified.signed_hash == certificate.token_sha256 == entry.sha256:
        return f"Its token is not the one of entry {entry.seq} of the log."
    if not verified.kid == certificate.kid == strict_json.loads(entry.entry).get("key"):
        return f"Its key is not the one of entry {entry.seq} of the log."
    if not _is_consistent(certificate, verified.payload, described):
        return "Its row differs from what was signed."
    return None


def _status_error(certificate: Certificate, last: str) -> str | None:
    expected = STATUS_EVENT[CertificateStatus(certificate.status)]
    as_issued = certificate.status == CertificateStatus.ACTIVE and last == LogEvent.CERTIFICATE_ISSUED
    if last == expected or as_issued:
        return None
    return f"Its status is {certificate.status}, but its last entry in the log is {last}."


def _surrender_error(certificate: Certificate, entry: bytes | None) -> str | None:
    """Compare the surrender during an investigation with the log, which records it permanently."""
    logged = entry is not None and strict_json.loads(entry).get("during_investigation") is True
    if logged == certificate.during_investigation:
        return None
    present_in, absent_from = ("the log", "its row") if logged else ("its row", "the log")
    return f"Its surrender during an investigation is recorded in {present_in}, but not in {absent_from}."


def _snapshot_error(
    hashes: Collection[str],
    last_seq: int,
    corrections: Mapping[str, int],
    stored: Snapshot | None,
    key: SnapshotKey | None,
) -> str | None:
    """Check the stored answer. A missing one is valid: verification then evaluates token and log.

    So does one that is older than the last word on the compromise of its key.
    """
    if stored is None:
        return None
    if stored.signed_hash.hex() not in hashes:
        return "Its snapshot belongs to another token."
    if key is not None and not key.is_genuine(stored):
        return "Its snapshot was not written by this service with these settings."
    if not last_seq <= stored.log_seq <= max(last_seq, corrections.get(stored.kid, -1)):
        return f"Its snapshot is of entry {stored.log_seq} of the log, but its last entry is {last_seq}."
    return None


def _is_consistent(certificate: Certificate, payload: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    """Whether the row matches the signed credential, in any version of its schema. Names are signed composed (NFC).

    Members that older versions do not contain are compared with the stored description.
    """
    try:
        signed = reader.parse_credential(payload)
    except (reader.CredentialUnreadable, StatusListRejected):
        return False
    row, lists = certificate, {place[0].rpartition("/")[2] for place in signed.status_entries.values()}
    return (
        all(getattr(row, name) == getattr(signed, name) for name in _SIGNED_FIELDS)
        and all(normalize("NFC", getattr(row, name)) == getattr(signed, name) for name in _NFC_FIELDS)
        and {language: normalize("NFC", name) for language, name in row.product_names.items()} == signed.product_names
        and (
            _is_consistent_as_signed(row, signed)
            if signed.holder_name_az
            else _is_consistent_as_described(row, signed, described)
        )
        and _has_signed_ids(row, payload)
        and lists == {list_name(row.status_list_id, purpose) for purpose in PURPOSES}
        and {index for _, index in signed.status_entries.values()} == {row.status_index}
    )


def _has_signed_ids(row: Certificate, payload: Mapping[str, Any]) -> bool:
    """Compare the ids of holder, product and site, which the oldest shape does not contain."""
    subject = payload["credentialSubject"]
    if "conformityAssessment" not in subject:
        return True
    (assessed,) = subject["conformityAssessment"]
    ids = (
        (row.organisation_id, subject["issuedToParty"].get("id")),
        (row.product_id, assessed["assessedProduct"][0]["product"].get("id")),
        (row.site_id, assessed["assessedFacility"][0]["facility"].get("id")),
    )
    return all(signed in (None, expected.urn) for expected, signed in ids)


def _is_consistent_as_signed(row: Certificate, signed: reader.CertifiedFacts) -> bool:
    voen = public_voen(row.holder_voen, is_legal=row.holder_is_legal_person)
    name_az = row.holder_name_az and normalize("NFC", row.holder_name_az)
    return (name_az, voen, row.country) == (signed.holder_name_az, signed.voen, signed.country)


def _is_consistent_as_described(row: Certificate, signed: reader.CertifiedFacts, described: Mapping[str, Any]) -> bool:
    """Compare with older schema versions: masked VÖEN of legal persons only, no Azerbaijani name, no country."""
    company, site = described.get("company", {}), described.get("site", {})
    name, form = company.get("legal_name_az"), company.get("legal_form")
    return (
        mask_voen(row.holder_voen) == signed.voen
        and not (row.holder_is_legal_person and signed.voen is None)
        and row.holder_name_az in (None, name, f"{name} {form}")
        and row.country == site.get("country", row.country)
    )


def mask_voen(voen: str) -> str | None:
    """Mask a VÖEN as schema `certificate-1` does: first and last three digits.

    Returns None for a natural person (10th digit 2) and for text that is not a VÖEN.
    """
    if len(voen) != 10 or not voen.isascii() or not voen.isdigit() or voen[9] == "2":
        return None
    return f"{voen[:3]}****{voen[-3:]}"
