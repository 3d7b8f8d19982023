"""Define `Settings`, read once from `MIK_…` at start. `make docs` writes them to docs/settings.md."""

import ipaddress
import re
from collections.abc import Iterator
from email.headerregistry import HeaderRegistry
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.actor import STAFF_ROLES, Role
from app.core.text.marking import Marking


class Profile(StrEnum):
    DEMO = "demo"  # makes its own keys, staff and tables; for trying out
    PRODUCTION = "production"  # rejects unsafe settings instead of repairing them


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


class Settings(BaseSettings):
    """Immutable configuration of the service."""

    model_config = SettingsConfigDict(env_prefix="MIK_", frozen=True, extra="ignore")

    profile: Profile = Field(default=Profile.DEMO, description="`demo` or `production`")
    data_dir: Path = Field(default=Path("var"), description="folder of keys, evidence files and the embedded database")
    database_url: str = Field(
        default="", description="`sqlite:///…` or `postgresql://…`; empty: SQLite in the data folder"
    )
    database_owner_allowed: bool = Field(
        default=False,
        description="start in production with a PostgreSQL role that may do more than `mik admin rights` grants, such "
        "as the owner of the tables; it could rewrite history",
    )
    base_url: str = Field(
        default="http://localhost:8000", description="the address by which the world reaches the service"
    )
    sandbox: bool = Field(
        default=False,
        description="serve a sandbox for API clients of companies below `/sandbox`: another installation in the same "
        "process, with a database, keys, log, issuer and clock of its own",
    )
    sandbox_database_url: str = Field(
        default="", description="its database; empty (demo only): SQLite in the folder `sandbox` of the data folder"
    )
    own_hosts: str = Field(
        default="",
        description="further hosts whose addresses lead to this service, with commas",
    )
    issuer: str = Field(
        default="", description="`did:web:…` of the issuer; fixed at first run (demo: from the base address)"
    )
    access_token_minutes: int = Field(default=15, ge=1, le=15, description="life of an access token")
    client_secret_days: int = Field(default=365, ge=1, le=730, description="life of a secret of an API client")
    proposal_days: int = Field(default=14, ge=1, le=365, description="days until an undecided proposal expires")
    body_max_bytes: int = Field(default=262_144, ge=1_024, description="largest JSON body")
    batch_max_bytes: int = Field(
        default=8_388_608, ge=1_024, description="largest body of `/v1/verify/batch`: room for 1,000 tokens"
    )
    evidence_max_bytes: int = Field(default=20_971_520, ge=1_024, description="largest evidence file or register file")
    evidence_quota_bytes: int = Field(
        default=5_368_709_120, ge=1_024, description="what one confirmed organisation may store in all"
    )
    evidence_quota_files: int = Field(default=5_000, ge=1, description="how many files it may store")
    claimant_quota_bytes: int = Field(
        default=209_715_200, ge=1_024, description="what an organisation may store that is not confirmed yet"
    )
    claimant_quota_files: int = Field(default=50, ge=1, description="how many files it may store")
    import_max_bytes: int = Field(
        default=10_485_760,
        ge=1_024,
        description="largest file of an import (CSV or XLSX), and most characters in its cells",
    )
    import_max_unpacked_bytes: int = Field(default=52_428_800, ge=1_024, description="what an XLSX file may unpack to")
    import_max_products: int = Field(default=5_000, ge=1, description="products in one import")
    import_max_applications: int = Field(default=1_000, ge=1, description="applications in one import")
    import_max_rows: int = Field(
        default=60_000, ge=1, description="rows of all tables of one import, with materials, steps and costs"
    )
    manifest_max_bytes: int = Field(default=8_388_608, ge=1_024, description="largest file of `/v1/verify/manifests`")
    manifest_max_numbers: int = Field(default=100_000, ge=1, description="numbers in one manifest")
    manifest_max_running: int = Field(default=3, ge=1, description="manifests of one company that run at once")
    verify_per_minute: int = Field(
        default=6_000,
        ge=0,
        description="checks from one address in a minute, per worker; a batch counts as 100; 0: as many as come",
    )
    registrations_per_day: int = Field(
        default=10,
        ge=0,
        description="registrations from one address in a day, the machine itself apart; 0: as many as come",
    )
    password_hashers: int = Field(default=2, ge=1, le=64, description="password checks at once (64 MiB of memory each)")
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description="addresses and networks of the reverse proxies whose `X-Forwarded-For` is believed, with commas",
    )
    identity_providers: tuple[IdentityProvider, ...] = Field(
        default=(),
        description="OpenID Connect providers that people may sign in with, a JSON list (docs/sign-on.md); none: "
        "passwords and passkeys alone",
    )
    paper_key: str = Field(
        default="", description="file of the private key that signs PDF certificates (PEM, mode 600); demo: its own"
    )
    paper_certificates: str = Field(
        default="", description="file of the signer's certificate and, after it, those of its authorities (PEM)"
    )
    timestamp_url: str = Field(
        default="", description="time-stamp server (RFC 3161) for PDF certificates: PAdES B-LT instead of B-B"
    )
    virus_scanner: str = Field(
        default="",
        description="ClamAV's `clamd`, which scans uploaded documents: `unix:/run/clamav/clamd.ctl` or "
        "`tcp://127.0.0.1:3310`; empty: they are not scanned",
    )
    resident_register: str = Field(
        default="",
        description="the park's register of residents: a folder in which its owner drops CSV files (the format of "
        "`mik admin import-residents`), or an https address that answers one, signed; empty: people import files",
    )
    tax_register: str = Field(
        default="", description="the same for the state of taxpayers (CSV: `voen,taxpayer_status`); empty: none"
    )
    register_keys: str = Field(
        default="", description="file of the keys (JWKS) that sign the answers of register addresses"
    )
    sanctions_list: str = Field(
        default="",
        description="file of the sanctions list (CSV: `id,names,country,programme`; names separated by semicolons), "
        "read every hour; empty: names are compared with none",
    )
    sanctions_threshold: int = Field(
        default=85, ge=50, le=100, description="from which score on a name resembles one of the list, 100: equal"
    )
    smtp_url: str = Field(
        default="",
        description="mail server: `smtp://user@host:587` (with STARTTLS) or `smtps://user@host`; empty (demo only): "
        "messages are files in the data folder",
    )
    smtp_password_file: str = Field(
        default="", description="file of its password (mode 600), unless the address holds it"
    )
    mail_from: str = Field(
        default="", description="sender of messages, such as `Made in Karabakh <noreply@verify.example.az>`"
    )
    mail_seconds: int = Field(
        default=20,
        ge=0,
        le=3_600,
        description="how often a worker looks for messages to send again; 0: only `mik admin mail send` and `sweep` do",
    )
    witness_policy: str = Field(
        default="",
        description="file that names the witnesses of the public log with their addresses and the quorum; empty: none",
    )
    witness_seconds: int = Field(
        default=60,
        ge=0,
        le=3_600,
        description="how often a worker shows the newest checkpoint to the witnesses; 0: only `mik admin sweep` does",
    )
    job_threads: int = Field(
        default=2,
        ge=0,
        le=64,
        description="how many background jobs a worker of `mik serve` runs at once; 0: only `mik worker` runs them",
    )
    job_seconds: int = Field(
        default=5,
        ge=1,
        le=3_600,
        description="how often a process looks for jobs that another one enqueued; its own it runs at once",
    )
    webhook_max_endpoints: int = Field(default=10, ge=1, le=100, description="webhooks of one company")
    webhook_ports: str = Field(default="443", description="ports that webhooks may be sent to, with commas")
    webhook_inner_addresses: bool = Field(
        default=False,
        description="send webhooks to inner addresses, to any port and without TLS too; for tests and demos: refused "
        "in production",
    )
    export_folder: str = Field(
        default="",
        description="folder of static files (answers, signed ranges, status lists, log) that a worker keeps up to date "
        "for a web server; empty: none",
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65_535, description="port of the figures for Prometheus, apart from the service; 0: none"
    )
    metrics_address: str = Field(default="127.0.0.1", description="address that this port listens on")
    log_level: str = Field(default="info", description="`debug`, `info`, `warning` or `error`")

    @field_validator("base_url")
    @classmethod
    def _require_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        beside_the_origin = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
        if parts.scheme not in {"http", "https"} or not parts.hostname or beside_the_origin:
            msg = "MIK_BASE_URL must be an origin such as https://verify.example.az, without a path"
            raise ValueError(msg)
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("own_hosts")
    @classmethod
    def _normalize_hosts(cls, value: str) -> str:
        hosts = [host.strip().lower() for host in value.split(",") if host.strip()]
        for host in hosts:
            if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host):
                msg = f"MIK_OWN_HOSTS: “{host}” is refused; name hosts such as verify.example.az"
                raise ValueError(msg)
        return ",".join(hosts)

    @field_validator("identity_providers")
    @classmethod
    def _require_distinct_providers(cls, value: tuple[IdentityProvider, ...]) -> tuple[IdentityProvider, ...]:
        for named in ([each.name for each in value], [each.issuer for each in value]):
            if len(set(named)) < len(named):
                msg = "MIK_IDENTITY_PROVIDERS names a provider or an issuer twice"
                raise ValueError(msg)
        return value

    @field_validator("database_url", "sandbox_database_url")
    @classmethod
    def _normalize_database_url(cls, value: str) -> str:
        """Use psycopg 3 as PostgreSQL driver, whichever short form the address has."""
        for short in ("postgres://", "postgresql://"):
            if value.startswith(short):
                return "postgresql+psycopg://" + value.removeprefix(short)
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            msg = "MIK_DATABASE_URL must begin with sqlite:/// or postgresql://"
            raise ValueError(msg)
        return value

    @field_validator("issuer")
    @classmethod
    def _require_did(cls, value: str) -> str:
        if value and not value.startswith("did:web:"):
            msg = "MIK_ISSUER must be a did:web, such as did:web:verify.example.az"
            raise ValueError(msg)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _normalize_proxies(cls, value: str) -> str:
        """Reject a network of all addresses: a client that can forge its address would never be throttled."""
        proxies = [proxy.strip() for proxy in value.split(",") if proxy.strip()]
        for proxy in proxies:
            try:
                everybody = ipaddress.ip_network(proxy).prefixlen == 0
            except ValueError:
                everybody = True
            if everybody:
                msg = (
                    f"MIK_TRUSTED_PROXIES: “{proxy}” is refused; name the address or network of your reverse proxy, "
                    "such as 10.0.0.7 or 10.0.0.0/28"
                )
                raise ValueError(msg)
        return ",".join(proxies)

    @field_validator("timestamp_url")
    @classmethod
    def _require_timestamp_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            msg = "MIK_TIMESTAMP_URL must be an address such as https://tsa.example.az/"
            raise ValueError(msg)
        return value

    @field_validator("webhook_ports")
    @classmethod
    def _normalize_ports(cls, value: str) -> str:
        ports = {port.strip() for port in value.split(",")}
        if not all(re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) < 65_536 for port in ports):
            msg = "MIK_WEBHOOK_PORTS must be numbers of ports with commas, such as 443 or 443,8443"
            raise ValueError(msg)
        return ",".join(sorted(ports, key=int))

    @field_validator("virus_scanner")
    @classmethod
    def _require_scanner_address(cls, value: str) -> str:
        parts = urlsplit(value)
        try:
            is_network = parts.scheme == "tcp" and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_network = False
        if value and not is_network and not (parts.scheme == "unix" and not parts.netloc and parts.path[:1] == "/"):
            msg = "MIK_VIRUS_SCANNER must be unix:/path/of/clamd.ctl or tcp://host:port"
            raise ValueError(msg)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _require_smtp_url(cls, value: str) -> str:
        parts = urlsplit(value)
        try:
            has_port = parts.port != 0
        except ValueError:
            has_port = False
        beside_the_server = parts.path.strip("/") or parts.query or parts.fragment
        if value and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname or beside_the_server or not has_port):
            msg = "MIK_SMTP_URL must name a mail server, such as smtp://user@mail.example.az:587"
            raise ValueError(msg)
        return value

    @field_validator("mail_from")
    @classmethod
    def _require_mail_from(cls, value: str) -> str:
        """Validate the sender as a header: one address, with a name or without."""
        if not value:
            return value
        try:
            header: Any = HeaderRegistry()("From", value)
        except (ValueError, IndexError):
            header = None
        if header is None or header.defects or len(header.addresses) != 1 or not header.addresses[0].domain:
            msg = "MIK_MAIL_FROM must be one e-mail address, such as Made in Karabakh <noreply@verify.example.az>"
            raise ValueError(msg)
        return value

    @field_validator("log_level")
    @classmethod
    def _normalize_log_level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            msg = "MIK_LOG_LEVEL must be debug, info, warning or error"
            raise ValueError(msg)
        return value.lower()

    @model_validator(mode="after")
    def _require_safe_in_production(self) -> Self:
        if self.profile is Profile.PRODUCTION and (problems := find_unsafe_settings(self)):
            raise ValueError("\n".join(problems))
        return self

    @property
    def is_sandbox(self) -> bool:
        """Whether these settings are those of a sandbox: the base address of no other installation has a path."""
        return bool(urlsplit(self.base_url).path)

    @property
    def marking(self) -> Marking | None:
        if self.is_sandbox:
            return Marking.SANDBOX
        return Marking.DEMO if self.profile is Profile.DEMO else None

    @property
    def all_own_hosts(self) -> frozenset[str]:
        """Hosts of the base address and of `own_hosts`."""
        return frozenset({urlsplit(self.base_url).hostname or "", *filter(None, self.own_hosts.split(","))})

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'mik.sqlite3'}"

    @property
    def sqlite_path(self) -> Path | None:
        """Return the database file; None for PostgreSQL."""
        prefix = "sqlite:///"
        url = self.sqlalchemy_url
        return Path(url.removeprefix(prefix).partition("?")[0]) if url.startswith(prefix) else None

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def certificate_key(self) -> Path:
        return self.keys_dir / "certificates.pem"

    @property
    def access_key(self) -> Path:
        return self.keys_dir / "access-tokens.pem"

    @property
    def log_key(self) -> Path:
        return self.keys_dir / "log.pem"

    @property
    def row_key(self) -> Path:
        """The key that authenticates rows with rights (`app/core/crypto/row_macs.py`)."""
        return self.keys_dir / "rows.key"

    @property
    def snapshots_key(self) -> Path:
        """The secret that authenticates stored answers to verifications."""
        return self.keys_dir / "snapshots.key"

    @property
    def verified_checkpoint(self) -> Path:
        """The newest checkpoint of the public log that a process of this installation verified."""
        return self.keys_dir / "log-checkpoint"

    @property
    def used_confirmations(self) -> Path:
        """The decisions that people confirmed and that were carried out, so that none is confirmed twice."""
        return self.keys_dir / "confirmations-used"

    @property
    def artifacts_dir(self) -> Path:
        return self.data_dir / "papers"

    @property
    def refusals_dir(self) -> Path:
        return self.data_dir / "log-refusals"

    @property
    def evidence_dir(self) -> Path:
        return self.data_dir / "evidence"

    @property
    def registers_dir(self) -> Path:
        """What registers of others answered, by hash."""
        return self.data_dir / "registers"

    @property
    def mail_dir(self) -> Path:
        return self.data_dir / "mail"

    @property
    def mail_sender(self) -> str:
        return self.mail_from or f"noreply@{urlsplit(self.base_url).hostname}"

    @property
    def default_issuer(self) -> str:
        """Return the did:web of the base address; the port's colon is percent-encoded, a slash is a colon."""
        parts = urlsplit(self.base_url)
        return "did:web:" + quote(parts.netloc, safe=".-") + parts.path.replace("/", ":")


