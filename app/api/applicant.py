"""Companies register, try the rules, apply and answer; the staff reads the same applications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import EmailStr, Field, StringConstraints

from app.access import confirmations
from app.access.rights import own_organisation
from app.actor import Actor, Role
from app.api import dossier
from app.api.account import CHECK_MAIL, Language, Requested
from app.applications import assessment, cases, clock, declaration, service, store
from app.applications.model import Application, DeclarationMethod
from app.applications.questions import MOST_NAMED, Reply
from app.applications.workflow import Action, State
from app.core.messages import Message
from app.errors import Conflict, Invalid, NotFound
from app.notifications import notices, requests
from app.products import store as products_store
from app.registry import organisations
from app.registry.model import Standing
from app.web.deps import (
    ONLY_READS,
    ActorDep,
    AddressDep,
    AnonymousAskFirstDep,
    AnonymousReplayDep,
    AskFirstDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    ReplayDep,
    SessionDep,
    SettingsDep,
    VersionDep,
    allow,
    etag,
    parse_id,
)
from app.web.fields import Answer, Body, Code, Flag, Name, Page, Prose, StrongPassword, Word
from app.web.paging import PageDep
from app.web.refusals import CHANGES, CREATES, READS, refuses
from app.web.routing import Asked, OrderedRoute, also_wrong

registration = APIRouter(prefix="/v1", tags=["register a company"], route_class=OrderedRoute)
router = APIRouter(prefix="/v1", tags=["applications"], route_class=OrderedRoute)
trial = APIRouter(prefix="/v1", tags=["schemes"], route_class=OrderedRoute)

Applicant = Annotated[Actor, allow(Role.APPLICANT)]
Reader = Annotated[Actor, allow(Role.APPLICANT, *cases.CASE_READERS)]


class RegistrationRequest(Body):
    email: EmailStr = Field(max_length=254, examples=["export@numune.example"])
    language: Language | None = Field(None, description="of messages to you")


class Member(Body):
    full_name: Name = Field(examples=["Aygün Nümunə"])
    password: StrongPassword
    language: Language | None = Field(None, description="of messages to you; null: the one you asked for at first")


class Registration(Body):
    token: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="from the message", examples=["mikr_kq5yY2x0Zc"]
    )
    legal_name_az: Name = Field(examples=['"Nümunə-Boru" MMC'])
    legal_name_en: Name = Field(examples=["Sample Pipe (fictional)"])
    legal_form: Word = Field(examples=["MMC"])
    voen: Code = Field(description="10 digits, as text", examples=["0010000101"])
    member: Member


class Registered(Answer):
    claim_id: UUID = Field(description="what a registrar decides about")
    organisation_id: UUID = Field(
        description="what you enter belongs to it; once the claim is confirmed, a company of the register takes its "
        "place, see `GET /v1/me`"
    )
    user_id: UUID
    status: Standing = Field(
        description="`unconfirmed` until a registrar has seen evidence that you act for the company"
    )


def _wrong_claim(_asked: Asked, body: Registration) -> Sequence[Mapping[str, str]]:
    names = {"legal_name_az": body.legal_name_az, "legal_name_en": body.legal_name_en}
    return organisations.wrong_claim(names, body.legal_form, body.voen)


@registration.post(
    "/registrations",
    status_code=202,
    summary="Confirm your e-mail address",
    responses=refuses(400, 409, 413, 415, 422, 429, 503),
)
def ask_to_register(
    body: RegistrationRequest,
    session: SessionDep,
    settings: SettingsDep,
    address: AddressDep,
    now: NowDep,
    _retry: AnonymousReplayDep,
) -> Requested:
    """No account is needed. A message with a one-time token goes to the address; it is good for a day, and
    `POST /v1/registrations/confirm` takes it. An address that has an account is told so by mail: the answer here is the
    same. Of one network ten requests are taken in a day."""
    requests.ask_to_register(
        session,
        email=str(body.email),
        language=body.language,
        address=address,
        now=now,
        most=settings.registrations_per_day,
    )
    return Requested(message=CHECK_MAIL)


@registration.post(
    "/registrations/confirm",
    status_code=201,
    summary="Claim to act for a company, as its first member",
    responses=refuses(400, 404, 409, 413, 415, 422, 503),
    dependencies=[also_wrong(_wrong_claim)],
)
def register(
    body: Registration,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    now: NowDep,
    ask_first: AnonymousAskFirstDep,
) -> Registered:
    """With the token that was mailed to you. The answer is the same whether or not the VÖEN is known.

    Until a registrar confirms the claim you see what you enter yourself and nothing else of the company; you may draft
    and try the rules, but not submit. Upload an extract of the register or a power of attorney.
    """
    with database.read_session() as reading:
        try:
            confirmations.look(reading, body.token, now)
        except Conflict:  # of a retry the token is used up
            ask_first()
            raise
    password_hash = passwords.hash(body.member.password)
    ask_first()
    confirmed = confirmations.redeem(session, body.token, now)
    claim, user = organisations.register_company(
        session,
        legal_name_az=body.legal_name_az,
        legal_name_en=body.legal_name_en,
        legal_form=body.legal_form,
        voen=body.voen,
        email=confirmed.email,
        full_name=body.member.full_name,
        password_hash=password_hash,
        language=body.member.language or confirmed.language,
        now=now,
    )
    notices.claim_made(session, claim, now=now)
    return Registered(
        claim_id=claim.id,
        organisation_id=claim.organisation_id,
        user_id=user.id,
        status=Standing.UNCONFIRMED,
    )


class DryAssessment(Body):
    product_ids: list[UUID] = Field(min_length=1, max_length=50)


@trial.post(
    "/schemes/{code}/assessments",
    summary="Assess products before applying",
    responses=refuses(*CREATES),
    dependencies=[ONLY_READS],
)
def assess(
    code: str, body: DryAssessment, actor: Applicant, session: SessionDep, now: NowDep
) -> Page[dossier.AssessmentAnswer]:
    """Every rule with its outcome, what it saw, and what is needed. Nothing is kept, nobody is told."""
    organisation_id = own_organisation(actor)
    wanted = list(dict.fromkeys(body.product_ids))
    if len(products_store.owned(session, organisation_id, wanted)) < len(wanted):
        raise NotFound.of("product")
    judged = assessment.judge_products(session, code, organisation_id, wanted, now)
    return Page[dossier.AssessmentAnswer](
        items=[dossier.dry_assessment(actor, pid, each) for pid, each in judged.assessments.items()]
    )


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
) -> Page[dossier.ApplicationSummary]:
    """Oldest first: a company's own; for staff those of all companies, without drafts, which are the applicant's."""
    wanted = store.CaseFilter(
        state=state,
        scheme=dossier.searchable(scheme),
        assignee_id=_assignee(actor, assignee) if actor.is_staff else None,
        organisation_id=None if actor.is_staff else own_organisation(actor),
        reference=dossier.searchable(reference),
        with_drafts=not actor.is_staff,
    )
    found = (
        clock.overdue(session, wanted, page.after, page.fetch, now)
        if overdue
        else store.applications(session, wanted, page.after, page.fetch)
    )
    return Page[dossier.ApplicationSummary](
        items=dossier.summaries(session, actor, page.cut(found, lambda row: row.id), now)
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
    return service.wrong_application(asked.session, own, body.product_ids, body.scheme)


@router.post(
    "/applications",
    status_code=201,
    summary="Create a draft application",
    responses=refuses(*CREATES),
    dependencies=[also_wrong(_wrong_application)],
)
def create_application(
    body: NewApplication, actor: Applicant, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> dossier.ApplicationAnswer:
    """One mark, 1 to 50 products. Nothing is sent before you submit."""
    row = service.create(
        session,
        actor,
        scheme_code=body.scheme,
        product_ids=body.product_ids,
        reference=body.reference,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.get("/applications/{application_id}", summary="One application", responses=refuses(*READS))
def get_application(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, now: NowDep
) -> dossier.ApplicationAnswer:
    """Its company reads null where a member is for staff only."""
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


def _own_draft(application_id: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> UUID:
    drafts = frozenset({State.DRAFT})
    row = service.editable(session, actor, parse_id(application_id, "application"), version, states=drafts)
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
) -> dossier.ApplicationAnswer:
    row = service.change(
        session,
        actor,
        application_id,
        product_ids=body.product_ids,
        reference=body.reference,
        version=version,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


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
    row = cases.visible(session, actor, parse_id(application_id, "application"))
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
    return _declaration(session, cases.visible(session, actor, application_id))


@router.post("/applications/{application_id}/submit", summary="Submit", responses=refuses(*CHANGES))
def submit(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> dossier.ApplicationAnswer:
    """The dossier is assessed and frozen. What you can supply and did not is named, and nothing is sent.

    A declaration over the present content comes first: without it 409 `declaration-missing` names the hash to declare.
    """
    row = service.submit(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


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
    return cases.admit(session, actor, parse_id(application_id, "application"), Action.RESPOND, version).id


@router.post("/applications/{application_id}/respond", summary="Answer the reviewer", responses=refuses(*CHANGES))
def respond(
    application_id: Annotated[UUID, Depends(_may_respond, scope="function")],
    body: Answers,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> dossier.ApplicationAnswer:
    """Every open question gets an answer; products and evidence can be mended before. The case returns to review."""
    row = service.respond(
        session,
        actor,
        application_id,
        replies=[Reply(a.question_id, a.text, tuple(a.evidence_ids), a.accepts) for a in body.answers],
        version=version,
        now=now,
    )
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.post("/applications/{application_id}/withdraw", summary="Withdraw", responses=refuses(*CHANGES))
def withdraw(
    application_id: str, actor: ActorDep, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> dossier.ApplicationAnswer:
    """Possible until a decision is made. The products can be applied for again."""
    row = service.withdraw(session, actor, parse_id(application_id, "application"), version=version, now=now)
    response.headers["ETag"] = etag(row.version)
    return dossier.application(session, actor, row, now)


@router.get(
    "/applications/{application_id}/assessment",
    summary="Newest assessment of each product",
    responses=refuses(*READS),
)
def get_assessment(application_id: str, actor: ActorDep, session: SessionDep) -> Page[dossier.AssessmentAnswer]:
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    return Page[dossier.AssessmentAnswer](
        items=[dossier.stored_assessment(actor, each) for each in store.latest_assessments(session, row.id)]
    )


@router.get("/applications/{application_id}/timeline", summary="Timeline", responses=refuses(*READS))
def get_timeline(application_id: str, actor: ActorDep, session: SessionDep) -> Page[dossier.TimelineEntry]:
    """Oldest first. The applicant reads what the staff did and in which role, not their names or internal notes."""
    row = cases.visible(session, actor, parse_id(application_id, "application"))
    return Page[dossier.TimelineEntry](items=dossier.timeline(session, actor, row))
