"""Read uploaded files in a separate process with limited memory and time; nothing is stored."""

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from typing import Final

import anyio

from app.core.errors import Invalid, TooLarge, Unavailable
from app.core.messages import Message
from app.documents import upload_reader_process

MAX_CONCURRENT: Final = 2
MAX_WAITING: Final = 16
TIMEOUT_S: Final = 20
"""Seconds of wall-clock time, on a busy machine too; the process has 5 s of processor time."""
UNREADABLE_MESSAGE: Final = Message("This file cannot be read. Send a .jwt file, a PDF, or a picture of the code.")
_MAX_OUTPUT_BYTES: Final = 1_048_576


class UnreadableFile(Invalid):
    """The file cannot contain a certificate, or takes too much memory or time to read."""

    code = "unreadable-file"


@dataclass(frozen=True, slots=True)
class FileContents:
    """Contents of an uploaded file.

    `kind` is text, pdf or picture; `signature` of a PDF is ours, other, broken or none.
    """

    kind: str
    texts: tuple[str, ...]
    signature: str | None


class UploadReader:
    """Read files; one instance per worker.

    `own_certificates` are SHA-256 fingerprints of the certificates that sign this service's PDF files.
    """

    def __init__(self, own_certificates: tuple[str, ...] = ()) -> None:
        self._own = own_certificates
        self._slots = anyio.Semaphore(MAX_CONCURRENT)

    async def read_file(self, data: bytes) -> FileContents:
        """Read a file. Raises `TooLarge`, `UnreadableFile`, `Unavailable`."""
        if len(data) > upload_reader_process.MAX_BYTES:
            raise TooLarge("A file may have at most 10 MB.")
        if self._slots.statistics().tasks_waiting >= MAX_WAITING:
            raise Unavailable("Too many files are waiting. Try again shortly.")
        async with self._slots:
            output = await self._run_reader_process(data)
        if "refused" in output:
            raise UnreadableFile(str(output["refused"]))
        return FileContents(output["kind"], tuple(output["texts"]), output["signature"])

    async def _run_reader_process(self, data: bytes) -> dict[str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            upload_reader_process.__name__,
            *self._own,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(data), TIMEOUT_S)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            out = b""
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not out or len(out) > _MAX_OUTPUT_BYTES:
            raise UnreadableFile(UNREADABLE_MESSAGE)
        result: dict[str, str] = json.loads(out)
        return result
