"""Run the reviewer's actions: claim, release, request information, recommend (ISO/IEC 17065 §7.5, review)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.assessment import assessments as assessment_assessments
from app.applications.information_requests import Question, require_valid_questions
from app.applications.model import Application, InformationRequest, Recommendation
from app.applications.workflow import Action, State
from app.core import canonical_json
from app.core.actor import Actor
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Conflict, ExpectedVersion, Invalid, NotEligible
from app.core.messages import Message
from app.schemes.evaluator import Assessment
from app.schemes.outcome import Outcome

TERM_TOO_SHORT = Message(
    "The certificate would run for a short time that the applicant has not accepted: ask first, with a question about "
    "“/term”."
)


class RecommendedOutcome(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class ManualResolution:
    """Hold a reviewer's answer to a finding with outcome `manual`."""

    rule: str
    accept: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ProductRecommendation:
    product_id: UUID
    outcome: RecommendedOutcome
    reasons: Sequence[str]
    resolutions: Sequence[ManualResolution]


def claim(
    session: Session, actor: Actor, application_id: UUID, *, version: ExpectedVersion, now: datetime
) -> Application:
    application = case_access.begin_action(session, actor, application_id, Action.CLAIM, version)
    application.assignee_id = actor.id
    case_access.transition(session, actor, application, Action.CLAIM, State.IN_REVIEW, now)
    return application


def release(
    session: Session, actor: Actor, application_id: UUID, *, version: ExpectedVersion, now: datetime
) -> Application:
    application = case_access.begin_action(session, actor, application_id, Action.RELEASE, version)
    case_access.transition(session, actor, application, Action.RELEASE, State.SUBMITTED, now)
    application.assignee_id = None
    return application


def request_information(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    questions: Sequence[Question],
    version: ExpectedVersion,
    now: datetime,
) -> Application:
    application = case_access.begin_action(session, actor, application_id, Action.REQUEST_INFORMATION, version)
    require_valid_questions(questions, application_repository.product_ids(session, application.id))
    rows = [
        InformationRequest(
            id=new_id(),
            application_id=application.id,
            product_id=question.product_id,
            field=question.field.value if question.field else None,
            question=question.text,
            asked_by=actor.id,
            asked_at=now,
        )
        for question in questions
    ]
    session.add_all(rows)
    asked = [str(row.id) for row in rows]
    case_access.transition(
        session, actor, application, Action.REQUEST_INFORMATION, State.INFORMATION_REQUESTED, now, questions=asked
    )
    return application


def recommend(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    products: Sequence[ProductRecommendation],
    version: ExpectedVersion,
    now: datetime,
) -> Application:
    """Recommend an outcome for every product, bound to the dossier hash and to the values of each manual finding."""
    application = case_access.begin_action(session, actor, application_id, Action.RECOMMEND, version)
    run = assessment_assessments.run_assessment(session, application, now, for_share=True)
    _require_complete(products, run.assessments)
    _require_eligible(products, run.assessments)
    approved = [product.product_id for product in products if product.outcome is RecommendedOutcome.APPROVE]
    if short := assessment_assessments.short_term_products(session, application, run, approved, baku_day(now)):
        raise Conflict(TERM_TOO_SHORT, code="term-too-short", data={"products": short})
    assessment_assessments.save_assessments(session, application, run, "recommendation", now)
    recommendation = Recommendation(
        id=new_id(),
        application_id=application.id,
        recommended_by=actor.id,
        recommended_at=now,
        dossier_hash=run.dossier.hash,
        products=[recommendation_json(product, run.assessments[product.product_id]) for product in products],
    )
    session.add(recommendation)
    case_access.transition(
        session,
        actor,
        application,
        Action.RECOMMEND,
        State.RECOMMENDED,
        now,
        recommendation=recommendation.id,
        dossier=run.dossier.hash,
        sha256=canonical_json.digest(recommendation.products),
    )
    session.flush()
    return application


def recommendation_json(product: ProductRecommendation, assessment: Assessment) -> dict[str, Any]:
    """Serialize a product's recommendation with its failed findings and the values of each resolved finding."""
    manual = {finding.rule: finding for finding in assessment.findings_with(Outcome.MANUAL)}
    return {
        "product_id": str(product.product_id),
        "outcome": product.outcome.value,
        "reasons": list(product.reasons),
        "failed": assessment_assessments.findings_json(
            product.product_id, list(assessment.findings_with(Outcome.FAIL, Outcome.INCOMPLETE))
        ),
        "resolutions": [
            {
                "rule": resolution.rule,
                "accept": resolution.accept,
                "reason": resolution.reason,
                "seen": manual[resolution.rule].to_json()["values"],
            }
            for resolution in product.resolutions
        ],
    }


def _require_complete(products: Sequence[ProductRecommendation], assessments: Mapping[UUID, Assessment]) -> None:
    errors = []
    named = [product.product_id for product in products]
    if len(set(named)) != len(named) or set(named) != assessments.keys():
        errors.append(
            {
                "pointer": "/products",
                "detail": Message("Name every product of the application, each once.", code="required"),
            }
        )
    for i, product in enumerate(products):
        where = f"/products/{i}"
        if product.outcome is RecommendedOutcome.REJECT and not product.reasons:
            errors.append(
                {"pointer": f"{where}/reasons", "detail": Message("A rejection needs its reasons.", code="required")}
            )
        assessment = assessments.get(product.product_id)
        manual = {finding.rule for finding in assessment.findings_with(Outcome.MANUAL)} if assessment else set()
        seen: set[str] = set()
        for j, resolution in enumerate(product.resolutions):
            if resolution.rule not in manual or resolution.rule in seen:
                detail = Message(
                    "%(rule)s does not ask for a person's judgement here, or is named twice.",
                    code="unknown-rule",
                    rule=resolution.rule,
                )
                errors.append({"pointer": f"{where}/resolutions/{j}/rule", "detail": detail})
            seen.add(resolution.rule)
    if errors:
        raise Invalid.with_errors(errors)


def _require_eligible(products: Sequence[ProductRecommendation], assessments: Mapping[UUID, Assessment]) -> None:
    """Require that no approved product has a failed rule, a missing fact or an unresolved manual finding."""
    approved = [product for product in products if product.outcome is RecommendedOutcome.APPROVE]
    failed, missing, unresolved = [], [], []
    for product in approved:
        assessment = assessments[product.product_id]
        accepted = {resolution.rule for resolution in product.resolutions if resolution.accept}
        reasons = assessment_assessments.findings_json
        failed += reasons(product.product_id, list(assessment.findings_with(Outcome.FAIL)))
        missing += reasons(product.product_id, list(assessment.findings_with(Outcome.INCOMPLETE, Outcome.NOT_ASSESSED)))
        unresolved += reasons(
            product.product_id, [f for f in assessment.findings_with(Outcome.MANUAL) if f.rule not in accepted]
        )
    if failed:
        message = Message(
            "The published rules do not allow the mark for some of these products; nobody can override them."
        )
        raise NotEligible(message, data={"findings": failed + missing + unresolved})
    if missing:
        message = Message("Some facts are still missing: ask the applicant for them, or reject these products.")
        raise Conflict(message, code="incomplete", data={"findings": missing + unresolved})
    if unresolved:
        message = Message(
            "Some rules ask for a person's judgement: resolve each with a reason, or reject these products."
        )
        raise Conflict(message, code="unresolved-manual", data={"findings": unresolved})
