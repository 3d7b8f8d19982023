"""Remember what a monitor has read: one SQLite file in its folder, changed in transactions of a batch each.

Memory stays bounded however long the log is, and a run that was killed goes on where the last batch ended.
"""

import base64
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.core.dates import format_utc
from app.monitor.evidence import MonitorFinding
from app.transparency.log_entry import Entry, parse_entry

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS issues (
    number TEXT PRIMARY KEY, seq INTEGER NOT NULL, entry BLOB NOT NULL, facts TEXT,
    revocation_list TEXT, revocation_index INTEGER, suspension_list TEXT, suspension_index INTEGER, examined_at TEXT
);
CREATE INDEX IF NOT EXISTS issues_by_revocation ON issues (revocation_list, revocation_index);
CREATE INDEX IF NOT EXISTS issues_by_suspension ON issues (suspension_list, suspension_index);
CREATE INDEX IF NOT EXISTS issues_by_examination ON issues (examined_at, seq);
CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY, number TEXT NOT NULL, entry BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS changes_by_number ON changes (number, seq);
CREATE TABLE IF NOT EXISTS keys (seq INTEGER PRIMARY KEY, kid TEXT NOT NULL, entry BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS lists (url TEXT PRIMARY KEY, token BLOB, bits BLOB, seen_at TEXT);
CREATE TABLE IF NOT EXISTS pending (number TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS findings (id TEXT PRIMARY KEY, content TEXT NOT NULL);
"""


class Position(NamedTuple):
    """How far the log was read: the number of entries, the hashes of their compact range, the latest moment in them."""

    size: int
    compact_range: tuple[bytes, ...]
    latest: datetime | None = None


class KnownIssue(NamedTuple):
    seq: int
    entry: Entry
    content: bytes
    facts: Mapping[str, Any] | None


class KnownEntry(NamedTuple):
    seq: int
    entry: Entry
    content: bytes


class MonitorState:
    """The state of one monitor of one log."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._connection = sqlite3.connect(folder / "monitor.sqlite3", isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Write everything inside in one transaction, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def get(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def position(self, name: str) -> Position:
        """Return a position in the log: `verified` or `read`."""
        kept = json.loads(self.get(name) or '{"size": 0, "range": []}')
        latest = kept.get("latest")
        hashes = tuple(map(base64.b64decode, kept["range"]))
        return Position(kept["size"], hashes, datetime.fromisoformat(latest) if latest else None)

    def set_position(self, name: str, position: Position) -> None:
        hashes = [base64.b64encode(each).decode("ascii") for each in position.compact_range]
        latest = position.latest.isoformat() if position.latest else None
        self.set(name, json.dumps({"size": position.size, "range": hashes, "latest": latest}))

    def forget_from(self, size: int) -> None:
        """Remove what was read from entries that turned out not to be in the log as signed."""
        for table in ("issues", "changes", "keys"):
            self._connection.execute(f"DELETE FROM {table} WHERE seq >= ?", (size,))  # noqa: S608 (our own names)

    def add_issue(self, number: str, seq: int, content: bytes) -> bool:
        """Return whether it is the first issue of this number."""
        statement = "INSERT OR IGNORE INTO issues (number, seq, entry) VALUES (?, ?, ?)"
        return self._connection.execute(statement, (number, seq, content)).rowcount == 1

    def add_change(self, number: str, seq: int, content: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?, ?)", (seq, number, content))

    def add_key_entry(self, kid: str, seq: int, content: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (seq, kid, content))

    def find_issue(self, number: str) -> KnownIssue | None:
        row = self._connection.execute("SELECT seq, entry, facts FROM issues WHERE number = ?", (number,)).fetchone()
        return KnownIssue(row[0], parse_entry(row[1]), row[1], json.loads(row[2]) if row[2] else None) if row else None

    def changes_of(self, number: str) -> Sequence[KnownEntry]:
        rows = self._connection.execute("SELECT seq, entry FROM changes WHERE number = ? ORDER BY seq", (number,))
        return [KnownEntry(seq, parse_entry(content), content) for seq, content in rows]

    def key_entries(self) -> Mapping[str, Sequence[KnownEntry]]:
        found: dict[str, list[KnownEntry]] = {}
        for kid, seq, content in self._connection.execute("SELECT kid, seq, entry FROM keys ORDER BY seq"):
            found.setdefault(kid, []).append(KnownEntry(seq, parse_entry(content), content))
        return found

    def set_facts(
        self, number: str, facts: Mapping[str, Any], places: Mapping[str, tuple[str, int]], now: datetime
    ) -> None:
        """Keep what the token of a certificate states, and its places in the status lists."""
        self._connection.execute(
            "UPDATE issues SET facts = ?, revocation_list = ?, revocation_index = ?, suspension_list = ?,"
            " suspension_index = ?, examined_at = ? WHERE number = ?",
            (
                json.dumps(facts, ensure_ascii=False),
                *places["revocation"],
                *places["suspension"],
                format_utc(now),
                number,
            ),
        )
        for url, _ in places.values():
            self._connection.execute("INSERT OR IGNORE INTO lists (url) VALUES (?)", (url,))

    def add_pending(self, numbers: Iterable[str]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO pending VALUES (?)", ((each,) for each in numbers))

    def remove_pending(self, number: str) -> None:
        self._connection.execute("DELETE FROM pending WHERE number = ?", (number,))

    def next_pending(self, after: str, limit: int) -> Sequence[str]:
        rows = self._connection.execute(
            "SELECT number FROM pending WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
        )
        return [number for (number,) in rows]

    def longest_unexamined(self, count: int) -> Sequence[str]:
        rows = self._connection.execute(
            "SELECT number FROM issues WHERE examined_at IS NOT NULL ORDER BY examined_at, seq LIMIT ?", (count,)
        )
        return [number for (number,) in rows]

    def list_urls(self) -> Sequence[str]:
        return [url for (url,) in self._connection.execute("SELECT url FROM lists ORDER BY url")]

    def get_list(self, url: str) -> tuple[bytes | None, bytes | None]:
        """Return the token of a list and the bits that it must keep."""
        row = self._connection.execute("SELECT token, bits FROM lists WHERE url = ?", (url,)).fetchone()
        return row or (None, None)

    def set_list(self, url: str, token: bytes, bits: bytes, now: datetime) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?)", (url, token, bits, format_utc(now))
        )

    def changed_in_list(self, url: str, purpose: str) -> Iterator[tuple[str, int]]:
        """Yield number and index of each certificate of this list with a change of status."""
        yield from self._connection.execute(
            f"SELECT DISTINCT issues.number, {purpose}_index FROM issues JOIN changes USING (number)"  # noqa: S608 (a closed list)
            f" WHERE {purpose}_list = ?",
            (url,),
        )

    def number_at(self, url: str, purpose: str, index: int) -> str | None:
        row = self._connection.execute(
            f"SELECT number FROM issues WHERE {purpose}_list = ? AND {purpose}_index = ?",  # noqa: S608 (a closed list)
            (url, index),
        ).fetchone()
        return row[0] if row else None

    def count_issues(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM issues").fetchone()[0])

    def add_finding(self, finding: MonitorFinding) -> bool:
        """Return whether it is new."""
        statement = "INSERT OR IGNORE INTO findings VALUES (?, ?)"
        return self._connection.execute(statement, (finding.id, json.dumps(finding.to_dict()))).rowcount == 1
