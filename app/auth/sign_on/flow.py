"""Lead a browser to a provider and back (OpenID Connect, authorization code with PKCE), and end sessions with it.

The service stands between: to the provider it is a client, to its own clients it is what gives codes. The client that
begins sends the hash of a secret (`code_challenge`, RFC 7636); the code that the browser brings back is only good with
that secret. What belongs to one browser is in an encrypted cookie, so that beginning stores nothing.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import KeySet
from sqlalchemy.orm import Session

from app.auth import session_repository, user_sessions
from app.auth.credentials.mfa import MAX_AGE
from app.auth.sign_on import sign_on_repository, tickets
from app.auth.sign_on.id_tokens import (
    TOKEN_MAX_AGE,
    Identity,
    LogoutOrder,
    SignOnRejected,
    UnknownKey,
    verify_id_token,
    verify_logout_token,
)
from app.auth.sign_on.provider_client import ProviderClient
from app.auth.sign_on.tickets import RandomBytes, Ticket, TicketPurpose, TicketRejected
from app.auth.user_sessions import EndReason
from app.core.actor import SYSTEM
from app.core.crypto.secret_box import SecretBox
from app.core.errors import Invalid, NotFound, Unavailable
from app.core.messages import Message

Purpose = Literal["sign-in", "link"]
Verified = TypeVar("Verified")
LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class SignOnRequest:
    """What a client asks for: `challenge` is the S256 hash of its secret, `redirect_uri` where its code goes."""

    purpose: Purpose
    challenge: str
    redirect_uri: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie that it keeps."""

    location: str
    cookie: str


