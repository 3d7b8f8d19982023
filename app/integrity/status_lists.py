"""Compare the published status lists with the certificates; report the first bit that differs."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.certificates import status_list, status_list_repository
from app.certificates.model import StatusListRow
from app.certificates.status_list import Purpose, StatusListRejected, list_name
from app.certificates.status_list_publisher import expected_bits
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey


@dataclass(frozen=True, slots=True)
class StatusListReport:
    lists: int  # lists checked
    certificates: int
    error: str | None


def check_status_lists(session: Session, keys: Mapping[str, PublicKey]) -> StatusListReport:
    """Check every certificate and every bit. `keys`: all that ever signed, by `kid`."""
    existing = set(status_list_repository.list_all(session))
    numbers = sorted({list_id for list_id, _ in existing} | set(status_list_repository.list_ids_in_use(session)))
    lists = certificates = 0
    for list_id in numbers:
        found = list(status_list_repository.iterate_statuses(session, list_id))
        for purpose in Purpose:
            row = status_list_repository.get_row(session, list_id, purpose.value)
            if row is None:
                return StatusListReport(lists, certificates, f"The list {list_name(list_id, purpose)} is missing.")
            expected = expected_bits(found, purpose)
            if difference := _first_difference(row, expected, found) or _token_error(row, keys):
                return StatusListReport(lists, certificates, f"{list_name(list_id, purpose)}: {difference}")
            lists += 1
            session.expunge(row)  # 16 KiB each
        certificates += len(found)
    return StatusListReport(lists, certificates, None)


def _first_difference(row: StatusListRow, expected: bytes, found: list[tuple[str, int, str]]) -> str | None:
    if len(row.bits) != len(expected):
        return f"It has {len(row.bits) * 8} bits instead of {len(expected) * 8}."
    if row.bits == expected:
        return None
    certificates = {index: (number, status) for number, index, status in found}
    bit = next(
        i for i in range(status_list.LIST_LENGTH) if status_list.is_set(row.bits, i) != status_list.is_set(expected, i)
    )
    bit_state = "set" if status_list.is_set(row.bits, bit) else "not set"
    if bit not in certificates:
        return f"Bit {bit} is set, but no certificate has this index."
    number, status = certificates[bit]
    return f"Bit {bit} is {bit_state}, but certificate {number} is {status}."


def _token_error(row: StatusListRow, keys: Mapping[str, PublicKey]) -> str | None:
    """Check the signed list: it may be older than the bits, but must not differ at the same version."""
    if row.token is None or row.token_version != row.version:
        return None
    try:
        listed = status_list.parse_status_list_credential(
            jws.verify(row.token, typ=jws.TYP_CREDENTIAL, keys=keys).payload
        )
    except jws.TokenRejected:
        return "The stored credential does not verify."
    except StatusListRejected as why:
        return f"The stored credential is refused: {why.message}"
    if listed.url.rpartition("/")[2] != list_name(row.list_id, row.purpose) or listed.purpose != row.purpose:
        return "The stored credential is that of another list."
    return None if listed.bits == row.bits else "The stored credential does not hold the bits of its row."
