"""Map certificates, suspensions, matters, reports, status lists and snapshots to tables.

A certificate's row repeats what its token says, in the wording of the day of issue, for searching; what is shown comes
from the token and the public log. Expiry is computed from the dates and never stored.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.certificates.status_decisions.status_document import StatusAct
from app.certificates.status_list import Purpose
from app.core.database import Base, JsonColumnOrNull, check_in, new_id, unique_where


class CertificateStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"  # temporary; ends when all its causes end
    REVOKED = "revoked"  # final, by the owner
    SURRENDERED = "surrendered"  # final, by the holder
    SUPERSEDED = "superseded"  # final, a newer certificate took its place


class SuspensionCause(StrEnum):
    """Closed list of causes for which a certificate is suspended."""

    RESIDENCY = "residency"
    DOCUMENT = "document"
    HEARING = "hearing"
    SURVEILLANCE = "surveillance"
    CHANGE = "change"
    LICENCE = "licence"
    MARK = "mark"
    HOLDER = "holder"
    INCIDENT = "incident"
    COURT = "court"


INVESTIGATION_CAUSES = frozenset(SuspensionCause) - {SuspensionCause.RESIDENCY, SuspensionCause.HOLDER}
"""Causes that are inquiries: a surrender while one is open happens during an investigation."""


class RevocationReason(StrEnum):
    """Closed list of reasons for which a certificate is revoked."""

    FALSE_DOCUMENTS = "false-documents"
    UNCERTIFIED_GOODS = "mark-on-uncertified-goods"
    CRITICAL_NONCONFORMITY = "critical-nonconformity"
    RESIDENCY_CANCELLED = "residency-cancelled"
    BANKRUPTCY = "bankruptcy"
    REPEATED_SUSPENSION = "repeated-suspension"
    COURT_ORDER = "court-order"


class MatterKind(StrEnum):
    LOST_GROUND = "lost_ground"  # something the certificate depends on is missing or differs
    CHANGE = "change"  # the holder reported a change
    REPORT = "report"  # anyone reported the certificate or its use


class MatterCause(StrEnum):
    """Why a matter was opened; `CAUSES_BY_KIND` lists the causes of each kind."""

    EVIDENCE_WITHDRAWN = "evidence_withdrawn"
    EVIDENCE_ENDED = "evidence_ended"
    EVIDENCE_FALSE = "evidence_false"
    STAGE_BACK = "stage_back"  # of the residency: no longer operating
    NON_RESIDENT = "non_resident"  # granted to a resident of the park that is now a non-resident
    FACT_DIFFERS = "fact_differs"  # the resident register differs from what was certified
    NAME = "name"
    ADDRESS = "address"
    MATERIALS = "materials"
    SUPPLIER = "supplier"
    PRICE = "price"
    CAPACITY = "capacity"
    STEP = "step"
    SITE = "site"
    HEADING = "heading"
    OWNERSHIP = "ownership"
    OTHER = "other"


CAUSES_BY_KIND: Mapping[MatterKind, frozenset[MatterCause]] = MappingProxyType(
    {
        MatterKind.LOST_GROUND: frozenset(
            {
                MatterCause.EVIDENCE_WITHDRAWN,
                MatterCause.EVIDENCE_ENDED,
                MatterCause.EVIDENCE_FALSE,
                MatterCause.STAGE_BACK,
                MatterCause.NON_RESIDENT,
                MatterCause.FACT_DIFFERS,
            }
        ),
        MatterKind.CHANGE: frozenset(
            {
                MatterCause.NAME,
                MatterCause.ADDRESS,
                MatterCause.MATERIALS,
                MatterCause.SUPPLIER,
                MatterCause.PRICE,
                MatterCause.CAPACITY,
                MatterCause.STEP,
                MatterCause.SITE,
                MatterCause.HEADING,
                MatterCause.OWNERSHIP,
                MatterCause.OTHER,
            }
        ),
        MatterKind.REPORT: frozenset({MatterCause.OTHER}),
    }
)


class MatterState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class MatterOutcome(StrEnum):
    UNFOUNDED = "unfounded"
    CORRECTED = "corrected"
    UPHELD = "upheld"


class Certificate(Base):
    __tablename__ = "certificates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    scheme_code: Mapped[str] = mapped_column(sa.ForeignKey("schemes.code"))
    scheme_name: Mapped[str]
    ruleset_version: Mapped[str]
    year: Mapped[int]
    serial: Mapped[int]
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("products.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sites.id"))
    residency_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("residencies.id"),
        index=True,
        comment="the residency this grant rests on, if its rules ask for one",
    )
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey("applications.id"))
    decision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("decisions.id"))
    holder_name: Mapped[str] = mapped_column(comment="English")
    holder_name_az: Mapped[str | None] = mapped_column(comment="with its legal form; null: not known for certain")
    holder_voen: Mapped[str] = mapped_column(index=True)
    holder_is_legal_person: Mapped[bool] = mapped_column(
        default=False, server_default=sa.false(), comment="only then is its VÖEN shown, and searched"
    )
    product_names: Mapped[dict[str, str]]
    hs6: Mapped[str]
    gtin: Mapped[str | None]
    park_code: Mapped[str | None]
    district: Mapped[str]
    country: Mapped[str] = mapped_column(server_default="AZ", comment="of origin, ISO 3166-1 alpha-2")
    origin_criterion: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date] = mapped_column(comment="inclusive, Asia/Baku")
    status: Mapped[str]
    status_since: Mapped[datetime]
    status_reason: Mapped[str | None]
    during_investigation: Mapped[bool] = mapped_column(
        default=False,
        server_default=sa.false(),
        comment="given back while it was suspended for cause, or while a matter was open",
    )
    status_list_id: Mapped[int]
    status_index: Mapped[int]
    kid: Mapped[str] = mapped_column(sa.ForeignKey("signing_keys.kid"))
    token_sha256: Mapped[str] = mapped_column(comment="over header.payload, not over the signature: ECDSA has two")
    issued_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    token: Mapped[str] = mapped_column(comment="last, because it is long: checks read the columns before it")

    __table_args__ = (
        sa.Index("ix_certificates_status_since", "status_since"),
        sa.UniqueConstraint("application_id", "product_id"),
        sa.UniqueConstraint("scheme_code", "year", "serial"),
        sa.UniqueConstraint("status_list_id", "status_index"),
        sa.CheckConstraint(check_in("status", CertificateStatus), name="status"),
        sa.CheckConstraint("valid_until >= valid_from", name="validity"),
        # The public register's counts and its change check are answered from this index alone.
        sa.Index("ix_certificates_counted", "scheme_code", "park_code", "status", "valid_until", "version"),
    )


class ReissuedToken(Base):
    """A further token of a certificate, signed anew after its key was compromised. Triggers allow only inserts.

    The row of the certificate keeps its first token. A key signs a certificate anew once.
    """

    __tablename__ = "reissued_tokens"

    number: Mapped[str] = mapped_column(sa.ForeignKey("certificates.number"), primary_key=True)
    kid: Mapped[str] = mapped_column(sa.ForeignKey("signing_keys.kid"), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True, comment="over header.payload")
    reissued_at: Mapped[datetime]
    token: Mapped[str]


class CertificateSnapshot(Base):
    """The answer to a verification of a certificate's number, authenticated (`snapshot.py`).

    A row proves nothing by being there: readers check its code, its log entry and its time.
    """

    __tablename__ = "certificate_snapshots"

    number: Mapped[str] = mapped_column(primary_key=True)
    signed_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(), unique=True, comment="SHA-256, 32 bytes")
    kid: Mapped[str] = mapped_column(comment="key that signed the token")
    issued_at: Mapped[int] = mapped_column(sa.BigInteger(), comment="second since 1970 of the issue in the log")
    log_seq: Mapped[int] = mapped_column(sa.BigInteger(), comment="last log entry about the certificate")
    holder_id: Mapped[str | None] = mapped_column(comment="URN of the company, as signed")
    list_id: Mapped[int]
    status_index: Mapped[int]
    status: Mapped[str]
    good_until: Mapped[int | None] = mapped_column(
        sa.BigInteger(), comment="second since 1970 at which time alone changes the answer; null: never"
    )
    etag: Mapped[str]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary(), comment="JSON")
    mac: Mapped[bytes] = mapped_column(sa.LargeBinary(), comment="HMAC-SHA-256 over all other columns")


class SearchField(StrEnum):
    """Field of a certificate in which a search term occurs."""

    NUMBER = "number"
    HOLDER = "holder"
    PRODUCT = "product"
    HS = "hs"
    PLACE = "place"


class CertificateSearchTerm(Base):
    """Phonetic key (`phonetic.py`) by which a certificate is found; written once, at issue.

    Both kinds of database compare bytes, so that all terms with one prefix are adjacent in the key.
    """

    __tablename__ = "certificate_search_terms"

    term: Mapped[str] = mapped_column(sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("certificates.id"), primary_key=True)

    __table_args__ = (
        sa.CheckConstraint(check_in("field", SearchField), name="field"),
        {"sqlite_with_rowid": False},
    )


class Suspension(Base):
    """One cause for which a certificate is suspended; open until `ended_at`."""

    __tablename__ = "suspensions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    certificate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("certificates.id"), index=True)
    cause: Mapped[str]
    note: Mapped[str | None]
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        sa.CheckConstraint(check_in("cause", SuspensionCause), name="cause"),
        unique_where("uq_suspensions_open", "certificate_id", "cause", condition="ended_at IS NULL"),
    )


class StatusDecision(Base):
    """A decision on the status of a certificate, by a person or as a consequence. Triggers allow only inserts.

    A decision on a further cause, or on one cause of several, changes no status.
    """

    __tablename__ = "status_decisions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    certificate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("certificates.id"), index=True)
    act: Mapped[str]
    document: Mapped[dict[str, Any]] = mapped_column(comment="exactly what was decided (`status_document.py`)")
    sha256: Mapped[str] = mapped_column(comment="over the canonical JSON of the document")
    confirmation: Mapped[dict[str, Any] | None] = mapped_column(
        JsonColumnOrNull, comment="what the person signed; null where nobody was asked to"
    )
    decided_at: Mapped[datetime]

    __table_args__ = (sa.CheckConstraint(check_in("act", StatusAct), name="act"),)


class CertifiedDescription(Base):
    """What was certified, frozen on the day of issue (`certified_description.py`).

    Product, site and company may change later; the certified description does not. Triggers allow only inserts.
    """

    __tablename__ = "certified_descriptions"

    certificate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("certificates.id"), primary_key=True)
    content: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(comment="over the canonical JSON of the content")
    frozen_at: Mapped[datetime] = mapped_column(comment="the issue; of certificates of before, the migration")


class Matter(Base):
    """Something about a certificate that a person must examine and close.

    It never changes the status by itself.
    """

    __tablename__ = "matters"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    certificate_id: Mapped[UUID] = mapped_column(sa.ForeignKey("certificates.id"), index=True)
    cause: Mapped[str]
    subject: Mapped[str | None] = mapped_column(comment="type:id of what it is about; at most one is open for each")
    text: Mapped[str | None] = mapped_column(comment="in the words of whoever told of it")
    details: Mapped[dict[str, Any]] = mapped_column(comment="days, names of fields and the like, by cause")
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), comment="null: the system")
    state: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    outcome: Mapped[str | None]
    revocation_reason: Mapped[str | None] = mapped_column(comment="what was upheld; null where it was not")
    reason: Mapped[str | None] = mapped_column(comment="why it was closed like that")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        sa.CheckConstraint(check_in("kind", MatterKind), name="kind"),
        sa.CheckConstraint(check_in("cause", MatterCause), name="cause"),
        sa.CheckConstraint(check_in("state", MatterState), name="state"),
        sa.CheckConstraint(check_in("outcome", MatterOutcome), name="outcome"),
        sa.CheckConstraint(check_in("revocation_reason", RevocationReason), name="revocation_reason"),
        sa.CheckConstraint("revocation_reason IS NULL OR outcome = 'upheld'", name="upheld_for_it"),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL AND outcome IS NOT NULL "
            "AND reason IS NOT NULL)",
            name="closed_by_somebody",
        ),
        unique_where("uq_matters_open", "certificate_id", "cause", "subject", condition="state = 'open'"),
    )


class MisuseReport(Base):
    """A report of misuse. Only its text is stored a second time, in the matter that it opened."""

    __tablename__ = "reports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    receipt: Mapped[str] = mapped_column(unique=True, comment="what whoever told of it was given")
    received_at: Mapped[datetime]
    number: Mapped[str | None] = mapped_column(comment="in display form where it is a number")
    certificate_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("certificates.id"))
    address: Mapped[str | None] = mapped_column(comment="as it was sent")
    text: Mapped[str | None]
    email: Mapped[str | None]
    photo: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    photo_type: Mapped[str | None]
    matter_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("matters.id"))

    __table_args__ = (
        sa.CheckConstraint("number IS NOT NULL OR address IS NOT NULL", name="about_something"),
        sa.CheckConstraint("(photo IS NULL) = (photo_type IS NULL)", name="photo"),
    )


class StatusListRow(Base):
    """One published list (W3C Bitstring Status List): certificates of a `list_id`, one purpose.

    `bits` repeats the statuses of certificates. `token` is the list as last signed, valid while `token_version` equals
    `version`; it may be missing, then the next request signs it.
    """

    __tablename__ = "status_lists"

    list_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1, comment="moves with every change of a bit")
    token_version: Mapped[int | None]
    kid: Mapped[str | None] = mapped_column(comment="the key that signed the token")
    signed_at: Mapped[datetime | None]
    bits: Mapped[bytes] = mapped_column(sa.LargeBinary(), comment="bit 0 is the left-most")
    token: Mapped[str | None]

    __table_args__ = (
        sa.CheckConstraint(check_in("purpose", Purpose), name="purpose"),
        sa.CheckConstraint("list_id > 0", name="list_id"),
        sa.CheckConstraint(
            "(token IS NULL) = (token_version IS NULL) AND (token IS NULL) = (kid IS NULL) "
            "AND (token IS NULL) = (signed_at IS NULL)",
            name="signed",
        ),
    )