def find_unsafe_settings(settings: Settings) -> list[str]:
    """List settings that are unsafe in production, each with its remedy."""
    return [
        *_check_address(settings),
        *_check_paths(settings),
        *_check_mail(settings),
        *_check_webhooks(settings),
        *_check_identity_providers(settings),
        *_check_sandbox(settings),
        *_check_registers(settings),
    ]


def _check_registers(settings: Settings) -> Iterator[str]:
    for name in ("resident_register", "tax_register"):
        address = getattr(settings, name)
        if address.startswith("https://") and not settings.register_keys:
            yield f"MIK_{name.upper()} is an address, and MIK_REGISTER_KEYS is not set: name the keys that sign for it"
        elif address and not address.startswith("https://") and not Path(address).is_absolute():
            yield f"MIK_{name.upper()}={address} must be a whole path, or an address that begins with https://"


def _check_sandbox(settings: Settings) -> Iterator[str]:
    if settings.sandbox and not settings.sandbox_database_url:
        yield "MIK_SANDBOX is on, and MIK_SANDBOX_DATABASE_URL is not set: name a database of its own"
    elif settings.sandbox and not settings.job_threads:
        yield "MIK_SANDBOX is on, and MIK_JOB_THREADS is 0: no robot of the sandbox would act; set at least 1"
    elif settings.sandbox and settings.sandbox_database_url == settings.database_url:
        yield "MIK_SANDBOX_DATABASE_URL is the database of the service: name another one, which `reset` may empty"


