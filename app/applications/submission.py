"""Run the applicant's actions: create, change, submit, respond and withdraw an application."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access, declaration
from app.applications.assessment import assessments
from app.applications.evidence import virus_scanner
from app.applications.information_requests import Reply, require_valid_replies
from app.applications.model import Application
from app.applications.workflow import EDITABLE_STATES, Action, State
from app.audit import recorder
from app.auth.permissions import require_organisation_id
from app.certificates import certificate_repository
from app.core import counters
from app.core.actor import Actor
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.errors import Conflict, ExpectedVersion, Invalid, NotFound, require_version
from app.core.messages import Message, to_value_message
from app.organisations import organisation_repository
from app.organisations.model import OrganisationStatus
from app.products import product_repository
from app.schemes import publishing
from app.schemes.outcome import Outcome

MAX_PRODUCTS = 50
DECLARATION_RULE = "declaration"
"""Name of the rule that requires a declaration."""


def create_application(
    session: Session,
    actor: Actor,
    *,
    scheme_code: str,
    product_ids: Sequence[UUID],
    reference: str | None,
    now: datetime,
) -> Application:
    organisation_id = require_organisation_id(actor)
    if errors := application_errors(session, organisation_id, product_ids, scheme_code):
        raise Invalid.with_errors(errors)
    mark = publishing.current_scheme(session, scheme_code)
    _require_unused_reference(session, organisation_id, reference, None)
    year = baku_day(now).year
    number = counters.next_number(session, f"application:{mark.code}:{year}")
    application = Application(
        id=new_id(),
        number=f"{mark.code}-A-{year}-{number:06d}",
        scheme_code=mark.code,
        organisation_id=organisation_id,
        reference=reference,
        state=State.DRAFT.value,
        state_since=now,
        created_by=actor.id,
        created_at=now,
        version=1,
    )
    session.add(application)
    session.flush()
    application_repository.replace_products(session, application.id, product_ids)
    subject = ("application", application.id)
    recorder.record(session, actor, "application.drafted", subject, now, case_id=application.id)
    return application


def copy_application(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    scheme_code: str | None,
    reference: str | None,
    now: datetime,
) -> Application:
    """Draft a new application for the products of an earlier one of the company.

    Nothing but the products is taken over. A document of the earlier application was confirmed, doubted or found false
    for that application; in a copy it would look undecided, or count without having been read for it.
    """
    organisation_id = require_organisation_id(actor)
    earlier = application_repository.get_application(session, application_id, organisation_id)
    if earlier is None:
        raise NotFound.of("application")
    return create_application(
        session,
        actor,
        scheme_code=scheme_code or earlier.scheme_code,
        product_ids=application_repository.product_ids(session, earlier.id),
        reference=reference,
        now=now,
    )


def replace_draft(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    product_ids: Sequence[UUID],
    reference: str | None,
    version: ExpectedVersion,
    now: datetime,
) -> Application:
    """Replace the products and the reference of a draft. Content as it was changes nothing, not even the version."""
    application = get_editable(session, actor, application_id, version, states=frozenset({State.DRAFT}))
    if errors := application_errors(session, application.organisation_id, product_ids):
        raise Invalid.with_errors(errors)
    _require_unused_reference(session, application.organisation_id, reference, application.id)
    present = application_repository.product_ids(session, application.id)
    if list(present) == list(product_ids) and reference == application.reference:
        return application
    application_repository.replace_products(session, application.id, product_ids)
    application.reference = reference
    application.version += 1
    subject = ("application", application.id)
    recorder.record(session, actor, "application.changed", subject, now, case_id=application.id)
    return application


def get_editable(
    session: Session,
    actor: Actor,
    application_id: UUID,
    version: ExpectedVersion,
    *,
    states: frozenset[State] = EDITABLE_STATES,
) -> Application:
    """Lock the applicant's own application and check that it may be edited now.

    Raises, in this order: `NotFound`, `Forbidden`, `VersionRequired`, `StaleVersion`, `WrongState`.
    """
    application = case_access.get_visible(session, actor, application_id, lock=True)
    require_organisation_id(actor)
    require_version(version, application.version)
    if State(application.state) not in states:
        raise Conflict(
            Message(
                "The application is %(state)s; it cannot be changed now.", state=to_value_message(application.state)
            ),
            code="application-frozen",
            data={
                "state": application.state,
                "allowed": [a.value for a in case_access.allowed_actions(session, actor, application)],
            },
        )
    return application


def submit(
    session: Session, actor: Actor, application_id: UUID, *, version: ExpectedVersion, now: datetime
) -> Application:
    application = case_access.begin_action(session, actor, application_id, Action.SUBMIT, version)
    organisation = organisation_repository.find_organisation(session, application.organisation_id)
    if organisation is None or organisation.status != OrganisationStatus.CONFIRMED:
        raise Conflict(
            "A registrar has not yet confirmed that you act for this company. You may go on drafting and assessing.",
            code="organisation-unconfirmed",
        )
    run = assessments.run_assessment(session, application, now, for_share=True)
    _require_products_free(session, application, now)
    _require_declared(run)
    _require_supplied(run)
    virus_scanner.require_clean(
        session, application_repository.list_usable_evidence(session, organisation.id, application.id)
    )
    assessments.save_assessments(session, application, run, "submission", now)
    application.submitted_at = now
    case_access.transition(session, actor, application, Action.SUBMIT, State.SUBMITTED, now, dossier=run.dossier.hash)
    return application


def respond(
    session: Session,
    actor: Actor,
    application_id: UUID,
    *,
    replies: Sequence[Reply],
    version: ExpectedVersion,
    now: datetime,
) -> Application:
    """Answer every open question and return the case to the reviewer who asked."""
    application = case_access.begin_action(session, actor, application_id, Action.RESPOND, version)
    waiting = {
        q.id: q
        for q in application_repository.list_information_requests(session, application.id)
        if q.answered_at is None
    }
    documents = {file.id: file for file in application_repository.list_evidence(session, application.id)}
    require_valid_replies(replies, waiting, documents.keys())
    virus_scanner.require_clean(session, [documents[item] for reply in replies for item in reply.evidence_ids])
    for reply in replies:
        question = waiting[reply.question_id]
        question.answer, question.answered_by, question.answered_at = reply.text, actor.id, now
        question.evidence_ids = [str(each) for each in dict.fromkeys(reply.evidence_ids)]
        question.accepts = reply.accepts
    run = assessments.run_assessment(session, application, now, for_share=True)
    for reply in replies:
        if reply.accepts:
            question, first = waiting[reply.question_id], baku_day(now)
            asked = [question.product_id] if question.product_id else list(run.assessments)
            question.accepted_until = min(run.last_valid_day(product_id, first) for product_id in asked)
    _require_declared(run)
    assessments.save_assessments(session, application, run, "response", now)
    case_access.transition(session, actor, application, Action.RESPOND, State.IN_REVIEW, now, dossier=run.dossier.hash)
    return application


def withdraw(
    session: Session, actor: Actor, application_id: UUID, *, version: ExpectedVersion, now: datetime
) -> Application:
    application = case_access.begin_action(session, actor, application_id, Action.WITHDRAW, version)
    recommendation = application_repository.get_open_recommendation(session, application.id)
    case_access.transition(session, actor, application, Action.WITHDRAW, State.WITHDRAWN, now)
    if recommendation:
        application_repository.void_recommendation(recommendation, now)
    return application


def is_locked(session: Session, product_id: UUID) -> bool:
    """Return whether an application under review contains the product. The caller locks the product first."""
    return application_repository.application_locking_product(session, product_id) is not None


def application_errors(
    session: Session,
    organisation_id: UUID,
    product_ids: Sequence[UUID],
    scheme_code: str | None = None,
    reference: str | None = None,
) -> list[dict[str, str]]:
    """Return the errors of an application's input: the mark and the reference, where given, and each product."""
    errors = []
    if reference is not None and (
        other := application_repository.find_by_reference(session, organisation_id, reference)
    ):
        errors.append({"pointer": "/reference", "detail": _taken_by(other)})
    if scheme_code is not None and not _is_known_scheme(session, scheme_code):
        unknown = Message("There is no mark “%(scheme)s”.", code="unknown-scheme", scheme=scheme_code)
        errors.append({"pointer": "/scheme", "detail": unknown})
    if not 1 <= len(product_ids) <= MAX_PRODUCTS or len(set(product_ids)) != len(product_ids):
        detail = Message("Name 1 to %(limit)s products, each once.", code="wrong-count", limit=MAX_PRODUCTS)
        return [*errors, {"pointer": "/product_ids", "detail": detail}]
    owned = product_repository.find_owned_products(session, organisation_id, product_ids)
    for position, product_id in enumerate(product_ids):
        product = owned.get(product_id)
        pointer = f"/product_ids/{position}"
        if product is None:
            detail = Message("You have no such product.", code="unknown-product")
            errors.append({"pointer": pointer, "detail": detail})
        elif product.retired_at is not None:
            errors.append({"pointer": pointer, "detail": Message("This product is retired.", code="product-retired")})
    return errors


