"""Limit the storage of an organisation: small until it is confirmed, because anyone can register one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.model import Evidence
from app.core.actor import Actor
from app.core.errors import Conflict
from app.core.messages import Message
from app.core.settings import Settings
from app.organisations import organisation_repository
from app.organisations.model import OrganisationStatus


@dataclass(frozen=True, slots=True)
class Quota:
    max_bytes: int
    max_files: int


@dataclass(frozen=True, slots=True)
class Quotas:
    confirmed: Quota
    claimant: Quota

    @classmethod
    def from_settings(cls, settings: Settings) -> "Quotas":
        return cls(
            Quota(settings.evidence_quota_bytes, settings.evidence_quota_files),
            Quota(settings.claimant_quota_bytes, settings.claimant_quota_files),
        )


class QuotaExceeded(Conflict):
    """Report that the organisation reached its storage quota."""

    code = "quota-exceeded"


def require_quota(session: Session, actor: Actor, row: Evidence, quotas: Quotas) -> None:
    """Count stored files under the organisation's lock. Raises `QuotaExceeded` when the file exceeds the quota.

    Files added by staff count, but are never refused.
    """
    if actor.is_staff:
        return
    organisation = organisation_repository.find_organisation(session, row.organisation_id, lock=True)
    is_confirmed = organisation is not None and organisation.status == OrganisationStatus.CONFIRMED
    quota = quotas.confirmed if is_confirmed else quotas.claimant
    files, size = application_repository.evidence_usage(session, row.organisation_id)
    if files + 1 > quota.max_files or size + row.size > quota.max_bytes:
        stored: dict[str, Any] = {"files": files, "bytes": size}
        stored |= {"max_files": quota.max_files, "max_bytes": quota.max_bytes}
        message = Message(
            "Your organisation has stored %(files)s files of %(bytes)s bytes; it may store %(max_files)s files of "
            "%(max_bytes)s bytes, and more once it is confirmed. Remove files from drafts.",
            **stored,
        )
        if is_confirmed:
            message = Message(
                "Your organisation has stored %(files)s files of %(bytes)s bytes; it may store %(max_files)s files of "
                "%(max_bytes)s bytes. Remove files from drafts, or ask the certification body.",
                **stored,
            )
        raise QuotaExceeded(message, data=stored)
