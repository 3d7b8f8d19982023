"""Earlier decisions on goods of the same HS heading under the same mark: like cases should be decided alike.

The staff reads them whole. A company reads its own whole, and of others only how many were granted or refused and by
which published rules: no name, no number, no sentence that was written for somebody else, no value that was seen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.assessment import precedent_repository
from app.applications.assessment.precedent_repository import Precedents
from app.applications.model import Application, DecidedProduct, Decision
from app.products import product_repository
from app.schemes import publishing

NEWEST = 500
"""So many decisions on others' goods are looked through for the rules that decided them; the counts are of all."""
OWN_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Precedent:
    """One decision with its products of the headings asked about, each with what was said of it."""

    decision: Decision
    application: Application
    products: Sequence[tuple[DecidedProduct, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class RuleCount:
    rule: str
    title: Mapping[str, str]
    clause: Mapping[str, str]
    failed: int
    accepted: int  # resolved by a person in the applicant's favour


@dataclass(frozen=True, slots=True)
class Heading:
    """What a company may know of earlier decisions on one heading."""

    hs4: str
    own: Sequence[Precedent]
    approved: int
    rejected: int
    rules: Sequence[RuleCount]


def precedents(
    session: Session, application: Application, *, same_company: bool | None, before: UUID | None, limit: int
) -> Sequence[Precedent]:
    """Newest first; `before` is the decision last seen. `same_company` asks for one kind, None for both."""
    asked = _about(session, application)
    if same_company is not None:
        asked = replace(
            asked,
            company=application.organisation_id if same_company else None,
            others_than=None if same_company else application.organisation_id,
        )
    return _whole(session, asked, precedent_repository.decided_on(session, asked, before, limit))


def headings(session: Session, application: Application) -> Sequence[Heading]:
    """What the applicant may know, heading by heading. Others are counted and never shown."""
    everybody = _about(session, application)
    own = replace(everybody, company=application.organisation_id)
    others = replace(everybody, others_than=application.organisation_id)
    own_decisions = _whole(session, own, precedent_repository.decided_on(session, own, None, OWN_AT_MOST))
    others_decisions = _whole(session, others, precedent_repository.decided_on(session, others, None, NEWEST))
    counts = precedent_repository.decided_counts(session, others)
    return [
        Heading(
            hs4,
            _of_heading(own_decisions, hs4),
            counts.get((hs4, "approved"), 0),
            counts.get((hs4, "rejected"), 0),
            _rules(session, application.scheme_code, _of_heading(others_decisions, hs4)),
        )
        for hs4 in sorted(everybody.headings)
    ]


def _about(session: Session, application: Application) -> Precedents:
    whole = product_repository.by_id(session, application_repository.product_ids(session, application.id))
    own = application_repository.decision(session, application.id)
    return Precedents(
        scheme_code=application.scheme_code,
        headings=frozenset(each.product.hs6[:4] for each in whole.values()),
        but=application.id,
        before=own.id if own else None,
    )


def _whole(session: Session, asked: Precedents, decisions: Sequence[Decision]) -> Sequence[Precedent]:
    rows = precedent_repository.decided_products(session, [d.id for d in decisions], asked.headings)
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


def _rules(session: Session, scheme_code: str, found: Sequence[Precedent]) -> Sequence[RuleCount]:
    failed: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    texts: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for each in found:
        for rule in publishing.ruleset(session, scheme_code, each.decision.ruleset_version).rules:
            texts.setdefault(rule.id, (rule.title.model_dump(), rule.clause.model_dump()))
        for _, said in each.products:
            failed.update({finding["rule"] for finding in said["failed"]})
            accepted.update({r["rule"] for r in said["resolutions"] if r["accept"]})
    return [
        RuleCount(rule, *texts[rule], failed=failed[rule], accepted=accepted[rule])
        for rule in sorted((failed.keys() | accepted.keys()) & texts.keys())
    ]
