"""Keep the JSON documents that are made of the public keys until the keys change."""

from collections.abc import Callable
from typing import Any

from app.core.crypto import jws
from app.core.crypto.jwk import public_jwk
from app.core.crypto.keyring import PUBLISHED_STATES, KeyRing


class KeyDocuments:
    """The last document of each media type. Every worker sees a change of the keys within a second."""

    def __init__(self) -> None:
        self._cached: dict[str, tuple[KeyRing, bytes]] = {}

    def get(self, ring: KeyRing, media_type: str, members: Callable[[KeyRing], Any]) -> bytes:
        """Return JSON; `members` makes it only of other keys than last time."""
        written = self._cached.get(media_type)
        if written is None or written[0] is not ring:
            written = self._cached[media_type] = (ring, jws.dump_json(members(ring)))
        return written[1]


def did_document(issuer: str, ring: KeyRing) -> dict[str, Any]:
    """Who the issuer is (did:web), and with which keys it vouches.

    `assertionMethod` has the keys that sign, signed or will sign: a reader who keeps the document for a while must
    have a key before its first use. A compromised key is described, so that old texts can be looked into, and no more.
    `kid` of each key is the thumbprint, the fragment of its `id`; the `id` is the `kid` of header and JWKS.
    """
    methods = []
    for kid, key in ring.by_kid.items():
        jwk = public_jwk(key.public, kid.rpartition("#")[2])
        del jwk["use"]  # what a key is for stands in the document
        methods.append({"id": kid, "type": "JsonWebKey", "controller": issuer, "publicKeyJwk": jwk})
    vouching = [kid for kid, key in ring.by_kid.items() if key.state in PUBLISHED_STATES]
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": issuer,
        "verificationMethod": methods,
        "assertionMethod": vouching,
    }
