"""Write rows as CSV and JSON Lines. Pure."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

BYTE_ORDER_MARK: Final = "\ufeff"
_FORMULA: Final = re.compile(r"""((?:^|[;\t\r\n])[\s"']*?)(?=[=+\-@＝＋－＠]|\A[\t\r\n])""")
"""Places where a spreadsheet may start a cell with a formula."""


def encode_csv(rows: Iterable[Sequence[str | None]]) -> bytes:
    """Encode rows by RFC 4180 in UTF-8. A cell that a spreadsheet would compute begins with an apostrophe."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_escape_formula(cell or "") for cell in row] for row in rows)
    return out.getvalue().encode()


def _escape_formula(cell: str) -> str:
    """Escape formulas, which a spreadsheet would otherwise compute.

    With Azerbaijani or Russian settings spreadsheets separate by semicolons or tabs, also inside quotes: a cell may
    start after each of them.
    """
    return _FORMULA.sub(r"\1'", cell)


def encode_json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Encode one JSON object per line, in UTF-8."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
