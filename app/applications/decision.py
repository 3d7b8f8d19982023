"""The approver's side: confirm, refuse, or return (ISO/IEC 17065 §7.6, certification decision).

The decision confirms a recommendation whole. It assesses again, as of now, and is bound to the hash of the dossier that
was recommended: where anything differs, nothing is granted and the case goes back to review.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.assessment import assessments
from app.applications.assessment.dossier import ProductDossier
from app.applications.model import Application, Decision, Recommendation
from app.applications.review import TERM_TOO_SHORT, RecommendedOutcome
from app.applications.workflow import Action, State
from app.certificates.credential.certified_description import build_description
from app.certificates.issuance import CertificateGrant, IssuerContext, issue_certificates
from app.certificates.model import Certificate
from app.core.actor import Actor
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import ExpectedVersion
from app.core.messages import Message
from app.organisations.legal_forms import is_legal_person, name_with_form
from app.schemes.evaluator import Assessment
from app.schemes.outcome import Outcome

TERM_TOO_SHORT_CODE = "term-too-short"
DAY_FIELDS = frozenset({"as_of", "held_on"})


@dataclass(frozen=True, slots=True)
class DecisionResult:
    application: Application
    decision: Decision
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class ReturnedToReview:
    """Not decided: what was recommended is no longer what lies here. The caller commits the way back to review."""

    application: Application
    code: str
    message: str
    findings: Sequence[Mapping[str, Any]]

    @property
    def member_name(self) -> str:
        """What the refusal calls them, as the reviewer's does: products where the term is too short."""
        return "products" if self.code == TERM_TOO_SHORT_CODE else "findings"


def approve(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    version: ExpectedVersion,
    issuance: IssuerContext,
    now: datetime,
) -> DecisionResult | ReturnedToReview:
    application, recommendation = case_access.begin_decision(session, actor, application_id, Action.APPROVE, version)
    judged = assessments.run_assessment(session, application, now, hold=True)
    verdicts = {UUID(v["product_id"]): v for v in recommendation.products}
    granted = [pid for pid in judged.assessments if verdicts[pid]["outcome"] == RecommendedOutcome.APPROVE]
    objection = _blocking_findings(judged, recommendation, verdicts, granted)
    short = [] if objection else assessments.short_term_products(session, application, judged, granted, baku_day(now))
    if short:
        objection = (TERM_TOO_SHORT_CODE, TERM_TOO_SHORT, short)
    if objection:
        code, message, findings = objection
        _return_to_review(session, actor, application, recommendation, message, now)
        return ReturnedToReview(application, code, message, findings)
    assessments.save_assessments(session, application, judged, "decision", now)
    outcome = State.APPROVED if granted else State.REJECTED
    decision = _store_decision(session, actor, Action.APPROVE, application, recommendation, outcome, None, judged, now)
    grants = [_build_grant(application, decision, judged, pid, now) for pid in granted]
    issued = issue_certificates(session, actor, grants, issuance, now)
    return DecisionResult(application, decision, issued)


