"""Keep the JSON documents that are made of the public keys until the keys change."""

import hashlib
from collections.abc import Callable
from typing import Any

from app import jws
from app.keys import KeyRing


class KeyDocuments:
    """The last document of each media type. Every worker sees a change of the keys within a second."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[KeyRing, bytes, str]] = {}

    def of(self, ring: KeyRing, media_type: str, members: Callable[[KeyRing], Any]) -> tuple[bytes, str]:
        """Return JSON and strong ETag; `members` makes them only of other keys than last time."""
        written = self._written.get(media_type)
        if written is None or written[0] is not ring:
            body = jws.dump_json(members(ring))
            written = self._written[media_type] = (ring, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        return written[1], written[2]
