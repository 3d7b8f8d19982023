"""An identity provider that no test asks over the network: its codes and logout tokens are made here."""

import base64
import hashlib
import secrets

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from app.auth.sign_on.id_tokens import LOGOUT_EVENT
from tests.factories import ok

NAME, ISSUER = "sample", "https://id.sample.example"
VERIFIER = "a-secret-of-at-least-forty-three-characters-x"
KEY = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig", "kid": "one"})


def link_body(app, subject=None):
    """The body that links an identity to the account of whoever sends it."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    content = {
        "purpose": "link",
        "challenge": challenge,
        "provider": NAME,
        "issuer": ISSUER,
        "subject": subject or secrets.token_hex(8),
    }
    return {"code": app.container.sign_on.encrypt_code(content, app.clock()), "code_verifier": VERIFIER}


def link(caller, subject=None):
    return ok(caller.post("/v1/me/identities", json=link_body(caller.app, subject)))


def unlinked(caller):
    """The same body for somebody who has no link to this provider any more."""
    for row in ok(caller.get("/v1/me/identities"))["items"]:
        caller.delete(f"/v1/me/identities/{row['id']}")
    return link_body(caller.app)


def signed_in(caller, subject):
    """The tokens of a session that the provider opened."""
    identity = link(caller, subject)
    body = link_body(caller.app)
    content = {
        "purpose": "sign-in",
        "challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
        "user": caller.id,
        "link": identity["id"],
        "roles": None,
        "second_factor_at": None,
        "provider_session": None,
    }
    code = caller.app.container.sign_on.encrypt_code(content, caller.app.clock())
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": body["code_verifier"]}
    return ok(caller.app.http.post("/v1/auth/token", data=form))


def logout_token(app, subject, **changed):
    """A logout token that the service accepts: it knows the key of the provider from now on."""
    client = app.container.sign_on.client(NAME)
    client._keys = (app.clock(), KeySet([KEY]))
    now = int(app.clock().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": "mik",
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_hex(8),
        "sub": subject,
        "events": {LOGOUT_EVENT: {}},
    } | changed
    return jwt.encode({"alg": "ES256", "kid": "one", "typ": "logout+jwt"}, claims, KEY)
