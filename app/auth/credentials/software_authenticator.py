"""Sign decisions with a P-256 key in a file, in the format of WebAuthn.

For people without a browser, for the demo and for tests. Whoever has the file confirms in its owner's name, so it is
private to its owner (mode 600), as every key file.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

from app.auth.credentials.relying_party import RelyingParty, challenge_of, encode_assertion
from app.core.crypto.pem_files import UnsafeKeyFile, create_private_key, read_private_file, write_private

_PRESENT_AND_VERIFIED = 0x05
_HAS_CREDENTIAL = 0x40
_NO_COUNTER = bytes(4)
_NO_MODEL = bytes(16)


class SoftwareAuthenticator:
    """An authenticator whose key is in a file. Its credential id is the SHA-256 of its public key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        numbers = key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        self._cose: bytes = encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        self._id = hashlib.sha256(self._cose).digest()

    @classmethod
    def create(cls, path: Path) -> "SoftwareAuthenticator":
        """Create the key file; an existing one stays. Raises `UnsafeKeyFile`."""
        write_private(path, create_private_key()[1])
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> "SoftwareAuthenticator":
        """Read the key file. Raises FileNotFoundError, or `UnsafeKeyFile` for a wrong mode or content."""
        pem = read_private_file(path)
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError) as why:
            raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold a private key in PEM.") from why
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise UnsafeKeyFile(f"The key file {path} is refused. An authenticator has a P-256 key.")
        return cls(key)

    @property
    def credential_id(self) -> str:
        return bytes_to_base64url(self._id)

    @property
    def public_key(self) -> str:
        """Return the COSE key, in base64url."""
        return bytes_to_base64url(self._cose)

    def register(self, document: Mapping[str, Any], party: RelyingParty) -> dict[str, Any]:
        """Return the registration that answers the challenge of a document."""
        client_data = _client_data("webauthn.create", document, party)
        credential = _NO_MODEL + len(self._id).to_bytes(2, "big") + self._id + self._cose
        data = _authenticator_data(party, _PRESENT_AND_VERIFIED | _HAS_CREDENTIAL) + credential
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            {"clientDataJSON": bytes_to_base64url(client_data), "attestationObject": bytes_to_base64url(attestation)}
        )

    def confirm(self, document: Mapping[str, Any], party: RelyingParty) -> dict[str, Any]:
        """Return the assertion that confirms a document."""
        client_data = _client_data("webauthn.get", document, party)
        data = _authenticator_data(party, _PRESENT_AND_VERIFIED)
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "clientDataJSON": bytes_to_base64url(client_data),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(signature),
            }
        )

    def confirmation_header(self, document: Mapping[str, Any], party: RelyingParty) -> str:
        """Return the value of `Mik-Confirmation` that confirms a document."""
        return encode_assertion(self.confirm(document, party))

    def _credential(self, response: Mapping[str, str]) -> dict[str, Any]:
        ident = self.credential_id
        return {
            "id": ident,
            "rawId": ident,
            "type": "public-key",
            "response": dict(response),
            "clientExtensionResults": {},
        }


def _client_data(kind: str, document: Mapping[str, Any], party: RelyingParty) -> bytes:
    challenge = bytes_to_base64url(challenge_of(document))
    members = {"type": kind, "challenge": challenge, "origin": party.origin, "crossOrigin": False}
    return json.dumps(members, separators=(",", ":")).encode()


def _authenticator_data(party: RelyingParty, flags: int) -> bytes:
    return hashlib.sha256(party.id.encode()).digest() + bytes([flags]) + _NO_COUNTER
