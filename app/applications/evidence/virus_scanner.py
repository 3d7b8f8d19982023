"""Scan uploaded files for viruses with a scanner that the operator runs (ClamAV's `clamd`), and require clean ones.

Off by default. Where scanning is on, a file without a clean scan is neither opened nor confirmed nor submitted. A file
is scanned at its upload; what arrived while the scanner was away, or before it was switched on, waits for the sweep.
"""

import re
import socket
import struct
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.evidence.file_store import CHUNK_BYTES, EvidenceFileStore, ScanResult
from app.applications.model import Evidence
from app.audit import recorder
from app.core.actor import SYSTEM
from app.core.errors import Conflict, Invalid
from app.core.messages import Message

SCANNER_KEY: Final = "virus_scanner"
"""Key of the scanner in `Session.info`; missing or None: scanning is off."""
_TIMEOUT_SECONDS: Final = 60.0
_LENGTH: Final = struct.Struct(">I")
_SAFE_SIGNATURE: Final = re.compile(r"[^A-Za-z0-9._:()/-]")


class ScannerUnavailable(Exception):
    """The scanner cannot be reached, or did not scan the file."""


class VirusScanner(Protocol):
    def scan(self, path: Path) -> ScanResult:
        """Scan one file. Raises `ScannerUnavailable`."""
        ...


class ClamdScanner:
    """Send files to `clamd` by its stream command, so that it needs no right to read them.

    `address`: `unix:/run/clamav/clamd.ctl` or `tcp://127.0.0.1:3310`.
    """

    def __init__(self, address: str, timeout: float = _TIMEOUT_SECONDS) -> None:
        self._parts = urlsplit(address)
        self._timeout = timeout

    def scan(self, path: Path) -> ScanResult:
        with path.open("rb") as file:
            answer = self._ask(b"INSTREAM", iter(lambda: file.read(CHUNK_BYTES), b""))
        version = self._ask(b"VERSION")
        if answer == "stream: OK":
            return ScanResult(None, version)
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            found = answer.removeprefix("stream: ").removesuffix(" FOUND")
            return ScanResult(_SAFE_SIGNATURE.sub("_", found)[:100] or "unnamed", version)
        raise ScannerUnavailable(f"The virus scanner did not scan the file: {answer[:200]}")

    def _ask(self, command: bytes, chunks: Iterable[bytes] | None = None) -> str:
        try:
            with self._connect() as connection:
                connection.sendall(b"z" + command + b"\0")
                if chunks is not None:
                    self._send(connection, chunks)
                return _read_answer(connection)
        except OSError as why:
            raise ScannerUnavailable(f"The virus scanner does not answer: {why}") from why

    def _connect(self) -> socket.socket:
        if self._parts.scheme == "tcp":
            return socket.create_connection((self._parts.hostname or "", self._parts.port or 3310), self._timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self._timeout)
        try:
            connection.connect(self._parts.path)
        except OSError:
            connection.close()
            raise
        return connection

    @staticmethod
    def _send(connection: socket.socket, chunks: Iterable[bytes]) -> None:
        """Send the content in chunks. A scanner that refuses the size closes early and has then said why."""
        try:
            for chunk in chunks:
                connection.sendall(_LENGTH.pack(len(chunk)) + chunk)
            connection.sendall(_LENGTH.pack(0))
        except (BrokenPipeError, ConnectionResetError):
            return


def _read_answer(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 4_096 and (part := connection.recv(4_096)):
        answer += part
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


def scanner_from(address: str) -> VirusScanner | None:
    """Return the scanner of the setting; None where it is empty."""
    return ClamdScanner(address) if address else None


def scan_upload(scanner: VirusScanner | None, path: Path) -> ScanResult | None:
    """Scan a file before it is stored. None: not scanned, it waits. Raises `Invalid` for an infected file."""
    if scanner is None:
        return None
    try:
        result = scanner.scan(path)
    except ScannerUnavailable:
        return None
    if result.signature is not None:
        raise Invalid.at(
            "/file",
            Message(
                "The virus scanner found “%(signature)s” in this file. Clean the file and send it again.",
                code="infected-file",
                signature=result.signature,
            ),
        )
    return result


def record_scan(session: Session, sha256: str, result: ScanResult, now: datetime) -> None:
    """Keep the result for the content; a later one replaces it."""
    application_repository.save_file_scan(session, sha256, result.signature, result.scanner, now)


def is_on(session: Session) -> bool:
    return session.info.get(SCANNER_KEY) is not None


def require_clean(session: Session, rows: Collection[Evidence]) -> None:
    """Require a clean scan of every document where scanning is on.

    Raises `Conflict` (`evidence-infected`, `evidence-not-scanned`) with the ids of the documents.
    """
    if not is_on(session):
        return
    scans = application_repository.find_file_scans(session, {row.sha256 for row in rows})
    infected = [row for row in rows if row.sha256 in scans and scans[row.sha256].signature is not None]
    if infected:
        raise Conflict(
            Message(
                "The virus scanner found something in these documents: %(files)s. Upload clean files instead of them.",
                files=sorted({row.file_name for row in infected}),
            ),
            code="evidence-infected",
            data={"documents": sorted(str(row.id) for row in infected)},
        )
    if waiting := [row for row in rows if row.sha256 not in scans]:
        raise Conflict(
            Message(
                "These documents still wait for the virus scanner: %(files)s. Try again later.",
                files=sorted({row.file_name for row in waiting}),
            ),
            code="evidence-not-scanned",
            data={"documents": sorted(str(row.id) for row in waiting)},
        )


def list_waiting(session: Session, limit: int = 1_000) -> list[str]:
    """Return hashes of stored files without a scan; none where scanning is off."""
    return application_repository.unscanned_hashes(session, limit) if is_on(session) else []


def scan_waiting(session: Session, sha256: str, files: EvidenceFileStore, now: datetime) -> ScanResult | None:
    """Scan one stored file and keep the result. None: the file or the scanner is away; it waits for the next run."""
    scanner: VirusScanner | None = session.info.get(SCANNER_KEY)
    if scanner is None:
        return None
    try:
        result = scanner.scan(files.path(sha256))
    except (ScannerUnavailable, FileNotFoundError):
        return None
    record_scan(session, sha256, result, now)
    if result.signature is not None:
        for row in application_repository.list_evidence_with(session, sha256):
            recorder.record(
                session,
                SYSTEM,
                "evidence.infected",
                ("evidence", row.id),
                now,
                case_id=row.application_id,
                organisation=row.organisation_id,
                signature=result.signature,
            )
    return result
