"""What a rule can answer, and how the answers of many rules become one (`domain.md` §5.3)."""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105 (an answer, not a password)
    FAIL = "fail"  # approval is refused, nobody can override it
    MANUAL = "manual"  # a person decides, with a reason
    INCOMPLETE = "incomplete"  # a fact is missing or cannot be right
    NOT_APPLICABLE = "not_applicable"  # the rule is about other goods or companies
    NOT_ASSESSED = "not_assessed"  # this call cannot carry the facts: only in dry checks


SEVERITY = (Outcome.FAIL, Outcome.INCOMPLETE, Outcome.MANUAL, Outcome.PASS)
"""Worst first. `not_applicable` and `not_assessed` are no answer about the product and never count."""


def most_severe(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of the whole: fail > incomplete > manual > pass.

    Where nothing counted, nothing was assessed: the answer is `not_assessed`, never a pass by silence.
    """
    seen = set(outcomes)
    return next((outcome for outcome in SEVERITY if outcome in seen), Outcome.NOT_ASSESSED)
