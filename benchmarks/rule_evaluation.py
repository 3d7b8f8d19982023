"""Measure the evaluation of one product under the rules of a mark, in this process, without a database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from app.cli.rules.case_table import RuleCase, facts_of
from app.schemes.evaluator import compute_input_hash, evaluate
from app.schemes.facts import Facts
from app.schemes.scheme_loader import load_schemes

MARK = "MIK"
FACTS = {
    "hs": "730630",
    "exw": Decimal(1450),
    "lines": [
        {"hs4": "7208", "from": "TR", "value": Decimal(830)},
        {
            "hs4": "7217",
            "from": "AZ",
            "value": Decimal(20),
            "proof": "confirmed",
            "supplier": "Sim Nümunə",
            "at": "Bakı",
        },
    ],
    "costs": {"KARABAKH": Decimal(580)},
    "steps": [{"op": "forming", "at": "Ağdam"}, {"op": "tube_welding", "at": "Ağdam"}],
}


@dataclass(frozen=True)
class EvaluationTimes:
    """Hold microseconds: evaluation of every rule, and the hash over the facts, which is a part of it."""

    assessment: float
    hash: float


def measure(calls: int) -> EvaluationTimes:
    ruleset = load_schemes()[MARK].ruleset
    facts = facts_of(RuleCase("bench", MARK, FACTS, {}), ruleset)
    return EvaluationTimes(
        _fastest(lambda fresh: evaluate(ruleset, fresh), facts, calls=calls),
        _fastest(compute_input_hash, facts, calls=calls),
    )


def _fastest(work: Callable[[Facts], object], facts: Facts, *, calls: int) -> float:
    """Return the shortest call, each on fresh facts: longer ones include the work of other processes."""
    times = []
    for _ in range(calls):
        fresh = replace(facts)
        started = time.perf_counter()
        work(fresh)
        times.append(time.perf_counter() - started)
    return min(times) * 1e6
