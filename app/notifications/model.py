"""Tables of notices with who reads them, and of outgoing messages, waiting or recently sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, check_in, new_id, unique_where

IS_FOR_OWNER = sa.text("audience = 'owner'")


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
    NOTICE = "notice"  # of an event; its text is in notice_texts.toml
    CONFIRM_WATCH = "confirm-watch"
    WATCHED_CHANGE = "watched-change"
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
    sequence: Mapped[int | None] = mapped_column(
        sa.ForeignKey("notices.sequence"), comment="of the notice that it delivers; null of other kinds"
    )
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
        sa.CheckConstraint("(kind = 'notice') = (sequence IS NOT NULL)", name="notice"),
        unique_where("uq_outgoing_messages_sequence", "sequence", "recipient", condition="sequence IS NOT NULL"),
        sa.CheckConstraint("delivered_at IS NULL OR next_attempt_at IS NULL", name="delivered_once"),
        sa.CheckConstraint("next_attempt_at IS NOT NULL OR encrypted_token IS NULL", name="token_erased"),
    )


class Audience(StrEnum):
    """Who reads a notice: members of a company, its administrators, one person, or owners of the mark."""

    COMPANY = "company"
    ADMINISTRATORS = "administrators"
    PERSON = "person"
    OWNER = "owner"


class Notice(Base):
    """What somebody is told of one event, for good."""

    __tablename__ = "notices"

    sequence: Mapped[int] = mapped_column(
        sa.BigInteger(), primary_key=True, autoincrement=False, comment="of the event in the audit chain"
    )
    type: Mapped[str] = mapped_column(comment="of the event")
    at: Mapped[datetime]
    content: Mapped[dict[str, Any]] = mapped_column(comment="the event as it left the service; no personal data")


class NoticeRecipient(Base):
    """Who reads a notice; one row for a company, however many members it has."""

    __tablename__ = "notice_recipients"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sequence: Mapped[int] = mapped_column(sa.ForeignKey("notices.sequence"))
    audience: Mapped[str]
    organisation_id: Mapped[UUID | None] = mapped_column(
        comment="no reference: an event may name a company that was merged since"
    )
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))

    __table_args__ = (
        sa.CheckConstraint(check_in("audience", Audience), name="audience"),
        sa.CheckConstraint(
            "(audience IN ('company', 'administrators')) = (organisation_id IS NOT NULL)", name="organisation"
        ),
        sa.CheckConstraint("(audience = 'person') = (user_id IS NOT NULL)", name="person"),
        sa.Index("ix_notice_recipients_organisation_id", "organisation_id", "sequence"),
        sa.Index("ix_notice_recipients_user_id", "user_id", "sequence"),
        sa.Index("ix_notice_recipients_owner", "sequence", sqlite_where=IS_FOR_OWNER, postgresql_where=IS_FOR_OWNER),
    )


class NoticeRead(Base):
    """A person has read a notice that is newer than `InboxSettings.read_up_to`."""

    __tablename__ = "notice_reads"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(sa.ForeignKey("notices.sequence"), primary_key=True)
    read_at: Mapped[datetime]


class InboxSettings(Base):
    """What a person has read, and is not mailed; without a row nothing is read and everything is mailed."""

    __tablename__ = "inbox_settings"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    read_up_to: Mapped[int] = mapped_column(sa.BigInteger(), default=0, comment="this notice and all before it")
    not_mailed: Mapped[list[str]] = mapped_column(comment="types of events")
