"""Table of outgoing messages, waiting or recently sent."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, check_in, new_id


class MessageKind(StrEnum):
    """Type of a message. The first two name no account: they are resolved when sent.

    The request that causes them therefore takes the same steps for every address.
    """

    REGISTRATION_REQUESTED = "registration-requested"
    RESET_REQUESTED = "reset-requested"
    CONFIRM_ADDRESS = "confirm-address"
    ADDRESS_TAKEN = "address-taken"
    RESET_PASSWORD = "reset-password"  # noqa: S105 (a kind of message)
    FIRST_PASSWORD = "first-password"  # noqa: S105 (a kind of message)
    INVITATION = "invitation"
    CLAIM_CONFIRMED = "claim-confirmed"
    CLAIM_REFUSED = "claim-refused"
    CLAIM_DISPUTED = "claim-disputed"
    MEMBER_REMOVED = "member-removed"
    ACCOUNT_CLOSED = "account-closed"
    ROLE_GRANTED = "role-granted"
    ROLE_TAKEN = "role-taken"
    ADMINISTRATOR_GIVEN = "administrator-given"
    ADMINISTRATOR_TAKEN = "administrator-taken"
    CERTIFICATES_REISSUED = "certificates-reissued"
    AUTHENTICATOR_PROPOSED = "authenticator-proposed"
    AUTHENTICATOR_REGISTERED = "authenticator-registered"
    AUTHENTICATOR_REMOVED = "authenticator-removed"
    SIGN_IN_ADDED = "sign-in-added"
    SIGN_IN_REMOVED = "sign-in-removed"
    AUTHORITY_OFFERED = "authority-offered"
    AUTHORITY_ACCEPTED = "authority-accepted"
    AUTHORITY_ENDED = "authority-ended"


class OutgoingMessage(Base):
    """A message, written in the transaction of its cause and sent after the commit."""

    __tablename__ = "outgoing_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    recipient: Mapped[str] = mapped_column(comment="e-mail address")
    language: Mapped[str | None] = mapped_column(comment="null: not known, so all of az and en")
    values: Mapped[dict[str, str]] = mapped_column(comment="what the text names; no secrets")
    encrypted_token: Mapped[str | None] = mapped_column(
        comment="AES-GCM under keys/second-factors.key, bound to the id; null once the message is delivered or void"
    )
    created_at: Mapped[datetime]
    void_at: Mapped[datetime] = mapped_column(comment="from then on it is not sent any more")
    next_attempt_at: Mapped[datetime | None] = mapped_column(
        index=True, comment="null: delivered or void. While a worker sends it, when another one may try"
    )
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        sa.CheckConstraint(check_in("kind", MessageKind), name="kind"),
        sa.CheckConstraint("delivered_at IS NULL OR next_attempt_at IS NULL", name="delivered_once"),
        sa.CheckConstraint("next_attempt_at IS NOT NULL OR encrypted_token IS NULL", name="token_erased"),
    )
