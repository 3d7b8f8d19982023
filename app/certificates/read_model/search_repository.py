"""Queries of the public register: search, counts, and the whole of it in pieces."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app.certificates import certificate_number
from app.certificates.model import Certificate, CertificateSearchTerm, CertificateStatus, SearchField
from app.certificates.read_model.search import EffectiveStatus, Facet, FacetCounts, RegisterSearch, effective_status
from app.core.database import core_table, page_of
from app.core.text.phonetic import phonetic_keys
from app.organisations.legal_forms import LEGAL_PERSON_DIGIT

_ROW = core_table(Certificate).c
_LAST_CHARACTER = "\U0010ffff"  # no word holds it: the end of all words with one beginning
_EXPIRING_STATUSES = (CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED)


_VOEN = re.compile(r"[0-9]{10}")
_VOEN_LABELS = frozenset(phonetic_keys("VÖEN"))
_ADD_SEARCH_TERMS = sa.insert(core_table(CertificateSearchTerm))


def add_search_terms(session: Session, issued: Sequence[Certificate]) -> None:
    """Make certificates that were just stored findable. A VÖEN is no word: it is looked up whole, in their rows."""
    session.execute(_ADD_SEARCH_TERMS, [row for each in issued for row in _search_term_rows(each)])


def _search_term_rows(certificate: Certificate) -> Iterator[dict[str, Any]]:
    texts = {
        SearchField.NUMBER: [certificate.number],
        SearchField.HOLDER: [certificate.holder_name, certificate.holder_name_az or ""],
        SearchField.PRODUCT: [*certificate.product_names.values(), certificate.gtin or ""],
        SearchField.HS: ["HS", certificate.hs6],
        SearchField.PLACE: [certificate.district, certificate.park_code or ""],
    }
    for field, word in search_terms_of(texts):
        yield {"word": word, "field": field.value, "certificate_id": certificate.id}


def search_terms_of(texts: Mapping[SearchField, Sequence[str]]) -> Iterable[tuple[SearchField, str]]:
    """Each word of each field once."""
    return dict.fromkeys(
        (field, word) for field, some in texts.items() for text in some for word in phonetic_keys(text)
    )


def search_certificates(
    session: Session,
    wanted: RegisterSearch,
    today: date,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    limit: int,
) -> Sequence[Certificate]:
    """Newest first, without their tokens; `before` is the id of the last one seen.

    With `after` those next to it on the newer side, for the way back.
    """
    order = Certificate.id.asc() if after else Certificate.id.desc()
    query = sa.select(Certificate).options(defer(Certificate.token, raiseload=True)).order_by(order).limit(limit)
    query = query.where(*_match_conditions(wanted), *_filter_conditions(wanted, today))
    if before:
        query = query.where(Certificate.id < before)
    if after:
        query = query.where(Certificate.id > after)
    rows = session.scalars(query).all()
    return rows[::-1] if after else rows


def count_facets(session: Session, wanted: RegisterSearch, today: date) -> FacetCounts:
    """How many certificates the words of this search find, by mark, park and standing."""
    past = sa.func.count().filter(Certificate.valid_until < today)
    groups = (Certificate.scheme_code, Certificate.park_code, Certificate.status)
    query = sa.select(*groups, sa.func.count(), past).where(*_match_conditions(wanted)).group_by(*groups)
    counted: dict[Facet, int] = {}
    for scheme, park, status, found, ended in session.execute(query):
        for valid_until, many in ((today, found - ended), (date.min, ended)):
            group = Facet(scheme, park, effective_status(status, valid_until, today))
            counted[group] = counted.get(group, 0) + many
    return FacetCounts({group: many for group, many in counted.items() if many})


@dataclass(frozen=True, slots=True)
class RegisterVersion:
    """What the whole register was at a moment: another one when anything was issued or changed since."""

    certificates: int
    changes: int
    last: UUID | None


def register_version(session: Session) -> RegisterVersion:
    certificates, changes = session.execute(sa.select(sa.func.count(), sa.func.sum(Certificate.version))).one()
    last = session.scalar(sa.select(Certificate.id).order_by(Certificate.id.desc()).limit(1))
    return RegisterVersion(certificates, int(changes or 0), last)


def read_chunk(session: Session, after: UUID | None, upto: UUID, limit: int) -> Sequence[Certificate]:
    """The next certificates of the whole register, oldest first, up to the last one that is meant."""
    query = sa.select(Certificate).options(defer(Certificate.token, raiseload=True)).where(Certificate.id <= upto)
    return page_of(session, query, Certificate.id, after, limit)


def _match_conditions(wanted: RegisterSearch) -> list[sa.ColumnElement[bool]]:
    """What words, codes and the holder's identity ask for."""
    conditions: list[sa.ColumnElement[bool]] = []
    exact = certificate_number.parse_number(wanted.q) if wanted.q else None
    if exact is not None:
        conditions.append(Certificate.number == str(exact))
    elif wanted.q:
        conditions += _term_conditions(wanted.q)
    if wanted.holder:
        conditions += _term_conditions(wanted.holder, SearchField.HOLDER)
    if wanted.product:
        conditions += _term_conditions(wanted.product, SearchField.PRODUCT)
    if wanted.hs6:
        conditions += _term_conditions(wanted.hs6, SearchField.HS)
    if wanted.organisation_id:
        conditions.append(Certificate.organisation_id == wanted.organisation_id)
    return conditions


