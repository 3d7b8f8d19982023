"""One product judged by the rules of a mark, in this process and without a database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from app.cli.rules.case_table import RuleCase, facts_of
from app.schemes.evaluator import compute_input_hash, evaluate
from app.schemes.facts import Facts
from app.schemes.scheme_loader import load_schemes

MARK = "MIK"
GIVEN = {
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
class Judged:
    """Microseconds: judging by every rule, and the hash over the same facts, which is a part of it."""

    assessment: float
    hash: float


def measure(calls: int) -> Judged:
    ruleset = load_schemes()[MARK].ruleset
    facts = facts_of(RuleCase("bench", MARK, GIVEN, {}), ruleset)
    return Judged(
        _least(lambda fresh: evaluate(ruleset, fresh), facts, calls=calls),
        _least(compute_input_hash, facts, calls=calls),
    )


def _least(work: Callable[[Facts], object], facts: Facts, *, calls: int) -> float:
    """Of many calls the shortest, each on facts that were never seen before: the rest is what others do meanwhile."""
    times = []
    for _ in range(calls):
        fresh = replace(facts)
        begun = time.perf_counter()
        work(fresh)
        times.append(time.perf_counter() - begun)
    return min(times) * 1e6
