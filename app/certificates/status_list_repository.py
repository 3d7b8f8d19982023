"""Query and lock published status lists. Lock order: by number, then by purpose."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.certificates.model import Certificate, StatusListRow
from app.certificates.status_list import PURPOSES, Purpose, empty_bits
from app.core.database import core_table

BATCH_SIZE = 10_000
_TABLE = core_table(StatusListRow)
_ROW = _TABLE.c
_PURPOSES_OF = sa.select(_ROW.purpose).where(_ROW.list_id == sa.bindparam("list_id"))
_LOCK_BITS = (
    sa.select(_ROW.list_id, _ROW.purpose, _ROW.bits)
    .where(_ROW.list_id.in_(sa.bindparam("lists", expanding=True)))
    .order_by(_ROW.list_id, _ROW.purpose)
    .with_for_update()
)
_SET_BITS = (
    sa.update(_TABLE)
    .where(_ROW.list_id == sa.bindparam("which_list"), _ROW.purpose == sa.bindparam("which_purpose"))
    .values(bits=sa.bindparam("new_bits"), version=_ROW.version + 1)
)


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list as last signed; `is_current` is true where no bit has changed since."""

    token: str
    kid: str
    signed_at: datetime
    is_current: bool


def create_list(session: Session, list_id: int) -> None:
    """Create an empty list for each purpose; existing lists stay unchanged."""
    if len(session.execute(_PURPOSES_OF, {"list_id": list_id}).all()) == len(PURPOSES):
        return
    insert = sa.text(
        "INSERT INTO status_lists (list_id, purpose, version, bits) VALUES (:list_id, :purpose, 1, :bits) "
        "ON CONFLICT (list_id, purpose) DO NOTHING"
    )
    for purpose in PURPOSES:
        session.execute(insert, {"list_id": list_id, "purpose": purpose, "bits": empty_bits()})


def get_signed(session: Session, list_id: int, purpose: Purpose) -> SignedList | None:
    """Return the list as last signed, without its bits; None where it is missing or unsigned."""
    query = sa.select(
        StatusListRow.token,
        StatusListRow.kid,
        StatusListRow.signed_at,
        (StatusListRow.token_version == StatusListRow.version).label("is_current"),
    ).where(StatusListRow.list_id == list_id, StatusListRow.purpose == purpose.value, StatusListRow.token.is_not(None))
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    token, kid, signed_at, is_current = row
    assert token is not None and kid is not None and signed_at is not None  # a check constraint: all null or none
    return SignedList(token, kid, signed_at, is_current)


def lock_row(session: Session, list_id: int, purpose: Purpose) -> StatusListRow | None:
    query = (
        sa.select(StatusListRow)
        .where(StatusListRow.list_id == list_id, StatusListRow.purpose == purpose.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one_or_none()


def lock_bits(session: Session, lists: Collection[int]) -> dict[tuple[int, Purpose], bytes]:
    """Lock lists in order and return their bits by purpose; missing lists are left out."""
    rows = session.execute(_LOCK_BITS, {"lists": list(lists)})
    return {(row.list_id, Purpose(row.purpose)): row.bits for row in rows}


def set_bits(session: Session, list_id: int, purpose: Purpose, bits: bytes) -> None:
    """Store bits; the token signed before is no longer current."""
    session.execute(_SET_BITS, {"which_list": list_id, "which_purpose": purpose.value, "new_bits": bits})


def oldest_signature_at(session: Session) -> datetime | None:
    """Return the oldest signing time of all lists."""
    return session.scalar(sa.select(sa.func.min(StatusListRow.signed_at)))


def list_all(session: Session) -> Sequence[tuple[int, str]]:
    """Return number and purpose of each list, in order."""
    query = sa.select(StatusListRow.list_id, StatusListRow.purpose)
    return [(row[0], row[1]) for row in session.execute(query.order_by(StatusListRow.list_id, StatusListRow.purpose))]


def get_row(session: Session, list_id: int, purpose: str) -> StatusListRow | None:
    return session.get(StatusListRow, (list_id, purpose))


def iterate_statuses(session: Session, list_id: int) -> Iterator[tuple[str, int, str]]:
    """Yield number, index and status of every certificate of a list, by index."""
    query = (
        sa.select(Certificate.number, Certificate.status_index, Certificate.status)
        .where(Certificate.status_list_id == list_id)
        .order_by(Certificate.status_index)
        .execution_options(yield_per=BATCH_SIZE)
    )
    for each in session.execute(query):
        yield each[0], each[1], each[2]


def list_ids_in_use(session: Session) -> Sequence[int]:
    """Return the numbers of lists that certificates refer to."""
    query = sa.select(Certificate.status_list_id).distinct().order_by(Certificate.status_list_id)
    return session.scalars(query).all()
