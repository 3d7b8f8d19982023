"""Measure verifications over HTTP beside a bare server that sends as many bytes without reading the request."""

import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import in_process, load
from benchmarks.compare import Compared, Contender, Effort, against
from benchmarks.datasets import Dataset
from benchmarks.report import Row
from benchmarks.servers import Server, serving
from benchmarks.synthetic_rows import number_of

OURS = "app.main:from_environment()"
FAST_PATH = "benchmarks.servers_under_test:fast_path_only()"
FASTAPI_AND_ORM = "benchmarks.servers_under_test:fastapi_and_orm()"
BARE = "benchmarks.servers_under_test:bare"
READING = "benchmarks.servers_under_test:bare_reading"
REQUESTS = 40_000
WITH_ETAG = 10_000
WRITERS, READERS = 50, 200
ROWS_WARMED = 2_000_000
"""Rows of a dataset for each second of warming up."""
PAUSE = 0.5
"""Pause of a writer after each response, in seconds."""


FILES = 10_000
"""Answers that nginx serves as files."""


class ServerPool:
    """Start servers when they are first needed, and keep them until the end."""

    def __init__(self, stack: ExitStack, folder: Path, report: Callable[[str], None]) -> None:
        self._stack = stack
        self.folder = folder
        self._servers: dict[tuple[str, str], Server] = {}
        self.say = report

    def server(self, app: str, dataset: Dataset, *, workers: int = 1) -> Server:
        key = (app, f"{dataset.url} {workers}")
        if key not in self._servers:
            name = f"{len(self._servers)}-{app.rpartition(':')[2].removesuffix('()')}"
            environment = {**dataset.environment, "BENCH_BODY_BYTES": str(len(_usual_response(dataset)))}
            started = serving(name, app, environment, self.folder, ready=path(1), workers=workers)
            self._servers[key] = self._stack.enter_context(started)
        return self._servers[key]


def path(serial: int) -> str:
    return f"/v1/verify/{number_of(serial)}"


def _usual_response(dataset: Dataset) -> bytes:
    """Return a usual response, so that the bare server sends as many bytes."""
    return in_process.answer_of(dataset, number_of(dataset.rows // 2))


def by_number(servers: ServerPool, dataset: Dataset, effort: Effort, names: Mapping[str, str]) -> dict[str, Compared]:
    """Measure random numbers on each server of `names` and on the bare server, named `base`."""
    requests = [load.get(path(serial)) for serial in load.spread(dataset.rows, REQUESTS)]
    base = Contender(servers.server(BARE, dataset), requests)
    others = {name: Contender(servers.server(app, dataset), requests) for name, app in names.items()}
    found = against(base, others.values(), effort)
    return {"base": found[base.server.name]} | {name: found[each.server.name] for name, each in others.items()}


def beside(
    servers: ServerPool, dataset: Dataset, effort: Effort, other: AbstractContextManager[Server], numbers: Sequence[str]
) -> tuple[Compared, Compared]:
    """Measure the service and another server on the same numbers; each beside the bare server."""
    requests = [load.get(f"/v1/verify/{number}") for number in numbers]
    base, ours = servers.server(BARE, dataset), servers.server(OURS, dataset)
    with other as outer:
        found = against(Contender(base, requests), [Contender(ours, requests), Contender(outer, requests)], effort)
        return found[ours.name], found[outer.name]


def unchanged(servers: ServerPool, dataset: Dataset, effort: Effort) -> Compared:
    """Measure repeated numbers with the ETag of their response."""
    ours, base = servers.server(OURS, dataset), servers.server(BARE, dataset)
    serials = list(load.spread(dataset.rows, min(WITH_ETAG, dataset.rows)))
    tags = [load.once(ours.port, load.get(path(serial)))[1]["etag"] for serial in serials]
    requests = [
        load.get(path(serial), headers=[f"If-None-Match: {tag}"]) for serial, tag in zip(serials, tags, strict=True)
    ]
    return against(Contender(base, requests), [Contender(ours, requests, expects=304)], effort)[ours.name]


def by_token(servers: ServerPool, dataset: Dataset, effort: Effort, tokens: list[str]) -> tuple[Compared, Compared]:
    """Measure fresh tokens on the bare server, which reads the same bodies, and on the service."""
    requests = [load.post("/v1/verify", json.dumps({"token": token}).encode()) for token in tokens]
    base, ours = servers.server(READING, dataset), servers.server(OURS, dataset)
    found = against(Contender(base, requests), [Contender(ours, requests)], effort)
    return found[base.name], found[ours.name]


def thousand(servers: ServerPool, dataset: Dataset, effort: Effort) -> float:
    """Return the median processor time of a call with a thousand numbers, in milliseconds."""
    ours = servers.server(OURS, dataset)
    numbers = [number_of(serial) for serial in load.spread(dataset.rows, 20_000)]
    warm_up = [load.get(path(serial)) for serial in load.spread(dataset.rows, 20_000)]
    load.run(ours.port, warm_up, seconds=max(2.0, effort.warm))
    times = []
    for at in range(max(5, effort.rounds * 3)):
        part = numbers[at * 1000 % len(numbers) :][:1000]
        body = json.dumps({"items": [{"number": number} for number in part]}).encode()
        started = ours.cpu()
        status, _, answered = load.once(ours.port, load.post("/v1/verify/batch", body))
        times.append((ours.cpu() - started) * 1000)
        if status != 200 or len(json.loads(answered)["items"]) != len(part):
            raise RuntimeError(f"the batch answered {status}")
    return sorted(times)[len(times) // 2]


def by_size(servers: ServerPool, small: Dataset, large: Dataset, effort: Effort) -> tuple[Compared, Compared]:
    """Measure the same verifications on a small and a large dataset in turn, after warming up."""
    effort = replace(effort, warm=max(effort.warm, large.rows / ROWS_WARMED))
    contenders = [
        Contender(
            servers.server(OURS, dataset), [load.get(path(serial)) for serial in load.spread(dataset.rows, REQUESTS)]
        )
        for dataset in (small, large)
    ]
    found = against(contenders[0], contenders[1:], effort)
    return found[contenders[0].server.name], found[contenders[1].server.name]


def beside_writers(
    servers: ServerPool, dataset: Dataset, seconds: float, readers: int = READERS, writers: int = WRITERS
) -> Row:
    """Measure 200 readers without a pause beside 50 writers, each of which creates a product."""
    writes = in_process.writing_requests(dataset, writers)
    ours = servers.server(OURS, dataset)
    requests = [load.get(path(serial)) for serial in load.spread(dataset.rows, REQUESTS)]
    with _writing(ours.port, writes, seconds) as came:
        read = load.run(ours.port, requests, seconds=seconds, connections=readers)
        written, bad_writes = came.recv()
    bad = read.errors + bad_writes + read.requests - read.statuses[200]
    p50, p99 = read.quantile(0.5), read.quantile(0.99)
    kind = "SQLite" if dataset.url.startswith("sqlite") else "PostgreSQL"
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
    """Write in a process of its own, so that it does not distort the readers' times."""
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
