"""For the staff: cases shared out, notes among themselves, and how like cases were decided before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from sqlalchemy.orm import Session

from app.access import store as access
from app.actor import Actor, Role
from app.api import dossier
from app.applications import cases, desk, precedents, store
from app.applications.model import CaseNote
from app.applications.precedents import Precedent
from app.certificates import store as certificates
from app.products import store as products
from app.registry import store as registry
from app.web.deps import ActorDep, NowDep, ReplayDep, SessionDep, allow, parse_id
from app.web.fields import Answer, Body, Prose
from app.web.paging import PageDep
from app.web.refusals import CREATES, READS, refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=OrderedRoute)

Reviewer = Annotated[Actor, allow(Role.REVIEWER)]


class AssignBody(Body):
    case_ids: list[UUID] = Field(min_length=1, max_length=100)
    to: UUID = Field(description="a reviewer's id; your own takes them yourself")


@router.post("/assign", summary="Give submitted cases to a reviewer", responses=refuses(*CREATES))
def assign(
    body: AssignBody, actor: Reviewer, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> dict[str, list[dossier.ApplicationSummary]]:
    """Only cases that nobody holds: a colleague's is never taken. All or none; the refusal names every case in the way
    with its reason (409 `not-assignable`)."""
    rows = desk.assign(session, actor, body.case_ids, to=body.to, now=now)
    return {"items": dossier.summaries(session, actor, rows, now)}


class NoteBody(Body):
    text: Prose = Field(examples=["Called the park: hall 2 has been running since March."])


class NoteAnswer(Answer):
    id: UUID
    text: str
    author: str | None
    created_at: datetime
    internal: bool = Field(description="false for a sentence that the applicant reads as well")


def _may_note(case_id: str, actor: ActorDep, session: SessionDep) -> UUID:
    return desk.may_note(session, actor, parse_id(case_id, "application")).id


@router.post("/{case_id}/notes", status_code=201, summary="Add an internal note", responses=refuses(*CREATES))
def add_note(
    case_id: Annotated[UUID, Depends(_may_note, scope="function")],
    body: NoteBody,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: ReplayDep,
) -> NoteAnswer:
    """The applicant never reads it and does not learn that it is there."""
    return _notes(session, [desk.note(session, actor, case_id, text=body.text, now=now)])[0]


@router.get("/{case_id}/notes", summary="Internal notes and reasons of a case", responses=refuses(*READS))
def list_notes(case_id: str, actor: ActorDep, session: SessionDep, page: PageDep) -> dict[str, list[NoteAnswer]]:
    """Oldest first; what was said with a deed, such as why a case was returned, is among them."""
    row = cases.on_the_desk(session, actor, parse_id(case_id, "application"))
    rows = page.cut(store.notes_page(session, row.id, page.after, page.fetch), lambda note: note.id)
    return {"items": _notes(session, rows)}


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


class EarlierProduct(Answer):
    product_id: UUID
    name: dict[str, str] = Field(description="language → name, as the company calls it today")
    hs6: str = Field(description="as it was decided")
    heading: str = Field(examples=["7306"])
    outcome: str = Field(examples=["rejected"])
    reasons: list[str]
    failed: list[dict[str, Any]] = Field(description="criteria that were not met, with rule, clause and reason")
    resolutions: list[dict[str, Any]] = Field(description="manual rules and how a person resolved them")
    certificate: str | None


class EarlierDecision(Answer):
    case_id: UUID
    number: str
    organisation: dict[str, str]
    same_company: bool
    decided_at: datetime
    ruleset_version: str
    outcome: str
    products: list[EarlierProduct]


@router.get("/{case_id}/earlier-decisions", summary="Earlier decisions on the same heading", responses=refuses(*READS))
def earlier_decisions(
    case_id: str,
    actor: ActorDep,
    session: SessionDep,
    page: PageDep,
    same_company: Annotated[bool | None, Query(description="only this company's, or only others'")] = None,
) -> dict[str, list[EarlierDecision]]:
    """Decisions under the same mark on the HS headings of this case, newest first: like cases are decided alike."""
    row = cases.on_the_desk(session, actor, parse_id(case_id, "application"))
    found = precedents.precedents(session, row, same_company=same_company, before=page.after, limit=page.fetch)
    shown = page.cut(found, lambda each: each.decision.id)
    companies = registry.organisations_by_id(session, [each.application.organisation_id for each in shown])
    return {
        "items": [
            EarlierDecision(
                case_id=each.application.id,
                number=each.application.number,
                organisation=dossier.company(companies[each.application.organisation_id]),
                same_company=each.application.organisation_id == row.organisation_id,
                decided_at=each.decision.decided_at,
                ruleset_version=each.decision.ruleset_version,
                outcome=each.decision.outcome,
                products=earlier_products(session, each),
            )
            for each in shown
        ]
    }


def earlier_products(session: Session, each: Precedent) -> list[EarlierProduct]:
    whole = products.by_id(session, [row.product_id for row, _ in each.products])
    numbers = certificates.numbers_of(session, each.application.id)
    return [
        EarlierProduct(
            product_id=row.product_id,
            name=whole[row.product_id].product.names,
            hs6=row.hs6,
            heading=row.hs4,
            outcome=row.outcome,
            reasons=said["reasons"],
            failed=said["failed"],
            resolutions=said["resolutions"],
            certificate=numbers.get(row.product_id),
        )
        for row, said in each.products
    ]
