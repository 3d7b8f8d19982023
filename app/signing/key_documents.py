"""Build the JSON documents of the public keys, and cache them until the keys change."""

from collections.abc import Callable
from typing import Any

from app.core.crypto import jws
from app.core.crypto.jwk import public_jwk
from app.core.crypto.keyring import PUBLISHED_STATES, KeyRing, KeyState
from app.core.dates import format_utc

DID_CONTEXTS = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1")
"""The second one defines `JsonWebKey`, `publicKeyJwk` and `revoked`: without it JSON-LD drops the keys."""


class KeyDocuments:
    """The last document of each media type. Every worker sees a change of keys within a second."""

    def __init__(self) -> None:
        self._cached: dict[str, tuple[KeyRing, bytes]] = {}

    def get(self, keyring: KeyRing, media_type: str, members: Callable[[KeyRing], Any]) -> bytes:
        """Return the JSON document; `members` is called again only when the keys changed."""
        cached = self._cached.get(media_type)
        if cached is None or cached[0] is not keyring:
            cached = self._cached[media_type] = (keyring, jws.dump_json(members(keyring)))
        return cached[1]


def did_document(issuer: str, keyring: KeyRing) -> dict[str, Any]:
    """Return the DID document (did:web) of the issuer with its keys.

    `assertionMethod` has the keys that sign, signed or will sign: a client that caches the document must have a key
    before its first use. A compromised key is listed only as a verification method, so that earlier signatures can be
    checked; `revoked` says since when no signature counts. `kid` of each key is the thumbprint, the fragment of its
    `id`; the `id` is the `kid` of header and JWKS.
    """
    methods = []
    for kid, key in keyring.by_kid.items():
        jwk = public_jwk(key.public, kid.rpartition("#")[2])
        del jwk["use"]  # the document states the purpose of each key
        method = {"id": kid, "type": "JsonWebKey", "controller": issuer, "publicKeyJwk": jwk}
        if key.state is KeyState.COMPROMISED:
            method["revoked"] = format_utc(key.since)
        methods.append(method)
    assertion_methods = [kid for kid, key in keyring.by_kid.items() if key.state in PUBLISHED_STATES]
    return {
        "@context": DID_CONTEXTS,
        "id": issuer,
        "verificationMethod": methods,
        "assertionMethod": assertion_methods,
    }
