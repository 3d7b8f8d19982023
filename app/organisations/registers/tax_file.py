"""Parse the answer of the tax register: CSV with `voen` and `taxpayer_status`. Pure."""

import csv
import io
from collections.abc import Mapping
from typing import Final

from app.core.errors import Invalid
from app.core.messages import Message
from app.organisations.tax_number import InvalidVoen, parse_voen

COLUMNS: Final = ["voen", "taxpayer_status"]
ACTIVE: Final = "active"
STATUSES: Final = frozenset({ACTIVE, "suspended", "liquidated", "struck_off", "not_registered"})
_MAX_PROBLEMS: Final = 100
_WRONG_LINE: Final = Message("This line needs a VÖEN of its own and a known state of the taxpayer.", code="wrong-line")


def parse_tax_file(content: bytes) -> Mapping[str, str]:
    """Return VÖEN → state. Raises `Invalid` with every fault: a file is taken whole or not at all."""
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except (UnicodeDecodeError, csv.Error) as why:
        raise Invalid("The answer of the tax register is no CSV in UTF-8.") from why
    if not rows or rows[0][1] != COLUMNS:
        raise Invalid("The first line of the tax register must be: voen,taxpayer_status.")
    found: dict[str, str] = {}
    problems = []
    for line, row in rows[1:]:
        read = parse_voen(row[0]) if len(row) == len(COLUMNS) else None
        if read is None or isinstance(read, InvalidVoen) or row[1] not in STATUSES or read.digits in found:
            problems.append({"pointer": f"/lines/{line}", "detail": _WRONG_LINE})
        else:
            found[read.digits] = row[1]
    if problems:
        raise Invalid.with_errors(problems, shown=_MAX_PROBLEMS)
    return found
