"""The DID document of the issuer (did:web): who it is, and with which keys it vouches. Pure."""

from typing import Any

from app.keys import PUBLISHED_STATES, KeyRing, public_jwk

CONTEXT = "https://www.w3.org/ns/did/v1"


def did_document(issuer: str, ring: KeyRing) -> dict[str, Any]:
    """`assertionMethod` has the keys that sign, signed or will sign: a reader who keeps the document for a while must
    have a key before its first use. A compromised key is described, so that old texts can be looked into, and no more.

    `kid` of each key is the thumbprint, the fragment of its `id`; the `id` is the `kid` of header and JWKS.
    """
    methods = []
    for kid, key in ring.known.items():
        jwk = public_jwk(key.public, kid.rpartition("#")[2])
        del jwk["use"]  # what a key is for stands in the document
        methods.append({"id": kid, "type": "JsonWebKey", "controller": issuer, "publicKeyJwk": jwk})
    vouching = [kid for kid, key in ring.known.items() if key.state in PUBLISHED_STATES]
    return {"@context": [CONTEXT], "id": issuer, "verificationMethod": methods, "assertionMethod": vouching}
