"""Define the tables of applications: evidence, questions, assessments, recommendations and decisions."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.applications.workflow import State
from app.core.database import Base, JsonColumn, JsonColumnOrNull, check_in, new_id, unique_where


class Application(Base):
    __tablename__ = "applications"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    scheme_code: Mapped[str] = mapped_column(sa.ForeignKey("schemes.code"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    reference: Mapped[str | None] = mapped_column(comment="the applicant's own")
    state: Mapped[str] = mapped_column(index=True)
    state_since: Mapped[datetime]
    assignee_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_by: Mapped[UUID | None] = mapped_column(comment="user or API client")
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint(check_in("state", State), name="state"),
        sa.CheckConstraint(
            "state NOT IN ('in_review', 'recommended') OR assignee_id IS NOT NULL", name="somebody_holds_it"
        ),
        sa.UniqueConstraint("organisation_id", "reference"),
    )


class ApplicationProduct(Base):
    __tablename__ = "application_products"

    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"), primary_key=True, index=True)
    position: Mapped[int]


class Evidence(Base):
    """Store one evidence document: file, values read from it and subject. Files are addressed by SHA-256.

    A row without `application_id` belongs to the company and is used by all its applications. `entered` keeps what the
    applicant stated at upload; the other columns hold the values that a member of staff confirmed.
    """

    __tablename__ = "evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    application_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("applications.id"), index=True)
    product_ids: Mapped[list[str]] = mapped_column(default=list, comment="products that it is about, by id")
    site_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("sites.id"), comment="the site that it is about")
    kind: Mapped[str] = mapped_column(comment="one of app/schemes/evidence_kinds.toml")
    issued_on: Mapped[date | None]
    valid_until: Mapped[date | None] = mapped_column(comment="last day, inclusive; null: open")
    number: Mapped[str | None] = mapped_column(comment="as printed on the document")
    stated: Mapped[dict[str, Any]] = mapped_column(comment="structured values of its kind; decimals as text")
    entered: Mapped[dict[str, Any] | None] = mapped_column(
        JsonColumn, comment="dates, number, values and subject as the applicant stated them; null: added by staff"
    )
    file_name: Mapped[str]
    media_type: Mapped[str] = mapped_column(comment="as seen in the content, not as claimed")
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(index=True)
    uploaded_by: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), comment="the member of staff")
    confirmed_at: Mapped[datetime | None]
    confirmed_by_uploader: Mapped[bool] = mapped_column(
        default=False,
        server_default=sa.false(),
        comment="confirmed by its upload, when that was enough; never set by now",
    )
    withdrawal_reason: Mapped[str | None] = mapped_column(
        comment="why the confirmation, or the document, was withdrawn"
    )
    found_false: Mapped[bool] = mapped_column(
        default=False,
        server_default=sa.false(),
        comment="withdrawn because it is false; it is never confirmed again",
    )
    withdrawn_by: Mapped[UUID | None] = mapped_column(comment="the member of the company who withdrew it")
    withdrawn_at: Mapped[datetime | None] = mapped_column(comment="kept, and no longer counted")
    erased_at: Mapped[datetime | None] = mapped_column(comment="the file of a refused claim is gone; its hash stays")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_by_somebody"),
        sa.CheckConstraint("confirmed_by <> uploaded_by OR confirmed_by_uploader", name="confirmed_by_another"),
    )


class FileScan(Base):
    """Hold what the virus scanner said of a file, by its content. A file without a row has not been scanned."""

    __tablename__ = "file_scans"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    signature: Mapped[str | None] = mapped_column(comment="name of what was found; null: clean")
    scanner: Mapped[str] = mapped_column(comment="version of the scanner and its signatures")
    scanned_at: Mapped[datetime]


class DeclarationMethod(StrEnum):
    CLICK = "click"
    E_SIGNATURE = "e_signature"


class Declaration(Base):
    """Record a member's acceptance of the declaration text for a declared hash. Rows are append-only."""

    __tablename__ = "declarations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), index=True)
    text_version: Mapped[str]
    declared_hash: Mapped[str] = mapped_column(comment="SHA-256 over what the applicant entered and uploaded")
    documents: Mapped[list[str]] = mapped_column(comment="ids of the evidence documents that it covers")
    method: Mapped[str]
    made_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    made_at: Mapped[datetime]

    __table_args__ = (sa.CheckConstraint(check_in("method", DeclarationMethod), name="method"),)


