"""Reads files of strangers in a process of its own, with little memory and little time; nothing of them is kept."""

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
"""Seconds by the clock, on a busy machine too; of the processor a file gets 5."""
UNREADABLE_MESSAGE: Final = Message("This file cannot be read. Send a .jwt file, a PDF, or a picture of the code.")
_MAX_OUTPUT_BYTES: Final = 1_048_576


class UnreadableFile(Invalid):
    """No file that can hold a certificate, or one that takes too much to read."""

    code = "unreadable-file"


@dataclass(frozen=True, slots=True)
class FileContents:
    """`kind`: text, pdf or picture; `signature` of a PDF: ours, other, broken or none."""

    kind: str
    texts: tuple[str, ...]
    signature: str | None


class UploadReader:
    """One for each worker. `own_certificates`: SHA-256 fingerprints of the certificates that sign our papers."""

    def __init__(self, own_certificates: tuple[str, ...] = ()) -> None:
        self._own = own_certificates
        self._slots = anyio.Semaphore(MAX_CONCURRENT)

    async def read_file(self, data: bytes) -> FileContents:
        """Errors: TooLarge, UnreadableFile, Unavailable."""
        if len(data) > upload_reader_process.MAX_BYTES:
            raise TooLarge("A file may have at most 10 MB.")
        if self._slots.statistics().tasks_waiting >= MAX_WAITING:
            raise Unavailable("Too many files are waiting. Try again shortly.")
        async with self._slots:
            answer = await self._run_reader_process(data)
        if "refused" in answer:
            raise UnreadableFile(str(answer["refused"]))
        return FileContents(answer["kind"], tuple(answer["texts"]), answer["signature"])

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
        found: dict[str, str] = json.loads(out)
        return found
