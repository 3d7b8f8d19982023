"""Run the approver's actions: approve, reject, return (ISO/IEC 17065 §7.6, certification decision).

An approval confirms a recommendation as a whole. It assesses again as of now and compares the dossier hash: on any
difference no certificate is issued and the case returns to review.
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
from app.applications.decision_document import DecisionAct, build_decision_document
from app.applications.model import Application, Decision, Recommendation
from app.applications.review import TERM_TOO_SHORT, RecommendedOutcome
from app.applications.workflow import Action, State
from app.auth.credentials.confirmations import require_confirmation
from app.certificates.credential.certified_description import build_description
from app.certificates.issuance import CertificateGrant, IssuerContext, issue_certificates
from app.certificates.model import Certificate
from app.core import canonical_json
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
    """Report that the case returned to review because it differs from the recommendation. The caller commits this."""

    application: Application
    code: str
    message: str
    findings: Sequence[Mapping[str, Any]]

    @property
    def member_name(self) -> str:
        """Return the name of the problem's list: `products` for a short term, else `findings`."""
        return "products" if self.code == TERM_TOO_SHORT_CODE else "findings"


@dataclass(frozen=True, slots=True)
class _DecidedContent:
    """What is decided: the document, the products as stored, and the person's confirmation of the document."""

    document: dict[str, Any]
    products: list[dict[str, Any]]
    confirmation: dict[str, Any] | None


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
    run = assessments.run_assessment(session, application, now, for_share=True)
    recommended_products = {UUID(v["product_id"]): v for v in recommendation.products}
    granted = [pid for pid in run.assessments if recommended_products[pid]["outcome"] == RecommendedOutcome.APPROVE]
    objection = _blocking_findings(run, recommendation, recommended_products, granted)
    short = [] if objection else assessments.short_term_products(session, application, run, granted, baku_day(now))
    if short:
        objection = (TERM_TOO_SHORT_CODE, TERM_TOO_SHORT, short)
    if objection:
        code, message, findings = objection
        _return_to_review(session, actor, application, recommendation, message, now)
        return ReturnedToReview(application, code, message, findings)
    decided = _decide(session, actor, application, recommendation, run, None)
    assessments.save_assessments(session, application, run, "decision", now)
    outcome = State.APPROVED if granted else State.REJECTED
    decision = _store_decision(session, actor, application, recommendation, outcome, decided, run, now)
    grants = [_build_grant(application, decision, run, pid, now) for pid in granted]
    issued = issue_certificates(session, actor, grants, issuance, now)
    return DecisionResult(application, decision, issued)


