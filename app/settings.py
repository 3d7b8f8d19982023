"""One frozen Settings, read from `MIK_…` once, at the edge. README lists every name; a test keeps the two in step."""

from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Profile(StrEnum):
    DEMO = "demo"  # makes its own keys, staff and tables; for trying out
    PRODUCTION = "production"  # refuses what is unsafe instead of repairing it


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MIK_", frozen=True, extra="ignore")

    profile: Profile = Field(default=Profile.DEMO, description="`demo` or `production`")
    data_dir: Path = Field(default=Path("var"), description="folder of keys, evidence files and the embedded database")
    database_url: str = Field(
        default="", description="`sqlite:///…` or `postgresql://…`; empty: SQLite in the data folder"
    )
    base_url: str = Field(
        default="http://localhost:8000", description="the address by which the world reaches the service"
    )
    issuer: str = Field(
        default="", description="`did:web:…` of the issuer; fixed at first run (demo: from the base address)"
    )
    access_token_minutes: int = Field(default=15, ge=1, le=15, description="life of an access token")
    body_max_bytes: int = Field(default=262_144, ge=1_024, description="largest JSON body")
    evidence_max_bytes: int = Field(default=20_971_520, ge=1_024, description="largest evidence file or register file")
    password_hashers: int = Field(default=2, ge=1, le=64, description="password checks at once (64 MiB of memory each)")
    log_level: str = Field(default="info", description="`debug`, `info`, `warning` or `error`")

    @field_validator("base_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            msg = "MIK_BASE_URL must be an origin such as https://verify.example.az, without a path"
            raise ValueError(msg)
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("database_url")
    @classmethod
    def _one_driver_each(cls, value: str) -> str:
        """psycopg 3 is the one PostgreSQL driver, whatever the short form of the address names."""
        for short in ("postgres://", "postgresql://"):
            if value.startswith(short):
                return "postgresql+psycopg://" + value.removeprefix(short)
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            msg = "MIK_DATABASE_URL must begin with sqlite:/// or postgresql://"
            raise ValueError(msg)
        return value

    @field_validator("issuer")
    @classmethod
    def _a_did(cls, value: str) -> str:
        if value and not value.startswith("did:web:"):
            msg = "MIK_ISSUER must be a did:web, such as did:web:verify.example.az"
            raise ValueError(msg)
        return value

    @field_validator("log_level")
    @classmethod
    def _a_level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            msg = "MIK_LOG_LEVEL must be debug, info, warning or error"
            raise ValueError(msg)
        return value.lower()

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.profile is Profile.PRODUCTION and (problems := _unsafe(self)):
            raise ValueError("; ".join(problems))
        return self

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'mik.sqlite3'}"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def evidence_dir(self) -> Path:
        return self.data_dir / "evidence"

    @property
    def default_issuer(self) -> str:
        """did:web of host and port of the base address (the port's colon is percent-encoded)."""
        return "did:web:" + quote(urlsplit(self.base_url).netloc, safe=".-")


def _unsafe(settings: Settings) -> list[str]:
    """What must not go to production, each with what to do about it."""
    problems = []
    if not settings.base_url.startswith("https://"):
        problems.append(
            "MIK_BASE_URL is not https: certificates would carry an address that anybody can forge; set https://…"
        )
    if not settings.issuer:
        problems.append("MIK_ISSUER is not set: name the did:web that certificates are signed for")
    if not settings.database_url:
        problems.append("MIK_DATABASE_URL is not set: name the database, the embedded default is for trying out")
    if settings.log_level == "debug":
        problems.append("MIK_LOG_LEVEL=debug is not for production: use info")
    return problems
