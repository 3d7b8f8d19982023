"""Compare decisions on applications with their recommendation, application, products, audit events and signatures.

Every document is built again from the rows. The audit trail and the log are taken as they are: whoever calls this has
verified both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.decision_document import DecisionAct, build_decision_document
from app.applications.model import Application, DecidedProduct, Decision, Recommendation
from app.applications.review import RecommendedOutcome
from app.audit import audit_repository
from app.audit.model import AuditEvent
from app.certificates import certificate_repository
from app.core import canonical_json
from app.core.database import PAGE_ROWS, UNREADABLE
from app.integrity.signatures import RegisteredKeys
from app.integrity.status_history import differing_members, is_of_the_migration, without_unknown
from app.integrity.transparency_log import IntegrityFinding

APPROVED, REJECTED = "approved", "rejected"
_DECIDED_EVENTS = {"application.approved": DecisionAct.APPROVE, "application.rejected": DecisionAct.REJECT}
_RECOMMENDED = "application.recommended"


def check_page(session: Session, decisions: Sequence[Decision], keys: RegisteredKeys) -> Iterator[IntegrityFinding]:
    """Compare a page of decisions."""
    application_ids = [each.application_id for each in decisions]
    applications = application_repository.applications_by_id(session, application_ids)
    recommendations = application_repository.recommendations_by_id(
        session, [each.recommendation_id for each in decisions]
    )
    decided = application_repository.decided_products_of(session, [each.id for each in decisions])
    certified = certificate_repository.certified_products_of(session, application_ids)
    names = {_RECOMMENDED, *_DECIDED_EVENTS}
    events = audit_repository.events_about(session, "application", [str(each) for each in application_ids], names)
    for decision in decisions:
        application = applications.get(decision.application_id)
        recommendation = recommendations.get(decision.recommendation_id)
        number = application.number if application else decision.application_id
        row = f"decision {decision.id} on {number}"
        if application is None or recommendation is None:
            yield IntegrityFinding(row, "Its application or its recommendation is missing.")
            continue
        found = events.get(str(application.id), [])
        recommended_in = _event_with(found, {_RECOMMENDED}, "recommendation", recommendation.id)
        decided_in = _event_with(found, _DECIDED_EVENTS, "decision", decision.id)
        errors = [
            *_document_errors(decision, application, recommendation),
            *_decision_errors(decision, application, decided_in),
            *_outcome_errors(decision, recommendation),
            *_product_errors(decision, application, decided.get(decision.id, {}), certified),
            *keys.errors_of(decision.confirmation, decision.document, decision.decided_by, decision.decided_at),
        ]
        yield from (IntegrityFinding(row, each) for each in errors)
        row = f"recommendation {recommendation.id} on {number}"
        yield from (
            IntegrityFinding(row, each) for each in _recommendation_errors(decision, recommendation, recommended_in)
        )


def _event_with(events: Sequence[AuditEvent], names: Iterable[str], member: str, value: UUID) -> AuditEvent | None:
    """Return the event of one of these names whose data holds this id."""
    return next((each for each in events if each.event in names and each.data.get(member) == str(value)), None)


def _act(decision: Decision) -> DecisionAct:
    return DecisionAct.APPROVE if decision.reason is None else DecisionAct.REJECT


def _document_errors(decision: Decision, application: Application, recommendation: Recommendation) -> Iterator[str]:
    expected = build_decision_document(
        _act(decision),
        application=application.number,
        version=application.version - 1,  # the decision is the last change of an application
        recommendation=decision.recommendation_id,
        recommended=recommendation.products,
        recommended_by=decision.recommended_by,
        decided_by=decision.decided_by,
        ruleset=f"{application.scheme_code}/{decision.ruleset_version}",
        dossier=decision.dossier_hash,
        products=decision.products,
        reason=decision.reason,
    )
    if canonical_json.digest(decision.document) != decision.sha256:
        yield "Its document is not the one of its hash."
    if names := differing_members(decision.document, without_unknown(expected, decision.document)):
        yield f"Its document differs from its rows: {names}."


def _decision_errors(decision: Decision, application: Application, event: AuditEvent | None) -> Iterator[str]:
    if decision.recommended_by == decision.decided_by:
        yield "One person recommended and decided it."
    if application.state != decision.outcome:
        yield f"Its outcome is {decision.outcome}, but its application is {application.state}."
    if event is None:
        yield "No event of the audit trail records it."
        return
    logged = event.data.get("decision_sha256")
    if logged != decision.sha256 and not (logged is None and is_of_the_migration(decision.document)):
        yield f"Its hash is not the one of audit event {event.seq}."
    if _DECIDED_EVENTS[event.event] is not _act(decision) or event.data.get("state") != decision.outcome:
        yield f"Its outcome is not the one of audit event {event.seq}."
    if event.actor_id != decision.decided_by:
        yield f"The person of audit event {event.seq} is another than decided it."
    if event.at != decision.decided_at:
        yield f"Its moment is not the one of audit event {event.seq}."


def _outcome_errors(decision: Decision, recommendation: Recommendation) -> Iterator[str]:
    """Compare the outcome of every product with the recommendation, or with the reason that overruled it."""
    by_product = {each["product_id"]: each for each in recommendation.products}
    outcomes = {each["product_id"]: each["outcome"] for each in decision.products}
    for each in decision.products:
        recommended = by_product.get(each["product_id"])
        if recommended is None:
            yield f"It decides on product {each['product_id']}, which was not recommended on."
        elif _act(decision) is DecisionAct.REJECT:
            if (each["outcome"], each["reasons"]) != (REJECTED, [decision.reason]):
                yield f"Product {each['product_id']} was rejected for another reason."
        else:
            granted = recommended["outcome"] == RecommendedOutcome.APPROVE
            if (each["outcome"], each["reasons"]) != (APPROVED if granted else REJECTED, recommended["reasons"]):
                yield f"The outcome of product {each['product_id']} is not the recommended one."
    if decision.outcome != (APPROVED if APPROVED in outcomes.values() else REJECTED):
        yield f"Its outcome is {decision.outcome}, but those of its products make it another."
    if outcomes.keys() != by_product.keys():
        yield "It does not decide on the products of its recommendation."


def _recommendation_errors(
    decision: Decision, recommendation: Recommendation, event: AuditEvent | None
) -> Iterator[str]:
    if recommendation.recommended_by != decision.recommended_by:
        yield "Its person is not the one whom the decision names."
    if recommendation.application_id != decision.application_id:
        yield "It is on another application than its decision."
    if recommendation.voided_at is not None:
        yield "It was voided, but a decision confirms it."
    if _act(decision) is DecisionAct.APPROVE and recommendation.dossier_hash != decision.dossier_hash:
        yield "Its dossier is not the one of the decision."
    if event is None:
        yield "No event of the audit trail records it."
        return
    if event.actor_id != recommendation.recommended_by:
        yield f"The person of audit event {event.seq} is another than recommended it."
    if event.at != recommendation.recommended_at:
        yield f"Its moment is not the one of audit event {event.seq}."
    if event.data.get("dossier") != recommendation.dossier_hash:
        yield f"Its dossier is not the one of audit event {event.seq}."
    logged = event.data.get("sha256")  # missing in events of before
    if logged is not None and logged != canonical_json.digest(recommendation.products):
        yield f"Its outcomes, reasons or resolutions are not those of audit event {event.seq}."


def _product_errors(
    decision: Decision,
    application: Application,
    decided: Mapping[UUID, DecidedProduct],
    certified: set[tuple[UUID, UUID]],
) -> Iterator[str]:
    outcomes = {UUID(each["product_id"]): each["outcome"] for each in decision.products}
    if outcomes != {product_id: row.outcome for product_id, row in decided.items()}:
        yield "The rows of its decided products have other outcomes."
    for product_id, row in decided.items():
        if (row.scheme_code, row.organisation_id) != (application.scheme_code, application.organisation_id):
            yield f"The row of decided product {product_id} names another mark or company."
    for product_id, outcome in outcomes.items():
        if outcome == APPROVED and (application.id, product_id) not in certified:
            yield f"It approved product {product_id}, but there is no certificate of it."


def find_missing(session: Session) -> Iterator[IntegrityFinding]:
    """Yield the decisions that the audit trail records and that have no row."""
    after = 0
    while events := audit_repository.list_events_named(session, _DECIDED_EVENTS, after, PAGE_ROWS):
        after = events[-1].seq
        recorded = {each.seq: _decision_id(each) for each in events}
        found = application_repository.existing_decision_ids(session, [each for each in recorded.values() if each])
        for seq, decision_id in recorded.items():
            if decision_id not in found:
                yield IntegrityFinding(f"decision {decision_id}", f"Audit event {seq} records it, but it is missing.")
        session.expunge_all()


def _decision_id(event: AuditEvent) -> UUID | None:
    try:
        return UUID(event.data.get("decision"))
    except UNREADABLE:
        return None