def _term_conditions(text: str, field: SearchField | None = None) -> list[sa.ColumnElement[bool]]:
    """Every word must be there; of a text without any, nothing can be found. Ten digits are a VÖEN too."""
    asked = certificate_number.to_western_digits(text)
    words = phonetic_keys(asked)
    if field in (None, SearchField.HOLDER):
        if _VOEN.fullmatch(digits := "".join(asked.split())):
            words = (digits,)
        if any(map(_VOEN.fullmatch, words)):
            words = tuple(word for word in words if word not in _VOEN_LABELS)
            return [_voen_condition(word, field) for word in words]
    return [Certificate.id.in_(_certificates_with_term_prefix(word, field)) for word in words] or [sa.false()]


def _voen_condition(word: str, field: SearchField | None) -> sa.ColumnElement[bool]:
    """As a word or, where it can be one, as the VÖEN of a legal person; that of a natural person finds nothing."""
    if not _VOEN.fullmatch(word) or not word.endswith(LEGAL_PERSON_DIGIT):
        return Certificate.id.in_(_certificates_with_term_prefix(word, field))
    held = sa.select(_ROW.id).where(_ROW.holder_voen == word, _ROW.holder_is_legal_person.is_(sa.true()))
    return Certificate.id.in_(_certificates_with_term_prefix(word, field).union_all(held))


def _certificates_with_term_prefix(beginning: str, field: SearchField | None) -> sa.Select[UUID]:
    words = sa.select(CertificateSearchTerm.certificate_id).where(
        CertificateSearchTerm.word >= beginning, CertificateSearchTerm.word < beginning + _LAST_CHARACTER
    )
    return words if field is None else words.where(CertificateSearchTerm.field == field.value)


def _filter_conditions(wanted: RegisterSearch, today: date) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.scheme:
        conditions.append(Certificate.scheme_code == wanted.scheme)
    if wanted.park:
        conditions.append(Certificate.park_code == wanted.park)
    if wanted.status is EffectiveStatus.EXPIRED:
        conditions += [Certificate.status.in_(_EXPIRING_STATUSES), Certificate.valid_until < today]
    elif wanted.status is not None:
        conditions.append(Certificate.status == wanted.status.value)
        if wanted.status.value in _EXPIRING_STATUSES:
            conditions.append(Certificate.valid_until >= today)
    return conditions
