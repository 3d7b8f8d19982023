"""Query and write certificate snapshots."""

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.certificates.model import Certificate, CertificateSnapshot
from app.certificates.read_model.snapshot import Snapshot
from app.core.database import PAGE_ROWS, core_table, page_of

_TABLE = core_table(CertificateSnapshot)
_COLUMNS = [_TABLE.c[name] for name in Snapshot._fields]
_BY_NUMBER = sa.select(*_COLUMNS).where(_TABLE.c.number.in_(sa.bindparam("numbers", expanding=True)))
_DELETE = sa.delete(_TABLE).where(
    sa.or_(
        _TABLE.c.number.in_(sa.bindparam("numbers", expanding=True)),
        _TABLE.c.signed_hash.in_(sa.bindparam("hashes", expanding=True)),
    )
)
_INSERT = sa.insert(_TABLE)


def replace(session: Session, snapshots: Sequence[Snapshot]) -> None:
    """Write snapshots in the place of any row that has the number or the hash of one, whoever wrote it."""
    if not snapshots:
        return
    session.execute(
        _DELETE, {"numbers": [each.number for each in snapshots], "hashes": [each.signed_hash for each in snapshots]}
    )
    session.execute(_INSERT, [each._asdict() for each in snapshots])


def delete(session: Session, numbers: Sequence[str]) -> None:
    if numbers:
        session.execute(_DELETE, {"numbers": list(numbers), "hashes": []})


def by_number(session: Session, numbers: Sequence[str]) -> dict[str, Snapshot]:
    """Return the rows of these numbers, as they are in the database."""
    if not numbers:
        return {}
    rows = session.execute(_BY_NUMBER, {"numbers": list(numbers)})
    return {row.number: Snapshot._make(row) for row in rows}


def iterate_numbers(session: Session) -> Iterator[Sequence[str]]:
    """Yield the numbers of all certificates in the order of their ids, in pages."""
    after = None
    while rows := page_of(session, sa.select(Certificate), Certificate.id, after, PAGE_ROWS):
        after = rows[-1].id
        yield [row.number for row in rows]
        session.expunge_all()


def list_without_snapshot(session: Session, now: int, voided: Mapping[str, int]) -> Iterator[Sequence[str]]:
    """Yield the numbers of certificates without a snapshot, or with one that is not good any more, in pages.

    Its time has passed, or its key is in `voided`: `kid` → index of the log entry that it must know.
    """
    good = sa.exists().where(
        _TABLE.c.number == Certificate.number,
        sa.or_(_TABLE.c.good_until.is_(None), _TABLE.c.good_until > now),
        *(sa.or_(_TABLE.c.kid != kid, _TABLE.c.log_seq >= seq) for kid, seq in voided.items()),
    )
    after = None
    while rows := page_of(session, sa.select(Certificate).where(~good), Certificate.id, after, PAGE_ROWS):
        after = rows[-1].id
        yield [row.number for row in rows]
        session.expunge_all()


def first(session: Session) -> Snapshot | None:
    row = session.execute(sa.select(*_COLUMNS).order_by(_TABLE.c.number).limit(1)).one_or_none()
    return Snapshot._make(row) if row else None


def orphan_number(session: Session) -> str | None:
    """Return the first number of a snapshot without a certificate."""
    has_certificate = sa.exists().where(Certificate.number == CertificateSnapshot.number)
    return session.scalars(
        sa.select(CertificateSnapshot.number).where(~has_certificate).order_by(CertificateSnapshot.number).limit(1)
    ).one_or_none()
