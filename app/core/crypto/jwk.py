"""Convert public keys to and from JWK and JWK sets (RFC 7517), and compute thumbprints (RFC 7638). Pure."""

import hashlib
from collections.abc import Mapping

from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, UnusableKey

_MAX_JWKS_BYTES = 1_048_576
SHORT_KID_CHARS = 8


def thumbprint(key: PublicKey) -> str:
    """RFC 7638 thumbprint: base64url of SHA-256 over the required members in alphabetical order, without spaces."""
    members = jws.dump_json({"crv": "P-256", "kty": "EC", "x": key.x, "y": key.y})
    return jws.encode_base64url(hashlib.sha256(members).digest())


def did_kid(issuer: str, key: PublicKey) -> str:
    """The `kid` of a certificate key: `<DID>#<thumbprint>`, the same text in header, JWKS and DID document."""
    return f"{issuer}#{thumbprint(key)}"


def short_kid(kid: str) -> str:
    """Return the first 8 characters of the thumbprint, which distinguish the few keys of the issuer in a QR code."""
    return kid.rpartition("#")[2][:SHORT_KID_CHARS]


def public_jwk(key: PublicKey, kid: str) -> dict[str, str]:
    """Return the public JWK (RFC 7517); the private member `d` cannot appear, since it is not read."""
    return {"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y, "alg": jws.ALG, "use": "sig", "kid": kid}


def build_jwks(keys: Mapping[str, PublicKey]) -> dict[str, list[dict[str, str]]]:
    """Return the JWKS document of these keys by `kid` (`application/jwk-set+json`)."""
    return {"keys": [public_jwk(key, kid) for kid, key in keys.items()]}


def parse_jwk(member: object) -> tuple[str, PublicKey]:
    """Return `kid` and key of a public P-256 JWK. Raises `UnusableKey`, also when it contains the private half."""
    if not isinstance(member, Mapping):
        raise UnusableKey("A key of a JWKS is an object.")
    kid, x, y = (member.get(name) for name in ("kid", "x", "y"))
    if "d" in member:
        raise UnusableKey("This JWKS shows a private key: it must be treated as compromised.")
    if member.get("kty") != "EC" or member.get("crv") != "P-256" or member.get("alg", jws.ALG) != jws.ALG:
        raise UnusableKey("The key is not an ES256 key on the curve P-256.")
    if not (isinstance(kid, str) and kid and isinstance(x, str) and isinstance(y, str)):
        raise UnusableKey("The key lacks kid, x or y.")
    return kid, PublicKey.from_coordinates(x, y)


def parse_jwks(document: bytes) -> dict[str, PublicKey]:
    """Return the ES256 keys of a JWKS document by `kid`; keys of other types are ignored (RFC 7517 §5).

    Raises `UnusableKey` when the document is not a JWKS, repeats a `kid`, or has a damaged or private key.
    """
    try:
        content = strict_json.loads(document) if len(document) <= _MAX_JWKS_BYTES else None
    except ValueError as error:
        raise UnusableKey("The key file is not JSON.") from error
    members = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(members, list):
        raise UnusableKey("The key file is not a JWKS: it has no list `keys`.")
    keys: dict[str, PublicKey] = {}
    for member in members:
        if isinstance(member, dict) and (member.get("kty"), member.get("crv")) != ("EC", "P-256"):
            continue
        kid, key = parse_jwk(member)
        if kid in keys:
            raise UnusableKey("The key file names a kid twice.")
        keys[kid] = key
    return keys
