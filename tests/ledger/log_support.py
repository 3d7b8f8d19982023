"""A log key for tests, from a number, so that it is the same in every run; and how a log is read back."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.note import NoteSigner

ORIGIN = "mark.example/log"


def signer_of(value=1, name=ORIGIN):
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(value.to_bytes(32, "big")))
