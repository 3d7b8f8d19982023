"""Tables of users, roles, API clients, sessions, second factors, staff credentials, one-time tokens and proposals."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.actor import STAFF_ROLES
from app.core.crypto.row_macs import Authenticated
from app.core.database import Base, check_in, new_id


class User(Authenticated, Base):
    """A person: staff, or a member of exactly one company, never both."""

    __tablename__ = "users"
    mac_columns = (
        "id",
        "email",
        "password_hash",
        "is_staff",
        "organisation_id",
        "active",
        "is_administrator",
        "read_only_since",
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True, comment="lower case")
    full_name: Mapped[str]
    password_hash: Mapped[str]
    is_staff: Mapped[bool]
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    is_administrator: Mapped[bool] = mapped_column(
        default=False,
        server_default=sa.false(),
        comment="of their company: invites and removes members, manages API clients",
    )
    language: Mapped[str | None] = mapped_column(comment="of messages to this person: az, en or ru; null: not known")
    read_only_since: Mapped[datetime | None] = mapped_column(
        comment="whose claim was refused: reads the claim and does nothing else, until there is another one"
    )
    former_email: Mapped[str | None] = mapped_column(comment="of a removed account: its address may come in anew")

    @property
    def current_or_former_email(self) -> str:
        """Return the present e-mail address, or the former one of a removed account."""
        return self.former_email or self.email

    __table_args__ = (
        sa.CheckConstraint(
            "(is_staff AND organisation_id IS NULL) OR (NOT is_staff AND organisation_id IS NOT NULL)",
            name="staff_or_member",
        ),
        sa.CheckConstraint("NOT (is_staff AND is_administrator)", name="administrator_of_company"),
        sa.UniqueConstraint("id", "is_staff"),
    )


class StaffRole(Authenticated, Base):
    """A role of a staff user. The copied `is_staff` lets the database reject a role for a company's member."""

    __tablename__ = "staff_roles"
    mac_columns = ("user_id", "role")

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    is_staff: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        sa.ForeignKeyConstraint(["user_id", "is_staff"], ["users.id", "users.is_staff"]),
        sa.CheckConstraint("is_staff", name="only_staff"),
        sa.CheckConstraint(check_in("role", sorted(STAFF_ROLES)), name="role"),
    )


class ApiClient(Authenticated, Base):
    """An OAuth API client of a company."""

    __tablename__ = "api_clients"
    mac_columns = ("id", "organisation_id", "client_id", "scopes", "revoked_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    client_id: Mapped[str] = mapped_column(unique=True, comment="public prefix")
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(comment="what it was granted when it was made")
    created_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ClientSecret(Authenticated, Base):
    """A secret of an API client, stored as a hash only. Two may be active, so that they can be rotated."""

    __tablename__ = "client_secrets"
    mac_columns = ("id", "client_id", "secret_hash", "expires_at", "ended_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(comment="SHA-256 of 32 random bytes: nothing to guess, so no slow hash")
    created_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(comment="by a member of the company, before it expired")

    __table_args__ = (sa.CheckConstraint("expires_at > created_at", name="expires_after_it_begins"),)


class FailedLogins(Base):
    """Failed attempts in the present window, by hashed account or network."""

    __tablename__ = "failed_logins"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime]
    failures: Mapped[int]


class UserSession(Authenticated, Base):
    """A session of a person: all refresh tokens of one sign-in, and when the second factor was given."""

    __tablename__ = "user_sessions"
    mac_columns = ("id", "user_id", "expires_at", "second_factor_at", "ended_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True, comment="absolute: no renewal moves it")
    second_factor_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]

    __table_args__ = (
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="end_with_cause"),
        sa.CheckConstraint("expires_at > created_at", name="ends_after_it_begins"),
    )


class RefreshToken(Authenticated, Base):
    """One refresh token of a session. Used ones are stored, so that reuse is detected."""

    __tablename__ = "refresh_tokens"
    mac_columns = ("token_hash", "user_session_id", "used_at")

    token_hash: Mapped[str] = mapped_column(primary_key=True, comment="SHA-256 of 32 random bytes")
    user_session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class TotpEnrolment(Authenticated, Base):
    """The authenticator of a staff user (RFC 6238). Secrets are encrypted; see `app/core/crypto/secret_box.py`."""

    __tablename__ = "totp_enrolments"
    mac_columns = ("user_id", "encrypted_secret", "last_step", "encrypted_pending_secret", "pending_since")

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    encrypted_secret: Mapped[str | None] = mapped_column(comment="the secret in force")
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(sa.BigInteger(), comment="of the newest code that was accepted")
    encrypted_pending_secret: Mapped[str | None] = mapped_column(comment="a new secret that no code has confirmed yet")
    pending_since: Mapped[datetime | None]

    __table_args__ = (
        sa.CheckConstraint("(encrypted_secret IS NULL) = (confirmed_at IS NULL)", name="confirmed_or_not"),
        sa.CheckConstraint("(encrypted_pending_secret IS NULL) = (pending_since IS NULL)", name="pending_since_when"),
    )


