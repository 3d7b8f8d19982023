"""Define the outcomes of rules, and combine the outcomes of many rules into one."""

from collections.abc import Iterable
from enum import StrEnum


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105 (an outcome, not a password)
    FAIL = "fail"  # approval is refused and cannot be overridden
    MANUAL = "manual"  # a person decides, with a reason
    INCOMPLETE = "incomplete"  # a fact is missing or invalid
    NOT_APPLICABLE = "not_applicable"  # the rule concerns other goods or companies
    NOT_ASSESSED = "not_assessed"  # the call has no such facts: only in dry runs


SEVERITY = (Outcome.FAIL, Outcome.INCOMPLETE, Outcome.MANUAL, Outcome.PASS)
"""Worst first. `not_applicable` and `not_assessed` make no statement about the product."""


def most_severe(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the combined outcome: fail > incomplete > manual > pass.

    Without any of these, nothing was assessed: the outcome is `not_assessed`, never `pass`.
    """
    present = set(outcomes)
    return next((outcome for outcome in SEVERITY if outcome in present), Outcome.NOT_ASSESSED)
