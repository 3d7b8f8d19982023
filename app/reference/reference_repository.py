"""Query parks and announced holidays."""

from collections.abc import Iterable, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import core_table, locked
from app.reference.model import Holiday, Park

_HOLIDAYS = sa.select(Holiday).order_by(Holiday.day)
_PARK = core_table(Park).c
_PARK_KINDS = sa.select(_PARK.code, _PARK.kind).where(_PARK.code.in_(sa.bindparam("codes", expanding=True)))


def find_park(session: Session, code: str) -> Park | None:
    return session.get(Park, code)


def list_parks(session: Session) -> Sequence[Park]:
    return session.scalars(sa.select(Park).order_by(Park.code)).all()


def get_park_kinds(session: Session, codes: Iterable[str]) -> dict[str, str]:
    return {row.code: row.kind for row in session.execute(_PARK_KINDS, {"codes": list(codes)})}


def list_holidays(session: Session, year: int | None = None, *, lock: bool = False) -> Sequence[Holiday]:
    """Return the announced days of one year or of all years, in order."""
    query = _HOLIDAYS
    if year is not None:
        query = query.where(Holiday.day.between(date(year, 1, 1), date(year, 12, 31)))
    return session.scalars(locked(query, lock)).all()


def replace_holidays(session: Session, year: int, rows: Sequence[Holiday]) -> None:
    for old in list_holidays(session, year):
        session.delete(old)
    session.flush()
    session.add_all(rows)
    session.flush()
