"""Assign applications to reviewers, and write notes that only staff read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session

from app.api.shared import application_schemas
from app.applications import application_repository, assignment, case_access
from app.applications.model import CaseNote
from app.auth import user_repository
from app.core.actor import Actor, Role
from app.web.dependencies import ActorDep, IdempotentReplayDep, NowDep, SessionDep, parse_id, require_role
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, RequestModel, ResponseModel, Text4000

router = APIRouter(prefix="/v1/applications", tags=["review"], route_class=GuardedRoute)

Reviewer = Annotated[Actor, require_role(Role.REVIEWER)]


class AssignRequest(RequestModel):
    application_ids: list[UUID] = Field(min_length=1, max_length=100)
    to: UUID = Field(description="id of a reviewer; may be your own")


@router.post(
    "/assign", summary="Assign submitted applications to a reviewer", responses=error_responses(*CREATE_ERRORS)
)
def assign_applications(
    body: AssignRequest, actor: Reviewer, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> Page[application_schemas.ApplicationSummaryResponse]:
    """Only unassigned applications can be assigned. All or none: 409 `not-assignable` names each application that
    cannot be assigned, with its reason.
    """
    rows = assignment.assign_cases(session, actor, body.application_ids, to=body.to, now=now)
    return Page[application_schemas.ApplicationSummaryResponse](
        items=application_schemas.summary_responses(session, actor, rows, now)
    )


class NoteRequest(RequestModel):
    text: Text4000 = Field(examples=["Called the park: hall 2 has been running since March."])


class NoteResponse(ResponseModel):
    id: UUID
    text: str
    author: str | None
    created_at: datetime
    internal: bool = Field(description="false: the applicant reads it as well")


def _require_can_add_note(application_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return assignment.require_can_add_note(session, actor, parse_id(application_id, "application")).id


@router.post(
    "/{application_id}/notes",
    status_code=201,
    summary="Add an internal note",
    responses=error_responses(*CREATE_ERRORS),
)
def add_application_note(
    application_id: Annotated[UUID, Depends(_require_can_add_note, scope="function")],
    body: NoteRequest,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> NoteResponse:
    """The applicant cannot read it and does not see that it exists."""
    return _note_responses(session, [assignment.add_note(session, actor, application_id, text=body.text, now=now)])[0]


@router.get(
    "/{application_id}/notes", summary="List internal notes and reasons", responses=error_responses(*READ_ERRORS)
)
def list_application_notes(
    application_id: str, actor: ActorDep, session: SessionDep, page: PageDep
) -> Page[NoteResponse]:
    """Oldest first. Includes the reasons given with actions, such as why an application was returned to review."""
    row = case_access.get_for_staff(session, actor, parse_id(application_id, "application"))
    rows = page.cut(application_repository.list_notes(session, row.id, page.after, page.fetch), lambda note: note.id)
    return Page[NoteResponse](items=_note_responses(session, rows))


def _note_responses(session: Session, notes: Sequence[CaseNote]) -> list[NoteResponse]:
    people = user_repository.find_users(session, [note.author_id for note in notes if note.author_id])
    return [
        NoteResponse(
            id=note.id,
            text=note.text,
            author=people[note.author_id].full_name if note.author_id in people else None,
            created_at=note.created_at,
            internal=note.internal,
        )
        for note in notes
    ]
