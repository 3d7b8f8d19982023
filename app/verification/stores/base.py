"""Look up certificates: one indexed read on a held connection, without ORM or session.

Every statement is a transaction of its own, so that a revocation is visible in the next verification.
"""

from collections.abc import Sequence
from typing import Protocol

from app.certificates.read_model.snapshot import Snapshot
from app.core.errors import Unavailable


class DatabaseUnavailable(Unavailable):
    """The database did not answer: no certificate can be verified."""

    def __init__(self) -> None:
        super().__init__("The register cannot be read at the moment. Try again shortly.")


class SnapshotStore(Protocol):
    """Look up snapshots of certificates.

    Every method raises `DatabaseUnavailable` when the database does not answer, also after one reconnect.

    Numbers are texts in display form; a signed hash has 32 bytes. A row is what the database holds: it proves nothing
    before it was checked, and a missing one proves nothing either.
    """

    async def open(self) -> None:
        """Open connections. Call once, in the event loop that makes the look-ups."""

    async def close(self) -> None: ...

    def snapshot_now(self, text: str) -> Snapshot | None:
        """Return the snapshot of a number in exact display form, without waiting.

        For the event loop only. None proves nothing: a store that must wait for its database, or cannot reach it,
        always returns None.
        """

    def snapshot_now_by_hash(self, signed_hash: bytes) -> Snapshot | None:
        """Return the snapshot by the hash of what was signed, without waiting."""

    async def find_snapshot(self, number: str) -> Snapshot | None: ...

    async def find_snapshot_by_hash(self, signed_hash: bytes) -> Snapshot | None:
        """Return the snapshot of the certificate whose token has this hash of `header.payload`."""

    async def find_snapshots(self, numbers: Sequence[str]) -> dict[str, Snapshot]:
        """Return the snapshots of these numbers, by number: one query."""

    async def find_snapshots_by_hash(self, signed_hashes: Sequence[bytes]) -> dict[bytes, Snapshot]:
        """Return the snapshots with these hashes, by signed hash: one query."""
