"""Cases over HTTP: what the world asks of the lane, beside the bare server that sends as many bytes without looking."""

import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import inside, load
from benchmarks.compare import Compared, Contender, Effort, against
from benchmarks.made import number_of
from benchmarks.registers import Register
from benchmarks.report import Row
from benchmarks.servers import Server, serving

OURS = "app.main:from_environment()"
LANE = "benchmarks.candidates:lane_only()"
USUAL = "benchmarks.candidates:usual()"
BARE = "benchmarks.candidates:bare"
READING = "benchmarks.candidates:bare_reading"
ASKED = 40_000
WITH_ETAG = 10_000
WRITERS, READERS = 50, 200
ROWS_WARMED = 2_000_000
"""Rows of a register for each second of warming up."""
PAUSE = 0.5
"""Seconds for which a writer rests after each answer."""


class Bench:
    """Servers for one register, started when they are first needed."""

    def __init__(self, stack: ExitStack, folder: Path, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._folder = folder
        self._servers: dict[tuple[str, str], Server] = {}
        self.say = say

    def server(self, app: str, made: Register, *, workers: int = 1) -> Server:
        key = (app, f"{made.url} {workers}")
        if key not in self._servers:
            name = f"{len(self._servers)}-{app.rpartition(':')[2].removesuffix('()')}"
            environment = {**made.environment, "BENCH_BODY_BYTES": str(len(_an_answer(made)))}
            started = serving(name, app, environment, self._folder, ready=path(1), workers=workers)
            self._servers[key] = self._stack.enter_context(started)
        return self._servers[key]


def path(serial: int) -> str:
    return f"/v1/verify/{number_of(serial)}"


def _an_answer(made: Register) -> bytes:
    """The bytes of a usual answer, for the base to answer with as many."""
    return inside.answer_of(made, number_of(made.rows // 2))


def by_number(bench: Bench, made: Register, effort: Effort, names: Mapping[str, str]) -> dict[str, Compared]:
    """Random numbers, each way of answering beside the base; by the names of `names`, `base` for the base."""
    asked = [load.get(path(serial)) for serial in load.spread(made.rows, ASKED)]
    base = Contender(bench.server(BARE, made), asked)
    others = {name: Contender(bench.server(app, made), asked) for name, app in names.items()}
    found = against(base, others.values(), effort)
    return {"base": found[base.server.name]} | {name: found[each.server.name] for name, each in others.items()}


def unchanged(bench: Bench, made: Register, effort: Effort) -> Compared:
    """The same numbers again with the ETag that came for them."""
    ours, base = bench.server(OURS, made), bench.server(BARE, made)
    serials = list(load.spread(made.rows, min(WITH_ETAG, made.rows)))
    tags = inside.etags_of(made, [number_of(serial) for serial in serials])
    asked = [
        load.get(path(serial), headers=[f"If-None-Match: {tag}"]) for serial, tag in zip(serials, tags, strict=True)
    ]
    return against(Contender(base, asked), [Contender(ours, asked, expects=304)], effort)[ours.name]


def by_token(bench: Bench, made: Register, effort: Effort, tokens: list[str]) -> tuple[Compared, Compared]:
    """Tokens that were never seen: ours, and the base that takes the same bodies."""
    asked = [load.post("/v1/verify", json.dumps({"token": token}).encode()) for token in tokens]
    base, ours = bench.server(READING, made), bench.server(OURS, made)
    found = against(Contender(base, asked), [Contender(ours, asked)], effort)
    return found[base.name], found[ours.name]


def thousand(bench: Bench, made: Register, effort: Effort) -> float:
    """Milliseconds of processor time for a call with a thousand numbers, median."""
    ours = bench.server(OURS, made)
    numbers = [number_of(serial) for serial in load.spread(made.rows, 20_000)]
    every_form = [load.get(path(serial)) for serial in load.spread(made.rows, 20_000)]
    load.run(ours.port, every_form, seconds=max(2.0, effort.warm))
    times = []
    for at in range(max(5, effort.rounds * 3)):
        part = numbers[at * 1000 % len(numbers) :][:1000]
        body = json.dumps({"items": [{"number": number} for number in part]}).encode()
        begun = ours.cpu()
        status, _, answered = load.once(ours.port, load.post("/v1/verify/batch", body))
        times.append((ours.cpu() - begun) * 1000)
        if status != 200 or len(json.loads(answered)["items"]) != len(part):
            raise RuntimeError(f"the batch answered {status}")
    return sorted(times)[len(times) // 2]


def by_size(bench: Bench, small: Register, large: Register, effort: Effort) -> tuple[Compared, Compared]:
    """The same check on a small and on a large register, in turn, after what is asked was asked once."""
    effort = replace(effort, warm=max(effort.warm, large.rows / ROWS_WARMED))
    contenders = [
        Contender(bench.server(OURS, made), [load.get(path(serial)) for serial in load.spread(made.rows, ASKED)])
        for made in (small, large)
    ]
    found = against(contenders[0], contenders[1:], effort)
    return found[contenders[0].server.name], found[contenders[1].server.name]


def beside_writers(bench: Bench, made: Register, seconds: float, readers: int = READERS, writers: int = WRITERS) -> Row:
    """Two hundred readers without a pause, and fifty writers, each with a product to register, beside them."""
    writes = inside.writing_requests(made, writers)
    ours = bench.server(OURS, made)
    asked = [load.get(path(serial)) for serial in load.spread(made.rows, ASKED)]
    with _writing(ours.port, writes, seconds) as came:
        read = load.run(ours.port, asked, seconds=seconds, connections=readers)
        written, bad_writes = came.recv()
    bad = read.errors + bad_writes + read.requests - read.statuses[200]
    p50, p99 = read.quantile(0.5), read.quantile(0.99)
    kind = "SQLite" if made.url.startswith("sqlite") else "PostgreSQL"
    return Row(
        f"{readers} readers and {writers} writers for {seconds:.0f} s, {kind}: p99 / p50",
        f"{p99:.0f} ms / {p50:.0f} ms; {read.per_second:,.0f} checks and {written / seconds:,.0f} writes in a second; "
        f"{bad} errors or refusals",
        "≤ 10, and no error",
        p99 / p50,
        holds=p99 <= 10 * p50 and bad == 0,
    )


@contextmanager
def _writing(port: int, requests: list[bytes], seconds: float) -> Iterator[Connection]:
    """In a process of its own, so that it does not slow down the readers' clock."""
    here, there = multiprocessing.Pipe()

    def write() -> None:
        measured = load.run(port, requests, seconds=seconds, connections=len(requests), pause=PAUSE)
        there.send((measured.statuses[201], measured.errors + measured.requests - measured.statuses[201]))

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    try:
        yield here
    finally:
        process.join(30)
        if process.is_alive():
            process.kill()
