"""Verify ID tokens and logout tokens of a provider (OpenID Connect Core 1.0 §3.1.3.7, Back-Channel Logout 1.0 §2.6)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from app.core.actor import Role
from app.core.errors import Conflict
from app.core.messages import Message
from app.core.settings import IdentityProvider

LEEWAY = timedelta(seconds=60)
"""How far the clocks may differ."""
TOKEN_MAX_AGE = timedelta(minutes=10)
"""Of an ID token when it comes: it is fetched at once."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_TOKEN = 20_000
_MAX_TEXT = 255


class SignOnRejected(Conflict):
    """What the provider, or the browser, sent does not fit; the message says what."""

    code = "sign-on-rejected"


class UnknownKey(SignOnRejected):
    """The token names a key that the provider did not publish when its keys were read."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider signed in. `roles`: the most that a session may have; None: no bound."""

    issuer: str
    subject: str
    email: str | None  # lower case; None unless the provider verified it
    name: str | None
    roles: frozenset[Role] | None
    second_factor_at: datetime | None
    provider_session: str | None


@dataclass(frozen=True, slots=True)
class LogoutOrder:
    """Whose sessions a provider ends: those of a subject, of one session at the provider, or of both."""

    subject: str | None
    provider_session: str | None
    token_sha256: str


def verify_id_token(token: str, keys: KeySet, provider: IdentityProvider, *, nonce: str, now: datetime) -> Identity:
    """Return whom an ID token names. Raises `SignOnRejected`, `UnknownKey`."""
    header, claims = _verified(token, keys, provider)
    if claims.get("nonce") != nonce:
        raise _wrong("nonce")
    _require_claims(header, claims, provider, now, nonce=nonce)
    auth_time = claims.get("auth_time")
    return Identity(
        issuer=provider.issuer,
        subject=_required_text(claims, "sub"),
        email=_verified_email(claims),
        name=_text(claims, "name"),
        roles=_roles(claims, provider),
        second_factor_at=_second_factor_at(claims, provider, auth_time, now),
        provider_session=_text(claims, "sid"),
    )


def verify_logout_token(token: str, keys: KeySet, provider: IdentityProvider, *, now: datetime) -> LogoutOrder:
    """Return whose sessions a logout token ends. Raises `SignOnRejected`, `UnknownKey`."""
    header, claims = _verified(token, keys, provider)
    _require_claims(header, claims, provider, now, nonce=None)
    if header.get("typ", "logout+jwt") not in {"logout+jwt", "JWT"}:
        raise _wrong("typ")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise _wrong("events")
    if "nonce" in claims:
        raise _wrong("nonce")  # an ID token is no logout token
    order = LogoutOrder(_text(claims, "sub"), _text(claims, "sid"), hashlib.sha256(token.encode()).hexdigest())
    if order.subject is None and order.provider_session is None:
        raise _wrong("sub")
    return order


def _verified(token: str, keys: KeySet, provider: IdentityProvider) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Return header and claims of a token with the right signature."""
    if len(token) > MAX_TOKEN:
        raise _wrong("length")
    try:
        found = jwt.decode(token, keys, algorithms=list(provider.algorithms))
    except InvalidKeyIdError as why:
        raise UnknownKey(_wrong("kid").message) from why
    except (JoseError, ValueError, TypeError, KeyError) as why:
        raise _wrong("signature") from why
    return found.header, found.claims


def _require_claims(
    header: Mapping[str, Any], claims: dict[str, Any], provider: IdentityProvider, now: datetime, *, nonce: str | None
) -> None:
    """Require issuer, audience, authorized party and times."""
    if claims.get("iss") != provider.issuer:
        raise _wrong("iss")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in named:
        raise _wrong("aud")
    if len(named) > 1 and "azp" not in claims and nonce is not None:
        raise _wrong("azp")
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise _wrong("azp")
    moment = int(now.timestamp())
    if not all(_is_number(claims.get(name)) for name in ("exp", "iat")):
        raise _wrong("exp")
    if not moment - TOKEN_MAX_AGE.total_seconds() <= claims["iat"] <= moment + LEEWAY.total_seconds():
        raise _wrong("iat")
    try:
        checked = CodeIDToken(
            {"sub": "-", **claims}, dict(header), params={"nonce": nonce, "client_id": provider.client_id}
        )
        checked.validate(now=moment, leeway=int(LEEWAY.total_seconds()))
    except (JoseError, ValueError, TypeError) as why:
        raise _wrong("claims") from why


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email = _text(claims, "email")
    if email is None or claims.get("email_verified") is not True:  # “true” as a text is no yes
        return None
    return email.strip().lower()


def _roles(claims: Mapping[str, Any], provider: IdentityProvider) -> frozenset[Role] | None:
    """Return the roles that the claim gives; a missing or strange claim gives none."""
    if provider.role_claim is None:
        return None
    given = claims.get(provider.role_claim)
    values = given if isinstance(given, list) else [given]
    return frozenset(provider.roles[each] for each in values if isinstance(each, str) and each in provider.roles)


def _second_factor_at(
    claims: Mapping[str, Any], provider: IdentityProvider, auth_time: object, now: datetime
) -> datetime | None:
    """Return when a second factor was given at the provider; None unless the settings say how that is told."""
    amr = claims.get("amr")
    methods = {each for each in amr if isinstance(each, str)} if isinstance(amr, list) else set()
    told = claims.get("acr") in provider.second_factor_acr or not methods.isdisjoint(provider.second_factor_amr)
    if not told or not isinstance(auth_time, int | float) or isinstance(auth_time, bool):
        return None
    return datetime.fromtimestamp(min(auth_time, now.timestamp()), UTC)


def _required_text(claims: Mapping[str, Any], name: str) -> str:
    text = _text(claims, name)
    if text is None:
        raise _wrong(name)
    return text


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT or not value.isprintable():
        return None
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(what: str) -> SignOnRejected:
    return SignOnRejected(
        Message(
            "The token of the provider does not fit this sign-in (%(what)s). Begin again; if it happens again, tell "
            "the operator.",
            what=what,
        ),
        data={"reason": what},
    )
