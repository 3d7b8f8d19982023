"""Ask a provider for its addresses, its keys and the ID token of a sign-in. No redirect is followed."""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx2 as httpx
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.auth.sign_on.id_tokens import SignOnRejected
from app.core.errors import Unavailable
from app.core.messages import Message
from app.core.settings import IdentityProvider

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 262_144
ADDRESSES_LIVE = timedelta(hours=1)
KEYS_LIVE = timedelta(minutes=15)
MIN_KEY_AGE = timedelta(seconds=30)
"""Tokens that name unknown keys do not make the service read the keys more often."""
MAX_AT_ONCE = 4
"""Threads that may wait for one provider; a slow one must not hold all of them."""


@dataclass(frozen=True, slots=True)
class ProviderAddresses:
    """Where the parts of a provider are. `states_issuer`: it names itself when it sends a browser back (RFC 9207)."""

    authorization: str
    token: str
    keys: str
    end_session: str | None
    states_issuer: bool


class ProviderClient:
    """One provider. Thread-safe; one instance per process."""

    def __init__(self, provider: IdentityProvider, transport: httpx.BaseTransport | None = None) -> None:
        self.provider = provider
        self._transport = transport
        self._slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._addresses: tuple[datetime, ProviderAddresses] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    def addresses(self, now: datetime) -> ProviderAddresses:
        """Return the addresses of the settings, or what the provider publishes. Raises `Unavailable`."""
        provider = self.provider
        if provider.authorization_endpoint and provider.token_endpoint and provider.jwks_uri:
            return ProviderAddresses(
                provider.authorization_endpoint,
                provider.token_endpoint,
                provider.jwks_uri,
                provider.end_session_endpoint,
                states_issuer=False,
            )
        if self._addresses is None or not timedelta() <= now - self._addresses[0] < ADDRESSES_LIVE:
            self._addresses = (now, self._discover())
        return self._addresses[1]

    def keys(self, now: datetime, *, newer: bool = False) -> KeySet:
        """Return the public keys. `newer`: a token names one that is not among them. Raises `Unavailable`."""
        lifetime = MIN_KEY_AGE if newer else KEYS_LIVE
        if self._keys is None or not timedelta() <= now - self._keys[0] < lifetime:
            found = self._read(httpx.Request("GET", self.addresses(now).keys))
            try:
                self._keys = (now, KeySet.import_key_set(found))  # type: ignore[arg-type]  # it checks the shape itself
            except (JoseError, ValueError, TypeError, KeyError) as why:
                raise self._failed("its keys are malformed") from why
        return self._keys[1]

    def fetch_id_token(self, code: str, verifier: str, redirect_uri: str, now: datetime) -> str:
        """Exchange a code for an ID token. Raises `SignOnRejected` where the provider refuses, `Unavailable`."""
        provider = self.provider
        secret = provider.client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if provider.client_authentication == "client_secret_basic":
            auth = httpx.BasicAuth(quote_plus(provider.client_id), quote_plus(secret))  # RFC 6749 §2.3.1
        else:
            form |= {"client_id": provider.client_id, "client_secret": secret}
        request = httpx.Request("POST", self.addresses(now).token, data=form)
        token = self._read(request, auth=auth, refusals=(400, 401, 403)).get("id_token")
        if not isinstance(token, str):
            raise self._failed("it sent no ID token")
        return token

    def _discover(self) -> ProviderAddresses:
        issuer = self.provider.issuer
        found = self._read(httpx.Request("GET", get_well_known_url(issuer, external=True)))
        if found.get("issuer") != issuer:
            raise self._failed("it publishes another issuer")
        needed = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        end_session = found.get("end_session_endpoint")
        for address in [*needed, *([] if end_session is None else [end_session])]:
            if not isinstance(address, str) or urlsplit(address).scheme != urlsplit(issuer).scheme:
                raise self._failed("it publishes an address that is not secure")
        authorization, token, keys = map(str, needed)
        states_issuer = found.get("authorization_response_iss_parameter_supported") is True
        return ProviderAddresses(authorization, token, keys, end_session, states_issuer)

    def _read(
        self, request: httpx.Request, *, auth: httpx.Auth | None = None, refusals: Sequence[int] = ()
    ) -> Mapping[str, Any]:
        """Return the JSON object of an answer of at most `MAX_ANSWER_BYTES`."""
        if not self._slots.acquire(blocking=False):
            raise self._failed("too many wait for it")
        try:
            with httpx.Client(timeout=TIMEOUT_S, transport=self._transport) as http:
                response = http.send(request, auth=auth, stream=True)
                content = bytearray()
                for part in response.iter_bytes():
                    content += part
                    if len(content) > MAX_ANSWER_BYTES:
                        raise self._failed("its answer is too large")
        except (httpx.HTTPError, httpx.InvalidURL) as why:
            raise self._failed("it does not answer") from why
        finally:
            self._slots.release()
        if response.status_code in refusals:
            raise SignOnRejected(
                "The provider refused this sign-in: its code was used before, or has expired. Begin again.",
                data={"reason": "code"},
            )
        try:
            found = json.loads(bytes(content)) if response.status_code == 200 else None
        except ValueError as why:
            raise self._failed("its answer is malformed") from why
        if not isinstance(found, dict):
            raise self._failed("its answer is not the expected one")
        return found

    def _failed(self, why: str) -> Unavailable:
        logger.warning("The identity provider %s cannot be used: %s", self.provider.name, why)
        return Unavailable(
            Message(
                "The provider %(provider)s does not answer as it should. Try again later, or sign in another way.",
                provider=self.provider.title,
            )
        )
