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
from app.certificates.model import Certificate, CertificateStatus, CertificateWord, WordField
from app.certificates.read_model.search import Counts, Group, Search, Standing, standing_of
from app.core.database import page_of, table_of
from app.core.text.phonetic import phonetic_keys
from app.organisations.legal_forms import LEGAL_PERSON

_ROW = table_of(Certificate).c
_AFTER_ALL = "\U0010ffff"  # no word holds it: the end of all words with one beginning
_ENDS = (CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED)


_VOEN = re.compile(r"[0-9]{10}")
_VOEN_LABELS = frozenset(phonetic_keys("VÖEN"))
_ADD_WORDS = sa.insert(table_of(CertificateWord))


def add_words(session: Session, issued: Sequence[Certificate]) -> None:
    """Make certificates that were just stored findable. A VÖEN is no word: it is looked up whole, in their rows."""
    session.execute(_ADD_WORDS, [row for each in issued for row in _words_with(each)])


def _words_with(certificate: Certificate) -> Iterator[dict[str, Any]]:
    texts = {
        WordField.NUMBER: [certificate.number],
        WordField.HOLDER: [certificate.holder_name, certificate.holder_name_az or ""],
        WordField.PRODUCT: [*certificate.product_names.values(), certificate.gtin or ""],
        WordField.HS: ["HS", certificate.hs6],
        WordField.PLACE: [certificate.district, certificate.park_code or ""],
    }
    for field, word in words_of(texts):
        yield {"word": word, "field": field.value, "certificate_id": certificate.id}


def words_of(texts: Mapping[WordField, Sequence[str]]) -> Iterable[tuple[WordField, str]]:
    """Each word of each field once."""
    return dict.fromkeys(
        (field, word) for field, some in texts.items() for text in some for word in phonetic_keys(text)
    )


def search(
    session: Session,
    wanted: Search,
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
    query = query.where(*_found(wanted), *_narrowed(wanted, today))
    if before:
        query = query.where(Certificate.id < before)
    if after:
        query = query.where(Certificate.id > after)
    rows = session.scalars(query).all()
    return rows[::-1] if after else rows


def count(session: Session, wanted: Search, today: date) -> Counts:
    """How many certificates the words of this search find, by mark, park and standing."""
    past = sa.func.count().filter(Certificate.valid_until < today)
    groups = (Certificate.scheme_code, Certificate.park_code, Certificate.status)
    query = sa.select(*groups, sa.func.count(), past).where(*_found(wanted)).group_by(*groups)
    counted: dict[Group, int] = {}
    for scheme, park, status, found, ended in session.execute(query):
        for valid_until, many in ((today, found - ended), (date.min, ended)):
            group = Group(scheme, park, standing_of(status, valid_until, today))
            counted[group] = counted.get(group, 0) + many
    return Counts({group: many for group, many in counted.items() if many})


@dataclass(frozen=True, slots=True)
class State:
    """What the whole register was at a moment: another one when anything was issued or changed since."""

    certificates: int
    changes: int
    last: UUID | None


def state(session: Session) -> State:
    certificates, changes = session.execute(sa.select(sa.func.count(), sa.func.sum(Certificate.version))).one()
    last = session.scalar(sa.select(Certificate.id).order_by(Certificate.id.desc()).limit(1))
    return State(certificates, int(changes or 0), last)


def piece(session: Session, after: UUID | None, upto: UUID, limit: int) -> Sequence[Certificate]:
    """The next certificates of the whole register, oldest first, up to the last one that is meant."""
    query = sa.select(Certificate).options(defer(Certificate.token, raiseload=True)).where(Certificate.id <= upto)
    return page_of(session, query, Certificate.id, after, limit)


def _found(wanted: Search) -> list[sa.ColumnElement[bool]]:
    """What words, codes and the holder's identity ask for."""
    conditions: list[sa.ColumnElement[bool]] = []
    exact = certificate_number.parse(wanted.q) if wanted.q else None
    if exact is not None:
        conditions.append(Certificate.number == str(exact))
    elif wanted.q:
        conditions += _words(wanted.q)
    if wanted.holder:
        conditions += _words(wanted.holder, WordField.HOLDER)
    if wanted.product:
        conditions += _words(wanted.product, WordField.PRODUCT)
    if wanted.hs6:
        conditions += _words(wanted.hs6, WordField.HS)
    if wanted.organisation_id:
        conditions.append(Certificate.organisation_id == wanted.organisation_id)
    return conditions


def _words(text: str, field: WordField | None = None) -> list[sa.ColumnElement[bool]]:
    """Every word must be there; of a text without any, nothing can be found. Ten digits are a VÖEN too."""
    asked = certificate_number.western(text)
    words = phonetic_keys(asked)
    if field in (None, WordField.HOLDER):
        if _VOEN.fullmatch(digits := "".join(asked.split())):
            words = (digits,)
        if any(map(_VOEN.fullmatch, words)):
            words = tuple(word for word in words if word not in _VOEN_LABELS)
            return [_with_voen(word, field) for word in words]
    return [Certificate.id.in_(_with(word, field)) for word in words] or [sa.false()]


def _with_voen(word: str, field: WordField | None) -> sa.ColumnElement[bool]:
    """As a word or, where it can be one, as the VÖEN of a legal person; that of a natural person finds nothing."""
    if not _VOEN.fullmatch(word) or not word.endswith(LEGAL_PERSON):
        return Certificate.id.in_(_with(word, field))
    held = sa.select(_ROW.id).where(_ROW.holder_voen == word, _ROW.holder_is_legal_person.is_(sa.true()))
    return Certificate.id.in_(_with(word, field).union_all(held))


def _with(beginning: str, field: WordField | None) -> sa.Select[UUID]:
    words = sa.select(CertificateWord.certificate_id).where(
        CertificateWord.word >= beginning, CertificateWord.word < beginning + _AFTER_ALL
    )
    return words if field is None else words.where(CertificateWord.field == field.value)


def _narrowed(wanted: Search, today: date) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.scheme:
        conditions.append(Certificate.scheme_code == wanted.scheme)
    if wanted.park:
        conditions.append(Certificate.park_code == wanted.park)
    if wanted.status is Standing.EXPIRED:
        conditions += [Certificate.status.in_(_ENDS), Certificate.valid_until < today]
    elif wanted.status is not None:
        conditions.append(Certificate.status == wanted.status.value)
        if wanted.status.value in _ENDS:
            conditions.append(Certificate.valid_until >= today)
    return conditions
