"""Companies register, try the rules, apply and answer; the staff reads the same applications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StringConstraints

from app.api.shared import application_schemas
from app.applications import application_deadlines, application_repository, case_access, declaration, submission
from app.applications.information_requests import MOST_NAMED, Reply
from app.applications.model import Application, DeclarationMethod
from app.applications.workflow import Action, State
from app.auth.permissions import own_organisation
from app.core.actor import Actor, Role
from app.core.errors import Invalid
from app.core.messages import Message
from app.web.dependencies import ActorDep, AskFirstDep, NowDep, ReplayDep, SessionDep, VersionDep, allow, etag, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CHANGES, CREATES, READS, refuses
from app.web.routes import Asked, OrderedRoute, also_wrong
from app.web.schema_types import Answer, Body, Code, Flag, Page, Prose, Word

router = APIRouter(prefix="/v1", tags=["applications"], route_class=OrderedRoute)

Applicant = Annotated[Actor, allow(Role.APPLICANT)]
Reader = Annotated[Actor, allow(Role.APPLICANT, *case_access.CASE_READERS)]


class ApplicationBody(Body):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)
    reference: Word | None = Field(None, description="your own; unique in your company")


class NewApplication(ApplicationBody):
    scheme: Code = Field(examples=["MIK"])


@router.get("/applications", summary="List applications", responses=refuses(*READS))
def list_applications(
    actor: Reader,
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    state: State | None = None,
    scheme: Annotated[str | None, Query(max_length=8)] = None,
    reference: Annotated[str | None, Query(max_length=100)] = None,
    assignee: Annotated[str | None, Query(max_length=40, description="staff only: a user's id, or `me`")] = None,
    overdue: Annotated[bool, Query(description="only those whose deadline has passed")] = False,
) -> Page[application_schemas.ApplicationSummary]:
    """Oldest first: a company's own; for staff those of all companies, without drafts, which are the applicant's."""
    wanted = application_repository.CaseFilter(
        state=state,
        scheme=application_schemas.searchable(scheme),
        assignee_id=_assignee(actor, assignee) if actor.is_staff else None,
        organisation_id=None if actor.is_staff else own_organisation(actor),
        reference=application_schemas.searchable(reference),
        with_drafts=not actor.is_staff,
    )
    found = (
        application_deadlines.overdue(session, wanted, page.after, page.fetch, now)
        if overdue
        else application_repository.applications(session, wanted, page.after, page.fetch)
    )
    return Page[application_schemas.ApplicationSummary](
        items=application_schemas.summaries(session, actor, page.cut(found, lambda row: row.id), now)
    )


def _assignee(actor: Actor, assignee: str | None) -> UUID | None:
    if assignee is None or assignee == "me":
        return actor.id if assignee else None
    try:
        return UUID(assignee)
    except ValueError:
        raise Invalid.at("query:assignee", Message("Give a user's id, or `me`.", code="invalid-id")) from None


def _wrong_application(asked: Asked, body: NewApplication) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route have let somebody in
    own = own_organisation(asked.actor)
    return submission.wrong_application(asked.session, own, body.product_ids, body.scheme)


@router.post(
    "/applications",
    status_code=201,
    summary="Create a draft application",
    responses=refuses(*CREATES),
    dependencies=[also_wrong(_wrong_application)],
)
def create_application(
    body: NewApplication, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> application_schemas.ApplicationAnswer:
    """One mark, 1 to 50 products. Nothing is sent before you submit."""
    row = submission.create(
        session,
        actor,
        scheme_code=body.scheme,
        product_ids=body.product_ids,
        reference=body.reference,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


@router.get("/applications/{application_id}", summary="One application", responses=refuses(*READS))
def get_application(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, now: NowDep
) -> application_schemas.ApplicationAnswer:
    """Its company reads null where a member is for staff only."""
    row = case_access.visible(session, actor, parse_id(application_id, "application"))
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


def _own_draft(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    drafts = frozenset({State.DRAFT})
    row = submission.editable(session, actor, parse_id(application_id, "application"), version, states=drafts)
    return row.id


@router.put("/applications/{application_id}", summary="Change a draft", responses=refuses(*CHANGES))
def change_application(
    application_id: Annotated[UUID, Depends(_own_draft, scope="function")],
    body: ApplicationBody,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    row = submission.change(
        session,
        actor,
        application_id,
        product_ids=body.product_ids,
        reference=body.reference,
        version=version,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


class DeclarationMade(Answer):
    text_version: str
    declared_hash: str
    method: DeclarationMethod
    made_by: UUID
    made_at: datetime
    covers_present: bool = Field(description="whether it is over the text and the content as they are now")


class DeclarationAnswer(Answer):
    text_version: str = Field(examples=["2026.1"])
    text: dict[str, str] = Field(description="language → the text to accept")
    declared_hash: str = Field(
        description="SHA-256 over products, sites and documents as your company entered and uploaded them, as of now"
    )
    declaration: DeclarationMade | None = Field(description="the newest one; null: nobody has declared")


class DeclarationBody(Body):
    text_version: Word = Field(examples=["2026.1"])
    declared_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="as `GET` of this address named it"
    )


def _declaration(session: SessionDep, row: Application) -> DeclarationAnswer:
    text, present = declaration.declaration_text(), declaration.present(session, row)
    made = None
    if present.newest is not None:
        made = DeclarationMade(
            text_version=present.newest.text_version,
            declared_hash=present.newest.declared_hash,
            method=DeclarationMethod(present.newest.method),
            made_by=present.newest.made_by,
            made_at=present.newest.made_at,
            covers_present=present.is_covered,
        )
    return DeclarationAnswer(
        text_version=text.version, text=dict(text.text), declared_hash=present.hash, declaration=made
    )


@router.get(
    "/applications/{application_id}/declaration",
    summary="The declaration and its text",
    responses=refuses(*READS),
)
def get_declaration(application_id: str, actor: ActorDep, session: SessionDep) -> DeclarationAnswer:
    row = case_access.visible(session, actor, parse_id(application_id, "application"))
    return _declaration(session, row)


def _may_declare(application_id: str, actor: ActorDep, session: SessionDep, ask_first: AskFirstDep) -> UUID:
    return declaration.takes_declaration(session, actor, parse_id(application_id, "application"), ask_first).id


@router.post(
    "/applications/{application_id}/declaration",
    status_code=201,
    summary="Declare that all facts are true and complete",
    responses=refuses(*CREATES),
)
def declare(
    application_id: Annotated[UUID, Depends(_may_declare, scope="function")],
    body: DeclarationBody,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
) -> DeclarationAnswer:
    """By a member of the company, never by an API client (403). It covers what your company entered and uploaded: when
    that changes, declare again before you submit or answer. With another hash or text than the present ones nothing is
    declared (409 `declaration-outdated` names the present ones)."""
    declaration.declare(
        session,
        actor,
        application_id,
        text_version=body.text_version,
        content_hash=body.declared_hash,
        now=now,
    )
    return _declaration(session, case_access.visible(session, actor, application_id))


@router.post("/applications/{application_id}/submit", summary="Submit", responses=refuses(*CHANGES))
def submit(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> application_schemas.ApplicationAnswer:
    """The dossier is assessed and frozen. What you can supply and did not is named, and nothing is sent.

    A declaration over the present content comes first: without it 409 `declaration-missing` names the hash to declare.
    """
    row = submission.submit(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


class AnswerBody(Body):
    question_id: UUID
    text: Prose
    evidence_ids: list[UUID] = Field(
        default=[], max_length=MOST_NAMED, description="files of this application that the answer rests on"
    )
    accepts: Flag | None = Field(None, description="to a question about `/term`: whether you accept the short term")


class Answers(Body):
    answers: list[AnswerBody] = Field(max_length=20)


def _may_respond(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return case_access.admit(session, actor, parse_id(application_id, "application"), Action.RESPOND, version).id


@router.post("/applications/{application_id}/respond", summary="Answer the reviewer", responses=refuses(*CHANGES))
def respond(
    application_id: Annotated[UUID, Depends(_may_respond, scope="function")],
    body: Answers,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationAnswer:
    """Every open question gets an answer; products and evidence can be mended before. The case returns to review."""
    row = submission.respond(
        session,
        actor,
        application_id,
        replies=[Reply(a.question_id, a.text, tuple(a.evidence_ids), a.accepts) for a in body.answers],
        version=version,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


@router.post("/applications/{application_id}/withdraw", summary="Withdraw", responses=refuses(*CHANGES))
def withdraw(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> application_schemas.ApplicationAnswer:
    """Possible until a decision is made. The products can be applied for again."""
    row = submission.withdraw(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = etag(row.version)
    return application_schemas.application(session, actor, row, now)


@router.get(
    "/applications/{application_id}/assessment",
    summary="Newest assessment of each product",
    responses=refuses(*READS),
)
def get_assessment(
    application_id: str, actor: ActorDep, session: SessionDep
) -> Page[application_schemas.AssessmentAnswer]:
    row = case_access.visible(session, actor, parse_id(application_id, "application"))
    return Page[application_schemas.AssessmentAnswer](
        items=[
            application_schemas.stored_assessment(actor, each)
            for each in application_repository.latest_assessments(session, row.id)
        ]
    )


@router.get("/applications/{application_id}/timeline", summary="Timeline", responses=refuses(*READS))
def get_timeline(application_id: str, actor: ActorDep, session: SessionDep) -> Page[application_schemas.TimelineEntry]:
    """Oldest first. The applicant reads what the staff did and in which role, not their names or internal notes."""
    row = case_access.visible(session, actor, parse_id(application_id, "application"))
    return Page[application_schemas.TimelineEntry](items=application_schemas.timeline(session, actor, row))