class StaffCredential(Authenticated, Base):
    """An authenticator (WebAuthn) with which a member of staff confirms decisions.

    A row alone decides nothing: the public log must hold the hash of its key and its user as well.
    """

    __tablename__ = "staff_credentials"
    mac_columns = ("id", "credential_id", "public_key", "user_id", "sign_count", "removed_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    credential_id: Mapped[str] = mapped_column(unique=True, comment="given by the authenticator, base64url")
    public_key: Mapped[str] = mapped_column(comment="COSE key, base64url")
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(comment="by which the person knows it")
    sign_count: Mapped[int] = mapped_column(sa.BigInteger(), comment="of its last signature; 0: it does not count")
    sha256: Mapped[str] = mapped_column(comment="over credential id, public key and user; the log holds it")
    registered_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Invitation(Authenticated, Base):
    """An offer by a member of a company to the bearer of the token to become a member."""

    __tablename__ = "invitations"
    mac_columns = ("id", "organisation_id", "email", "token_hash", "expires_at", "closed_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    email: Mapped[str] = mapped_column(comment="lower case")
    token_hash: Mapped[str] = mapped_column(unique=True)
    invited_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(comment="accepted or withdrawn")
    accepted_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))

    __table_args__ = (sa.CheckConstraint("accepted_by IS NULL OR closed_at IS NOT NULL", name="accepted_is_closed"),)


class AddressConfirmation(Base):
    """A one-time token mailed to an address that requested registration; its bearer controls the mailbox."""

    __tablename__ = "address_confirmations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(index=True, comment="lower case")
    language: Mapped[str | None] = mapped_column(comment="that was asked for: az, en or ru")
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None] = mapped_column(comment="used, or another one of the address was")


class PasswordReset(Authenticated, Base):
    """A one-time token to set a password, mailed to the account's address."""

    __tablename__ = "password_resets"
    mac_columns = ("id", "user_id", "token_hash", "expires_at", "closed_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    issued_by: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("users.id"), comment="null: the person, or the command line"
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(comment="used, or made void by a newer one")


class ProposalState(StrEnum):
    PROPOSED = "proposed"  # another person acts next
    CONFIRMED = "confirmed"  # by another person; it was carried out in the same transaction
    REFUSED = "refused"  # by another person
    WITHDRAWN = "withdrawn"  # by the proposer
    EXPIRED = "expired"  # computed from `expires_at`, never stored


class Proposal(Authenticated, Base):
    """An act that one person proposes and another confirms. `app/proposal_kinds.py` lists the kinds."""

    __tablename__ = "proposals"
    mac_columns = ("id", "kind", "content", "sha256", "user_id", "state", "proposed_by", "expires_at")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(comment="a key of the table of kinds in app/proposal_kinds.py")
    content: Mapped[dict[str, Any]] = mapped_column(comment="exactly what is proposed: ids, codes and moments")
    sha256: Mapped[str] = mapped_column(comment="of the canonical JSON of the document that proposes it")
    subject_type: Mapped[str] = mapped_column(comment="user, key or certificate, as in audit events")
    subject_id: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("users.id"), index=True, comment="whom it is about, who therefore cannot confirm it"
    )
    state: Mapped[str] = mapped_column(default=ProposalState.PROPOSED.value)
    proposed_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    confirmed_sha256: Mapped[str | None] = mapped_column(comment="of the document that confirms it")
    proposer_confirmation: Mapped[dict[str, Any] | None] = mapped_column(comment="the proposer's signature of `sha256`")
    confirmer_confirmation: Mapped[dict[str, Any] | None] = mapped_column(
        comment="the confirmer's signature of `confirmed_sha256`"
    )
    version: Mapped[int] = mapped_column(default=1)

    def state_at(self, now: datetime) -> ProposalState:
        """Return the state at this moment: what nobody decided in time has expired."""
        state = ProposalState(self.state)
        return ProposalState.EXPIRED if state is ProposalState.PROPOSED and self.expires_at <= now else state

    __table_args__ = (
        sa.CheckConstraint(
            "state <> 'confirmed' OR (decided_by IS NOT NULL AND decided_by <> proposed_by "
            "AND (user_id IS NULL OR decided_by <> user_id))",
            name="four_eyes",
        ),
        sa.CheckConstraint("state <> 'withdrawn' OR decided_by = proposed_by", name="withdrawn_by_proposer"),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided_by_somebody",
        ),
        sa.CheckConstraint("(state = 'confirmed') = (confirmed_sha256 IS NOT NULL)", name="confirmed_document"),
        sa.CheckConstraint("expires_at > proposed_at", name="expires_after_it_begins"),
        sa.CheckConstraint(check_in("state", sorted(set(ProposalState) - {ProposalState.EXPIRED})), name="state"),
    )