def reject(
    session: Session, actor: Actor, application_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> DecisionResult:
    """Reject every product, whatever was recommended, with a reason for the applicant."""
    application, recommendation = case_access.begin_decision(session, actor, application_id, Action.REJECT, version)
    run = assessments.run_assessment(session, application, now, for_share=True)
    decided = _decide(session, actor, application, recommendation, run, reason)
    assessments.save_assessments(session, application, run, "decision", now)
    decision = _store_decision(session, actor, application, recommendation, State.REJECTED, decided, run, now)
    return DecisionResult(application, decision, ())


def return_to_review(
    session: Session, actor: Actor, application_id: UUID, *, reason: str, version: ExpectedVersion, now: datetime
) -> Application:
    """Return the case to review: the recommendation is void, and the case holder acts next."""
    application, recommendation = case_access.begin_decision(session, actor, application_id, Action.RETURN, version)
    _return_to_review(session, actor, application, recommendation, reason, now)
    return application


def _return_to_review(
    session: Session, actor: Actor, application: Application, recommendation: Recommendation, reason: str, now: datetime
) -> None:
    note = case_access.add_note(session, actor, application, reason, internal=True, now=now)
    case_access.transition(session, actor, application, Action.RETURN, State.IN_REVIEW, now, note=note)
    application_repository.void_recommendation(recommendation, now)


def _blocking_findings(
    run: assessments.AssessmentRun,
    recommendation: Recommendation,
    recommended_products: Mapping[UUID, Mapping[str, Any]],
    granted: Sequence[UUID],
) -> tuple[str, str, list[dict[str, Any]]] | None:
    """Return why the recommendation cannot be confirmed now; None when it can. Failed rules come first."""
    failed, open_, changed = [], [], []
    for pid in granted:
        assessment = run.assessments[pid]
        failed += assessments.findings_json(pid, list(assessment.findings_with(Outcome.FAIL)))
        open_ += assessments.findings_json(
            pid, list(assessment.findings_with(Outcome.INCOMPLETE, Outcome.NOT_ASSESSED))
        )
        accepted = {r["rule"]: r["seen"] for r in recommended_products[pid]["resolutions"] if r["accept"]}
        for finding in assessment.findings_with(Outcome.MANUAL):
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
        return "not-eligible", Message("Some rules still need a resolution; the case went back to review."), open_
    if changed or run.dossier.hash != recommendation.dossier_hash:
        message = Message("The dossier changed after the recommendation; the case went back to review.")
        return "dossier-changed", message, changed
    if any(_is_no_longer_refused(run.assessments[pid], recommended_products[pid]) for pid in run.assessments):
        message = Message(
            "The rules no longer refuse a product that was to be rejected for them; the case went back to review."
        )
        return "outcome-changed", message, []
    return None


def _is_no_longer_refused(assessment: Assessment, recommended_product: Mapping[str, Any]) -> bool:
    """Return whether a rejection was recommended for failed or incomplete rules, and none is left."""
    was_refused = recommended_product["outcome"] == RecommendedOutcome.REJECT and bool(recommended_product["failed"])
    return was_refused and not assessment.findings_with(Outcome.FAIL, Outcome.INCOMPLETE)


def _without_day_fields(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a finding's values without the day, so that a resolution stays valid on the next day."""
    return {name: value for name, value in values.items() if name not in DAY_FIELDS}


def _decide(
    session: Session,
    actor: Actor,
    application: Application,
    recommendation: Recommendation,
    run: assessments.AssessmentRun,
    overruled: str | None,
) -> _DecidedContent:
    """Build what is decided, and have it confirmed, before anything is stored.

    `overruled` is the reason to reject every product; None confirms the recommendation.
    """
    assert actor.id is not None  # only users decide
    products = [_product_result(recommended_product, run, overruled) for recommended_product in recommendation.products]
    document = build_decision_document(
        DecisionAct.APPROVE if overruled is None else DecisionAct.REJECT,
        application=application.number,
        version=application.version,
        recommendation=recommendation.id,
        recommended=recommendation.products,
        recommended_by=recommendation.recommended_by,
        decided_by=actor.id,
        ruleset=f"{application.scheme_code}/{run.ruleset.version}",
        dossier=run.dossier.hash,
        products=products,
        reason=overruled,
    )
    return _DecidedContent(document, products, require_confirmation(session, actor, document))


def _store_decision(
    session: Session,
    actor: Actor,
    application: Application,
    recommendation: Recommendation,
    outcome: State,
    decided: _DecidedContent,
    run: assessments.AssessmentRun,
    now: datetime,
) -> Decision:
    """Insert the decision with its products and enter the decided state."""
    assert actor.id is not None  # only users decide
    document = decided.document
    decision = Decision(
        id=new_id(),
        application_id=application.id,
        recommendation_id=recommendation.id,
        recommended_by=recommendation.recommended_by,
        decided_by=actor.id,
        decided_at=now,
        outcome=outcome.value,
        reason=document["reason"],
        products=decided.products,
        ruleset_version=run.ruleset.version,
        dossier_hash=run.dossier.hash,
        document=document,
        sha256=canonical_json.digest(document),
        confirmation=decided.confirmation,
    )
    session.add(decision)
    case_access.transition(
        session,
        actor,
        application,
        Action(document["act"]),
        outcome,
        now,
        decision=decision.id,
        decision_sha256=decision.sha256,
    )
    session.flush()
    application_repository.add_decided_products(
        session, [_decided_product_row(application, decision, result, run) for result in decision.products]
    )
    return decision


def _decided_product_row(
    application: Application, decision: Decision, result: Mapping[str, Any], run: assessments.AssessmentRun
) -> dict[str, Any]:
    product_id = UUID(result["product_id"])
    hs6 = run.dossier.products[product_id].aggregate.product.hs6
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
    recommended_product: Mapping[str, Any], run: assessments.AssessmentRun, overruled: str | None
) -> dict[str, Any]:
    """Serialize a decided product: approved, or rejected with all reasons and failed findings."""
    product_id = UUID(recommended_product["product_id"])
    granted = overruled is None and recommended_product["outcome"] == RecommendedOutcome.APPROVE
    failed = run.assessments[product_id].findings_with(Outcome.FAIL, Outcome.INCOMPLETE)
    return {
        "product_id": recommended_product["product_id"],
        "outcome": "approved" if granted else "rejected",
        "reasons": [overruled] if overruled is not None else list(recommended_product["reasons"]),
        "failed": [] if granted else assessments.findings_json(product_id, list(failed)),
        "resolutions": [{k: r[k] for k in ("rule", "accept", "reason")} for r in recommended_product["resolutions"]],
    }


def _build_grant(
    application: Application, decision: Decision, run: assessments.AssessmentRun, product_id: UUID, now: datetime
) -> CertificateGrant:
    product_dossier: ProductDossier = run.dossier.products[product_id]
    assessment: Assessment = run.assessments[product_id]
    product, site, organisation = product_dossier.aggregate.product, product_dossier.site, run.dossier.organisation
    residency = product_dossier.residency if run.ruleset.is_residency_based else None
    assert (
        assessment.origin is not None and assessment.origin.criterion is not None
    )  # otherwise a rule would be incomplete
    today = baku_day(now)
    return CertificateGrant(
        scheme_code=run.scheme.code,
        scheme_name=run.scheme.name(),
        owner_name=run.scheme.owner,
        ruleset_version=run.ruleset.version,
        assessment_level=run.scheme.assessment_level,
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
        origin_criterion=assessment.origin.criterion.value,
        valid_from=today,
        valid_until=run.last_valid_day(product_id, today),
        description=build_description(product_dossier.aggregate, site, organisation),
        valid_no_later_than=min(run.limiting_dates(product_id), default=None),
        application_id=application.id,
        decision_id=decision.id,
        decision_sha256=decision.sha256,
    )
