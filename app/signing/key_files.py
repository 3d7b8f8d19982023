"""Load and create the certificate key files of this machine, one per key; the file adapter of `Signer`."""

from pathlib import Path

from app.core.crypto.jwk import did_kid, thumbprint
from app.core.crypto.jws import PublicKey
from app.core.crypto.pem_files import create_private_key, write_private
from app.core.crypto.signer import FileSigner, certificate_signer
from app.core.errors import Unavailable
from app.core.messages import Message

FIRST_KEY_FILE = "certificates.pem"
_KEY_FILE_PATTERN = "certificates*.pem"


class KeyFileMissing(Unavailable):
    """The active key is not on this machine."""

    code = "key-file-away"


def list_key_files(folder: Path) -> list[Path]:
    """List the certificate key files in this folder."""
    return sorted(folder.glob(_KEY_FILE_PATTERN))


class KeyFiles:
    """Signers by `kid`. A file added later is found at its first use."""

    def __init__(self, folder: Path, issuer: str) -> None:
        self._folder = folder
        self._issuer = issuer
        self._signers: dict[str, FileSigner] = {}

    def get_first_signer(self) -> FileSigner:
        """Return the signer of the first key; creates its file if missing."""
        return certificate_signer(self._folder / FIRST_KEY_FILE, self._issuer)

    def public_keys(self) -> dict[str, PublicKey]:
        """Return the public key of every file by `kid`. Raises `UnsafeKeyFile`."""
        self._load()
        return {kid: signer.public for kid, signer in self._signers.items()}

    def _load(self) -> None:
        found = (certificate_signer(path, self._issuer) for path in list_key_files(self._folder))
        self._signers = {signer.kid: signer for signer in found}

    def get_signer(self, kid: str) -> FileSigner:
        """Return the signer of a key. Raises `KeyFileMissing`, `UnsafeKeyFile`."""
        if kid not in self._signers:
            self._load()
        if kid not in self._signers:
            raise KeyFileMissing(
                Message(
                    "The file of the key %(kid)s is not in %(folder)s: put it there.", kid=kid, folder=str(self._folder)
                )
            )
        return self._signers[kid]

    def create_key(self) -> FileSigner:
        """Create a key in a file of its own, named after its thumbprint."""
        key, pem = create_private_key()
        write_private(self._folder / f"certificates-{thumbprint(key.public)}.pem", pem)
        return self.get_signer(did_kid(self._issuer, key.public))
