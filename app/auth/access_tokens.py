"""Issue and verify access tokens (RFC 9068, `at+jwt`): short-lived, for one audience, signed with a key of their own.

A token names only its subject, the session and the scopes of an API client. Roles, membership, session and second
factor are read from the database at every request, so that a revocation takes effect at once.
"""

import secrets
from datetime import datetime, timedelta

from app.auth.authenticate import TokenSubject
from app.core.crypto import jws
from app.core.crypto.signer import Signer
from app.core.errors import Unauthenticated
from app.core.messages import Message

AUDIENCE = "mik-api"


class AccessTokens:
    """Issue access tokens with one signer, and verify them with its public key."""

    def __init__(self, signer: Signer, *, issuer: str, minutes: int) -> None:
        self._signer = signer
        self._keys = {signer.kid: signer.public}
        self._issuer = issuer
        self.lifetime = timedelta(minutes=minutes)

    def issue(self, subject: TokenSubject, now: datetime) -> str:
        issued = int(now.timestamp())
        claims: dict[str, str | int] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(subject),
            "iat": issued,
            "exp": issued + int(self.lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
        }
        if subject.session_id is not None:
            claims["sid"] = str(subject.session_id)
        if subject.scopes is not None:
            claims["scope"] = " ".join(sorted(subject.scopes))
        return self._signer.sign(claims, typ=jws.TYP_ACCESS_TOKEN)

    def authenticate(self, authorization: str | None, now: datetime) -> TokenSubject:
        """Return the subject of the `Authorization` header. Raises `Unauthenticated`, which states what is missing."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Sign in first: POST /v1/auth/token, then send “Authorization: Bearer …”.")
        try:
            claims = jws.verify_access_token(token, keys=self._keys, issuer=self._issuer, audience=AUDIENCE, now=now)
        except jws.TokenRejected as why:
            expired = why.reason is jws.RejectionReason.EXPIRED
            detail = (
                Message("The access token has expired; get a new one.", code="token-expired")
                if expired
                else Message("The access token was not issued by this service.", code="unauthenticated")
            )
            raise Unauthenticated(detail, code="token-expired" if expired else None) from why
        return TokenSubject.parse(claims.sub, claims.claims.get("sid"), claims.claims.get("scope"))