class VisitWaiver(Base):
    """Record the owner's decision, with its reason, that one application needs no site visit."""

    __tablename__ = "visit_waivers"

    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), primary_key=True)
    reason: Mapped[str]
    waived_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    waived_at: Mapped[datetime]


class InformationRequest(Base):
    """Store a reviewer's question and the applicant's answer."""

    __tablename__ = "information_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), index=True)
    product_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("products.id"))
    field: Mapped[str | None] = mapped_column(comment="what the question is about, from a closed list")
    question: Mapped[str]
    asked_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
    evidence_ids: Mapped[list[str] | None] = mapped_column(comment="files that the answer names; null until answered")
    accepts: Mapped[bool | None] = mapped_column(comment="whether a short term is accepted; null: not asked about")
    accepted_until: Mapped[date | None] = mapped_column(comment="last day of the term that was accepted")


class CaseNote(Base):
    """Store the reason given with an action (return, rejection) or an internal note of staff."""

    __tablename__ = "case_notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), index=True)
    author_id: Mapped[UUID | None]
    text: Mapped[str]
    internal: Mapped[bool] = mapped_column(comment="for staff only")
    created_at: Mapped[datetime]


class AssessmentRow(Base):
    """Store the findings for one product on one occasion. Rows are append-only; the newest one counts."""

    __tablename__ = "assessments"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"))
    occasion: Mapped[str]
    scheme_code: Mapped[str]
    ruleset_version: Mapped[str]
    input_hash: Mapped[str]
    outcome: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(comment="findings and origin as they were answered")
    assessed_at: Mapped[datetime]

    __table_args__ = (
        sa.ForeignKeyConstraint(["scheme_code", "ruleset_version"], ["rulesets.scheme_code", "rulesets.version"]),
        sa.CheckConstraint(
            check_in("occasion", ["submission", "response", "recommendation", "decision"]), name="occasion"
        ),
    )


class Recommendation(Base):
    __tablename__ = "recommendations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), index=True)
    recommended_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    recommended_at: Mapped[datetime]
    dossier_hash: Mapped[str]
    products: Mapped[list[Any]] = mapped_column(
        comment="product_id, outcome, reasons, resolutions with the values seen"
    )
    voided_at: Mapped[datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("id", "application_id", "recommended_by"),
        unique_where("uq_recommendations_open", "application_id", condition="voided_at IS NULL"),
    )


class Decision(Base):
    """Record a decision. Constraints enforce four eyes: `decided_by` differs from the recommender of the
    recommendation.
    """

    __tablename__ = "decisions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"), unique=True)
    recommendation_id: Mapped[UUID]
    recommended_by: Mapped[UUID]
    decided_by: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    products: Mapped[list[Any]]
    ruleset_version: Mapped[str]
    dossier_hash: Mapped[str]
    document: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="exactly what was decided (`decision_document.py`)"
    )
    sha256: Mapped[str] = mapped_column(server_default="", comment="over the canonical JSON of the document")
    confirmation: Mapped[dict[str, Any] | None] = mapped_column(
        JsonColumnOrNull, comment="what the person signed; null where nobody was asked to"
    )

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["recommendation_id", "application_id", "recommended_by"],
            ["recommendations.id", "recommendations.application_id", "recommendations.recommended_by"],
        ),
        sa.CheckConstraint("decided_by <> recommended_by", name="four_eyes"),
        sa.CheckConstraint(check_in("outcome", ["approved", "rejected"]), name="outcome"),
    )


class DecidedProduct(Base):
    """Store one decided product with its HS code on the day of decision; the product itself may change later."""

    __tablename__ = "decided_products"

    decision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("decisions.id"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    scheme_code: Mapped[str] = mapped_column(sa.ForeignKey("schemes.code"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"))
    hs4: Mapped[str] = mapped_column(comment="HS heading, first four digits of hs6")
    hs6: Mapped[str]
    outcome: Mapped[str]

    __table_args__ = (
        sa.CheckConstraint(check_in("outcome", ["approved", "rejected"]), name="outcome"),
        sa.CheckConstraint("substr(hs6, 1, 4) = hs4", name="heading"),
        sa.Index("ix_decided_products_heading", "scheme_code", "hs4", "decision_id"),
    )