def _is_known_scheme(session: Session, scheme_code: str) -> bool:
    try:
        publishing.current_scheme(session, scheme_code)
    except NotFound:
        return False
    return True


def _require_unused_reference(session: Session, organisation_id: UUID, reference: str | None, own: UUID | None) -> None:
    if reference is None:
        return
    other = application_repository.find_by_reference(session, organisation_id, reference)
    if other is not None and other.id != own:
        raise Conflict(_taken_by(other), code="reference-taken", data={"application_id": str(other.id)})


def _taken_by(other: Application) -> Message:
    return Message(
        "Your application %(number)s has this reference already.", code="reference-taken", number=other.number
    )


def _require_products_free(session: Session, application: Application, now: datetime) -> None:
    """Require that no product has another submitted application or a certificate in force under the mark."""
    ids = application_repository.product_ids(session, application.id)
    retired = [str(p.id) for p in product_repository.lock_products(session, ids) if p.retired_at is not None]
    if retired:
        raise Conflict("Some products were retired meanwhile.", code="product-retired", data={"products": retired})
    if busy := application_repository.other_open_applications(session, application.scheme_code, ids, application.id):
        numbers = sorted({number for _, number in busy})
        raise Conflict(
            Message(
                "These applications ask for the same mark for some of these products already: %(applications)s.",
                applications=numbers,
            ),
            code="already-applied",
            data={"products": sorted({str(product) for product, _ in busy}), "applications": numbers},
        )
    if held := certificate_repository.in_force_for_products(session, application.scheme_code, ids, baku_day(now)):
        numbers = sorted(c.number for c in held)
        raise Conflict(
            Message("Some of these products hold a certificate already: %(certificates)s.", certificates=numbers),
            code="already-certified",
            data={"certificates": numbers},
        )


def _require_declared(run: assessments.AssessmentRun) -> None:
    """Require a declaration of the present content where the rules of the mark ask for one."""
    if any(str(rule.kind) == DECLARATION_RULE for rule in run.ruleset.rules):
        assert run.dossier.declared is not None  # an application was assessed, not a dry run
        declaration.require_declared(run.dossier.declared)


def _require_supplied(run: assessments.AssessmentRun) -> None:
    """Require every fact that the applicant must supply before submission.

    Not required: facts that their rule asks for later, and documents that wait for confirmation by staff.
    """
    rules = {rule.id: rule for rule in run.ruleset.rules}
    missing = [
        reason
        for product_id, each in run.assessments.items()
        for reason in assessments.findings_json(
            product_id,
            [
                finding
                for finding in each.findings_with(Outcome.INCOMPLETE, Outcome.NOT_ASSESSED)
                if not rules[finding.rule].can_be_submitted_with(finding.case)
            ],
        )
    ]
    if missing:
        raise Conflict(
            "Facts or documents that the rules require are missing. Supply them, then submit again.",
            code="incomplete",
            data={"findings": missing},
        )
