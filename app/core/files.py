"""Write files atomically and durably."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_once(path: Path, content: bytes) -> None:
    """Create a file for its owner alone, and its folder if missing. The first writer of a path wins.

    An existing file stays as it is, and a reader never sees a partial file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _draft(path, content, 0o600) as draft, suppress(FileExistsError):
        os.link(draft, path)
        sync_folder(path.parent)


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file atomically. A reader sees the old content or the new one."""
    with _draft(path, content, mode) as draft:
        draft.replace(path)
        sync_folder(path.parent)


def publish_file(path: Path, content: bytes) -> bool:
    """Replace a file that a web server serves, and its folders if missing; return whether its content is new.

    Everybody may read it. Its time of change always moves by a second, because web servers derive the `ETag` from it.
    """
    try:
        if path.read_bytes() == content:
            return False
        before = path.stat().st_mtime
    except FileNotFoundError:
        before = 0.0
        make_public_folder(path.parent)
    with _draft(path, content, 0o644) as draft:
        if draft.stat().st_mtime < before + 1:
            os.utime(draft, (before + 1, before + 1))
        draft.replace(path)
    sync_folder(path.parent)
    return True


def make_public_folder(folder: Path) -> None:
    """Make a folder with its parents that everybody may read, whatever the umask is; existing ones stay as they are."""
    if not folder.is_dir():
        make_public_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def sync_folder(folder: Path) -> None:
    """Flush the directory entries of this folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """Write the content to a temporary file beside the path, flushed to the disk; it is removed afterwards."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)  # independent of the umask
            os.fsync(descriptor)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
