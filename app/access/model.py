"""Who may come in: users, the roles of staff, API clients, and the count of wrong guesses."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.actor import STAFF_ROLES
from app.db import Base, new_id, one_of


class User(Base):
    """A person: staff, or a member of exactly one company, never both."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True, comment="lower case")
    full_name: Mapped[str]
    password_hash: Mapped[str]
    is_staff: Mapped[bool]
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        sa.CheckConstraint(
            "(is_staff AND organisation_id IS NULL) OR (NOT is_staff AND organisation_id IS NOT NULL)",
            name="staff_or_member",
        ),
        sa.UniqueConstraint("id", "is_staff"),
    )


class StaffRole(Base):
    """A role of a member of staff. The copied `is_staff` makes the database refuse a role for a company's member."""

    __tablename__ = "staff_roles"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    is_staff: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        sa.ForeignKeyConstraint(["user_id", "is_staff"], ["users.id", "users.is_staff"]),
        sa.CheckConstraint("is_staff", name="only_staff"),
        sa.CheckConstraint(one_of("role", sorted(STAFF_ROLES)), name="role"),
    )


class ApiClient(Base):
    """A program of a company. Its secret is shown once; only a hash is kept."""

    __tablename__ = "api_clients"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    client_id: Mapped[str] = mapped_column(unique=True, comment="public prefix")
    secret_hash: Mapped[str] = mapped_column(comment="SHA-256 of 32 random bytes: nothing to guess, so no slow hash")
    name: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Guesses(Base):
    """Failed attempts in the present window, by account and by address (both hashed)."""

    __tablename__ = "guesses"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime]
    failures: Mapped[int]


class KeptAnswer(Base):
    """The answer to a write that named an `Idempotency-Key`, kept in the transaction of that write for its retries."""

    __tablename__ = "kept_answers"

    principal: Mapped[str] = mapped_column(primary_key=True, comment="user:<id>, client:<id> or anonymous")
    route: Mapped[str] = mapped_column(primary_key=True, comment="method and path")
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(comment="SHA-256 of the request without its secrets")
    status: Mapped[int | None] = mapped_column(comment="null only inside the transaction that works")
    headers: Mapped[dict[str, str] | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
