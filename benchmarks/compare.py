"""Compare servers on a machine with other load: in turns, each next to the base, by medians.

Compared is the server's processor time per request as the kernel counts it, so that neither the load generator nor
other processes count; responses per second are listed beside it.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks import load
from benchmarks.servers import Server


@dataclass(frozen=True)
class Effort:
    """Set the duration and rounds of a run: full, or quick."""

    seconds: float
    rounds: int
    warm: float = 1.0
    """Seconds of warming up: statements, templates, database pages."""


@dataclass(frozen=True)
class Compared:
    name: str
    micros: float
    """Processor time for one request, median."""
    ratio: float
    """Processor time of the base divided by that of this server: median of adjacent runs."""
    per_second: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Contender:
    server: Server
    requests: Sequence[bytes]
    expects: int = 200


def against(base: Contender, others: Iterable[Contender], effort: Effort) -> dict[str, Compared]:
    """Measure each contender in turn with the base; return results by server name, the base included."""
    others = list(others)
    for each in (base, *others):
        load.run(each.server.port, each.requests, seconds=effort.warm)
    runs: dict[str, list[tuple[float, float, load.Measured]]] = {each.server.name: [] for each in (base, *others)}
    for _ in range(effort.rounds):
        before = _measure(base, effort.seconds)
        for each in others:
            found = _measure(each, effort.seconds)
            after = _measure(base, effort.seconds)
            own = (before[0] + after[0]) / 2
            runs[each.server.name].append((found[0], own / found[0], found[1]))
            runs[base.server.name].append((after[0], before[0] / after[0], after[1]))
            before = after
    return {name: _middle(name, found) for name, found in runs.items()}


def _measure(contender: Contender, seconds: float) -> tuple[float, load.Measured]:
    begun = contender.server.cpu()
    measured = load.run(contender.server.port, contender.requests, seconds=seconds)
    spent = contender.server.cpu() - begun
    if measured.errors or set(measured.statuses) - {contender.expects} or not measured.requests:
        raise RuntimeError(f"{contender.server.name}: {measured.errors} errors, {dict(measured.statuses)}")
    return spent / measured.requests * 1e6, measured


def _middle(name: str, found: list[tuple[float, float, load.Measured]]) -> Compared:
    return Compared(
        name,
        statistics.median(micros for micros, _, _ in found),
        statistics.median(ratio for _, ratio, _ in found),
        statistics.median(measured.per_second for _, _, measured in found),
        statistics.median(measured.quantile(0.5) for _, _, measured in found),
        statistics.median(measured.quantile(0.99) for _, _, measured in found),
    )
