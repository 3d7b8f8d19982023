"""Response schemas of applications, products, assessments and evidence, with what each role may see."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from app.applications import application_deadlines, application_repository, case_access, workflow
from app.applications.deadline_calculator import ClockState, Timing
from app.applications.evidence import evidence_documents
from app.applications.model import Application, AssessmentRow, Evidence
from app.applications.workflow import State
from app.audit import audit_repository
from app.auth import api_client_repository, user_repository
from app.auth.model import User
from app.certificates import certificate_repository
from app.core.actor import Actor, ActorKind
from app.organisations import organisation_repository
from app.organisations.model import Organisation
from app.products.model import CostKind, Place
from app.products.product_repository import ProductAggregate
from app.schemes.evaluator import Assessment
from app.schemes.evidence_kinds import load_evidence_kinds
from app.schemes.facts import ValueBasis
from app.schemes.outcome import Outcome
from app.web.schema_types import ResponseModel

STAFF_NAME = "staff"
WaitingOn = Literal["applicant", "reviewer", "approver"]
WAITING_ON: Mapping[State, WaitingOn] = {
    State.DRAFT: "applicant",
    State.SUBMITTED: "reviewer",
    State.IN_REVIEW: "reviewer",
    State.INFORMATION_REQUESTED: "applicant",
    State.RECOMMENDED: "approver",
}


class DecisionOutcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"


class MaterialResponse(ResponseModel):
    name: str
    hs4: str | None
    origin_country: str | None
    origin_district: str | None
    originating: bool | None = Field(
        validation_alias="claim", description="origin as claimed by the company; not used for the decision"
    )
    value: Decimal | None
    basis: ValueBasis | None
    weight_kg: Decimal | None
    packing: bool
    supplier: str | None
    proofs: list[UUID]


class StepResponse(ResponseModel):
    name: str
    operation: str = Field(description="code of the list of operations, or the text that was entered")
    country: str | None
    district: str | None
    subcontractor: str | None
    is_essential: bool


class CostResponse(ResponseModel):
    kind: CostKind
    place: Place
    amount: Decimal


class ProductResponse(ResponseModel):
    id: UUID
    reference: str | None
    names: dict[str, str]
    hs6: str
    national_code: str | None
    gtin: str | None
    unit: str
    brand: str | None
    site_id: UUID
    annual_capacity: Decimal | None = Field(
        description="earlier entry; capacity is stated by site now (evidence kind `capacity-statement`)"
    )
    flags: list[str]
    joint_production: list[str]
    ex_works: Decimal | None
    materials: list[MaterialResponse]
    steps: list[StepResponse]
    costs: list[CostResponse]
    certificates: list[str] = Field(
        description="numbers of all its certificates, oldest first; `GET /v1/verify/{number}` says which are valid",
        examples=[["MIK-2026-000042-Y"]],
    )
    retired_at: datetime | None
    version: int


class RemedyResponse(ResponseModel):
    """What is needed to complete an incomplete rule."""

    field: str | None = Field(
        None, description="member of the product (JSON pointer), of its `/site`, or `declaration`", examples=["/costs"]
    )
    evidence: str | None = Field(None, description="kind of document that is missing", examples=["permit"])
    also: list[str] = Field([], description="further kinds of documents that are missing")
    by_staff: bool = Field(False, description="true: staff act next, not the company")


class FindingResponse(ResponseModel):
    rule: str = Field(examples=["K-06"])
    clause: str
    outcome: Outcome = Field(examples=["pass"])
    reason: str = Field(examples=["Karabakh share of manufacturing cost is 52.0 %."])
    reasons: dict[str, str] = Field(description="language → sentence")
    values: dict[str, Any] = Field(description="values that the rule read")
    parameters: dict[str, Any] = Field(description="thresholds of the published rule")
    remedy: RemedyResponse | None = Field(None, description="for `incomplete`: what is needed")


class AssessmentResponse(ResponseModel):
    product_id: UUID
    scheme: str
    ruleset_version: str
    ruleset_digest: str
    as_of: str
    outcome: Outcome = Field(description="most severe outcome of all rules: fail > incomplete > manual > pass")
    origin: dict[str, Any] | None = Field(description="criterion, value content and its arithmetic")
    rules: list[FindingResponse]
    input_hash: str = Field(description="SHA-256 over the facts that were evaluated")
    holds_until: date | None = Field(
        None, description="last day of validity of the evidence that a certificate would depend on"
    )
    occasion: Literal["submission", "response", "recommendation", "decision"] | None = None
    assessed_at: datetime | None = None


class QuestionResponse(ResponseModel):
    id: UUID
    product_id: UUID | None
    field: str | None = Field(description="what the question is about")
    question: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    evidence_ids: list[UUID] | None = Field(description="documents that support the answer; null until answered")
    accepts: bool | None = Field(description="whether a shorter term is accepted; null for other questions")
    accepted_until: date | None = Field(description="last day of the accepted term")


class EvidenceResponse(ResponseModel):
    id: UUID
    kind: str
    product_id: UUID | None = Field(description="the product, if the document is about exactly one")
    product_ids: list[UUID] = Field(description="products that the document is about")
    site_id: UUID | None = Field(description="site that the document is about")
    file_name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    uploaded_by: str = Field(
        description="name of the member or API client; `staff` for staff, whose names only staff see"
    )
    organisation_id: UUID
    application_id: UUID | None = Field(description="null for company-level documents")
    issued_on: date | None
    valid_until: date | None = Field(description="last day, inclusive; null: no end")
    number: str | None
    values: dict[str, Any] = Field(description="content of the document, by the values of its kind")
    entered: dict[str, Any] | None = Field(
        description="what the company stated at upload; null for documents added by staff"
    )
    confirmed_at: datetime | None = Field(description="null until a member of staff has confirmed it")
    confirmed_by: UUID | None = Field(description="staff only")
    withdrawal_reason: str | None = Field(
        description="reason of the withdrawal by the company; for staff also that of the confirmation"
    )
    withdrawn_at: datetime | None = Field(description="when the company withdrew it; it no longer counts")
    found_false: bool = Field(description="true: the document is false and cannot be confirmed again")
    erased_at: datetime | None = Field(description="when the file of a refused claim was erased; the hash stays")
    version: int


class ProductDecisionResponse(ResponseModel):
    product_id: UUID
    outcome: DecisionOutcome
    reasons: list[str]
    failed: list[dict[str, Any]] = Field(description="criteria that were not met, with rule and clause")
    certificate: str | None


class VisitWaiverResponse(ResponseModel):
    """The decision of an owner that no site visit is needed."""

    reason: str
    waived_at: datetime
    waived_by: UUID | None = Field(description="staff only")


class DecisionResponse(ResponseModel):
    outcome: DecisionOutcome
    reason: str | None
    decided_at: datetime
    ruleset_version: str
    products: list[ProductDecisionResponse]
    visit_waiver: VisitWaiverResponse | None


class DeadlineFields(ResponseModel):
    """Age and deadline of an application."""

    clock: ClockState = Field(description="processing clock; paused while waiting for the applicant")
    age_working_days: int | None = Field(description="working days on the processing clock; null before submission")
    due_at: datetime | None = Field(description="deadline of the next step; null when nothing is due")
    due_step: str | None = Field(description="step that is due at `due_at`", examples=["decision"])
    overdue: bool


class PersonResponse(ResponseModel):
    id: UUID
    full_name: str
    email: str
    active: bool


class CompanyName(ResponseModel):
    id: UUID
    legal_name_az: str
    legal_name_en: str


class ApplicationSummaryResponse(DeadlineFields):
    id: UUID
    number: str
    scheme: str
    organisation: CompanyName
    reference: str | None
    state: State
    state_since: datetime
    submitted_at: datetime | None
    waiting_on: WaitingOn | None
    products: int
    assignee_id: UUID | None = Field(description="staff only")
    version: int


class ApplicationResponse(DeadlineFields):
    id: UUID
    number: str
    scheme: str
    organisation: CompanyName
    reference: str | None
    state: State
    state_since: datetime
    created_at: datetime
    submitted_at: datetime | None
    waiting_on: WaitingOn | None = Field(description="who acts next; null when the application is closed")
    allowed_actions: list[workflow.Action] = Field(description="actions that you can take now")
    product_ids: list[UUID]
    evidence: list[EvidenceResponse]
    questions: list[QuestionResponse]
    decision: DecisionResponse | None
    visit_waiver: VisitWaiverResponse | None
    certificates: list[str]
    assignee_id: UUID | None = Field(description="staff only")
    recommendation: dict[str, Any] | None = Field(description="open recommendation; staff only")
    version: int


class TimelineEntryResponse(ResponseModel):
    at: datetime
    event: str = Field(examples=["application.submitted"])
    by: Literal["applicant", "staff", "system"]
    name: str | None = Field(description="name of the user; names of staff are shown to staff only")
    state: State | None
    note: str | None


def product_response(whole: ProductAggregate, certificates: Sequence[str]) -> ProductResponse:
    row = whole.product
    return ProductResponse(
        **{name: getattr(row, name) for name in ProductResponse.model_fields if hasattr(row, name)},
        materials=[MaterialResponse.model_validate(m, from_attributes=True) for m in whole.materials],
        steps=[StepResponse.model_validate(s, from_attributes=True) for s in whole.steps],
        costs=[CostResponse.model_validate(c, from_attributes=True) for c in whole.costs],
        certificates=list(certificates),
    )


def dry_assessment_response(actor: Actor, product_id: UUID, assessed: Assessment) -> AssessmentResponse:
    return _assessment_response(actor, product_id, assessed.to_json())


def stored_assessment_response(actor: Actor, row: AssessmentRow) -> AssessmentResponse:
    return _assessment_response(actor, row.product_id, row.content, occasion=row.occasion, assessed_at=row.assessed_at)


def _finding_response(actor: Actor, content: Mapping[str, Any]) -> FindingResponse:
    """Return a finding. Companies do not see values read from documents that only staff supply."""
    kind = load_evidence_kinds().get(content["parameters"].get("evidence", ""))
    hidden: dict[str, Any] = {"values": {}} if kind is not None and kind.is_staff_only and not actor.is_staff else {}
    fields = {name: content[name] for name in FindingResponse.model_fields if name in content}
    return FindingResponse(**fields | hidden, reason=content["reasons"]["en"])


def _assessment_response(actor: Actor, product_id: UUID, content: dict[str, Any], **more: Any) -> AssessmentResponse:
    return AssessmentResponse(
        product_id=product_id,
        scheme=content["scheme"],
        ruleset_version=content["ruleset"]["version"],
        ruleset_digest=content["ruleset"]["digest"],
        as_of=content["as_of"],
        outcome=content["outcome"],
        origin=content["origin"],
        rules=[_finding_response(actor, each) for each in content["findings"]],
        input_hash=content["input_hash"],
        holds_until=content.get("holds_until"),
        **more,
    )


def evidence_response(session: Session, actor: Actor, row: Evidence) -> EvidenceResponse:
    return evidence_responses(session, actor, [row])[0]


def evidence_responses(session: Session, actor: Actor, rows: Sequence[Evidence]) -> list[EvidenceResponse]:
    """Return documents with the name of the uploader. The caller leaves out those that only staff supply."""
    ids = list({row.uploaded_by for row in rows if row.uploaded_by is not None})
    people = user_repository.find_users(session, ids) if ids else {}
    names = {user.id: user.full_name if actor.is_staff or not user.is_staff else STAFF_NAME for user in people.values()}
    clients = api_client_repository.find_clients(session, [each for each in ids if each not in people])
    names |= {client.id: client.name for client in clients}
    return [
        _evidence_fields(actor, row, names.get(row.uploaded_by, STAFF_NAME) if row.uploaded_by else STAFF_NAME)
        for row in rows
    ]


def _evidence_fields(actor: Actor, row: Evidence, uploaded_by: str) -> EvidenceResponse:
    own = {name: getattr(row, name) for name in EvidenceResponse.model_fields if hasattr(row, name)}
    product_ids = [UUID(each) for each in row.product_ids]
    shows_reason = actor.is_staff or row.withdrawn_at is not None
    return EvidenceResponse(
        **own
        | {
            "uploaded_by": uploaded_by,
            "confirmed_by": row.confirmed_by if actor.is_staff else None,
            "withdrawal_reason": row.withdrawal_reason if shows_reason else None,
            "values": row.stated,
            "product_id": product_ids[0] if len(product_ids) == 1 else None,
            "product_ids": product_ids,
        }
    )


def summary_responses(
    session: Session, actor: Actor, rows: Sequence[Application], now: datetime
) -> list[ApplicationSummaryResponse]:
    companies = organisation_repository.find_organisations(session, [row.organisation_id for row in rows])
    counts = application_repository.product_counts(session, [row.id for row in rows])
    timings = application_deadlines.timings_by_id(session, rows, now)
    return [
        ApplicationSummaryResponse(
            **_common_fields(actor, row),
            **_members_of(timings[row.id]),
            organisation=organisation_fields(companies[row.organisation_id]),
            products=counts.get(row.id, 0),
        )
        for row in rows
    ]


def application_response(session: Session, actor: Actor, row: Application, now: datetime) -> ApplicationResponse:
    session.flush()
    applicant = organisation_repository.find_organisation(session, row.organisation_id)
    assert applicant is not None  # a foreign key
    numbers = certificate_repository.numbers_of_application(session, row.id) if row.state == State.APPROVED else {}
    recommendation = case_access.open_recommendation(session, row)
    requests = application_repository.list_information_requests(session, row.id)
    waiver = _visit_waiver_response(session, actor, row)
    return ApplicationResponse(
        **_common_fields(actor, row),
        **_members_of(application_deadlines.timing_of(session, row, requests, now)),
        organisation=organisation_fields(applicant),
        created_at=row.created_at,
        allowed_actions=list(workflow.allowed_actions(case_access.to_case(row, recommendation), actor)),
        product_ids=list(application_repository.product_ids(session, row.id)),
        evidence=evidence_responses(
            session,
            actor,
            evidence_documents.visible_documents(actor, application_repository.list_evidence(session, row.id)),
        ),
        questions=[QuestionResponse.model_validate(q, from_attributes=True) for q in requests],
        decision=_decision_response(session, row, numbers, waiver),
        visit_waiver=waiver,
        certificates=list(numbers.values()),
        recommendation={
            "recommended_by": str(recommendation.recommended_by),
            "recommended_at": recommendation.recommended_at.isoformat(),
            "dossier_hash": recommendation.dossier_hash,
            "products": recommendation.products,
        }
        if recommendation and actor.is_staff
        else None,
    )


def _common_fields(actor: Actor, row: Application) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "scheme": row.scheme_code,
        "reference": row.reference,
        "state": State(row.state),
        "state_since": row.state_since,
        "submitted_at": row.submitted_at,
        "waiting_on": WAITING_ON.get(State(row.state)),
        "assignee_id": row.assignee_id if actor.is_staff else None,
        "version": row.version,
    }


def organisation_fields(row: Organisation) -> CompanyName:
    return CompanyName(id=row.id, legal_name_az=row.legal_name_az, legal_name_en=row.legal_name_en)


def _visit_waiver_response(session: Session, actor: Actor, row: Application) -> VisitWaiverResponse | None:
    waiver = application_repository.get_visit_waiver(session, row.id)
    if waiver is None:
        return None
    by = waiver.waived_by if actor.is_staff else None
    return VisitWaiverResponse(reason=waiver.reason, waived_at=waiver.waived_at, waived_by=by)


def _decision_response(
    session: Session, row: Application, numbers: Mapping[UUID, str], waiver: VisitWaiverResponse | None
) -> DecisionResponse | None:
    decision = (
        application_repository.get_decision(session, row.id) if row.state in (State.APPROVED, State.REJECTED) else None
    )
    if decision is None:
        return None
    return DecisionResponse(
        outcome=DecisionOutcome(decision.outcome),
        reason=decision.reason,
        decided_at=decision.decided_at,
        ruleset_version=decision.ruleset_version,
        visit_waiver=waiver,
        products=[
            ProductDecisionResponse(
                product_id=UUID(each["product_id"]),
                outcome=DecisionOutcome(each["outcome"]),
                reasons=each["reasons"],
                failed=each["failed"],
                certificate=numbers.get(UUID(each["product_id"])),
            )
            for each in decision.products
        ],
    )


def timeline_responses(session: Session, actor: Actor, row: Application) -> list[TimelineEntryResponse]:
    events = [
        e for e in audit_repository.timeline(session, row.id) if actor.is_staff or e.event != case_access.NOTE_EVENT
    ]
    people = user_repository.find_users(
        session, [e.actor_id for e in events if e.actor_kind == ActorKind.USER and e.actor_id]
    )
    notes = application_repository.notes_by_id(session, row.id)
    entries = []
    for event in events:
        person = people.get(event.actor_id) if event.actor_id else None
        by_staff = person is not None and person.is_staff
        note = notes.get(UUID(event.data["note"])) if "note" in event.data else None
        entries.append(
            TimelineEntryResponse(
                at=event.at,
                event=event.event,
                by="system" if event.actor_kind == ActorKind.SYSTEM else "staff" if by_staff else "applicant",
                name=person.full_name if person and (actor.is_staff or not by_staff) else None,
                state=event.data.get("state"),
                note=note.text if note and (actor.is_staff or not note.internal) else None,
            )
        )
    return entries


def storable_text(text: str | None) -> str | None:
    """Replace characters that no stored text has and that the database cannot encode: the filter finds nothing."""
    return None if text is None else text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _members_of(timing: Timing) -> dict[str, Any]:
    return {
        "clock": timing.clock,
        "age_working_days": timing.age_working_days,
        "due_at": timing.due_at,
        "due_step": timing.step,
        "overdue": timing.overdue,
    }


def person_response(user: User) -> PersonResponse:
    """Build the response about a user of a company, with the address that a removed user had."""
    return PersonResponse(id=user.id, full_name=user.full_name, email=user.current_or_former_email, active=user.active)
