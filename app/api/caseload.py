"""For the staff: assign applications to reviewers, and write notes that only the staff reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session

from app.access import store as access
from app.actor import Actor, Role
from app.api import dossier
from app.applications import cases, desk, store
from app.applications.model import CaseNote
from app.web.deps import ActorDep, NowDep, ReplayDep, SessionDep, allow, parse_id
from app.web.fields import Answer, Body, Page, Prose
from app.web.paging import PageDep
from app.web.refusals import CREATES, READS, refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1/applications", tags=["review"], route_class=OrderedRoute)

Reviewer = Annotated[Actor, allow(Role.REVIEWER)]


class AssignBody(Body):
    application_ids: list[UUID] = Field(min_length=1, max_length=100)
    to: UUID = Field(description="a reviewer's id; your own takes them yourself")


@router.post("/assign", summary="Assign submitted applications to a reviewer", responses=refuses(*CREATES))
def assign(
    body: AssignBody, actor: Reviewer, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> Page[dossier.ApplicationSummary]:
    """Only those that nobody holds: a colleague's is never taken. All or none; the refusal names each one in the way
    with its reason (409 `not-assignable`)."""
    rows = desk.assign(session, actor, body.application_ids, to=body.to, now=now)
    return Page[dossier.ApplicationSummary](items=dossier.summaries(session, actor, rows, now))


class NoteBody(Body):
    text: Prose = Field(examples=["Called the park: hall 2 has been running since March."])


class NoteAnswer(Answer):
    id: UUID
    text: str
    author: str | None
    created_at: datetime
    internal: bool = Field(description="false for a sentence that the applicant reads as well")


def _may_note(application_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return desk.may_note(session, actor, parse_id(application_id, "application")).id


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
    return _notes(session, [desk.note(session, actor, application_id, text=body.text, now=now)])[0]


@router.get("/{application_id}/notes", summary="Internal notes and reasons", responses=refuses(*READS))
def list_notes(application_id: str, actor: ActorDep, session: SessionDep, page: PageDep) -> Page[NoteAnswer]:
    """Oldest first; the reasons given with an action, such as why an application was returned, are among them."""
    row = cases.on_the_desk(session, actor, parse_id(application_id, "application"))
    rows = page.cut(store.notes_page(session, row.id, page.after, page.fetch), lambda note: note.id)
    return Page[NoteAnswer](items=_notes(session, rows))


def _notes(session: Session, notes: Sequence[CaseNote]) -> list[NoteAnswer]:
    people = access.users(session, [note.author_id for note in notes if note.author_id])
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