def _check_address(settings: Settings) -> Iterator[str]:
    host = urlsplit(settings.base_url).hostname or ""
    if not settings.base_url.startswith("https://"):
        yield "MIK_BASE_URL is not https: certificates would carry an address that anybody can forge; set https://…"
    if _is_private_host(host):
        yield (
            f"MIK_BASE_URL names {host}, which the world cannot reach: every certificate carries this address; "
            "set the public name, such as https://verify.example.az"
        )
    if not settings.issuer:
        yield f"MIK_ISSUER is not set: name who signs, here MIK_ISSUER={settings.default_issuer}"
    elif settings.issuer != settings.default_issuer:
        yield (
            f"MIK_ISSUER={settings.issuer} does not fit MIK_BASE_URL: its keys would be looked for at another host; "
            f"set MIK_ISSUER={settings.default_issuer}, or the base address of that issuer"
        )


def _check_webhooks(settings: Settings) -> Iterator[str]:
    if settings.webhook_inner_addresses:
        yield (
            "MIK_WEBHOOK_INNER_ADDRESSES=true lets companies have requests sent into your own network: remove it, it "
            "is for tests and demos"
        )


def _check_paths(settings: Settings) -> Iterator[str]:
    if not settings.data_dir.is_absolute():
        yield (
            f"MIK_DATA_DIR={settings.data_dir} depends on where the service is started: "
            "set a whole path, such as /var/lib/mik"
        )
    if settings.witness_policy and not Path(settings.witness_policy).is_absolute():
        yield (
            f"MIK_WITNESS_POLICY={settings.witness_policy} depends on where the service is started: set a whole path"
        )
    if settings.sanctions_list and not Path(settings.sanctions_list).is_absolute():
        yield (
            f"MIK_SANCTIONS_LIST={settings.sanctions_list} depends on where the service is started: set a whole path"
        )
    if settings.export_folder and not Path(settings.export_folder).is_absolute():
        yield f"MIK_EXPORT_FOLDER={settings.export_folder} depends on where the service is started: set a whole path"
    path = settings.sqlite_path
    if not settings.database_url:
        yield "MIK_DATABASE_URL is not set: name the database; the embedded default is for trying out"
    elif path is not None and not path.is_absolute():
        yield (
            f"MIK_DATABASE_URL={settings.database_url} depends on where the service is started: "
            "set a whole path, with four slashes, such as sqlite:////var/lib/mik/mik.sqlite3"
        )
    if settings.log_level == "debug":
        yield "MIK_LOG_LEVEL=debug writes what people send into the log: use info"


