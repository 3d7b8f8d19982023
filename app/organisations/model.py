"""Tables of organisations, claims, sites, residencies and imports of the resident register."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, ExactDecimal, check_in, new_id, unique_where


class OrganisationStatus(StrEnum):
    LISTED = "listed"  # imported from a resident register; no one acts for it yet
    UNCONFIRMED = "unconfirmed"  # a person claims to act for it; the registrar acts next
    CONFIRMED = "confirmed"  # its members act for it
    REFUSED = "refused"  # the claim was refused: read-only, none of its data passes to another company


COMPANY_STATUSES = (OrganisationStatus.LISTED, OrganisationStatus.CONFIRMED)
"""Statuses of rows that are a company. A VÖEN has at most one such row, beside any number of claims."""


class ClaimState(StrEnum):
    WAITING = "waiting"  # the registrar acts next
    DISPUTED = "disputed"  # others act for the company; its claimant sees `waiting`
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class RecordSource(StrEnum):
    """Origin of a record. An applicant never overwrites names from the resident register."""

    REGISTER = "register"
    APPLICANT = "applicant"


class ResidencyStatus(StrEnum):
    RESIDENT = "resident"
    NON_RESIDENT = "non_resident"  # works in the park without the privileges of a resident


class ProductionStage(StrEnum):
    PLANNED = "planned"
    CONSTRUCTION = "construction"
    OPERATING = "operating"


IS_COMPANY = check_in("status", [status.value for status in COMPANY_STATUSES])


class Organisation(Base):
    __tablename__ = "organisations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    legal_name_az: Mapped[str]
    legal_name_en: Mapped[str]
    legal_form: Mapped[str]
    voen: Mapped[str] = mapped_column(comment="10 digits as text; leading zeros count; unique among companies")
    voen_needs_review: Mapped[bool] = mapped_column(comment="the check digit differs: confirm with the tax register")
    size_class: Mapped[str | None]
    foreign_share_pct: Mapped[Decimal | None] = mapped_column(ExactDecimal(5, 2))
    source: Mapped[str] = mapped_column(comment="whose word the names are: register or applicant")
    search_text: Mapped[str] = mapped_column(comment="folded names and the VÖEN")
    status: Mapped[str]
    refusal_reason: Mapped[str | None] = mapped_column(comment="why the last registration was refused")
    confirmed_by: Mapped[UUID | None] = mapped_column(comment="a user; no foreign key: users point here already")
    confirmed_at: Mapped[datetime | None]
    confirmation_basis: Mapped[str | None] = mapped_column(comment="on what evidence these people act for it")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint(check_in("status", OrganisationStatus), name="status"),
        sa.CheckConstraint(check_in("source", RecordSource), name="source"),
        sa.CheckConstraint("length(voen) = 10", name="voen_length"),
        sa.CheckConstraint(
            "status <> 'confirmed' OR (confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL)",
            name="confirmed_by_somebody",
        ),
        unique_where("uq_organisations_voen", "voen", condition=IS_COMPANY),
        sa.Index("ix_organisations_voen", "voen"),
    )


class Claim(Base):
    """The claim of a person to act for the company of a VÖEN, which is public and therefore no proof.

    What the claimant enters belongs to an organisation of its own, `unconfirmed`. When the claim is confirmed it moves
    into the company, or becomes the company where none was listed.
    """

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    voen: Mapped[str] = mapped_column(index=True)
    legal_name_az: Mapped[str] = mapped_column(comment="as claimed")
    legal_name_en: Mapped[str] = mapped_column(comment="as claimed")
    legal_form: Mapped[str] = mapped_column(comment="as claimed")
    claimant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organisations.id"), index=True, comment="what was entered with it; once confirmed, the company"
    )
    state: Mapped[str]
    created_at: Mapped[datetime]
    proposed_at: Mapped[datetime | None]
    proposed_by: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("users.id"), comment="of a disputed one: the registrar who proposed to confirm it"
    )
    proposal: Mapped[str | None] = mapped_column(comment="on what evidence that was proposed")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("users.id"), comment="null of one that is open, or that was decided before claims were rows"
    )
    reason: Mapped[str | None] = mapped_column(comment="why it was refused; for staff")
    basis: Mapped[str | None] = mapped_column(comment="on what evidence it was confirmed")
    evidence_seen: Mapped[list[str]] = mapped_column(default=list, comment="ids of documents seen at the confirmation")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint(check_in("state", ClaimState), name="state"),
        sa.CheckConstraint(
            "(state IN ('waiting', 'disputed')) = (decided_at IS NULL) AND "
            "(decided_by IS NULL OR decided_at IS NOT NULL)",
            name="decided_when_over",
        ),
        sa.CheckConstraint(
            "(proposed_at IS NULL) = (proposed_by IS NULL) AND (proposed_at IS NULL) = (proposal IS NULL)",
            name="proposed_by_somebody",
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR proposed_by IS NULL OR decided_by <> proposed_by", name="four_eyes"
        ),
        sa.CheckConstraint("(state = 'confirmed') = (basis IS NOT NULL)", name="basis_of_confirmation"),
        sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="reason_of_refusal"),
    )


class Site(Base):
    """A place of production of one organisation."""

    __tablename__ = "sites"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    name: Mapped[str]
    country: Mapped[str] = mapped_column(comment="ISO 3166-1 alpha-2")
    district: Mapped[str]
    economic_region: Mapped[str | None] = mapped_column(comment="follows from the district, never typed")
    park_code: Mapped[str | None] = mapped_column(sa.ForeignKey("parks.code"))
    production_started_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(comment="register or applicant")
    register_key: Mapped[str | None] = mapped_column(
        comment="park code (or empty outside parks) of a site from the register; null for an applicant's own"
    )
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.UniqueConstraint("id", "organisation_id"),
        sa.UniqueConstraint("organisation_id", "register_key"),
        sa.CheckConstraint(check_in("source", RecordSource), name="source"),
        sa.CheckConstraint("(source = 'register') = (register_key IS NOT NULL)", name="register_key"),
    )


class Residency(Base):
    """A period in which a company was resident or non-resident of a park.

    Open while neither ended nor cancelled. `incentive_until` is a tax privilege, not the end of the residency.
    """

    __tablename__ = "residencies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    park_code: Mapped[str] = mapped_column(sa.ForeignKey("parks.code"))
    status: Mapped[str]
    holder_voen: Mapped[str] = mapped_column(comment="as printed on the park's certificate")
    registration_no: Mapped[str | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None] = mapped_column(comment="last day, inclusive; null: open")
    cancelled_on: Mapped[date | None]
    closing_reason: Mapped[str | None] = mapped_column(comment="why it ended or was cancelled")
    stage: Mapped[str | None]
    incentive_until: Mapped[date | None]
    plot_no: Mapped[str | None] = mapped_column(comment="of the park, as printed on its certificate")
    plot_ha: Mapped[Decimal | None] = mapped_column(ExactDecimal(10, 2))
    planned_investment_azn: Mapped[Decimal | None] = mapped_column(ExactDecimal(16, 2))
    planned_jobs: Mapped[int | None]
    source: Mapped[str] = mapped_column(comment="import:<id> or registrar")
    confirmed_on: Mapped[date] = mapped_column(comment="day on which the source last said so")
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint(check_in("status", ResidencyStatus), name="status"),
        sa.CheckConstraint(check_in("stage", ProductionStage), name="stage"),
        sa.CheckConstraint("starts_on IS NULL OR ends_on IS NULL OR ends_on >= starts_on", name="period"),
        sa.Index("ix_residencies_plot", "park_code", "plot_no"),
        unique_where(
            "uq_residencies_open", "organisation_id", "park_code", condition="cancelled_on IS NULL AND ends_on IS NULL"
        ),
    )


class RegisterImport(Base):
    """One applied import file and its effect."""

    __tablename__ = "register_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sha256: Mapped[str]
    file_name: Mapped[str]
    imported_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    imported_at: Mapped[datetime]
    report: Mapped[dict[str, Any]]


class SanctionsList(Base):
    """A version of the sanctions list, as it was loaded from its file. Rows never change; the newest counts."""

    __tablename__ = "sanctions_lists"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sha256: Mapped[str] = mapped_column(comment="of the file")
    threshold: Mapped[int] = mapped_column(comment="score, 0-100, from which a name resembles another")
    loaded_at: Mapped[datetime]
    entry_count: Mapped[int]
    entries: Mapped[list[Any]]


class SanctionsDecision(Base):
    """What a person decided about a company that resembles an entry. Rows never change; the newest counts."""

    __tablename__ = "sanctions_decisions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    entry_id: Mapped[str]
    entry_sha256: Mapped[str] = mapped_column(comment="of the entry as it was: another one is to be decided again")
    names_sha256: Mapped[str] = mapped_column(comment="of the company's names as they were")
    decision: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    __table_args__ = (sa.CheckConstraint(check_in("decision", ["same", "different"]), name="decision"),)


class RegisterAnswer(Base):
    """What a register of others answered, once for each content. Rows never change; the bytes are in a file by hash."""

    __tablename__ = "register_answers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    register: Mapped[str] = mapped_column(comment="residents or tax")
    source: Mapped[str] = mapped_column(comment="name of a file, or the address that was asked")
    sha256: Mapped[str]
    size: Mapped[int]
    received_at: Mapped[datetime]
    stated_at: Mapped[datetime | None] = mapped_column(comment="when the register says so itself; null: a file")
    signature: Mapped[str | None] = mapped_column(comment="JWS of the register; null: a file")
    applied: Mapped[bool] = mapped_column(comment="false: refused whole, for the faults in the report")
    report: Mapped[dict[str, Any]]

    __table_args__ = (
        sa.CheckConstraint(check_in("register", ["residents", "tax"]), name="register"),
        sa.Index("ix_register_answers_sha256", "register", "sha256"),
    )