@dataclass(frozen=True, slots=True)
class ProviderReturn:
    """What the browser brings back from the provider. None: absent."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None


class SignOn:
    """The providers of this service, by name."""

    def __init__(
        self, clients: Mapping[str, ProviderClient], box: SecretBox, base_url: str, random: RandomBytes
    ) -> None:
        self._clients, self._box, self._base_url, self._random = clients, box, base_url, random

    def __iter__(self) -> Iterator[ProviderClient]:
        return iter(self._clients.values())

    def client(self, name: str) -> ProviderClient:
        """Return a provider by its name. Raises `NotFound`."""
        found = self._clients.get(name)
        if found is None:
            raise NotFound.of("provider")
        return found

    def client_of(self, issuer: str) -> ProviderClient | None:
        return next((each for each in self._clients.values() if each.provider.issuer == issuer), None)

    @property
    def is_https(self) -> bool:
        return self._base_url.startswith("https://")

    def callback_url(self, name: str) -> str:
        return f"{self._base_url}/v1/auth/oidc/{name}/callback"

    def begin(self, name: str, request: SignOnRequest, now: datetime) -> Departure:
        """Return where to send the browser. Raises `NotFound`, `Invalid`, `Unavailable`."""
        client = self.client(name)
        self._require_own_redirect(request.redirect_uri)
        state, nonce, verifier = (_text(self._random(32)) for _ in range(3))
        parameters = {
            "response_type": "code",
            "client_id": client.provider.client_id,
            "redirect_uri": self.callback_url(name),
            "scope": " ".join(client.provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if client.provider.wants_second_factor:  # then the ID token says when it was given
            parameters["max_age"] = str(int(MAX_AGE.total_seconds()))
        if client.provider.second_factor_acr:
            parameters["acr_values"] = " ".join(client.provider.second_factor_acr)
        address = client.addresses(now).authorization
        content = {
            "provider": name,
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "purpose": request.purpose,
            "challenge": request.challenge,
            "redirect_uri": request.redirect_uri,
            "client_state": request.state,
        }
        cookie = tickets.encrypt(self._box, TicketPurpose.BROWSER, content, now, self._random)
        return Departure(f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}", cookie)

    def open_return(self, name: str, cookie: str | None, back: ProviderReturn, now: datetime) -> Ticket:
        """Return the ticket of this browser, if what comes back answers it. Raises `SignOnRejected`, `NotFound`."""
        client = self.client(name)
        if cookie is None:
            raise _rejected("cookie")
        try:
            ticket = tickets.decrypt(self._box, TicketPurpose.BROWSER, cookie, now)
        except TicketRejected as why:
            raise _rejected("cookie") from why
        if ticket.content["provider"] != name:
            raise _rejected("provider")
        if not hmac.compare_digest(str(ticket.content["state"]).encode(), (back.state or "").encode()):
            raise _rejected("state")
        expected = client.provider.issuer
        if back.issuer is None and client.addresses(now).states_issuer and back.error is None:
            raise _rejected("iss")
        if back.issuer not in {None, expected}:
            raise _rejected("iss")
        if back.error is not None or not back.code:
            raise SignOnRejected(
                "The provider did not sign you in. Begin again, or sign in another way.", data={"reason": "refused"}
            )
        return ticket

    def fetch_identity(self, name: str, ticket: Ticket, code: str, now: datetime) -> Identity:
        """Exchange the code at the provider, and return whom its ID token names.

        Raises `SignOnRejected`, `Unavailable`.
        """
        client = self.client(name)
        token = client.fetch_id_token(code, ticket.content["verifier"], self.callback_url(name), now)
        return _with_keys(
            client,
            now,
            lambda keys: verify_id_token(token, keys, client.provider, nonce=ticket.content["nonce"], now=now),
        )

    def encrypt_code(self, content: Mapping[str, Any], now: datetime) -> str:
        """Return the code that the client exchanges."""
        return tickets.encrypt(self._box, TicketPurpose.CODE, content, now, self._random)

    def open_code(self, code: str, verifier: str, purpose: Purpose, now: datetime) -> Ticket:
        """Return what a code stands for, if the secret is the one whose hash began it. Raises `TicketRejected`."""
        ticket = tickets.decrypt(self._box, TicketPurpose.CODE, code, now)
        challenge = create_s256_code_challenge(verifier) if verifier.isascii() else ""
        is_theirs = hmac.compare_digest(challenge.encode(), str(ticket.content["challenge"]).encode())
        if not is_theirs or ticket.content["purpose"] != purpose:
            raise TicketRejected("This code belongs to another sign-in. Begin again.")
        return ticket

    def verify_logout(self, name: str, token: str, now: datetime) -> LogoutOrder:
        """Return whose sessions a logout token ends. Raises `SignOnRejected`, `NotFound`, `Unavailable`."""
        client = self.client(name)
        return _with_keys(client, now, lambda keys: verify_logout_token(token, keys, client.provider, now=now))

    def end_sessions(self, session: Session, name: str, order: LogoutOrder, now: datetime) -> int:
        """End the sessions that a provider opened and now ends; return how many. A token ends sessions once."""
        issuer = self.client(name).provider.issuer
        if not sign_on_repository.mark_used(session, order.token_sha256, now + TOKEN_MAX_AGE):
            return 0
        found = sign_on_repository.list_sessions_at_provider(
            session, issuer, order.subject, order.provider_session, now
        )
        for session_id in found:
            if (row := session_repository.find_session(session, session_id, lock=True)) is not None:
                user_sessions.end_session(session, SYSTEM, row, EndReason.SIGNED_OUT_AT_PROVIDER, now)
        return len(found)

    def end_session_url(self, client: ProviderClient, now: datetime) -> str | None:
        """Return where the browser signs out of the provider; None where there is no such address, or no answer."""
        try:
            address = client.addresses(now).end_session
        except Unavailable:
            return None
        if address is None:
            return None
        parameters = {"client_id": client.provider.client_id, "post_logout_redirect_uri": f"{self._base_url}/"}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"

    def _require_own_redirect(self, redirect_uri: str | None) -> None:
        """Require an address of this service, or of a program on the machine of the browser (RFC 8252 §7.3)."""
        if redirect_uri is None:
            return
        try:
            parts = urlsplit(redirect_uri)
            is_loopback = parts.scheme == "http" and parts.hostname in LOOPBACK and parts.port is not None
        except ValueError:
            parts, is_loopback = urlsplit(""), False
        is_own = f"{parts.scheme}://{parts.netloc}" == self._base_url
        is_plain = redirect_uri.isascii() and redirect_uri.isprintable() and "\\" not in redirect_uri
        if not (is_own or is_loopback) or "@" in parts.netloc or parts.fragment or not is_plain:
            raise Invalid.at(
                "/redirect_uri",
                "Name an address of this service, or http://127.0.0.1 or http://[::1] with a port.",
            )


def _with_keys(client: ProviderClient, now: datetime, verify: Callable[[KeySet], Verified]) -> Verified:
    """Verify with the keys at hand, and once more with newer ones where the token names a key that is not there."""
    try:
        return verify(client.keys(now))
    except UnknownKey:
        return verify(client.keys(now, newer=True))


def _rejected(what: str) -> SignOnRejected:
    return SignOnRejected(
        Message(
            "This is not the answer to a sign-in that this browser began (%(what)s). Begin again, in one browser.",
            what=what,
        ),
        data={"reason": what},
    )


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
