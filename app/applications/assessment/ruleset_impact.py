"""What another version of the rules would change: certificates in force and open cases, judged by both as of one day.

The answer is made in pieces, each read in a session of its own, and holds no more than a piece at a time.
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
from app.applications.assessment.dossier import gather
from app.applications.model import Application
from app.certificates import certificate_repository
from app.certificates.model import Certificate
from app.organisations import organisation_repository
from app.organisations.model import Organisation
from app.schemes import publishing
from app.schemes.evaluator import Finding, findings_of
from app.schemes.facts import Facts
from app.schemes.outcome import Outcome, worst
from app.schemes.ruleset import Ruleset

AT_ONCE: Final = 25
"""Certificates or cases in a piece."""
CLEAR: Final = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.NOT_ASSESSED})
"""Nothing is in the way; so it is where a version does not have the rule."""

OpenSession = Callable[[], Session]
Line = dict[str, Any]


class Kind(StrEnum):
    CERTIFICATE = "certificate"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Versions:
    now: Ruleset  # in force
    then: Ruleset

    @property
    def reader(self) -> Ruleset:
        """The one whose rules read more: what it needs is gathered for both."""
        return self.then if self.then.reads_other_brands else self.now


@dataclass(frozen=True, slots=True)
class Subject:
    """One product of a certificate or of a case, and the facts of the day."""

    kind: Kind
    id: str  # number of the certificate, id of the case
    holder: str
    product_id: UUID
    product_names: Mapping[str, str]
    facts: Facts


def versions(session: Session, scheme_code: str, version: str) -> Versions:
    """The rules in force and another published version. NotFound; Conflict for one that nothing can be judged by."""
    mark = publishing.mark(session, scheme_code)
    return Versions(mark.ruleset, publishing.ruleset(session, scheme_code, version))


def report(open_session: OpenSession, compared: Versions, as_of: date) -> Iterator[list[Line]]:
    """Lines for a program, in pieces: what is compared, each product whose outcome differs, and the counts.

    The last line is the summary; an answer without it was cut off. No session is open between two pieces.
    """
    counts: Counter[tuple[Kind, Outcome, Outcome]] = Counter()
    yield [
        {
            "type": "impact",
            "scheme": compared.now.scheme,
            "as_of": as_of.isoformat(),
            "now": _named(compared.now),
            "then": _named(compared.then),
        }
    ]
    for read in (_certificates, _cases):
        after: UUID | None = None
        while True:
            with open_session() as session:
                subjects, after = read(session, compared, as_of, after)
                yielded = [line for subject in subjects if (line := _compare(subject, compared, counts)) is not None]
            yield yielded
            if after is None:
                break
    yield [_summary(counts)]


def _compare(subject: Subject, compared: Versions, counts: Counter[tuple[Kind, Outcome, Outcome]]) -> Line | None:
    """Count the product; a line where its outcome differs."""
    now, then = (findings_of(ruleset, subject.facts) for ruleset in (compared.now, compared.then))
    before, after = (worst(finding.outcome for finding in findings) for findings in (now, then))
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
        "rules": list(_differing(now, then)),
    }


def _differing(now: Sequence[Finding], then: Sequence[Finding]) -> Iterator[Line]:
    """Rules with another outcome; a rule that one version does not have counts as clear there."""
    old, new = ({finding.rule: finding for finding in findings} for findings in (now, then))
    for rule in dict.fromkeys((*old, *new)):
        before, after = old.get(rule), new.get(rule)
        if _standing(before) is not _standing(after):
            yield {"rule": rule, "before": _answer(before), "after": _answer(after)}


def _standing(finding: Finding | None) -> Outcome:
    return Outcome.PASS if finding is None or finding.outcome in CLEAR else finding.outcome


def _answer(finding: Finding | None) -> Line | None:
    return None if finding is None else {"outcome": finding.outcome.value, "reason": finding.reason}


def _summary(counts: Counter[tuple[Kind, Outcome, Outcome]]) -> Line:
    return {
        "type": "summary",
        "judged": counts.total(),
        "changed": sum(count for (_, before, after), count in counts.items() if before is not after),
        "counts": [
            {"subject": kind.value, "before": before.value, "after": after.value, "count": count}
            for (kind, before, after), count in sorted(counts.items())
        ],
    }


def _named(ruleset: Ruleset) -> Line:
    return {"version": ruleset.version, "digest": ruleset.digest}


# Facts


def _certificates(
    session: Session, compared: Versions, as_of: date, after: UUID | None
) -> tuple[list[Subject], UUID | None]:
    rows = certificate_repository.in_force_page(session, compared.now.scheme, as_of, after, AT_ONCE)
    facts = certified_facts(session, compared.reader, rows, as_of)
    subjects = [
        Subject(Kind.CERTIFICATE, row.number, row.holder_name, row.product_id, row.product_names, facts[row.id])
        for row in rows
    ]
    return subjects, rows[-1].id if len(rows) == AT_ONCE else None


def certified_facts(
    session: Session, ruleset: Ruleset, rows: Sequence[Certificate], as_of: date
) -> Mapping[UUID, Facts]:
    """Id of the certificate → its facts as of the day, from the present rows of product, site and company."""
    applications = application_repository.applications_by_id(session, [row.application_id for row in rows])
    companies = organisation_repository.organisations_by_id(session, {row.organisation_id for row in rows})
    found: dict[UUID, Facts] = {}
    for application_id, together in groupby(rows, key=attrgetter("application_id")):  # granted together, read together
        of_one = {row.product_id: row.id for row in together}
        application = applications[application_id]
        facts = _facts(session, ruleset, companies[application.organisation_id], application, of_one, as_of)
        found |= {of_one[product_id]: each for product_id, (each, _) in facts.items()}
    return found


def _cases(session: Session, compared: Versions, as_of: date, after: UUID | None) -> tuple[list[Subject], UUID | None]:
    rows = application_repository.open_cases(session, compared.now.scheme, after, AT_ONCE)
    companies = organisation_repository.organisations_by_id(session, {row.organisation_id for row in rows})
    subjects = []
    for row in rows:
        company = companies[row.organisation_id]
        facts = _facts(
            session, compared.reader, company, row, application_repository.product_ids(session, row.id), as_of
        )
        subjects += [
            Subject(Kind.CASE, str(row.id), company.legal_name_en, product_id, names, each)
            for product_id, (each, names) in facts.items()
        ]
    return subjects, rows[-1].id if len(rows) == AT_ONCE else None


def _facts(
    session: Session,
    ruleset: Ruleset,
    company: Organisation,
    application: Application,
    product_ids: Collection[UUID],
    as_of: date,
) -> dict[UUID, tuple[Facts, Mapping[str, str]]]:
    """Product → its facts, and its names."""
    evidence = application_repository.evidence_for(session, company.id, application.id)
    dossier = gather(session, ruleset, company, list(product_ids), evidence, as_of, application=application)
    return {product_id: (each.facts, each.whole.product.names) for product_id, each in dossier.products.items()}
