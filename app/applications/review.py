"""The reviewer's side: take a case, ask, recommend (ISO/IEC 17065 §7.5, review)."""

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
    """A person's answer where the rules say `manual`."""

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
    verdicts: Sequence[ProductRecommendation],
    version: ExpectedVersion,
    now: datetime,
) -> Application:
    """Recommend for every product. Bound to the dossier as it is now, and to the values that each manual rule saw."""
    application = case_access.begin_action(session, actor, application_id, Action.RECOMMEND, version)
    judged = assessment_assessments.run_assessment(session, application, now, hold=True)
    _require_complete(verdicts, judged.assessments)
    _require_eligible(verdicts, judged.assessments)
    approved = [verdict.product_id for verdict in verdicts if verdict.outcome is RecommendedOutcome.APPROVE]
    if short := assessment_assessments.short_term_products(session, application, judged, approved, baku_day(now)):
        raise Conflict(TERM_TOO_SHORT, code="term-too-short", data={"products": short})
    assessment_assessments.save_assessments(session, application, judged, "recommendation", now)
    recommendation = Recommendation(
        id=new_id(),
        application_id=application.id,
        recommended_by=actor.id,
        recommended_at=now,
        dossier_hash=judged.dossier.hash,
        products=[recommendation_json(verdict, judged.assessments[verdict.product_id]) for verdict in verdicts],
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
        dossier=judged.dossier.hash,
    )
    session.flush()
    return application


def recommendation_json(verdict: ProductRecommendation, judged: Assessment) -> dict[str, Any]:
    """A verdict as it is stored: with every failed criterion, and with what each resolved rule saw."""
    manual = {finding.rule: finding for finding in judged.findings_with(Outcome.MANUAL)}
    return {
        "product_id": str(verdict.product_id),
        "outcome": verdict.outcome.value,
        "reasons": list(verdict.reasons),
        "failed": assessment_assessments.findings_json(
            verdict.product_id, list(judged.findings_with(Outcome.FAIL, Outcome.INCOMPLETE))
        ),
        "resolutions": [
            {
                "rule": resolution.rule,
                "accept": resolution.accept,
                "reason": resolution.reason,
                "seen": manual[resolution.rule].to_json()["values"],
            }
            for resolution in verdict.resolutions
        ],
    }


def _require_complete(verdicts: Sequence[ProductRecommendation], assessments: Mapping[UUID, Assessment]) -> None:
    errors = []
    named = [verdict.product_id for verdict in verdicts]
    if len(set(named)) != len(named) or set(named) != assessments.keys():
        errors.append(
            {
                "pointer": "/products",
                "detail": Message("Name every product of the application, each once.", code="required"),
            }
        )
    for i, verdict in enumerate(verdicts):
        where = f"/products/{i}"
        if verdict.outcome is RecommendedOutcome.REJECT and not verdict.reasons:
            errors.append(
                {"pointer": f"{where}/reasons", "detail": Message("A rejection needs its reasons.", code="required")}
            )
        judged = assessments.get(verdict.product_id)
        manual = {finding.rule for finding in judged.findings_with(Outcome.MANUAL)} if judged else set()
        seen: set[str] = set()
        for j, resolution in enumerate(verdict.resolutions):
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


def _require_eligible(verdicts: Sequence[ProductRecommendation], assessments: Mapping[UUID, Assessment]) -> None:
    """Nobody can recommend against a failed rule, past a missing fact, or past a manual rule without a reason."""
    approved = [verdict for verdict in verdicts if verdict.outcome is RecommendedOutcome.APPROVE]
    failed, missing, unresolved = [], [], []
    for verdict in approved:
        judged = assessments[verdict.product_id]
        accepted = {resolution.rule for resolution in verdict.resolutions if resolution.accept}
        reasons = assessment_assessments.findings_json
        failed += reasons(verdict.product_id, list(judged.findings_with(Outcome.FAIL)))
        missing += reasons(verdict.product_id, list(judged.findings_with(Outcome.INCOMPLETE, Outcome.NOT_ASSESSED)))
        unresolved += reasons(
            verdict.product_id, [f for f in judged.findings_with(Outcome.MANUAL) if f.rule not in accepted]
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
