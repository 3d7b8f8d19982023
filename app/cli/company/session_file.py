"""Keep the session of a signed-in person in a file that only they can read.

The folder is `mik` under XDG_CONFIG_HOME, else under `~/.config`. A refresh token works once: a lock beside the file
lets one process at a time renew it.
"""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from app.core.files import replace_file
from made_in_karabakh import Tokens

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
OTHERS_MAY_READ = stat.S_IRWXG | stat.S_IRWXO


class SessionUnusable(Exception):
    """There is no session, or its file cannot be relied on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SavedSession:
    url: str
    email: str
    tokens: Tokens


def session_path() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "mik" / "session.json"


def address_error(url: str) -> str | None:
    """Return what is wrong with the address of a service that a password is sent to."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return None
    if parts.scheme == "http" and parts.hostname in LOCAL_HOSTS:
        return None
    return f"{url} is refused: a password goes to an https address only, or to this machine."


class SessionFile:
    """Store the tokens of one session for the client library."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or session_path()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes out until the block ends."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a") as lock:
            lock_file = Path(lock.name)
            lock_file.chmod(0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> SavedSession:
        """Return the session. Raises `SessionUnusable`."""
        try:
            mode = self.path.stat().st_mode
            content = json.loads(self.path.read_text("utf-8"))
            tokens = Tokens(
                content["access_token"], datetime.fromisoformat(content["expires_at"]), content["refresh_token"]
            )
            saved = SavedSession(content["url"], content["email"], tokens)
        except FileNotFoundError:
            raise SessionUnusable("Nobody is signed in here: run `mik login`.") from None
        except (OSError, ValueError, KeyError, TypeError) as why:
            raise SessionUnusable(f"{self.path} is damaged: run `mik login` again.") from why
        if mode & OTHERS_MAY_READ:
            raise SessionUnusable(f"Others may read {self.path}. Remove it, and run `mik login` again.")
        return saved

    def begin(self, session: SavedSession) -> None:
        self._write(session)

    def load(self) -> Tokens | None:
        try:
            return self.read().tokens
        except SessionUnusable:
            return None

    def save(self, tokens: Tokens) -> None:
        saved = self.read()
        self._write(SavedSession(saved.url, saved.email, tokens))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _write(self, session: SavedSession) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {
            "url": session.url,
            "email": session.email,
            "access_token": session.tokens.access_token,
            "expires_at": session.tokens.expires_at.isoformat(),
            "refresh_token": session.tokens.refresh_token,
        }
        replace_file(self.path, json.dumps(content, indent=1).encode(), 0o600)
