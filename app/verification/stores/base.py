"""Looking up what the register holds: one indexed read on a held connection, without ORM or session.

A look-up never sees its own old snapshot: every statement is a transaction by itself, so a revocation shows in the very
next check.
"""

from collections.abc import Sequence
from typing import Protocol

from app.certificates.read_model.record import CertificateRecord
from app.core.errors import Unavailable


class DatabaseUnavailable(Unavailable):
    """The database did not answer: nothing can be said about any certificate."""

    def __init__(self) -> None:
        super().__init__("The register cannot be read at the moment. Try again shortly.")


class CertificateStore(Protocol):
    """Every look-up raises RegisterAway where the database does not answer, also after connecting anew.

    Numbers are texts in display form; a signed hash is 32 bytes. Extracts (`certificates/extract.py`) are for those who
    only print them; one that is missing says nothing, since a certificate may be without.
    """

    async def open(self) -> None:
        """To be called once, in the event loop that will ask."""

    async def close(self) -> None: ...

    def snapshot_now(self, text: str) -> bytes | None:
        """The extract of the number that this text is, letter by letter, without waiting and for the event loop alone.

        None says nothing: a store that has to wait for its database, or cannot reach it, knows none at once.
        """

    def snapshot_now_by_hash(self, signed_hash: bytes) -> bytes | None:
        """The same by what was signed."""

    async def find_snapshot(self, number: str) -> bytes | None: ...

    async def find_snapshot_by_hash(self, signed_hash: bytes) -> bytes | None:
        """Of the certificate whose token has this `header.payload`."""

    async def find_snapshots(self, numbers: Sequence[str]) -> dict[str, bytes]:
        """What the register holds of these, by number: one query."""

    async def find_snapshots_by_hash(self, signed_hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        """The same by signed hash."""

    async def find(self, number: str) -> CertificateRecord | None:
        """The row itself, with what the public log says of it."""

    async def find_many(self, numbers: Sequence[str]) -> dict[str, CertificateRecord]:
        """What the register holds of these, by number: one query."""

    def find_many_sync(self, numbers: Sequence[str]) -> dict[str, CertificateRecord]:
        """The same for threads and the command line."""
