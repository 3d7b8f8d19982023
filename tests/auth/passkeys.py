"""An authenticator in software that signs in with a passkey."""

import hashlib
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from tests.factories import ok

VERIFIED, PRESENT_ONLY, HAS_CREDENTIAL = 0x05, 0x01, 0x40


class PasskeyDevice(SoftwareAuthenticator):
    """Keeps one key and the handle of its account; what it says can be changed for each call."""

    def __init__(self, party):
        super().__init__(ec.generate_private_key(ec.SECP256R1()))
        self.party, self.handle, self.counter = party, None, 0

    def create(self, options, **said):
        """The answer to the options of a registration."""
        self.handle = options["user"]["id"]
        client = self._client("webauthn.create", options["challenge"], **said)
        credential = bytes(16) + len(self._id).to_bytes(2, "big") + self._id + self._cose
        data = self._data(said.get("flags", VERIFIED) | HAS_CREDENTIAL) + credential
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            {"clientDataJSON": bytes_to_base64url(client), "attestationObject": bytes_to_base64url(attestation)}
        )

    def get(self, options, *, counter=None, handle=..., **said):
        """The assertion that answers the options of a sign-in, as JSON."""
        self.counter = self.counter + 1 if counter is None else counter
        client = self._client("webauthn.get", options["challenge"], **said)
        data = self._data(said.get("flags", VERIFIED))
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        response = {name: bytes_to_base64url(part) for name, part in parts.items()}
        handle = self.handle if handle is ... else handle
        return json.dumps(self._credential(response | ({} if handle is None else {"userHandle": handle})))

    def _client(self, kind, challenge, origin=None, **_said):
        members = {"type": kind, "challenge": challenge, "origin": origin or self.party.origin, "crossOrigin": False}
        return json.dumps(members).encode()

    def _data(self, flags):
        return hashlib.sha256(self.party.id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")


def registered(caller, name="Telephone"):
    """A device with a passkey that this person has just registered, and the passkey as it is listed."""
    device = PasskeyDevice(caller.app.container.relying_party)
    begun = ok(caller.post("/v1/me/passkeys/options"))
    body = {"name": name, "ticket": begun["ticket"], "registration": device.create(begun["options"])}
    return device, ok(caller.post("/v1/me/passkeys", json=body))


def challenge_of(app):
    return ok(app.anonymous.post("/v1/auth/passkey/options"))


def sign_in(app, device, begun=None, **said):
    """The answer to a sign-in with the device."""
    begun = begun or challenge_of(app)
    form = {
        "grant_type": "urn:mik:grant-type:passkey",
        "ticket": begun["ticket"],
        "assertion": device.get(begun["options"], **said),
    }
    return app.http.post("/v1/auth/token", data=form)
