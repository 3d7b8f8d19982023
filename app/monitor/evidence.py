"""Keep each finding in a file: both sides, their bytes as they were received, and the moment."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from app.core.dates import format_utc
from app.core.files import write_once
from app.monitor.public_service import Received


class FindingKind(StrEnum):
    CHECKPOINT_REFUSED = "checkpoint-refused"  # not signed by the key of the log
    LOG_KEY_CHANGED = "log-key-changed"
    LOG_SHRANK = "log-shrank"  # a checkpoint older than one that was seen before
    LOG_REWRITTEN = "log-rewritten"  # the entries do not lead from the last checkpoint to the new one
    FORK = "fork"  # two signed checkpoints that cannot be of one log
    UNWITNESSED = "unwitnessed"
    ENTRY_REFUSED = "entry-refused"
    ENTRY_BACKDATED = "entry-backdated"  # dated before entries that precede it in the log
    ISSUED_TWICE = "issued-twice"
    CHANGE_WITHOUT_ISSUE = "change-without-issue"
    CHANGE_AFTER_END = "change-after-end"
    ISSUED_WITHOUT_KEY = "issued-without-key"  # by a key that was not active in the log
    REISSUED_UNCALLED = "reissued-uncalled"  # signed anew, or differently, although no compromise took the token before
    KEY_NOT_LOGGED = "key-not-logged"
    KEY_MISSING = "key-missing"
    KEY_COMPROMISED = "key-compromised"  # a compromised key is still published as trusted
    TOKEN_MISSING = "token-missing"  # noqa: S105 (a kind of finding)
    TOKEN_DIFFERS = "token-differs"  # noqa: S105 (a kind of finding)
    ANSWER_DIFFERS = "answer-differs"
    REGISTER_DIFFERS = "register-differs"
    REGISTER_MISSING = "register-missing"
    NOT_LOGGED = "not-logged"  # a certificate of the register that the log does not contain
    LIST_REFUSED = "list-refused"
    LIST_BIT_CLEARED = "list-bit-cleared"
    LIST_BIT_MISSING = "list-bit-missing"
    LIST_BIT_UNEXPLAINED = "list-bit-unexplained"
    LISTS_DIFFER = "lists-differ"  # between two vantage points


@dataclass(frozen=True, slots=True)
class MonitorFinding:
    """A contradiction. `subject` is what it is about; `logged` are the bytes of log entries or signed notes."""

    kind: FindingKind
    subject: str
    detail: str
    received: tuple[Received, ...] = ()
    logged: tuple[bytes, ...] = ()

    @property
    def id(self) -> str:
        """Return the same text for the same contradiction, so that it is kept once."""
        told = hashlib.sha256(f"{self.kind}\n{self.subject}\n{self.detail}".encode()).hexdigest()[:12]
        return f"{self.kind}-{re.sub(r'[^A-Za-z0-9.-]+', '_', self.subject)[:60]}-{told}"

    def to_dict(self) -> dict[str, str]:
        return {"kind": self.kind.value, "subject": self.subject, "detail": self.detail, "evidence": f"{self.id}.json"}


class EvidenceFolder:
    """The folder `evidence`: a file for each finding, never overwritten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, finding: MonitorFinding, now: datetime, *, checkpoint: str | None) -> Path:
        """Write the file of a finding, unless it was found before."""
        content = {
            "v": 1,
            "kind": finding.kind.value,
            "subject": finding.subject,
            "detail": finding.detail,
            "found_at": format_utc(now),
            "last_verified_checkpoint": checkpoint,
            "received": _received(finding.received),
            "logged": [_encode(each) for each in finding.logged],
        }
        path = self.folder / f"{finding.id}.json"
        write_once(path, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")
        return path


def _received(answers: Sequence[Received]) -> list[dict[str, object]]:
    return [
        {
            "url": each.url,
            "status": each.status,
            "received_at": format_utc(each.at),
            "headers": [list(pair) for pair in each.headers],
            "body": _encode(each.body),
        }
        for each in answers
    ]


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
