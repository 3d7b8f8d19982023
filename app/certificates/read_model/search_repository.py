"""Query the public register: search, facet counts, and all certificates in chunks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app.certificates import certificate_number
from app.certificates.digital_link import gs1_uri
from app.certificates.model import Certificate, CertificateSearchTerm, CertificateStatus, ReissuedToken, SearchField
from app.certificates.read_model.search import EffectiveStatus, Facet, FacetCounts, RegisterSearch, effective_status
from app.core.crypto.keyring import KeyState
from app.core.database import core_table, page_of
from app.core.text.phonetic import phonetic_keys
from app.organisations.legal_forms import LEGAL_PERSON_DIGIT
from app.signing.model import SigningKey

_ROW = core_table(Certificate).c
_LAST_CHARACTER = "\U0010ffff"  # no term contains it: upper bound of all terms with one prefix
_EXPIRING_STATUSES = (CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED)
_COMPROMISED = sa.select(SigningKey.kid).where(SigningKey.state == KeyState.COMPROMISED.value)
_IS_VOIDED = sa.and_(
    sa.exists().where(
        SigningKey.kid == Certificate.kid,
        SigningKey.state == KeyState.COMPROMISED.value,
        SigningKey.state_since <= Certificate.issued_at,
    ),
    ~sa.exists().where(ReissuedToken.number == Certificate.number, ReissuedToken.kid.not_in(_COMPROMISED)),
)
"""By columns, for searching: whether a key that was compromised by then signed it, and no other since."""


_VOEN = re.compile(r"[0-9]{10}")
_VOEN_LABELS = frozenset(phonetic_keys("VÖEN"))
_ADD_SEARCH_TERMS = sa.insert(core_table(CertificateSearchTerm))


def add_search_terms(session: Session, issued: Sequence[Certificate]) -> None:
    """Store the search terms of new certificates. A VÖEN is not a term; it is matched whole."""
    session.execute(_ADD_SEARCH_TERMS, [row for certificate in issued for row in _search_term_rows(certificate)])


def _search_term_rows(certificate: Certificate) -> Iterator[dict[str, Any]]:
    texts = {
        SearchField.NUMBER: [certificate.number],
        SearchField.HOLDER: [certificate.holder_name, certificate.holder_name_az or ""],
        SearchField.PRODUCT: [*certificate.product_names.values(), certificate.gtin or ""],
        SearchField.HS: ["HS", certificate.hs6],
        SearchField.PLACE: [certificate.district, certificate.park_code or ""],
    }
    for field, word in search_terms_of(texts):
        yield {"term": word, "field": field.value, "certificate_id": certificate.id}


def search_terms_of(texts: Mapping[SearchField, Sequence[str]]) -> Iterable[tuple[SearchField, str]]:
    """Return each phonetic key of each field once."""
    return dict.fromkeys(
        (field, word) for field, field_texts in texts.items() for text in field_texts for word in phonetic_keys(text)
    )


def search_certificates(
    session: Session,
    search: RegisterSearch,
    today: date,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    limit: int,
) -> Sequence[Certificate]:
    """Return matching certificates without their tokens, newest first.

    `before` is the id of the last certificate of the previous page. `after` returns the page of newer certificates next
    to that id.
    """
    order = Certificate.id.asc() if after else Certificate.id.desc()
    query = sa.select(Certificate).options(defer(Certificate.token, raiseload=True)).order_by(order).limit(limit)
    query = query.where(*_match_conditions(search), *_filter_conditions(search, today))
    if before:
        query = query.where(Certificate.id < before)
    if after:
        query = query.where(Certificate.id > after)
    rows = session.scalars(query).all()
    return rows[::-1] if after else rows


def count_facets(session: Session, search: RegisterSearch, today: date) -> FacetCounts:
    """Count the certificates that match the terms of a search, by mark, park and status."""
    past = sa.func.count().filter(Certificate.valid_until < today)
    groups = (Certificate.scheme_code, Certificate.park_code, Certificate.status)
    query = sa.select(*groups, sa.func.count(), past).where(*_match_conditions(search)).group_by(*groups)
    counts: Counter[Facet] = Counter()
    for scheme, park, status, found, ended in session.execute(query):
        for valid_until, count in ((today, found - ended), (date.min, ended)):
            counts[Facet(scheme, park, effective_status(status, valid_until, today))] += count
    if _has_compromised_keys(session):
        voided = query.where(_IS_VOIDED, Certificate.status.in_(_EXPIRING_STATUSES))
        for scheme, park, status, found, ended in session.execute(voided):
            counts[Facet(scheme, park, EffectiveStatus.KEY_COMPROMISED)] += found
            for valid_until, count in ((today, found - ended), (date.min, ended)):
                counts[Facet(scheme, park, effective_status(status, valid_until, today))] -= count
    return FacetCounts({group: count for group, count in counts.items() if count})


def _has_compromised_keys(session: Session) -> bool:
    """Without one, as nearly always, the index alone answers."""
    compromised = sa.exists().where(SigningKey.state == KeyState.COMPROMISED.value)
    return bool(session.scalar(sa.select(compromised)))


@dataclass(frozen=True, slots=True)
class RegisterVersion:
    """Version of the whole register: it differs after any issue or change, also of keys."""

    certificates: int
    changes: int
    last: UUID | None
    reissued: int
    compromised: tuple[str, ...]


def register_version(session: Session) -> RegisterVersion:
    certificates, changes = session.execute(sa.select(sa.func.count(), sa.func.sum(Certificate.version))).one()
    last = session.scalar(sa.select(Certificate.id).order_by(Certificate.id.desc()).limit(1))
    reissued = session.scalar(sa.select(sa.func.count()).select_from(ReissuedToken)) or 0
    keys = sa.select(SigningKey.kid, SigningKey.state_since).where(SigningKey.state == KeyState.COMPROMISED.value)
    compromised = sorted(f"{kid} {since.isoformat()}" for kid, since in session.execute(keys))
    return RegisterVersion(certificates, int(changes or 0), last, reissued, tuple(compromised))


def read_chunk(session: Session, after: UUID | None, upto: UUID, limit: int) -> Sequence[Certificate]:
    """Return the next certificates of the whole register, oldest first, up to the id `upto`."""
    query = sa.select(Certificate).options(defer(Certificate.token, raiseload=True)).where(Certificate.id <= upto)
    return page_of(session, query, Certificate.id, after, limit)


def _match_conditions(search: RegisterSearch) -> list[sa.ColumnElement[bool]]:
    """Build the conditions for terms, codes and the holder's id."""
    conditions: list[sa.ColumnElement[bool]] = []
    exact = certificate_number.parse_number(search.q) if search.q else None
    if exact is not None:
        conditions.append(Certificate.number == str(exact))
    elif search.q:
        conditions += _term_conditions(search.q)
    if search.holder:
        conditions += _term_conditions(search.holder, SearchField.HOLDER)
    if search.product:
        conditions += _term_conditions(search.product, SearchField.PRODUCT)
    if search.hs6:
        conditions += _term_conditions(search.hs6, SearchField.HS)
    if search.gtin:
        conditions.append(_gtin_condition(search.gtin))
    if search.organisation_id:
        conditions.append(Certificate.organisation_id == search.organisation_id)
    if search.product_id:
        conditions.append(Certificate.product_id == search.product_id)
    if search.site_id:
        conditions.append(Certificate.site_id == search.site_id)
    return conditions


