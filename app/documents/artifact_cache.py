"""Where papers and stamps that were made once are kept: they are signed, and a signature is never the same twice.

A folder of plain files that may be emptied at any time: what is missing is made again. One thing has one place; a newer
state of it takes the place of the older.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.core.files import write_once

log = logging.getLogger(__name__)


class ArtifactCache:
    """Workers and threads that make the same thing at once all hand out the one that was put in first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, owner: str, kind: str, key: str) -> bytes | None:
        """What is kept under these names, if anything. Names are of letters, digits, points and hyphens."""
        try:
            return self._path(owner, kind, key).read_bytes()
        except OSError:
            return None

    def get_or_create(self, owner: str, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
        """What is kept under these names, made now where nothing is. `key` names the state: older ones are removed."""
        found = self.get(owner, kind, key)
        if found is not None:
            return found
        made = make()
        path = self._path(owner, kind, key)
        try:
            write_once(path, made)
        except OSError as why:
            log.warning("%s cannot be kept: %s", path, why.strerror)
            return made
        for older in path.parent.glob(f"{kind}~*"):
            if older != path:
                older.unlink(missing_ok=True)
        return self.get(owner, kind, key) or made

    def delete(self, owner: str, kind: str, key: str) -> None:
        """Take away what turned out to be damaged."""
        with suppress(OSError):
            self._path(owner, kind, key).unlink()

    def _path(self, owner: str, kind: str, key: str) -> Path:
        return self._folder / owner[-1:] / owner / f"{kind}~{key}"
