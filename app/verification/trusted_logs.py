"""Decide which log a reader without a network trusts, and remember how much of it was seen."""

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core import strict_json
from app.core.dates import format_utc
from app.core.files import replace_file
from app.transparency.signed_note import NoteRejected, parse_vkey
from app.verification.offline_bundle import BundleArchive, BundleRejected, SeenLog, log_thumbprint


def default_state_file() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "mik" / "logs.json"


class LogTrust:
    """The key that the reader gives, or one that was pinned before; `pin` pins a new one."""

    def __init__(self, file: Path, vkey: str | None, thumbprint: str | None, *, pin: bool) -> None:
        self._file, self._vkey, self._thumbprint, self._may_pin = file, vkey, thumbprint, pin
        self._is_new_pin = False

    def require(self, named: str) -> SeenLog:
        """Return what was seen of the log with this key. Raises `BundleRejected` for a key that is not trusted."""
        try:
            name = parse_vkey(named).name
        except NoteRejected as error:
            raise BundleRejected(f"The bundle names no key of a log: {error}") from error
        known = self._load()
        pinned = {key for key, log in known.items() if log.get("name") == name and log.get("pinned")}
        if self._vkey is not None and self._vkey.strip() != named:
            raise BundleRejected(f"The bundle is of another log than --vkey names: its key is {named}.")
        if self._thumbprint is not None and self._thumbprint.strip().lower() != log_thumbprint(named):
            raise BundleRejected(f"The bundle is of another log than --thumbprint names: its key is {named}.")
        if self._vkey is None and self._thumbprint is None and named not in pinned:
            if pinned:
                raise BundleRejected(f"The bundle has another key of {name} than the one in {self._file}: {named}.")
            if not self._may_pin:
                raise BundleRejected(
                    f"Whose log is it? Give --vkey or --thumbprint from a source that you trust, or --pin to trust the"
                    f" key that the bundle names: {named} (thumbprint {log_thumbprint(named)})."
                )
            self._is_new_pin = True
        seen = known.get(named, {})
        try:
            return SeenLog(named, int(seen["size"]), base64.b64decode(seen["root"])) if seen else SeenLog(named)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable() from error

    def remember(self, archive: BundleArchive, now: datetime) -> list[str]:
        """Keep the key and the largest size, and return what the reader must know."""
        notes, named = [], archive.seen.vkey
        if self._is_new_pin:
            notes.append(
                f"First use: {named} is trusted from now on and kept in {self._file}. Compare its thumbprint with the"
                f" certification body: {log_thumbprint(named)}"
            )
        if archive.is_older_than_seen:
            notes.append(
                f"This bundle is older than one that was used before: {archive.size} entries instead of"
                f" {archive.seen.size}. Something may be hidden: ask for the newest."
            )
            return notes
        known = self._load()
        before: dict[str, Any] = known.get(named, {})
        known[named] = {
            "name": parse_vkey(named).name,
            "pinned": before.get("pinned") or (format_utc(now) if self._is_new_pin else None),
            "size": archive.size,
            "root": base64.b64encode(archive.root).decode("ascii"),
        }
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._file, json.dumps(known, indent=1).encode() + b"\n")
        except OSError as error:
            notes.append(f"{self._file} cannot be written ({error.strerror}): an older bundle will not be noticed.")
        return notes

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            known = strict_json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._unreadable() from error
        if not isinstance(known, dict) or not all(isinstance(each, dict) for each in known.values()):
            raise self._unreadable()
        return known

    def _unreadable(self) -> BundleRejected:
        return BundleRejected(f"{self._file} cannot be read: repair or remove it. It holds the keys that are trusted.")
