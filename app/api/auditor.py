"""For auditors and the owner: the whole history, event by event, in the order of its chain."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, Field

from app import audit
from app.access import store as access
from app.actor import Actor, ActorKind, Role
from app.api.dossier import searchable
from app.core.messages import Message
from app.errors import Invalid
from app.web.deps import SessionDep, allow
from app.web.fields import Answer, Page
from app.web.paging import PageDep
from app.web.refusals import READS, refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1/audit", tags=["history"], route_class=OrderedRoute)

Reader = Annotated[Actor, allow(Role.AUDITOR, Role.OWNER)]
LAST_PLACE = 2**63 - 1


def _storable(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 9999:
        raise ValueError(Message("Enter a date and time between 1970 and 9998.", code="out-of-range"))
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_storable)]


class By(Answer):
    kind: str = Field(examples=["user"])
    id: UUID | None
    name: str | None = Field(description="of a person, as it is today; the chain holds the id only")


class Subject(Answer):
    type: str = Field(examples=["application"])
    id: str


class EventAnswer(Answer):
    seq: int = Field(description="place in the chain, without gaps")
    at: datetime
    event: str = Field(examples=["application.submitted"])
    actor: By
    subject: Subject
    case_id: UUID | None
    data: dict[str, Any] = Field(description="ids, codes and hashes")
    prev_hash: str
    hash: str = Field(description="SHA-256 over the hash before and everything the event says")


@router.get("", summary="List audit events", responses=refuses(*READS))
def list_events(
    _actor: Reader,
    session: SessionDep,
    page: PageDep,
    event: Annotated[str | None, Query(max_length=100, examples=["certificate.issued"])] = None,
    subject: Annotated[
        str | None, Query(max_length=200, description="`type`, or `type:id`", examples=["certificate"])
    ] = None,
    actor: Annotated[UUID | None, Query(description="id of a user or API client")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="exclusive")] = None,
) -> Page[EventAnswer]:
    """Oldest first. `mik doctor --only audit` derives the chain anew and names the first row that was tampered with."""
    kind, _, subject_id = (searchable(subject) or "").partition(":")
    wanted = audit.Wanted(searchable(event), kind or None, subject_id or None, actor, since, until)
    # A cursor names a place in the chain, written as an id like every other.
    after = page.after.int if page.after else 0
    if after > LAST_PLACE:
        raise Invalid.at(
            "query:cursor", Message("This cursor is not one of ours; start from the first page.", code="unknown-cursor")
        )
    rows = page.cut(audit.events(session, wanted, after, page.fetch), lambda row: UUID(int=row.seq))
    people = access.users(session, [r.actor_id for r in rows if r.actor_kind == ActorKind.USER and r.actor_id])
    names = {user.id: user.full_name for user in people.values()}
    return Page[EventAnswer](
        items=[
            EventAnswer(
                seq=row.seq,
                at=row.at,
                event=row.event,
                actor=By(kind=row.actor_kind, id=row.actor_id, name=names.get(row.actor_id) if row.actor_id else None),
                subject=Subject(type=row.subject_type, id=row.subject_id),
                case_id=row.case_id,
                data=row.data,
                prev_hash=row.prev_hash,
                hash=row.hash,
            )
            for row in rows
        ]
    )