def _check_mail(settings: Settings) -> Iterator[str]:
    if not settings.smtp_url:
        yield (
            "MIK_SMTP_URL is not set: nobody could register, or set a forgotten password; name the mail server, "
            "such as smtp://user@mail.example.az:587"
        )
    if not settings.mail_from:
        yield "MIK_MAIL_FROM is not set: name the sender of messages, such as noreply@verify.example.az"
    if settings.smtp_password_file and urlsplit(settings.smtp_url).password:
        yield "MIK_SMTP_URL holds a password, and MIK_SMTP_PASSWORD_FILE names another: remove one of the two"
    if settings.smtp_password_file and not Path(settings.smtp_password_file).is_absolute():
        yield (
            f"MIK_SMTP_PASSWORD_FILE={settings.smtp_password_file} depends on where the service is started: "
            "set a whole path"
        )


def _check_identity_providers(settings: Settings) -> Iterator[str]:
    for provider in settings.identity_providers:
        for address in provider.insecure_addresses():
            yield f"MIK_IDENTITY_PROVIDERS names {address} of {provider.name}, which is not https: anybody could answer"


_PRIVATE_ENDINGS = tuple(
    f".{name}" for name in ("localhost", "local", "localdomain", "internal", "lan", "home.arpa", "test", "invalid")
)


def _is_private_host(host: str) -> bool:
    """Whether the host is a bare address or a private name: a did:web needs a public name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_ENDINGS)
    return True