def _gtin_condition(gtin: str) -> sa.ColumnElement[bool]:
    """Match a GTIN in every way of writing it; its words in the index lead to few rows."""
    forms = gs1_uri.stored_forms(gtin)
    indexed = sa.select(CertificateSearchTerm.certificate_id).where(
        CertificateSearchTerm.term.in_(forms), CertificateSearchTerm.field == SearchField.PRODUCT.value
    )
    return sa.and_(Certificate.id.in_(indexed), Certificate.gtin.in_(forms))


def _term_conditions(text: str, field: SearchField | None = None) -> list[sa.ColumnElement[bool]]:
    """Build one condition per term. Ten digits are matched as VÖEN too; no term matches nothing."""
    digits_folded = certificate_number.to_western_digits(text)
    words = phonetic_keys(digits_folded)
    if field in (None, SearchField.HOLDER):
        if _VOEN.fullmatch(digits := "".join(digits_folded.split())):
            words = (digits,)
        if any(map(_VOEN.fullmatch, words)):
            words = tuple(word for word in words if word not in _VOEN_LABELS)
            return [_voen_condition(word, field) for word in words]
    return [Certificate.id.in_(_certificates_with_term_prefix(word, field)) for word in words] or [sa.false()]


def _voen_condition(word: str, field: SearchField | None) -> sa.ColumnElement[bool]:
    """Match a term or the VÖEN of a legal person; that of a natural person matches nothing."""
    if not _VOEN.fullmatch(word) or not word.endswith(LEGAL_PERSON_DIGIT):
        return Certificate.id.in_(_certificates_with_term_prefix(word, field))
    by_voen = sa.select(_ROW.id).where(_ROW.holder_voen == word, _ROW.holder_is_legal_person.is_(sa.true()))
    return Certificate.id.in_(_certificates_with_term_prefix(word, field).union_all(by_voen))


def _certificates_with_term_prefix(prefix: str, field: SearchField | None) -> sa.Select[UUID]:
    words = sa.select(CertificateSearchTerm.certificate_id).where(
        CertificateSearchTerm.term >= prefix, CertificateSearchTerm.term < prefix + _LAST_CHARACTER
    )
    return words if field is None else words.where(CertificateSearchTerm.field == field.value)


def _filter_conditions(search: RegisterSearch, today: date) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if search.scheme:
        conditions.append(Certificate.scheme_code == search.scheme)
    if search.park:
        conditions.append(Certificate.park_code == search.park)
    if search.changed_from is not None:
        conditions.append(Certificate.status_since >= search.changed_from)
    if search.expiring_before:
        conditions += [Certificate.valid_until >= today, Certificate.valid_until < search.expiring_before]
    if search.status is EffectiveStatus.KEY_COMPROMISED:
        conditions += [Certificate.status.in_(_EXPIRING_STATUSES), _IS_VOIDED]
    elif search.status is EffectiveStatus.EXPIRED:
        conditions += [Certificate.status.in_(_EXPIRING_STATUSES), Certificate.valid_until < today]
    elif search.status is not None:
        conditions.append(Certificate.status == search.status.value)
        if search.status.value in _EXPIRING_STATUSES:
            conditions.append(Certificate.valid_until >= today)
    return conditions
