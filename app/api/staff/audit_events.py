"""List the events of the audit chain to auditors and owners."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.shared.application_schemas import storable_text
from app.audit import audit_repository
from app.auth import user_repository
from app.core.actor import Actor, ActorKind, Role
from app.core.errors import Invalid
from app.core.messages import Message
from app.web.dependencies import SessionDep, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, ResponseModel, StorableDatetime

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

Reader = Annotated[Actor, require_role(Role.AUDITOR, Role.OWNER)]
MAX_SEQ = 2**63 - 1


class EventActorResponse(ResponseModel):
    kind: ActorKind = Field(examples=["user"])
    id: UUID | None
    name: str | None = Field(description="current name of the user; the chain holds the id only")


class EventSubjectResponse(ResponseModel):
    type: str = Field(examples=["application"])
    id: str


class AuditEventResponse(ResponseModel):
    seq: int = Field(description="position in the chain, without gaps")
    at: datetime
    event: str = Field(examples=["application.submitted"])
    actor: EventActorResponse
    subject: EventSubjectResponse
    case_id: UUID | None
    data: dict[str, Any] = Field(description="ids, codes and hashes")
    prev_hash: str
    hash: str = Field(description="SHA-256 over `prev_hash` and all members of the event")


@router.get("", summary="List audit events", responses=error_responses(*READ_ERRORS))
def list_audit_events(
    _actor: Reader,
    session: SessionDep,
    page: PageDep,
    event: Annotated[
        str | None, Query(max_length=100, description="name of the event", examples=["certificate.issued"])
    ] = None,
    subject: Annotated[
        str | None, Query(max_length=200, description="`type`, or `type:id`", examples=["certificate"])
    ] = None,
    actor: Annotated[UUID | None, Query(description="id of a user or API client")] = None,
    since: Annotated[StorableDatetime | None, Query(alias="from", description="inclusive")] = None,
    until: Annotated[StorableDatetime | None, Query(alias="to", description="exclusive")] = None,
) -> Page[AuditEventResponse]:
    """Oldest first. `mik doctor --only audit` recomputes the chain and names the first row that was changed."""
    kind, _, subject_id = (storable_text(subject) or "").partition(":")
    wanted = audit_repository.EventFilter(storable_text(event), kind or None, subject_id or None, actor, since, until)
    # The cursor encodes a position in the chain as a UUID, like the cursors of other lists.
    after = page.after.int if page.after else 0
    if after > MAX_SEQ:
        raise Invalid.at(
            "query:cursor", Message("This cursor is not one of ours; start from the first page.", code="unknown-cursor")
        )
    rows = page.cut(audit_repository.list_events(session, wanted, after, page.fetch), lambda row: UUID(int=row.seq))
    people = user_repository.find_users(
        session, [r.actor_id for r in rows if r.actor_kind == ActorKind.USER and r.actor_id]
    )
    names = {user.id: user.full_name for user in people.values()}
    return Page[AuditEventResponse](
        items=[
            AuditEventResponse(
                seq=row.seq,
                at=row.at,
                event=row.event,
                actor=EventActorResponse(
                    kind=ActorKind(row.actor_kind),
                    id=row.actor_id,
                    name=names.get(row.actor_id) if row.actor_id else None,
                ),
                subject=EventSubjectResponse(type=row.subject_type, id=row.subject_id),
                case_id=row.case_id,
                data=row.data,
                prev_hash=row.prev_hash,
                hash=row.hash,
            )
            for row in rows
        ]
    )
