"""List earlier decisions on the same HS heading under the same mark, for consistent decisions.

Staff read them in full. A company reads its own in full; of other companies only counts of approvals and rejections and
the rules that decided them, without names, numbers, reasons or values.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.assessment import precedent_repository
from app.applications.assessment.precedent_repository import PrecedentQuery
from app.applications.model import Application, DecidedProduct, Decision
from app.products import product_repository
from app.schemes import publishing

MAX_DECISIONS_READ = 500
"""Maximum number of decisions on other companies' products that are read for rule counts; totals cover all."""
MAX_OWN_PRECEDENTS = 50


@dataclass(frozen=True, slots=True)
class Precedent:
    """Hold one decision with its products of the requested headings."""

    decision: Decision
    application: Application
    products: Sequence[tuple[DecidedProduct, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class RuleCount:
    rule: str
    title: Mapping[str, str]
    clause: Mapping[str, str]
    failed: int
    accepted: int  # resolved by a reviewer in the applicant's favour


@dataclass(frozen=True, slots=True)
class HeadingPrecedents:
    """Hold what a company may read about earlier decisions on one heading."""

    hs4: str
    own: Sequence[Precedent]
    approved: int
    rejected: int
    rules: Sequence[RuleCount]


def list_precedents(
    session: Session, application: Application, *, same_company: bool | None, before: UUID | None, limit: int
) -> Sequence[Precedent]:
    """List precedents, newest first. `before`: id of the last decision read. `same_company` None: both kinds."""
    precedent_query = _query_for(session, application)
    if same_company is not None:
        precedent_query = replace(
            precedent_query,
            organisation_id=application.organisation_id if same_company else None,
            excluded_organisation_id=None if same_company else application.organisation_id,
        )
    return _load_precedents(
        session, precedent_query, precedent_repository.list_decisions(session, precedent_query, before, limit)
    )


def list_heading_precedents(session: Session, application: Application) -> Sequence[HeadingPrecedents]:
    """Return, for each heading, what the applicant may read. Other companies' decisions are only counted."""
    everybody = _query_for(session, application)
    own = replace(everybody, organisation_id=application.organisation_id)
    others = replace(everybody, excluded_organisation_id=application.organisation_id)
    own_decisions = _load_precedents(
        session, own, precedent_repository.list_decisions(session, own, None, MAX_OWN_PRECEDENTS)
    )
    others_decisions = _load_precedents(
        session, others, precedent_repository.list_decisions(session, others, None, MAX_DECISIONS_READ)
    )
    counts = precedent_repository.count_decided_products(session, others)
    return [
        HeadingPrecedents(
            hs4,
            _of_heading(own_decisions, hs4),
            counts.get((hs4, "approved"), 0),
            counts.get((hs4, "rejected"), 0),
            _count_rules(session, application.scheme_code, _of_heading(others_decisions, hs4)),
        )
        for hs4 in sorted(everybody.headings)
    ]


def _query_for(session: Session, application: Application) -> PrecedentQuery:
    whole = product_repository.load_aggregates_by_id(
        session, application_repository.product_ids(session, application.id)
    )
    own = application_repository.get_decision(session, application.id)
    return PrecedentQuery(
        scheme_code=application.scheme_code,
        headings=frozenset(each.product.hs6[:4] for each in whole.values()),
        excluded_application_id=application.id,
        before_decision_id=own.id if own else None,
    )


def _load_precedents(
    session: Session, precedent_query: PrecedentQuery, decisions: Sequence[Decision]
) -> Sequence[Precedent]:
    rows = precedent_repository.list_decided_products(session, [d.id for d in decisions], precedent_query.headings)
    applications = application_repository.applications_by_id(session, [d.application_id for d in decisions])
    found = []
    for decision in decisions:
        said = {UUID(each["product_id"]): each for each in decision.products}
        of_it = [(row, said[row.product_id]) for row in rows if row.decision_id == decision.id]
        found.append(Precedent(decision, applications[decision.application_id], of_it))
    return found


def _of_heading(found: Iterable[Precedent], hs4: str) -> Sequence[Precedent]:
    narrowed = (replace(each, products=[p for p in each.products if p[0].hs4 == hs4]) for each in found)
    return [each for each in narrowed if each.products]


def _count_rules(session: Session, scheme_code: str, found: Sequence[Precedent]) -> Sequence[RuleCount]:
    failed: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    texts: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for each in found:
        for rule in publishing.load_ruleset(session, scheme_code, each.decision.ruleset_version).rules:
            texts.setdefault(rule.id, (rule.title.model_dump(), rule.clause.model_dump()))
        for _, said in each.products:
            failed.update({finding["rule"] for finding in said["failed"]})
            accepted.update({r["rule"] for r in said["resolutions"] if r["accept"]})
    return [
        RuleCount(rule, *texts[rule], failed=failed[rule], accepted=accepted[rule])
        for rule in sorted((failed.keys() | accepted.keys()) & texts.keys())
    ]