def reject(
    session: Session, actor: Actor, application_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> DecisionResult:
    """Refuse every product, whatever was recommended, with a reason that the applicant reads."""
    application, recommendation = case_access.begin_decision(session, actor, application_id, Action.REJECT, version)
    judged = assessments.run_assessment(session, application, now, hold=True)
    assessments.save_assessments(session, application, judged, "decision", now)
    refused = State.REJECTED
    decision = _store_decision(session, actor, Action.REJECT, application, recommendation, refused, reason, judged, now)
    return DecisionResult(application, decision, ())


def return_to_review(
    session: Session, actor: Actor, application_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> Application:
    """Differ from the recommendation: it is void, and the reviewer who holds the case acts next."""
    application, recommendation = case_access.begin_decision(session, actor, application_id, Action.RETURN, version)
    _return_to_review(session, actor, application, recommendation, reason, now)
    return application


def _return_to_review(
    session: Session, actor: Actor, application: Application, recommendation: Recommendation, why: str, now: datetime
) -> None:
    note = case_access.add_note(session, actor, application, why, internal=True, now=now)
    case_access.transition(session, actor, application, Action.RETURN, State.IN_REVIEW, now, note=note)
    application_repository.void_recommendation(recommendation, now)


def _blocking_findings(
    judged: assessments.AssessmentRun,
    recommendation: Recommendation,
    verdicts: Mapping[UUID, Mapping[str, Any]],
    granted: Sequence[UUID],
) -> tuple[str, str, list[dict[str, Any]]] | None:
    """Why the recommendation cannot be confirmed as of now; None where it can. Failed rules speak first."""
    failed, open_, changed = [], [], []
    for pid in granted:
        judgement = judged.assessments[pid]
        failed += assessments.findings_json(pid, list(judgement.findings_with(Outcome.FAIL)))
        open_ += assessments.findings_json(pid, list(judgement.findings_with(Outcome.INCOMPLETE, Outcome.NOT_ASSESSED)))
        accepted = {r["rule"]: r["seen"] for r in verdicts[pid]["resolutions"] if r["accept"]}
        for finding in judgement.findings_with(Outcome.MANUAL):
            if finding.rule not in accepted:
                open_ += assessments.findings_json(pid, [finding])
            elif _without_day_fields(finding.to_json()["values"]) != _without_day_fields(accepted[finding.rule]):
                changed += assessments.findings_json(pid, [finding])
    if failed:
        return (
            "not-eligible",
            Message("The rules no longer allow the mark; the case went back to review."),
            failed + open_,
        )
    if open_:
        return "not-eligible", Message("Rules stay open that nobody resolved; the case went back to review."), open_
    if changed or judged.dossier.hash != recommendation.dossier_hash:
        message = Message("The dossier is not the one that was recommended; the case went back to review.")
        return "dossier-changed", message, changed
    if any(_is_no_longer_refused(judged.assessments[pid], verdicts[pid]) for pid in judged.assessments):
        message = Message(
            "The rules no longer refuse a product that was to be rejected for them; the case went back to review."
        )
        return "outcome-changed", message, []
    return None


def _is_no_longer_refused(judgement: Assessment, verdict: Mapping[str, Any]) -> bool:
    """Whether rules failed or stayed open when the rejection was recommended, and none does now."""
    was_refused = verdict["outcome"] == RecommendedOutcome.REJECT and bool(verdict["failed"])
    return was_refused and not judgement.findings_with(Outcome.FAIL, Outcome.INCOMPLETE)


def _without_day_fields(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a rule saw, without the day of looking: a person's answer holds on the next day too."""
    return {name: value for name, value in values.items() if name not in DAY_FIELDS}


def _store_decision(
    session: Session,
    actor: Actor,
    action: Action,
    application: Application,
    recommendation: Recommendation,
    outcome: State,
    reason: str | None,
    judged: assessments.AssessmentRun,
    now: datetime,
) -> Decision:
    """Write the decision with its products, and move the case to the state that it decides on."""
    assert actor.id is not None  # only people decide
    decision = Decision(
        id=new_id(),
        application_id=application.id,
        recommendation_id=recommendation.id,
        recommended_by=recommendation.recommended_by,
        decided_by=actor.id,
        decided_at=now,
        outcome=outcome.value,
        reason=reason,
        products=[_product_result(verdict, judged, reason) for verdict in recommendation.products],
        ruleset_version=judged.ruleset.version,
        dossier_hash=judged.dossier.hash,
    )
    session.add(decision)
    case_access.transition(session, actor, application, action, outcome, now, decision=decision.id)
    session.flush()
    application_repository.add_decided_products(
        session, [_decided_product_row(application, decision, each, judged) for each in decision.products]
    )
    return decision


def _decided_product_row(
    application: Application, decision: Decision, result: Mapping[str, Any], judged: assessments.AssessmentRun
) -> dict[str, Any]:
    product_id = UUID(result["product_id"])
    hs6 = judged.dossier.products[product_id].aggregate.product.hs6
    return {
        "decision_id": decision.id,
        "product_id": product_id,
        "scheme_code": application.scheme_code,
        "organisation_id": application.organisation_id,
        "hs4": hs6[:4],
        "hs6": hs6,
        "outcome": result["outcome"],
    }


def _product_result(
    verdict: Mapping[str, Any], judged: assessments.AssessmentRun, overruled: str | None
) -> dict[str, Any]:
    """One product as decided: granted, or refused with all its reasons and every failed criterion."""
    product_id = UUID(verdict["product_id"])
    granted = overruled is None and verdict["outcome"] == RecommendedOutcome.APPROVE
    failed = judged.assessments[product_id].findings_with(Outcome.FAIL, Outcome.INCOMPLETE)
    return {
        "product_id": verdict["product_id"],
        "outcome": "approved" if granted else "rejected",
        "reasons": [overruled] if overruled is not None else list(verdict["reasons"]),
        "failed": [] if granted else assessments.findings_json(product_id, list(failed)),
        "resolutions": [{k: r[k] for k in ("rule", "accept", "reason")} for r in verdict["resolutions"]],
    }


def _build_grant(
    application: Application, decision: Decision, judged: assessments.AssessmentRun, product_id: UUID, now: datetime
) -> CertificateGrant:
    each: ProductDossier = judged.dossier.products[product_id]
    judgement: Assessment = judged.assessments[product_id]
    product, site, organisation = each.aggregate.product, each.site, judged.dossier.organisation
    residency = each.residency if judged.ruleset.is_residency_based else None
    assert judgement.origin is not None and judgement.origin.criterion is not None  # else a rule would be incomplete
    today = baku_day(now)
    return CertificateGrant(
        scheme_code=judged.scheme.code,
        scheme_name=judged.scheme.name(),
        owner_name=judged.scheme.owner,
        ruleset_version=judged.ruleset.version,
        assessment_level=judged.scheme.assessment_level,
        organisation_id=organisation.id,
        holder_name=organisation.legal_name_en,
        holder_name_az=name_with_form(organisation.legal_name_az, organisation.legal_form),
        holder_voen=organisation.voen,
        holder_is_legal_person=is_legal_person(organisation.voen, organisation.legal_form),
        product_id=product.id,
        product_names=product.names,
        hs6=product.hs6,
        gtin=product.gtin,
        site_id=site.id,
        park_code=site.park_code,
        district=site.district,
        country=site.country,
        residency_id=residency.id if residency else None,
        origin_criterion=judgement.origin.criterion.value,
        valid_from=today,
        valid_until=judged.last_valid_day(product_id, today),
        description=build_description(each.aggregate, site, organisation),
        valid_no_later_than=min(judged.limiting_dates(product_id), default=None),
        application_id=application.id,
        decision_id=decision.id,
    )
