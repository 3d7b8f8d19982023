"""Stream tables as CSV or JSON Lines in chunks, each read in a short transaction.

A slow client occupies no connection and no thread, and memory holds one chunk at a time.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Literal
from uuid import UUID

import anyio
import anyio.to_thread
from fastapi.responses import Response, StreamingResponse

BATCH_SIZE: Final = 500  # rows per chunk
EXPORT_LIMITER: Final = anyio.CapacityLimiter(2)
"""Chunks read at the same time in one worker, on threads outside the pool of other requests."""

Format = Literal["csv", "jsonl"]
MEDIA_TYPES: Final[Mapping[Format, str]] = {"csv": "text/csv", "jsonl": "application/x-ndjson"}

Chunk = tuple[bytes, UUID | None]
"""Bytes, and the id after which the next chunk begins; None: there is none."""
ReadChunk = Callable[[UUID | None], Chunk]


def streamed_file(head: bytes, read: ReadChunk, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return a response that sends `head` and then chunk after chunk.

    The first chunk is read before the headers are sent: where it is refused, the whole request is.
    """
    return StreamingResponse(_stream_chunks(head, read(None), read), headers=dict(headers), media_type=media_type)


async def _stream_chunks(head: bytes, first: Chunk, read: ReadChunk) -> AsyncIterator[bytes]:
    chunk, after = first
    yield head + chunk
    while after is not None:
        chunk, after = await anyio.to_thread.run_sync(read, after, limiter=EXPORT_LIMITER)
        yield chunk
