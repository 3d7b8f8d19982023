"""Evidence files: content-addressed under their SHA-256, judged by content and not by name.

A file is written and synced before the row that names it: a file without a row is harmless, a row without a file is
not.
"""

import hashlib
import io
import os
import secrets
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.messages import Message
from app.errors import Invalid, TooLarge, UnsupportedMedia

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXTENSIONS = {PDF: ".pdf", JPEG: ".jpg", PNG: ".png", XLSX: ".xlsx"}
CHUNK = 1 << 20
JUST_WRITTEN = 3_600
"""Seconds."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    sha256: str
    size: int
    media_type: str


class EvidenceFiles:
    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes

    def put(self, chunks: Iterable[bytes]) -> StoredFile:
        """Take in one file. Errors: TooLarge, Invalid where it is empty, UnsupportedMedia for other content."""
        content = bytearray()
        for chunk in chunks:
            content += chunk
            if len(content) > self._most:
                raise TooLarge(Message("A file may have at most %(limit)s bytes.", limit=self._most))
        if not content:
            raise Invalid.at("/file", Message("The file is empty.", code="empty"))
        data = bytes(content)
        media_type = seen_in(data)
        if media_type is None:
            raise UnsupportedMedia("Only PDF, JPEG, PNG and XLSX without macros are taken, judged by their content.")
        stored = StoredFile(hashlib.sha256(data).hexdigest(), len(data), media_type)
        self._write(self.path(stored.sha256), data)
        return stored

    def erase(self, sha256: str) -> None:
        """Remove a file that no row names any more. One that was written or sent again within the hour stays: its row
        may be about to come."""
        path = self.path(sha256)
        if path.is_file() and path.stat().st_mtime < time.time() - JUST_WRITTEN:
            path.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _write(self, path: Path, data: bytes) -> None:
        if path.exists():
            path.touch()
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.parent / f".{path.name}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def seen_in(data: bytes) -> str | None:
    """The media type that the content shows; None for everything that is not on the list."""
    if data.startswith(b"%PDF-"):
        return PDF
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return PNG
    if data.startswith(b"PK\x03\x04"):
        return _workbook(data)
    return None


def _workbook(data: bytes) -> str | None:
    """A zip is a workbook only with its two parts, and is refused with macros in it. Nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    return XLSX if {"[Content_Types].xml", "xl/workbook.xml"} <= names else None
