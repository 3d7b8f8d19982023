"""Keep the JSON documents that are made of the public keys until the keys change."""

from collections.abc import Callable
from typing import Any

from app import jws
from app.keys import KeyRing


class KeyDocuments:
    """The last document of each media type. Every worker sees a change of the keys within a second."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[KeyRing, bytes]] = {}

    def of(self, ring: KeyRing, media_type: str, members: Callable[[KeyRing], Any]) -> bytes:
        """Return JSON; `members` makes it only of other keys than last time."""
        written = self._written.get(media_type)
        if written is None or written[0] is not ring:
            written = self._written[media_type] = (ring, jws.dump_json(members(ring)))
        return written[1]
