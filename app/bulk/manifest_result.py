"""Build and check the signed result of a manifest. Pure.

The token names the file that was sent, the hash of the rows of the result, how often each verdict is among them,
between which moments they were evaluated, and the checkpoint of the public log at the end.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.core.errors import MikError
from app.core.table_writer import encode_csv
from app.verification.verdict import Verdict

COLUMNS: Final = ("line", "sent", "number", "verdict", "valid_until", "as_of")
_MEMBERS: Final = frozenset(
    {"iss", "sub", "iat", "manifest", "result", "total", "verdicts", "evaluated", "log_checkpoint"}
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ROWS_MEDIA_TYPE: Final = "text/csv"


class ResultNotSound(MikError):
    """A result that was about to be signed contradicts itself."""

    code = "result-not-sound"


@dataclass(frozen=True, slots=True)
class LintedResult:
    """A payload that `lint_result` has checked; only that function makes one."""

    payload: Mapping[str, Any]


def header_row() -> bytes:
    return encode_csv([COLUMNS])


def result_rows(
    first_line: int, numbers: Iterable[str], results: Iterable[Iterable[str | None]], evaluated_at: datetime
) -> bytes:
    """Encode the rows of a part; `first_line` counts the numbers of the manifest from 1."""
    as_of = _moment(evaluated_at)
    rows = enumerate(zip(numbers, results, strict=True), start=first_line)
    return encode_csv((str(line), sent, *found, as_of) for line, (sent, found) in rows)


def build_payload(
    *,
    issuer: str,
    manifest_id: UUID,
    sent_sha256: str,
    rows_sha256: str,
    total: int,
    verdicts: Mapping[str, int],
    first: datetime,
    last: datetime,
    checkpoint: str,
    now: datetime,
) -> dict[str, Any]:
    return {
        "iss": issuer,
        "sub": manifest_id.urn,
        "iat": int(now.timestamp()),
        "manifest": {"sha256": sent_sha256},
        "result": {"sha256": rows_sha256, "media_type": _ROWS_MEDIA_TYPE},
        "total": total,
        "verdicts": dict(sorted(verdicts.items())),
        "evaluated": {"from": _moment(first), "until": _moment(last)},
        "log_checkpoint": checkpoint,
    }


def lint_result(payload: Mapping[str, Any], now: datetime) -> LintedResult:
    """Check a result before it is signed. Raises `ResultNotSound` with every fault."""
    faults = [
        *(["members"] if payload.keys() != _MEMBERS else []),
        *(["total"] if sum(payload["verdicts"].values()) != payload["total"] or payload["total"] < 1 else []),
        *(["verdicts"] if not payload["verdicts"].keys() <= {each.value for each in Verdict} else []),
        *(["sha256"] if not all(_SHA256.fullmatch(payload[each]["sha256"]) for each in ("manifest", "result")) else []),
        *(["moments"] if not payload["evaluated"]["from"] <= payload["evaluated"]["until"] <= _moment(now) else []),
        *(["log_checkpoint"] if not payload["log_checkpoint"] else []),
    ]
    if faults:
        raise ResultNotSound(f"The result is not signed; wrong: {', '.join(faults)}.")
    return LintedResult(payload)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
