"""Write files whole or not at all, and so that they outlive a power cut."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_once(path: Path, content: bytes) -> None:
    """Write a new file, for its owner alone, and its folder where there is none. The first writer of a path wins: a
    file that is there already stays, and a reader never sees half a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _draft(path, content, 0o600) as draft, suppress(FileExistsError):
        os.link(draft, path)
        sync_folder(path.parent)


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file in place of whatever has its name. A reader sees the old file or the new one."""
    with _draft(path, content, mode) as draft:
        draft.replace(path)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names of the files in this folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """The content under a name of its own beside the path, on the disk; removed afterwards where it is still there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)  # whatever the mask is
            os.fsync(descriptor)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
