"""Cache rendered documents and QR tokens in files: their signatures cannot be reproduced.

The folder may be emptied at any time: what is missing is rendered again. Each document has one file; a newer version
replaces an older one.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.core.files import write_once

log = logging.getLogger(__name__)


class ArtifactCache:
    """Cache files by owner, kind and key.

    Workers and threads that create the same file at once all return the one that was written first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, owner: str, kind: str, key: str) -> bytes | None:
        """Return the cached file, or None. Names have only letters, digits, dots and hyphens."""
        try:
            return self._path(owner, kind, key).read_bytes()
        except OSError:
            return None

    def get_or_create(self, owner: str, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
        """Return the cached file; create it where there is none.

        `key` names the version: files of the same owner and kind with another key are deleted.
        """
        found = self.get(owner, kind, key)
        if found is not None:
            return found
        content = make()
        path = self._path(owner, kind, key)
        try:
            write_once(path, content)
        except OSError as error:
            log.warning("%s cannot be cached: %s", path, error.strerror)
            return content
        for older in path.parent.glob(f"{kind}~*"):
            if older != path:
                older.unlink(missing_ok=True)
        return self.get(owner, kind, key) or content

    def delete(self, owner: str, kind: str, key: str) -> None:
        """Delete a damaged file."""
        with suppress(OSError):
            self._path(owner, kind, key).unlink()

    def _path(self, owner: str, kind: str, key: str) -> Path:
        return self._folder / owner[-1:] / owner / f"{kind}~{key}"
