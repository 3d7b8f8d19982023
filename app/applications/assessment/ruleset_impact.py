"""Compare two rulesets on certificates in force and open cases as of one day.

The report is streamed in batches. Each batch is read in a session of its own, and only one batch is in memory at a
time.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.assessment.dossier import build_dossier
from app.applications.model import Application
from app.certificates import certificate_repository
from app.certificates.model import Certificate
from app.organisations import organisation_repository
from app.organisations.model import Organisation
from app.schemes import publishing
from app.schemes.evaluator import Finding, evaluate_rules
from app.schemes.facts import Facts
from app.schemes.outcome import Outcome, most_severe
from app.schemes.ruleset import Ruleset

BATCH_SIZE: Final = 25
"""Certificates or cases in one batch."""
CLEAR_OUTCOMES: Final = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.NOT_ASSESSED})
"""Outcomes that do not prevent certification; also assumed where a version does not have the rule."""

OpenSession = Callable[[], Session]
JsonLine = dict[str, Any]


class ImpactSubjectKind(StrEnum):
    CERTIFICATE = "certificate"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class ComparedRulesets:
    current: Ruleset  # in force
    compared: Ruleset

    @property
    def broader(self) -> Ruleset:
        """Return the ruleset whose rules read more facts; its facts are loaded for both."""
        return self.compared if self.compared.has_brand_rule else self.current


@dataclass(frozen=True, slots=True)
class ImpactSubject:
    """Hold one product of a certificate or case and its facts as of the day."""

    kind: ImpactSubjectKind
    id: str  # certificate number or case id
    holder: str
    product_id: UUID
    product_names: Mapping[str, str]
    facts: Facts


def load_rulesets(session: Session, scheme_code: str, version: str) -> ComparedRulesets:
    """Load the ruleset in force and another published version.

    Raises `NotFound`, or `Conflict` when the version cannot be evaluated.
    """
    mark = publishing.current_scheme(session, scheme_code)
    return ComparedRulesets(mark.ruleset, publishing.load_ruleset(session, scheme_code, version))


def stream_report(open_session: OpenSession, compared: ComparedRulesets, as_of: date) -> Iterator[list[JsonLine]]:
    """Yield batches of JSON lines: the compared versions, each product whose outcome differs, and the counts.

    The last line is the summary; a report without it is incomplete. No session is open between two batches.
    """
    counts: Counter[tuple[ImpactSubjectKind, Outcome, Outcome]] = Counter()
    yield [
        {
            "type": "impact",
            "scheme": compared.current.scheme,
            "as_of": as_of.isoformat(),
            "now": _ruleset_line(compared.current),
            "then": _ruleset_line(compared.compared),
        }
    ]
    for read in (_certificate_batch, _case_batch):
        after: UUID | None = None
        while True:
            with open_session() as session:
                subjects, after = read(session, compared, as_of, after)
                yielded = [
                    line for subject in subjects if (line := _compare_subject(subject, compared, counts)) is not None
                ]
            yield yielded
            if after is None:
                break
    yield [_summary_line(counts)]


def _compare_subject(
    subject: ImpactSubject, compared: ComparedRulesets, counts: Counter[tuple[ImpactSubjectKind, Outcome, Outcome]]
) -> JsonLine | None:
    """Count the product and return a line when its outcome differs."""
    now, then = (evaluate_rules(ruleset, subject.facts) for ruleset in (compared.current, compared.compared))
    before, after = (most_severe(finding.outcome for finding in findings) for findings in (now, then))
    counts[subject.kind, before, after] += 1
    if before is after:
        return None
    return {
        "type": "changed",
        "subject": subject.kind.value,
        "id": subject.id,
        "holder": subject.holder,
        "product": {"id": str(subject.product_id), "names": dict(subject.product_names)},
        "before": before.value,
        "after": after.value,
        "rules": list(_changed_rules(now, then)),
    }


def _changed_rules(now: Sequence[Finding], then: Sequence[Finding]) -> Iterator[JsonLine]:
    """Yield the rules whose outcome differs; a rule that one version does not have counts as clear there."""
    old, new = ({finding.rule: finding for finding in findings} for findings in (now, then))
    for rule in dict.fromkeys((*old, *new)):
        before, after = old.get(rule), new.get(rule)
        if _outcome_of(before) is not _outcome_of(after):
            yield {"rule": rule, "before": _finding_line(before), "after": _finding_line(after)}


def _outcome_of(finding: Finding | None) -> Outcome:
    return Outcome.PASS if finding is None or finding.outcome in CLEAR_OUTCOMES else finding.outcome


def _finding_line(finding: Finding | None) -> JsonLine | None:
    return None if finding is None else {"outcome": finding.outcome.value, "reason": finding.reason}


def _summary_line(counts: Counter[tuple[ImpactSubjectKind, Outcome, Outcome]]) -> JsonLine:
    return {
        "type": "summary",
        "judged": counts.total(),
        "changed": sum(count for (_, before, after), count in counts.items() if before is not after),
        "counts": [
            {"subject": kind.value, "before": before.value, "after": after.value, "count": count}
            for (kind, before, after), count in sorted(counts.items())
        ],
    }


def _ruleset_line(ruleset: Ruleset) -> JsonLine:
    return {"version": ruleset.version, "digest": ruleset.digest}


# Facts


def _certificate_batch(
    session: Session, compared: ComparedRulesets, as_of: date, after: UUID | None
) -> tuple[list[ImpactSubject], UUID | None]:
    rows = certificate_repository.list_in_force(session, compared.current.scheme, as_of, after, BATCH_SIZE)
    facts = facts_of_certificates(session, compared.broader, rows, as_of)
    subjects = [
        ImpactSubject(
            ImpactSubjectKind.CERTIFICATE, row.number, row.holder_name, row.product_id, row.product_names, facts[row.id]
        )
        for row in rows
    ]
    return subjects, rows[-1].id if len(rows) == BATCH_SIZE else None


def facts_of_certificates(
    session: Session, ruleset: Ruleset, rows: Sequence[Certificate], as_of: date
) -> Mapping[UUID, Facts]:
    """Return certificate id → facts as of the day, from the present rows of product, site and company."""
    applications = application_repository.applications_by_id(session, [row.application_id for row in rows])
    companies = organisation_repository.find_organisations(session, {row.organisation_id for row in rows})
    found: dict[UUID, Facts] = {}
    for application_id, group in groupby(
        rows, key=attrgetter("application_id")
    ):  # certificates of one application share a dossier, which is loaded once
        of_one = {row.product_id: row.id for row in group}
        application = applications[application_id]
        facts = _load_facts(session, ruleset, companies[application.organisation_id], application, of_one, as_of)
        found |= {of_one[product_id]: each for product_id, (each, _) in facts.items()}
    return found


def _case_batch(
    session: Session, compared: ComparedRulesets, as_of: date, after: UUID | None
) -> tuple[list[ImpactSubject], UUID | None]:
    rows = application_repository.list_open_cases(session, compared.current.scheme, after, BATCH_SIZE)
    companies = organisation_repository.find_organisations(session, {row.organisation_id for row in rows})
    subjects = []
    for row in rows:
        company = companies[row.organisation_id]
        facts = _load_facts(
            session, compared.broader, company, row, application_repository.product_ids(session, row.id), as_of
        )
        subjects += [
            ImpactSubject(ImpactSubjectKind.CASE, str(row.id), company.legal_name_en, product_id, names, each)
            for product_id, (each, names) in facts.items()
        ]
    return subjects, rows[-1].id if len(rows) == BATCH_SIZE else None


def _load_facts(
    session: Session,
    ruleset: Ruleset,
    company: Organisation,
    application: Application,
    product_ids: Collection[UUID],
    as_of: date,
) -> dict[UUID, tuple[Facts, Mapping[str, str]]]:
    """Return product id → (facts, names)."""
    evidence = application_repository.list_usable_evidence(session, company.id, application.id)
    dossier = build_dossier(session, ruleset, company, list(product_ids), evidence, as_of, application=application)
    return {product_id: (each.facts, each.aggregate.product.names) for product_id, each in dossier.products.items()}
