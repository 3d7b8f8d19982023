"""Carry out what the magic taxpayer numbers say, as robots who are staff of the sandbox.

They use the services and rules of the real staff: several people, four eyes, confirmations with software
authenticators. What follows is read from the present state, so that an interrupted run is completed by the next one.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, decision, review
from app.applications.assessment import assessments
from app.applications.evidence import confirmation, evidence_documents
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.applications.information_requests import Question
from app.applications.model import Application
from app.applications.review import ManualResolution, ProductRecommendation, RecommendedOutcome
from app.applications.workflow import State
from app.auth import demo_staff, user_repository
from app.auth.credentials.confirmations import ConfirmationRequired
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.certificates import status_service
from app.certificates.model import RevocationReason, SuspensionCause
from app.core.actor import Actor, ActorKind
from app.core.dates import baku_day
from app.core.errors import MikError
from app.jobs import port
from app.jobs.job_type import JobRun, JobType
from app.organisations.model import Organisation
from app.products import product_repository
from app.sandbox import sandbox_repository
from app.sandbox.scenarios import Scenario, scenario_of
from app.schemes.evaluator import Assessment
from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from app.schemes.outcome import Outcome
from app.web.container import Container

RUN_ROBOTS = JobType("sandbox.robots", every=timedelta(minutes=1))
RUN_ROBOTS_NOW = JobType("sandbox.robots-now")
ROBOT_JOBS = (RUN_ROBOTS, RUN_ROBOTS_NOW)
SAMPLE_FILE: Final = b"%PDF-1.4\n% SANDBOX: a sample, with nothing on it\n%%EOF\n"
REGISTRAR, REVIEWER = "registrar@mik.example", "reviewer@mik.example"
APPROVER, OWNER, SECOND_OWNER = "approver@mik.example", "owner@mik.example", "second-owner@mik.example"

_MAX_STEPS: Final = 8  # of one application in one run; the longest scenario takes six
_FRESH: Final = timedelta(days=20)  # the rules ask for newer checks than a month
_OPEN = (State.SUBMITTED, State.IN_REVIEW, State.RECOMMENDED)
_REFUSAL: Final = "Sandbox: applications under this taxpayer number are refused."
_QUESTION: Final = "Sandbox: applications under this taxpayer number are asked a question. Any answer will do."
_LOOKED_UP: Mapping[str, Mapping[str, Any]] = {
    "tax-status": {"taxpayer_status": "active"},
    "background-check": {"sanctions_match": False, "tax_debt": False, "open_complaint": False},
    "resident-project": {"approved_goods": [f"{chapter:02d}" for chapter in range(1, 98) if chapter != 77]},
    "inspection-record": {"visited_by": "staff", "surveyor": "Sandbox robot", "findings": []},
}
"""What the robots find out about every company, by kind of document."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Case:
    """An application that the robots act on."""

    id: UUID
    organisation_id: UUID
    scenario: Scenario
    state: State
    was_asked: bool


