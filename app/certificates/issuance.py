"""Issue the certificates of one decision together.

The order is: reserve number and index, build, lint, sign only what was linted, verify with the published key, store,
log, audit. The caller commits once, so that no signed token is returned without its row.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.certificates import certificate_repository, log_events, status_list, status_list_repository
from app.certificates.certificate_number import CertificateNumber
from app.certificates.credential import linter, untp_builder
from app.certificates.credential.untp_builder import CertificateContent
from app.certificates.model import Certificate, CertificateStatus, CertifiedDescription
from app.certificates.read_model import projector, search_repository
from app.core import canonical_json, counters
from app.core.actor import Actor
from app.core.crypto import jws
from app.core.crypto.signer import Signer
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Unavailable
from app.organisations.legal_forms import public_voen
from app.signing.issuance_pause import require_not_paused

LIST_CAPACITY = status_list.LIST_LENGTH * 3 // 4
"""Above three quarters, most random indexes are taken: the next list is opened."""


@dataclass(frozen=True, slots=True)
class IssuerContext:
    """What signing needs from the service. `randbelow(n)` returns a random integer in 0..n-1."""

    lock_active_signer: Callable[[Session], Signer]  # the key that is active in this transaction, locked until its end
    issuer: str
    base_url: str
    randbelow: Callable[[int], int]
    number_prefix: str = ""  # before the mark; a sandbox has one, so that its numbers are another series


@dataclass(frozen=True, slots=True)
class CertificateGrant:
    """One product of one holder at one site under one mark, as decided."""

    scheme_code: str
    scheme_name: str
    owner_name: str
    ruleset_version: str
    assessment_level: str
    organisation_id: UUID
    holder_name: str
    holder_name_az: str  # with its legal form
    holder_voen: str
    holder_is_legal_person: bool
    product_id: UUID
    product_names: Mapping[str, str]
    hs6: str
    gtin: str | None
    site_id: UUID
    park_code: str | None
    district: str
    country: str  # of origin
    residency_id: UUID | None
    origin_criterion: str
    valid_from: date
    valid_until: date
    description: Mapping[str, Any]  # the certified description, which never changes (`certified_description.py`)
    valid_no_later_than: date | None  # the last day of what it depends on (residency, evidence with an end); None: open
    application_id: UUID
    decision_id: UUID
    decision_sha256: str  # of the decision's document


def issue_certificates(
    session: Session, actor: Actor, grants: Sequence[CertificateGrant], issuance: IssuerContext, now: datetime
) -> tuple[Certificate, ...]:
    """Issue one certificate for each grant, all under one mark, in this order.

    On any error none is issued.
    """
    if not grants:
        return ()
    (scheme_code,) = {grant.scheme_code for grant in grants}
    require_not_paused(session)
    signer = issuance.lock_active_signer(session)
    year = baku_day(now).year
    serials = counters.next_numbers(session, f"certificate:{scheme_code}:{year}", len(grants))
    numbers = [CertificateNumber(issuance.number_prefix + scheme_code, year, serial) for serial in serials]
    reserved = reserve_status_indexes(session, issuance.randbelow, len(grants))
    issued = tuple(
        _build_and_sign(grant, number, list_place, signer, issuance, now)
        for grant, number, list_place in zip(grants, numbers, reserved, strict=True)
    )
    session.add_all(issued)
    session.flush()
    search_repository.add_search_terms(session, issued)
    for grant, certificate in zip(grants, issued, strict=True):
        frozen = _freeze_description(grant, certificate)
        session.add(frozen)
        log_events.log_issued(session, certificate, now, decision=grant.decision_sha256)
        projector.mark_dirty(session, certificate)
        recorder.record(
            session,
            actor,
            "certificate.issued",
            ("certificate", certificate.number),
            now,
            case_id=certificate.application_id,
            sha256=certificate.token_sha256,
            kid=certificate.kid,
            description=frozen.sha256,
            decision_sha256=grant.decision_sha256,
        )
    return issued


def _freeze_description(grant: CertificateGrant, certificate: Certificate) -> CertifiedDescription:
    return CertifiedDescription(
        certificate_id=certificate.id,
        content=dict(grant.description),
        sha256=canonical_json.digest(grant.description),
        frozen_at=certificate.issued_at,
    )


def _build_and_sign(
    grant: CertificateGrant,
    number: CertificateNumber,
    list_place: tuple[int, int],
    signer: Signer,
    issuance: IssuerContext,
    now: datetime,
) -> Certificate:
    """Build, lint, sign and verify one certificate."""
    list_id, index = list_place
    content = CertificateContent(
        number=str(number),
        base_url=issuance.base_url,
        issuer=issuance.issuer,
        issuer_name=grant.owner_name,
        scheme_code=grant.scheme_code,
        scheme_name=grant.scheme_name,
        ruleset_version=grant.ruleset_version,
        assessment_level=grant.assessment_level,
        holder_id=grant.organisation_id,
        holder_name=grant.holder_name,
        holder_name_az=grant.holder_name_az,
        holder_voen=public_voen(grant.holder_voen, is_legal=grant.holder_is_legal_person),
        product_id=grant.product_id,
        product_names=grant.product_names,
        hs6=grant.hs6,
        gtin=grant.gtin,
        site_id=grant.site_id,
        park_code=grant.park_code,
        district=grant.district,
        country=grant.country,
        origin_criterion=grant.origin_criterion,
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        status_list_id=list_id,
        status_index=index,
    )
    context = linter.LintContext(
        issuance.issuer, issuance.base_url, list_id, index, grant.valid_no_later_than, issuance.number_prefix
    )
    linted = linter.lint(untp_builder.build_credential(content), context)
    token = linter.sign_credential(signer, linted)
    verified = _verify_signature(token, signer)
    return Certificate(
        id=new_id(),
        number=content.number,
        scheme_code=grant.scheme_code,
        scheme_name=grant.scheme_name,
        ruleset_version=grant.ruleset_version,
        year=number.year,
        serial=number.serial,
        organisation_id=grant.organisation_id,
        product_id=grant.product_id,
        site_id=grant.site_id,
        residency_id=grant.residency_id,
        application_id=grant.application_id,
        decision_id=grant.decision_id,
        holder_name=grant.holder_name,
        holder_name_az=grant.holder_name_az,
        holder_voen=grant.holder_voen,
        holder_is_legal_person=grant.holder_is_legal_person,
        product_names=dict(grant.product_names),
        hs6=grant.hs6,
        gtin=grant.gtin,
        park_code=grant.park_code,
        district=grant.district,
        country=grant.country,
        origin_criterion=grant.origin_criterion,
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        status=CertificateStatus.ACTIVE.value,
        status_since=now,
        status_reason=None,
        status_list_id=list_id,
        status_index=index,
        kid=signer.kid,
        token=token,
        token_sha256=verified.signed_hash,
        issued_at=now,
        version=1,
    )


def _verify_signature(token: str, signer: Signer) -> jws.VerifiedToken:
    """Verify the new signature with the published key before the token is stored.

    A damaged key must not produce certificates that cannot be verified.
    """
    try:
        return jws.verify(token, typ=jws.TYP_CREDENTIAL, keys={signer.kid: signer.public})
    except jws.TokenRejected as error:
        raise Unavailable("The new signature does not verify; nothing was issued.") from error


def reserve_status_indexes(session: Session, randbelow: Callable[[int], int], count: int) -> list[tuple[int, int]]:
    """Reserve unused random indexes in the current status list: pairs of list id and index.

    `randbelow(n)` returns a random integer in 0..n-1. The counter's lock serializes concurrent issuances.
    """
    used = counters.next_numbers(session, "status-index", count)
    counts_by_list = Counter((index - 1) // LIST_CAPACITY + 1 for index in used)
    reserved = []
    for list_id, list_count in counts_by_list.items():
        status_list_repository.create_list(session, list_id)
        reserved += [(list_id, index) for index in _unused_indexes(session, randbelow, list_id, list_count)]
    return reserved


def _unused_indexes(session: Session, randbelow: Callable[[int], int], list_id: int, count: int) -> Sequence[int]:
    """Return indexes in random order: a sorted order would reveal which were issued together."""
    free: dict[int, None] = {}
    while len(free) < count:
        candidates = dict.fromkeys(randbelow(status_list.LIST_LENGTH) for _ in range(count - len(free)))
        taken = certificate_repository.used_indexes(session, list_id, list(candidates))
        free |= {index: None for index in candidates if index not in taken}
    return list(free)
