"""Write and read a bundle: a folder of files for offline verification.

A bundle is written whole or not at all. `bundle.json` names each file with its SHA-256, which detects damage only;
status lists, proofs and the checkpoint are signed. The keys are as trustworthy as the channel by which the bundle was
received.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from app.certificates import certificate_number
from app.core import strict_json
from app.core.crypto import jwk, jws
from app.core.crypto.jws import PublicKey
from app.core.dates import format_utc
from app.core.errors import MikError
from app.transparency.signed_note import NoteRejected, parse_vkey
from app.verification.offline import OfflineSources

VERSION = 1
INDEX = "bundle.json"
MAX_FILE_BYTES = 16_777_216
MAX_INDEX_BYTES = 1_073_741_824  # a line for each certificate


class BundleRejected(MikError):
    """The folder is not a bundle, or a damaged one; the message tells the user what to do."""

    code = "bundle-refused"


def status_list_path(name: str) -> str:
    return f"status-lists/{name}.jwt"


def proof_path(number: str) -> str:
    return f"proofs/{number}.tlog-proof"


def write_bundle(folder: Path, issuer: str, files: Iterable[tuple[str, bytes]], now: datetime) -> int:
    """Write a bundle next to `folder`, then exchange the two, and return its number of files.

    Raises `BundleRejected` when `folder` contains other files.
    """
    if folder.is_symlink() or (folder.exists() and any(folder.iterdir()) and not (folder / INDEX).is_file()):
        raise BundleRejected(f"{folder} contains other files than a bundle: name a new folder.")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    hashes = {}
    try:
        shutil.rmtree(draft, ignore_errors=True)
        for path, content in files:
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            hashes[path] = hashlib.sha256(content).hexdigest()
        index = {"v": VERSION, "made_at": format_utc(now), "issuer": issuer, "files": hashes}
        (draft / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
        for item in [draft, *draft.rglob("*")]:
            item.chmod(0o755 if item.is_dir() else 0o644)  # bundles are passed on to others, whatever the umask is
        _exchange(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return len(hashes)


def _exchange(draft: Path, folder: Path) -> None:
    old = draft.with_suffix(".old")
    if folder.exists():
        folder.replace(old)
    try:
        draft.replace(folder)
    except OSError:
        if old.exists():
            old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class BundleFolder:
    """Read a bundle from a folder. Every method may raise `BundleRejected`."""

    folder: Path

    def sources(self) -> OfflineSources:
        """Load the keys; status lists and proofs are read when they are requested."""
        trusted = self._jwks("jwks.json")
        try:
            verifier = parse_vkey(self._text("log/vkey").strip())
        except NoteRejected as error:
            raise self._damaged("log/vkey", str(error)) from error
        return OfflineSources(
            issuer=self._index["issuer"],
            trusted=trusted,
            withdrawn={kid: key for kid, key in self._did_keys().items() if kid not in trusted},
            verifier=verifier,
            find_status_list=self._find_status_list,
            find_proof=self._find_proof,
            made_at=self._made_at,
        )

    @cached_property
    def _index(self) -> Mapping[str, Any]:
        try:
            content = strict_json.loads(_read(self.folder / INDEX, MAX_INDEX_BYTES))
        except OSError as error:
            raise BundleRejected(
                f"{self.folder} is not a bundle: its {INDEX} cannot be read ({error.strerror})."
            ) from error
        except ValueError as error:
            raise self._damaged(INDEX, "it is not JSON") from error
        if not isinstance(content, dict) or content.get("v") != VERSION:
            raise BundleRejected(f"{self.folder} is not a bundle that this version reads: make it again.")
        issuer, files = content.get("issuer"), content.get("files")
        if not (isinstance(issuer, str) and isinstance(files, dict)):
            raise self._damaged(INDEX, "it lacks issuer or files")
        return content

    @property
    def _made_at(self) -> datetime:
        try:
            made_at = datetime.fromisoformat(self._index["made_at"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(INDEX, "it does not say when it was made") from error
        if made_at.tzinfo is None:
            raise self._damaged(INDEX, "the time of its making has no offset")
        return made_at.astimezone(UTC)

    def _find_status_list(self, url: str) -> str | None:
        """Find a list by the last part of its address; the list itself names its full address."""
        name = url.rpartition("/")[2]
        if not re.fullmatch("[a-z]{1,20}-[0-9]{1,9}", name):
            return None
        return self._find_text(status_list_path(name))

    def _find_proof(self, number: str) -> str | None:
        return self._find_text(proof_path(number)) if certificate_number.parse_number(number) else None

    def _find_text(self, path: str) -> str | None:
        return self._text(path) if path in self._index["files"] else None

    def _jwks(self, path: str) -> Mapping[str, PublicKey]:
        try:
            return jwk.parse_jwks(self._bytes(path))
        except jws.UnusableKey as error:
            raise self._damaged(path, error.message) from error

    def _did_keys(self) -> Mapping[str, PublicKey]:
        """Return every key of the DID document by its id, including withdrawn keys."""
        try:
            methods = strict_json.loads(self._bytes("did.json"))["verificationMethod"]
            members = [{**method["publicKeyJwk"], "kid": method["id"]} for method in methods]
            return dict(jwk.parse_jwk(member) for member in members)
        except (ValueError, TypeError, KeyError, jws.UnusableKey) as error:
            raise self._damaged("did.json", "it is not a DID document with valid keys") from error

    def _text(self, path: str) -> str:
        try:
            return self._bytes(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._damaged(path, "it is not text") from error

    def _bytes(self, path: str) -> bytes:
        try:
            content = _read(self.folder / path, MAX_FILE_BYTES)
        except OSError as error:
            raise self._damaged(path, f"it cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self._index["files"].get(path):
            raise self._damaged(path, "it is not the file that was bundled")
        return content

    def _damaged(self, path: str, error: str) -> BundleRejected:
        return BundleRejected(f"The bundle {self.folder} is damaged at {path}: {error}. Fetch it again.")


def _read(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes)