class Robots:
    def __init__(self, container: Container) -> None:
        self._container = container

    def run(self, _run: JobRun | None = None) -> None:
        """Take every open application and every new certificate as far as its scenario goes."""
        for application_id in self._open_applications():
            for _ in range(_MAX_STEPS):
                case = self._read(application_id)
                if case is None or not self._attempt(lambda case=case: self._advance(case)):  # type: ignore[misc]  # bound at once
                    break
        for number, scenario in self._new_certificates():
            self._attempt(lambda number=number, scenario=scenario: self._change_status(number, scenario))  # type: ignore[misc]  # bound at once

    def wake(self) -> None:
        """Have the robots look soon at what a request may have changed."""
        with self._container.database.session() as session:
            port.enqueue(session, RUN_ROBOTS_NOW, {}, now=self._container.clock())
            session.commit()

    def actor(self, session: Session, email: str) -> Actor:
        """Return a robot as an actor with a recent second factor."""
        user = user_repository.find_user_by_email(session, email)
        assert user is not None  # made when the sandbox was prepared
        roles = frozenset(user_repository.get_roles(session, user.id))
        return Actor(ActorKind.USER, user.id, roles, second_factor_at=self._container.clock())

    def _attempt(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except MikError as why:  # such as a pause of issuance, or somebody who acted at the same time
            logger.info("A robot of the sandbox could not act: %s", why.message)
            return False
        except Exception:  # one application must not stop those of all other companies
            logger.exception("A robot of the sandbox failed.")
            return False
        return True

    def _as(self, email: str, act: Callable[[Session, Actor], Any]) -> Any:
        """Run one act in a transaction; it is run again with a confirmation where one is required."""
        try:
            return self._once(email, act, None)
        except ConfirmationRequired as why:
            key = SoftwareAuthenticator.load(demo_staff.authenticator_file(self._container.settings.data_dir, email))
            document = why.data["document"]
            return self._once(email, act, key.confirmation_header(document, self._container.relying_party))

    def _once(self, email: str, act: Callable[[Session, Actor], Any], confirmation_header: str | None) -> Any:
        with self._container.database.session() as session:
            result = act(session, replace(self.actor(session, email), confirmation=confirmation_header))
            session.commit()
            return result

    def _open_applications(self) -> Sequence[UUID]:
        with self._container.database.read_session() as session:
            return sandbox_repository.list_applications(session, _OPEN)

    def _read(self, application_id: UUID) -> _Case | None:
        with self._container.database.read_session() as session:
            row = session.get_one(Application, application_id)
            scenario = scenario_of(session.get_one(Organisation, row.organisation_id).voen)
            if scenario is None or State(row.state) not in _OPEN:
                return None
            asked = bool(application_repository.list_information_requests(session, row.id))
            return _Case(row.id, row.organisation_id, scenario, State(row.state), asked)

    def _advance(self, case: _Case) -> None:
        now = self._container.clock()
        if case.state is State.SUBMITTED:
            self._as(REVIEWER, lambda s, a: review.claim(s, a, case.id, version=_version(s, case), now=now))
        elif case.state is State.RECOMMENDED:
            issuance = self._container.issuance
            self._as(
                APPROVER,
                lambda s, a: decision.approve(s, a, case.id, version=_version(s, case), issuance=issuance, now=now),
            )
        elif case.scenario is Scenario.ASKED and not case.was_asked:
            ask = [Question(_QUESTION)]
            self._as(
                REVIEWER,
                lambda s, a: review.request_information(
                    s, a, case.id, questions=ask, version=_version(s, case), now=now
                ),
            )
        else:
            self._as(REGISTRAR, lambda s, a: self._add_documents(s, a, case))
            self._as(REVIEWER, lambda s, a: self._confirm_documents(s, a, case))
            self._as(REGISTRAR, lambda s, a: self._confirm_documents(s, a, case))
            self._as(REVIEWER, lambda s, a: self._recommend(s, a, case))

    def _add_documents(self, session: Session, actor: Actor, case: _Case) -> None:
        """Add what staff look up: about the company, and about each site of the application."""
        now = self._container.clock()
        today = baku_day(now)
        present = {
            (each.kind, each.site_id)
            for each in application_repository.list_company_evidence(session, case.organisation_id)
            if each.issued_on is not None and each.issued_on > today - _FRESH
        }
        aggregates = product_repository.load_aggregates_by_id(
            session, application_repository.product_ids(session, case.id)
        )
        sites = sorted({each.product.site_id for each in aggregates.values()})
        for kind, values in _LOOKED_UP.items():
            is_of_site = load_evidence_kinds()[kind].scope is EvidenceScope.SITE
            for site_id in sites if is_of_site else [None]:
                if (kind, site_id) not in present:
                    details = EvidenceDetails(issued_on=today, values=values)
                    self.add_document(session, actor, case.organisation_id, kind, EvidenceSubject((), site_id), details)

    def add_document(
        self,
        session: Session,
        actor: Actor,
        organisation_id: UUID,
        kind: str,
        about: EvidenceSubject,
        details: EvidenceDetails,
    ) -> None:
        """Add a sample document to a company."""
        files = self._container.evidence_files
        draft = files.stage([SAMPLE_FILE])
        try:
            evidence_documents.add_to_organisation(
                session,
                actor,
                organisation_id,
                kind=kind,
                file_name=f"{kind}.pdf",
                about=about,
                details=details,
                stored=draft.file,
                quotas=self._container.quotas,
                now=self._container.clock(),
            )
            files.store(draft)
        finally:
            draft.discard()

    def _confirm_documents(self, session: Session, actor: Actor, case: _Case) -> None:
        """Confirm as stated what waits and somebody else added; what cannot be confirmed waits on."""
        now = self._container.clock()
        for row in application_repository.list_usable_evidence(session, case.organisation_id, case.id):
            if row.confirmed_at is not None or row.uploaded_by == actor.id or row.found_false:
                continue
            try:
                with session.begin_nested():
                    confirmation.confirm_document(
                        session, actor, row.id, details=EvidenceDetails(), version=row.version, now=now
                    )
            except MikError as why:
                logger.info("A robot of the sandbox could not confirm a document: %s", why.message)

    def _recommend(self, session: Session, actor: Actor, case: _Case) -> None:
        now = self._container.clock()
        application = session.get_one(Application, case.id)
        run = assessments.run_assessment(session, application, now, for_share=True)
        products = [
            _recommendation(product_id, assessment, case.scenario) for product_id, assessment in run.assessments.items()
        ]
        review.recommend(session, actor, case.id, products=products, version=application.version, now=now)

    def _new_certificates(self) -> list[tuple[str, Scenario]]:
        """List active certificates that were never suspended, of companies whose scenario ends otherwise."""
        with self._container.database.read_session() as session:
            unchanged = sandbox_repository.list_unchanged_certificates(session)
        found = [(number, scenario_of(voen)) for number, voen in unchanged]
        return [(number, each) for number, each in found if each in (Scenario.SUSPENDED, Scenario.REVOKED)]

    def _change_status(self, number: str, scenario: Scenario) -> None:
        now = self._container.clock()
        if scenario is Scenario.SUSPENDED:
            self._as(OWNER, lambda s, a: _suspend(s, a, number, now))
            return
        proposals = self._container.proposals
        content = {"number": number, "reason": RevocationReason.CRITICAL_NONCONFORMITY.value}
        proposal_id = self._as(OWNER, lambda s, a: proposals.propose(s, a, "revocation", content, now).id)
        self._as(SECOND_OWNER, lambda s, a: proposals.confirm(s, a, proposal_id, 1, now))


def _suspend(session: Session, actor: Actor, number: str, now: Any) -> None:
    version = sandbox_repository.certificate_version(session, number)
    status_service.suspend_by_owner(
        session,
        actor,
        number,
        cause=SuspensionCause.SURVEILLANCE,
        note="Sandbox: certificates under this taxpayer number are suspended.",
        version=version,
        now=now,
    )


def _version(session: Session, case: _Case) -> int:
    return session.get_one(Application, case.id).version


def _recommendation(product_id: UUID, assessment: Assessment, scenario: Scenario) -> ProductRecommendation:
    """Recommend by the published rules; findings for a person are accepted, unless the scenario is a refusal."""
    if scenario is Scenario.REFUSED:
        return ProductRecommendation(product_id, RecommendedOutcome.REJECT, (_REFUSAL,), ())
    open_ = assessment.findings_with(Outcome.FAIL, Outcome.INCOMPLETE, Outcome.NOT_ASSESSED)
    if reasons := tuple(dict.fromkeys(finding.reason for finding in open_)):
        return ProductRecommendation(product_id, RecommendedOutcome.REJECT, reasons[:20], ())
    return ProductRecommendation(product_id, RecommendedOutcome.APPROVE, (), tuple(_resolutions(assessment)))


def _resolutions(assessment: Assessment) -> Iterator[ManualResolution]:
    for finding in assessment.findings_with(Outcome.MANUAL):
        yield ManualResolution(finding.rule, accept=True, reason="Sandbox: a robot accepts this.")
