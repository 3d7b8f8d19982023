"""Store evidence files under their SHA-256; the media type is determined from the content.

`stage` checks, hashes and writes a draft before the transaction of its row begins; `store` renames it inside the
transaction. The writer of SQLite therefore never waits for the disk, and a refused file leaves nothing. A file without
a row is harmless (`list_orphan_files` finds it); a row without a file is an error.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import struct
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final

from app.core.errors import Invalid, StorageFull, TooLarge, UnsupportedMedia
from app.core.files import sync_folder
from app.core.messages import Message

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXTENSIONS = {PDF: ".pdf", JPEG: ".jpg", PNG: ".png", XLSX: ".xlsx"}
CHUNK_BYTES = 1 << 20
RECENT_WRITE_AGE = timedelta(hours=1)
MIN_ORPHAN_AGE: Final = timedelta(days=1)
"""Younger files without a row may belong to an uncommitted transaction."""
_DRAFT_FOLDER: Final = ".drafts"
_REMOVAL_FOLDER: Final = ".aside"
_DISK_FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What the virus scanner said of a file."""

    signature: str | None
    """name of what was found; None: clean"""
    scanner: str
    """version of the scanner and its signatures"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    sha256: str
    size: int
    media_type: str
    scan: ScanResult | None = None
    """None: not scanned"""


@dataclass(frozen=True, slots=True)
class DraftFile:
    """Hold a checked and written file that no row names yet."""

    file: StoredFile
    path: Path

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def raising_storage_full() -> Iterator[None]:
    """Raise `StorageFull` when the disk or the user's quota is full."""
    try:
        yield
    except OSError as why:
        if why.errno in _DISK_FULL_ERRNOS:
            raise StorageFull from why
        raise


class EvidenceFileStore:
    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def stage(self, chunks: Iterable[bytes]) -> DraftFile:
        """Check, hash and write one file.

        Raises `TooLarge`, `Invalid` (empty), `UnsupportedMedia` or `StorageFull`; the draft is then deleted.
        """
        folder = self._folder / _DRAFT_FOLDER
        with raising_storage_full():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / secrets.token_hex(16)
            try:
                with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                    return DraftFile(self._write(file, chunks), path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def store(self, draft: DraftFile) -> None:
        """Give the file its final name. Call it in the transaction that inserts its row."""
        path = self.path(draft.file.sha256)
        with raising_storage_full():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            draft.path.rename(path)  # replaces an equal file and renews its age, see `remove_unreferenced`
            sync_folder(path.parent)

    def erase(self, sha256: str) -> None:
        """Remove a file that no row names. A file written again within the hour stays: its row may be uncommitted."""
        self.remove_unreferenced(self.path(sha256), time.time(), RECENT_WRITE_AGE)

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def iterate_old_files(self, now: float) -> Iterator[Path]:
        """Yield every file older than the safe age, drafts included. `now`: seconds since the epoch."""
        for path in sorted(self._folder.glob("*/*")):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and _is_older(path, MIN_ORPHAN_AGE, now):
                    yield path

    def can_be_referenced(self, path: Path) -> bool:
        """Return whether a row can name the file; drafts have no row."""
        return re.fullmatch(r"[0-9a-f]{64}", path.name) is not None and path == self.path(path.name)

    def remove_unreferenced(self, path: Path, now: float, age: timedelta = MIN_ORPHAN_AGE) -> bool:
        """Remove a file that no row names, unless it was written again within `age`: its row may be uncommitted."""
        aside = self._folder / _REMOVAL_FOLDER / path.name
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if not _is_older(aside, age, now):  # checked after the rename, because `store` may have replaced it in between
            aside.rename(path)
            return False
        aside.unlink()
        return True

    def _write(self, file: BinaryIO, chunks: Iterable[bytes]) -> StoredFile:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLarge(Message("A file may have at most %(limit)s bytes.", limit=self._max_bytes))
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid.at("/file", Message("The file is empty.", code="empty"))
        media_type = sniff_media_type(file)
        if media_type is None:
            raise UnsupportedMedia(
                "Only PDF, JPEG, PNG and XLSX without macros are accepted; the content decides, not the name."
            )
        file.flush()
        os.fsync(file.fileno())
        return StoredFile(digest.hexdigest(), size, media_type)


def _is_older(path: Path, age: timedelta, now: float) -> bool:
    return path.stat().st_mtime < now - age.total_seconds()


MAX_ZIP_ENTRIES: Final = 4_096
MAX_ZIP_DIRECTORY_BYTES: Final = 1 << 20
MAX_UNPACKED_BYTES: Final = 256 << 20
_ZIP_END_RECORD: Final = struct.Struct("<4s4H2LH")
"""End of the central directory of a zip: signature, disks, entries, bytes, offset, length of comment."""


def sniff_media_type(file: BinaryIO) -> str | None:
    """Return the media type of the content; None when it is not accepted."""
    file.seek(0)
    head = file.read(16)
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return PNG
    if head.startswith(b"PK\x03\x04"):
        return _workbook_type(file)
    return None


def _workbook_type(file: BinaryIO) -> str | None:
    """Return the media type of a workbook: a zip with its two parts and without macros. Nothing is unpacked.

    The directory is read only when it is small: one of 20 MB takes seconds and hundreds of megabytes. A declared
    unpacked size above that of any workbook is refused as a zip bomb.
    """
    if not _has_small_directory(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    names = {entry.filename for entry in entries}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return None
    return XLSX if {"[Content_Types].xml", "xl/workbook.xml"} <= names else None


def _has_small_directory(file: BinaryIO) -> bool:
    """Return whether the zip locates its directory unambiguously and it is small; checked before zipfile reads it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _ZIP_END_RECORD.size - 0xFFFF))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _ZIP_END_RECORD.size:
        return False
    _, _, _, _, entries, directory_bytes, _, comment_bytes = _ZIP_END_RECORD.unpack_from(tail, at)
    is_zip64 = tail[max(0, at - 20) : at].startswith(
        b"PK\x06\x07"
    )  # zip64 states other numbers elsewhere; 20 MB need none
    ends_here = at + _ZIP_END_RECORD.size + comment_bytes == len(tail)
    return not is_zip64 and ends_here and entries <= MAX_ZIP_ENTRIES and directory_bytes <= MAX_ZIP_DIRECTORY_BYTES
