"""Describe an OpenID Connect provider that people may sign in with, as the settings name it."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from app.core.actor import STAFF_ROLES, Role

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a private key; a shared secret would let everybody who knows it make an ID token."""
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$")]


class IdentityProvider(BaseModel):
    """One provider. With `authorization_endpoint`, `token_endpoint` and `jwks_uri` it is not discovered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    """In addresses."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    """Shown to people."""
    issuer: Address
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    client_secret: SecretStr
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    authorization_endpoint: Address | None = None
    token_endpoint: Address | None = None
    jwks_uri: Address | None = None
    end_session_endpoint: Address | None = None
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "PS256", "ES256", "EdDSA"), min_length=1)
    audience: Literal["staff", "members"] = "members"
    """Whose accounts it may open."""
    domains: tuple[str, ...] = ()
    """E-mail domains that it may open accounts of; empty: all."""
    is_authoritative: bool = False
    """Whether it decides who has the addresses of `domains`: a known address is then linked at first sign-in."""
    role_claim: str | None = None
    """The claim with a person's roles; they bound the roles of the session. None: no bound."""
    roles: dict[str, Role] = Field(default_factory=dict)
    """Value of the claim → role."""
    second_factor_acr: tuple[str, ...] = ()
    second_factor_amr: tuple[str, ...] = ()
    """Values of `acr` and `amr` that count as a second factor; none: it is given here."""

    @field_validator("domains")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.strip().lower() for domain in value)

    @field_validator("roles")
    @classmethod
    def _require_staff_roles(cls, value: dict[str, Role]) -> dict[str, Role]:
        if not set(value.values()) <= STAFF_ROLES:
            msg = "a provider maps to roles of staff alone"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _require_whole(self) -> "IdentityProvider":
        static = {self.authorization_endpoint, self.token_endpoint, self.jwks_uri}
        if None in static and static != {None}:
            msg = f"provider {self.name}: name authorization_endpoint, token_endpoint and jwks_uri, or none of them"
            raise ValueError(msg)
        if "openid" not in self.scopes:
            msg = f"provider {self.name}: the scopes lack openid"
            raise ValueError(msg)
        if self.is_authoritative and not self.domains:
            msg = f"provider {self.name}: name the domains that it is authoritative for"
            raise ValueError(msg)
        if self.role_claim is not None and self.audience != "staff":
            msg = f"provider {self.name}: only staff have roles"
            raise ValueError(msg)
        return self

    @property
    def is_discovered(self) -> bool:
        return self.authorization_endpoint is None

    @property
    def wants_second_factor(self) -> bool:
        """Whether what it says about the sign-in can count as a second factor."""
        return bool(self.second_factor_acr or self.second_factor_amr)

    def insecure_addresses(self) -> list[str]:
        """Return the addresses that are not https."""
        every = (
            self.issuer,
            self.authorization_endpoint,
            self.token_endpoint,
            self.jwks_uri,
            self.end_session_endpoint,
        )
        return [address for address in every if address and urlsplit(address).scheme != "https"]
