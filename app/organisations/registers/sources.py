"""Get answers of a register of others: from a folder in which its files are dropped, or from an address.

A file in the folder is trusted as the folder is: only the register's owner may write there. An answer from an address
must be signed: its header `Register-Signature` is a JWS (ES256, `typ` `register+jwt`) over `register`, `sha256` of the
body and `iat`, by a key that the operator pinned.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import httpx2 as httpx

from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, TokenRejected

SIGNATURE_HEADER: Final = "Register-Signature"
MAX_AGE: Final = timedelta(days=2)
_AHEAD: Final = timedelta(minutes=5)
_TIMEOUT_S: Final = 30.0
_TOTAL_S: Final = 600


class RegisterUnavailable(Exception):
    """The register gave no answer that can be used; the message names why, for staff."""


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """What a register said. `stated_at`: when it says so itself; None for a file."""

    name: str
    content: bytes
    sha256: str
    stated_at: datetime | None
    signature: str | None


class RegisterSource(Protocol):
    """Where answers of a register come from."""

    def read(self, now: datetime) -> Iterator[ReceivedAnswer]:
        """Yield what there is, the oldest first, also what was yielded before. Raises `RegisterUnavailable`."""


@dataclass(frozen=True, slots=True)
class FileDrop:
    """The CSV files of a folder, by name. Files that are being written have another ending."""

    folder: Path
    max_bytes: int

    def read(self, now: datetime) -> Iterator[ReceivedAnswer]:  # noqa: ARG002 (the time of a file says nothing)
        try:
            paths = sorted(path for path in self.folder.iterdir() if path.suffix == ".csv" and path.is_file())
        except OSError as why:
            raise RegisterUnavailable(f"The folder {self.folder} cannot be read: {why.strerror}.") from why
        for path in paths:
            if path.stat().st_size > self.max_bytes:
                raise RegisterUnavailable(f"The file {path.name} is larger than {self.max_bytes} bytes.")
            content = path.read_bytes()
            yield ReceivedAnswer(path.name, content, hashlib.sha256(content).hexdigest(), None, None)


@dataclass(frozen=True, slots=True)
class HttpPull:
    """One address of a register, with the keys that sign its answers."""

    register: str
    url: str
    keys: Mapping[str, PublicKey]
    max_bytes: int
    transport: httpx.BaseTransport | None = None

    def read(self, now: datetime) -> Iterator[ReceivedAnswer]:
        content, signature = self._get()
        sha256 = hashlib.sha256(content).hexdigest()
        stated_at = self._verified_time(signature, sha256, now)
        yield ReceivedAnswer(self.url, content, sha256, stated_at, signature)

    def _get(self) -> tuple[bytes, str]:
        parts: list[bytes] = []
        size, began = 0, time.monotonic()
        try:
            with (
                httpx.Client(timeout=_TIMEOUT_S, transport=self.transport, trust_env=False) as http,
                http.stream("GET", self.url, follow_redirects=False) as answer,
            ):
                if answer.status_code != 200:
                    raise RegisterUnavailable(f"{self.url} answers {answer.status_code}.")
                for part in answer.iter_bytes():
                    if time.monotonic() - began > _TOTAL_S:
                        raise RegisterUnavailable(f"{self.url} takes longer than {_TOTAL_S} seconds.")
                    size += len(part)
                    if size > self.max_bytes:
                        raise RegisterUnavailable(f"{self.url} answers more than {self.max_bytes} bytes.")
                    parts.append(part)
                return b"".join(parts), answer.headers.get(SIGNATURE_HEADER, "")
        except httpx.HTTPError as why:
            raise RegisterUnavailable(f"{self.url} does not answer: {type(why).__name__}.") from why

    def _verified_time(self, signature: str, sha256: str, now: datetime) -> datetime:
        try:
            claims: Mapping[str, Any] = jws.verify(signature, typ=jws.TYP_REGISTER, keys=self.keys).payload
        except TokenRejected as why:
            raise RegisterUnavailable(f"The signature of {self.url} is refused: {why.reason}.") from why
        issued = claims.get("iat")
        if (claims.get("register"), claims.get("sha256")) != (self.register, sha256) or type(issued) is not int:
            raise RegisterUnavailable(f"The signature of {self.url} is for another register or another content.")
        try:
            stated_at = datetime.fromtimestamp(issued, UTC)
        except (OverflowError, ValueError, OSError) as why:
            raise RegisterUnavailable(f"The signature of {self.url} has no usable time.") from why
        if not now - MAX_AGE <= stated_at <= now + _AHEAD:
            raise RegisterUnavailable(f"The answer of {self.url} is of {stated_at:%Y-%m-%d %H:%M} UTC: not of today.")
        return stated_at


def source_from(
    register: str,
    address: str,
    keys: Mapping[str, PublicKey],
    max_bytes: int,
    transport: httpx.BaseTransport | None = None,
) -> RegisterSource:
    """Return the source that a setting names: an https address, or a folder."""
    if address.startswith("https://"):
        return HttpPull(register, address, keys, max_bytes, transport)
    return FileDrop(Path(address), max_bytes)
