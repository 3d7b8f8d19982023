"""Draft, submit, answer and withdraw applications as a company; read them as company or staff."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from app.api.shared import application_schemas
from app.applications import application_deadlines, application_repository, case_access, declaration, submission
from app.applications.information_requests import MAX_FILES_PER_ANSWER, Reply
from app.applications.model import Application, DeclarationMethod
from app.applications.workflow import Action, State
from app.auth.permissions import require_organisation_id
from app.core.actor import Actor, Role
from app.core.errors import ErrorCollector, Invalid
from app.core.messages import Message
from app.web.dependencies import (
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    ReplayHookDep,
    SessionDep,
    VersionDep,
    format_etag,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.parameters import UpdatedSince, changed_from
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, UPDATE_ERRORS, error_responses
from app.web.problems.replace_bodies import ReplaceModel, accepts_response, read_only_errors, require_unchanged
from app.web.routes import BodyCheckContext, GuardedRoute, check_body
from app.web.schema_types import Code, Page, RequestModel, ResponseModel, StrictBoolean, Text100, Text4000

router = APIRouter(prefix="/v1", tags=["applications"], route_class=GuardedRoute)

Applicant = Annotated[Actor, require_role(Role.APPLICANT)]
Reader = Annotated[Actor, require_role(Role.APPLICANT, *case_access.CASE_READERS)]


class ApplicationContentRequest(RequestModel):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)
    reference: Text100 | None = Field(None, description="your own reference; unique within your company")


class ApplicationCreateRequest(ApplicationContentRequest):
    scheme: Code = Field(examples=["MIK"])


@accepts_response(application_schemas.ApplicationResponse)
class ApplicationUpdateRequest(ApplicationContentRequest, ReplaceModel):
    """Products and reference of the draft. The answer of `GET` is accepted as it is."""


class ApplicationCopyRequest(RequestModel):
    scheme: Code | None = Field(None, description="another scheme; null: that of the earlier application")
    reference: Text100 | None = Field(None, description="your own reference for the new one", examples=["2026-17b"])


@router.get("/applications", summary="List applications", responses=error_responses(*READ_ERRORS))
def list_applications(
    actor: Reader,
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    state: Annotated[State | None, Query(description="only applications in this state")] = None,
    scheme: Annotated[str | None, Query(max_length=8, description="code of a scheme, such as `MIK`")] = None,
    reference: Annotated[str | None, Query(max_length=100, description="the whole reference of the company")] = None,
    assignee: Annotated[str | None, Query(max_length=40, description="staff only: a user's id, or `me`")] = None,
    overdue: Annotated[bool, Query(description="only those whose deadline has passed")] = False,
    updated_since: UpdatedSince = None,
) -> Page[application_schemas.ApplicationSummaryResponse]:
    """Oldest first. A company sees its own applications; staff see those of all companies, without drafts."""
    wanted = application_repository.CaseFilter(
        state=state,
        scheme=application_schemas.storable_text(scheme),
        assignee_id=_assignee_id(actor, assignee) if actor.is_staff else None,
        organisation_id=None if actor.is_staff else require_organisation_id(actor),
        reference=application_schemas.storable_text(reference),
        with_drafts=not actor.is_staff,
        changed_from=changed_from(updated_since),
    )
    found = (
        application_deadlines.list_overdue(session, wanted, page.after, page.fetch, now)
        if overdue
        else application_repository.list_applications(session, wanted, page.after, page.fetch)
    )
    return Page[application_schemas.ApplicationSummaryResponse](
        items=application_schemas.summary_responses(session, actor, page.cut(found, lambda row: row.id), now)
    )


def _assignee_id(actor: Actor, assignee: str | None) -> UUID | None:
    if assignee is None or assignee == "me":
        return actor.id if assignee else None
    try:
        return UUID(assignee)
    except ValueError:
        raise Invalid.at("query:assignee", Message("Give a user's id, or `me`.", code="invalid-id")) from None


def _application_errors(asked: BodyCheckContext, body: ApplicationCreateRequest) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route require an actor
    own = require_organisation_id(asked.actor)
    return submission.application_errors(asked.session, own, body.product_ids, body.scheme)


@router.post(
    "/applications",
    status_code=201,
    summary="Create a draft application",
    responses=error_responses(*CREATE_ERRORS),
    dependencies=[check_body(_application_errors)],
)
def create_application(
    body: ApplicationCreateRequest,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> application_schemas.ApplicationResponse:
    """One scheme, 1 to 50 products. Staff do not see a draft before you submit it."""
    row = submission.create_application(
        session,
        actor,
        scheme_code=body.scheme,
        product_ids=body.product_ids,
        reference=body.reference,
        now=now,
    )
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


@router.get("/applications/{application_id}", summary="Get an application", responses=error_responses(*READ_ERRORS))
def get_application(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, now: NowDep
) -> application_schemas.ApplicationResponse:
    """Members marked “staff only” are null for the company."""
    row = case_access.get_visible(session, actor, parse_id(application_id, "application"))
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


def _require_own_draft(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    drafts = frozenset({State.DRAFT})
    row = submission.get_editable(session, actor, parse_id(application_id, "application"), version, states=drafts)
    return row.id


def _load_response(
    session: Session, actor: Actor, application_id: UUID, now: datetime
) -> application_schemas.ApplicationResponse:
    row = case_access.get_visible(session, actor, application_id)
    return application_schemas.application_response(session, actor, row, now)


def _replacement_errors(asked: BodyCheckContext, body: ApplicationUpdateRequest) -> Sequence[Mapping[str, str]]:
    assert asked.actor is not None  # the dependencies of the route require an actor
    own = require_organisation_id(asked.actor)
    present = partial(_load_response, asked.session, asked.actor, UUID(asked.path["application_id"]), asked.now)
    return [*read_only_errors(body, present), *submission.application_errors(asked.session, own, body.product_ids)]


@router.put(
    "/applications/{application_id}",
    summary="Replace the content of a draft application",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[check_body(_replacement_errors)],
)
def replace_application(
    application_id: Annotated[UUID, Depends(_require_own_draft, scope="function")],
    body: ApplicationUpdateRequest,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """Replaces products and reference. Only while the application is a draft. The answer of `GET` sent back changes
    nothing, not even the version.
    """
    faults = ErrorCollector()
    with faults.collect():
        require_unchanged(body, partial(_load_response, session, actor, application_id, now))
    with faults.collect():
        row = submission.replace_draft(
            session,
            actor,
            application_id,
            product_ids=body.product_ids,
            reference=body.reference,
            version=version,
            now=now,
        )
    faults.raise_if_any()
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


def _require_own_application(
    application_id: str, actor: Applicant, session: SessionDep, ask_first: ReplayHookDep
) -> UUID:
    row = case_access.get_visible(session, actor, parse_id(application_id, "application"))
    ask_first()
    return row.id


@router.post(
    "/applications/{application_id}/copy",
    status_code=201,
    summary="Copy an application into a new draft",
    responses=error_responses(*CREATE_ERRORS),
)
def copy_application(
    application_id: Annotated[UUID, Depends(_require_own_application, scope="function")],
    body: ApplicationCopyRequest,
    actor: Applicant,
    session: SessionDep,
    response: Response,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """A new draft for the same products, whatever became of the earlier application. Declaration, documents, questions
    and findings of the earlier one stay with it: declare again, and upload again what this application needs. Documents
    of your company count for every application. A retired product is refused (422): then create the draft yourself.
    """
    row = submission.copy_application(
        session, actor, application_id, scheme_code=body.scheme, reference=body.reference, now=now
    )
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


class MadeDeclarationResponse(ResponseModel):
    text_version: str
    declared_hash: str
    method: DeclarationMethod
    made_by: UUID
    made_at: datetime
    covers_present: bool = Field(description="whether it covers the current text and the current content")


class DeclarationResponse(ResponseModel):
    text_version: str = Field(examples=["2026.1"])
    text: dict[str, str] = Field(description="language → the text to accept")
    declared_hash: str = Field(
        description="SHA-256 over the products, sites and documents that your company has entered and uploaded"
    )
    declaration: MadeDeclarationResponse | None = Field(description="the newest declaration; null if none was made")


class DeclarationRequest(RequestModel):
    text_version: Text100 = Field(examples=["2026.1"])
    declared_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="`declared_hash` from `GET` of this address"
    )


def _declaration_response(session: SessionDep, row: Application) -> DeclarationResponse:
    text, present = declaration.load_declaration_text(), declaration.load_declaration_scope(session, row)
    made = None
    if present.latest is not None:
        made = MadeDeclarationResponse(
            text_version=present.latest.text_version,
            declared_hash=present.latest.declared_hash,
            method=DeclarationMethod(present.latest.method),
            made_by=present.latest.made_by,
            made_at=present.latest.made_at,
            covers_present=present.is_covered,
        )
    return DeclarationResponse(
        text_version=text.version, text=dict(text.text), declared_hash=present.hash, declaration=made
    )


@router.get(
    "/applications/{application_id}/declaration",
    summary="Get the declaration and its text",
    responses=error_responses(*READ_ERRORS),
)
def get_declaration(application_id: str, actor: ActorDep, session: SessionDep) -> DeclarationResponse:
    """The text to accept, the hash to declare, and the newest declaration. `POST` to this address declares."""
    row = case_access.get_visible(session, actor, parse_id(application_id, "application"))
    return _declaration_response(session, row)


def _require_can_declare(application_id: str, actor: ActorDep, session: SessionDep, ask_first: ReplayHookDep) -> UUID:
    return declaration.load_for_declaration(session, actor, parse_id(application_id, "application"), ask_first).id


@router.post(
    "/applications/{application_id}/declaration",
    status_code=201,
    summary="Declare that all facts are true and complete",
    responses=error_responses(*CREATE_ERRORS),
)
def create_declaration(
    application_id: Annotated[UUID, Depends(_require_can_declare, scope="function")],
    body: DeclarationRequest,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
) -> DeclarationResponse:
    """For members of the company, not for API clients (403). The declaration covers what your company has entered and
    uploaded. If that changes, declare again before you submit or answer. If hash or text version is outdated, the
    answer is 409 `declaration-outdated` with the current ones."""
    declaration.declare(
        session,
        actor,
        application_id,
        text_version=body.text_version,
        content_hash=body.declared_hash,
        now=now,
    )
    return _declaration_response(session, case_access.get_visible(session, actor, application_id))


@router.post(
    "/applications/{application_id}/submit", summary="Submit an application", responses=error_responses(*UPDATE_ERRORS)
)
def submit_application(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> application_schemas.ApplicationResponse:
    """The dossier is assessed and frozen. If required information is missing, the answer lists it and nothing is sent.

    Declare the current content first; otherwise the answer is 409 `declaration-missing` with the hash to declare.
    """
    row = submission.submit(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


class AnswerRequest(RequestModel):
    question_id: UUID
    text: Text4000
    evidence_ids: list[UUID] = Field(
        default=[],
        max_length=MAX_FILES_PER_ANSWER,
        description="evidence documents of this application that support the answer",
    )
    accepts: StrictBoolean | None = Field(
        None, description="for a question about `/term`: whether you accept the shorter term"
    )


class AnswersRequest(RequestModel):
    answers: list[AnswerRequest] = Field(max_length=20)


def _require_can_respond(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    return case_access.begin_action(session, actor, parse_id(application_id, "application"), Action.RESPOND, version).id


@router.post(
    "/applications/{application_id}/respond",
    summary="Answer the questions of the reviewer",
    responses=error_responses(*UPDATE_ERRORS),
)
def respond_to_questions(
    application_id: Annotated[UUID, Depends(_require_can_respond, scope="function")],
    body: AnswersRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> application_schemas.ApplicationResponse:
    """Answer every open question. You can correct products and evidence first. The application returns to review."""
    row = submission.respond(
        session,
        actor,
        application_id,
        replies=[Reply(a.question_id, a.text, tuple(a.evidence_ids), a.accepts) for a in body.answers],
        version=version,
        now=now,
    )
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


@router.post(
    "/applications/{application_id}/withdraw",
    summary="Withdraw an application",
    responses=error_responses(*UPDATE_ERRORS),
)
def withdraw_application(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> application_schemas.ApplicationResponse:
    """Possible until a decision is made. You can apply for the products again."""
    row = submission.withdraw(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = format_etag(row.version)
    return application_schemas.application_response(session, actor, row, now)


@router.get(
    "/applications/{application_id}/assessment",
    summary="Get the newest assessment of each product",
    responses=error_responses(*READ_ERRORS),
)
def get_application_assessment(
    application_id: str, actor: ActorDep, session: SessionDep
) -> Page[application_schemas.AssessmentResponse]:
    """Every rule with its outcome, made when the application was submitted, answered, recommended or decided."""
    row = case_access.get_visible(session, actor, parse_id(application_id, "application"))
    return Page[application_schemas.AssessmentResponse](
        items=[
            application_schemas.stored_assessment_response(actor, each)
            for each in application_repository.latest_assessments(session, row.id)
        ]
    )


@router.get(
    "/applications/{application_id}/timeline",
    summary="Get the timeline of an application",
    responses=error_responses(*READ_ERRORS),
)
def get_application_timeline(
    application_id: str, actor: ActorDep, session: SessionDep
) -> Page[application_schemas.TimelineEntryResponse]:
    """Oldest first. For the applicant the names of staff and internal notes are left out."""
    row = case_access.get_visible(session, actor, parse_id(application_id, "application"))
    return Page[application_schemas.TimelineEntryResponse](
        items=application_schemas.timeline_responses(session, actor, row)
    )
