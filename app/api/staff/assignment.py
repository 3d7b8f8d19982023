"""For the staff: assign applications to reviewers, and write notes that only the staff reads."""

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
from app.web.dependencies import ActorDep, NowDep, ReplayDep, SessionDep, allow, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATES, READS, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Answer, Body, Page, Prose

router = APIRouter(prefix="/v1/applications", tags=["review"], route_class=OrderedRoute)

Reviewer = Annotated[Actor, allow(Role.REVIEWER)]


class AssignBody(Body):
    application_ids: list[UUID] = Field(min_length=1, max_length=100)
    to: UUID = Field(description="a reviewer's id; your own takes them yourself")


@router.post("/assign", summary="Assign submitted applications to a reviewer", responses=refuses(*CREATES))
def assign(
    body: AssignBody, actor: Reviewer, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> Page[application_schemas.ApplicationSummary]:
    """Only those that nobody holds: a colleague's is never taken. All or none; the refusal names each one in the way
    with its reason (409 `not-assignable`)."""
    rows = assignment.assign(session, actor, body.application_ids, to=body.to, now=now)
    return Page[application_schemas.ApplicationSummary](items=application_schemas.summaries(session, actor, rows, now))


class NoteBody(Body):
    text: Prose = Field(examples=["Called the park: hall 2 has been running since March."])


class NoteAnswer(Answer):
    id: UUID
    text: str
    author: str | None
    created_at: datetime
    internal: bool = Field(description="false for a sentence that the applicant reads as well")


def _may_note(application_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return assignment.may_note(session, actor, parse_id(application_id, "application")).id


@router.post("/{application_id}/notes", status_code=201, summary="Add an internal note", responses=refuses(*CREATES))
def add_note(
    application_id: Annotated[UUID, Depends(_may_note, scope="function")],
    body: NoteBody,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: ReplayDep,
) -> NoteAnswer:
    """The applicant never reads it and does not learn that it is there."""
    return _notes(session, [assignment.note(session, actor, application_id, text=body.text, now=now)])[0]


@router.get("/{application_id}/notes", summary="Internal notes and reasons", responses=refuses(*READS))
def list_notes(application_id: str, actor: ActorDep, session: SessionDep, page: PageDep) -> Page[NoteAnswer]:
    """Oldest first; the reasons given with an action, such as why an application was returned, are among them."""
    row = case_access.on_the_desk(session, actor, parse_id(application_id, "application"))
    rows = page.cut(application_repository.notes_page(session, row.id, page.after, page.fetch), lambda note: note.id)
    return Page[NoteAnswer](items=_notes(session, rows))


def _notes(session: Session, notes: Sequence[CaseNote]) -> list[NoteAnswer]:
    people = user_repository.users(session, [note.author_id for note in notes if note.author_id])
    return [
        NoteAnswer(
            id=note.id,
            text=note.text,
            author=people[note.author_id].full_name if note.author_id in people else None,
            created_at=note.created_at,
            internal=note.internal,
        )
        for note in notes
    ]
