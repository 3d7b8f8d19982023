"""Run the benchmarks, report progress, and write benchmarks/RESULTS.md: `python -m benchmarks [--quick]`."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

from app.commit_pipeline import open_database
from app.core.dates import utc_now
from app.database_schema import migrate
from benchmarks import http_cases, in_process, log_readers, outer_servers, rule_evaluation, write_operations
from benchmarks.compare import Effort
from benchmarks.datasets import Dataset, create_dataset, postgres, sign_some
from benchmarks.http_cases import FAST_PATH, FASTAPI_AND_ORM, OURS, ServerPool
from benchmarks.load import spread
from benchmarks.outer_servers import NotInstalled
from benchmarks.report import Row, count_lines, page
from benchmarks.servers import ROOT, Server
from benchmarks.synthetic_rows import number_of

RESULTS = Path(__file__).with_name("RESULTS.md")
VERIFICATION_PATH = (
    "app/web/verify_fast_path.py",
    "app/verification/handler.py",
    "app/verification/service.py",
    "app/verification/snapshots.py",
    "app/verification/metrics.py",
    "app/certificates/read_model/snapshot.py",
    "app/verification/stores",
)
"""What a verification by number runs through when a snapshot answers, with what writes the snapshots."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small datasets and short runs: two minutes")
    parser.add_argument("--only", default="", help="cases whose name begins so, such as “number” or “writes”")
    parser.add_argument("--no-postgres", action="store_true", help="leave out PostgreSQL")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the page to write")
    arguments = parser.parse_args()
    started = time.monotonic()

    def report(text: str) -> None:
        sys.stderr.write(f"\r\033[K{time.monotonic() - started:6.0f} s  {text}")
        sys.stderr.flush()

    sizes = (10_000, 100_000, 1_000_000) if arguments.quick else (10_000, 1_000_000, 10_000_000)
    rows: list[Row] = []
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="mik-bench-") as temporary:
        run = Run(
            stack, Path(temporary), sizes, arguments.quick, with_postgres=not arguments.no_postgres, report=report
        )
        for name, case in run.cases():
            if name.startswith(arguments.only):
                report(name)
                for row in case():
                    rows.append(row)
                    report(f"{row.case}: {row.measured}\n")
        stack.close()  # before the folder goes
    command = f"python -m benchmarks{' --quick' if arguments.quick else ''}"
    how = (
        f"Written by `{command}` in {time.monotonic() - started:.0f} s: "
        f"{sizes[0]:,}, {sizes[1]:,} and {sizes[2]:,} certificates, one worker, 64 connections, everything on."
    )
    arguments.out.write_text(page(rows, day=utc_now().date().isoformat(), how=how), encoding="utf-8")
    report(f"written: {arguments.out}\n")


class Run:
    """Run the cases in order. A dataset is created when the first case needs it."""

    def __init__(
        self,
        stack: ExitStack,
        folder: Path,
        sizes: tuple[int, int, int],
        is_quick: bool,
        *,
        with_postgres: bool,
        report: Callable[[str], None],
    ) -> None:
        self._stack = stack
        self._folder = folder
        self._sizes = sizes
        self._is_quick = is_quick
        self._with_postgres = with_postgres
        self._report = report
        self._effort = Effort(seconds=0.5, rounds=3, warm=0.4) if is_quick else Effort(seconds=2.0, rounds=7)
        self._servers = ServerPool(stack, folder, report)
        self._datasets: dict[str, Dataset] = {}
        self._create_database: Callable[[], str] | None = None
        self._tokens: list[str] = []

    def cases(self) -> Iterator[tuple[str, Callable[[], Iterator[Row]]]]:
        yield "number", self._number
        yield "files", self._files
        yield "token", self._token
        yield "thousand", self._thousand
        yield "rules", self._rules
        yield "writes", self._writes
        yield "log", self._log
        yield "process", self._process
        if self._with_postgres:
            yield "postgres", self._postgres
            yield "fastify", self._fastify
        yield "writers", self._writers
        yield "size", self._size
        yield "lines", self._lines

    def _dataset(self, rows: int) -> Dataset:
        name = f"r{rows}"
        if name not in self._datasets:
            self._datasets[name] = create_dataset(self._folder / name, rows, self._report)
        return self._datasets[name]

    def _dataset_on_postgres(self, rows: int) -> Dataset:
        if "pg" not in self._datasets:
            create_database = self._create_database = self._create_database or self._stack.enter_context(postgres())
            self._datasets["pg"] = create_dataset(self._folder / "pg", rows, self._report, create_database())
        return self._datasets["pg"]

    @property
    def _usual_size(self) -> Dataset:
        return self._dataset(self._sizes[1])

    def _number(self) -> Iterator[Row]:
        dataset = self._usual_size
        names = {"all": OURS, "fast path": FAST_PATH, "usual": FASTAPI_AND_ORM}
        found = http_cases.by_number(self._servers, dataset, self._effort, names)
        base = found["base"]
        yield Row(
            "bare uvicorn, as many bytes", f"{base.micros:.0f} µs; {base.per_second:,.0f}/s; p50 {base.p50:.1f} ms"
        )
        for name, words, limit in (
            ("all", "check by number, random, SQLite, everything on", 0.45),
            ("fast path", "the same, fast path alone", 0.55),
            ("usual", "the same by FastAPI and ORM in the usual way", None),
        ):
            yield _ratio(words, found[name], limit)
        yield _ratio(
            "check by number, unchanged: ETag → 304", http_cases.unchanged(self._servers, dataset, self._effort), 0.5
        )

    def _files(self) -> Iterator[Row]:
        dataset = self._usual_size
        numbers = [number_of(serial) for serial in spread(dataset.rows, http_cases.FILES)]
        other = outer_servers.nginx(dataset, numbers, self._folder)
        yield from self._beside("the same answers as files, by nginx", dataset, other, numbers)

    def _fastify(self) -> Iterator[Row]:
        dataset = self._dataset_on_postgres(self._sizes[1])
        numbers = [number_of(serial) for serial in spread(dataset.rows, http_cases.REQUESTS)]
        other = outer_servers.fastify(dataset, numbers[0], self._folder)
        yield from self._beside("the same check of the same row, by Fastify, PostgreSQL", dataset, other, numbers)

    def _beside(
        self, case: str, dataset: Dataset, other: AbstractContextManager[Server], numbers: Sequence[str]
    ) -> Iterator[Row]:
        """Compare another server on the same numbers. Where it is missing, the row says so, and fails in CI."""
        try:
            ours, outer = http_cases.beside(self._servers, dataset, self._effort, other, numbers)
        except NotInstalled as why:
            if os.environ.get("CI"):
                raise
            yield Row(case, f"not measured: {why}", holds=False)
            return
        row = _ratio(case, outer, None)
        yield replace(row, measured=f"{row.measured}; the service beside it {ours.micros:.0f} µs")

    def _signed(self) -> list[str]:
        self._tokens = self._tokens or sign_some(self._usual_size, 1_000 if self._is_quick else 20_000)
        return self._tokens

    def _token(self) -> Iterator[Row]:
        dataset, tokens = self._usual_size, self._signed()
        openssl = in_process.openssl_verify()
        base, ours = http_cases.by_token(self._servers, dataset, self._effort, tokens)
        floor = base.micros + openssl
        reached = floor / ours.micros
        words = f"{ours.micros:.0f} µs; base {base.micros:.0f} µs and one OpenSSL P-256 verify {openssl:.0f} µs"
        yield Row("check by token", words, "≥ 0.50", reached, holds=reached >= 0.5)
        yield Row("1,000 tokens in one call", f"{in_process.tokens_together(dataset, tokens):,.0f} tokens in a second")

    def _thousand(self) -> Iterator[Row]:
        dataset = self._usual_size
        numbers = [number_of(serial) for serial in spread(dataset.rows, 20_000)]
        store = in_process.store_of_thousand(dataset, numbers, max(5, self._effort.rounds * 3))
        whole = http_cases.thousand(self._servers, dataset, self._effort)
        words = f"{whole:.1f} ms; the store alone {store:.1f} ms (processor time)"
        yield Row("1,000 numbers in one call, by the store's own time", words, "≤ 2", whole / store, whole <= 2 * store)

    def _rules(self) -> Iterator[Row]:
        found = rule_evaluation.measure(200 if self._is_quick else 2_000)
        times = found.assessment / found.hash
        words = f"{found.assessment:.0f} µs; the hash over its facts {found.hash:.0f} µs"
        yield Row("one product by the rules of MIK, without a database, by the hash", words, "≤ 10", times, times <= 10)

    def _writes(self) -> Iterator[Row]:
        folder = self._folder / "writes"
        folder.mkdir()
        url = f"sqlite:///{folder / 'mik.sqlite3'}"
        database = open_database(url)
        migrate(database)
        database.dispose()
        found = write_operations.measure(folder, url, 5 if self._is_quick else 25, self._report)
        times = found.approval / found.floor
        words = f"{found.approval:.1f} ms; a signature and a durable row {found.floor:.2f} ms"
        yield Row(
            f"approval that issues one certificate, of a company with {write_operations.EACH} products",
            words,
            "≤ 10",
            times,
            times <= 10,
        )
        times = found.approval_cpu / found.floor_cpu
        words = f"{found.approval_cpu:.1f} ms; a signature and a durable row {found.floor_cpu:.2f} ms"
        yield Row("the same in processor time", words, "", times)
        per_product = found.bulk / write_operations.PRODUCTS
        yield Row("approval of 50 products at once", f"{found.bulk:.0f} ms; {per_product:.1f} ms for each certificate")
        yield Row("suspension of a certificate", f"{found.suspension:.1f} ms")
        yield Row("assessment of a product", f"{found.assessments:,.0f} in a second")
        words = f"{found.with_macs:.0f} µs; with rows that nothing authenticates {found.without_macs:.0f} µs"
        yield Row("authenticating a request: token, session, rights", words, "", found.with_macs / found.without_macs)

    def _log(self) -> Iterator[Row]:
        dataset = self._dataset(100_000)
        server = self._servers.server(OURS, dataset)
        for case, read in (
            (f"archive bundle of {dataset.rows:,} entries", log_readers.archive_bundle(dataset, self._folder)),
            (f"a monitor's first read of {dataset.rows:,} entries", log_readers.monitor(server, self._folder)),
        ):
            words = f"{read.processor:.1f} s of a processor; {read.memory:.0f} MiB; writes {read.size / 2**20:.0f} MiB"
            yield Row(case, words)

    def _lines(self) -> Iterator[Row]:
        lines = count_lines(ROOT / each for each in VERIFICATION_PATH)
        yield Row("lines of code of a verification by number, fast path to store", f"{lines:,}; 1,300 before snapshots")

    def _process(self) -> Iterator[Row]:
        server = self._servers.server(OURS, self._usual_size)
        yield Row("memory of one worker, after the checks above", f"{server.memory():.0f} MiB")
        yield Row("from start to first answer", f"{server.started_in:.1f} s")

    def _postgres(self) -> Iterator[Row]:
        dataset = self._dataset_on_postgres(self._sizes[1])
        found = http_cases.by_number(self._servers, dataset, self._effort, {"all": OURS, "usual": FASTAPI_AND_ORM})
        yield _ratio("check by number, random, PostgreSQL, everything on", found["all"], 0.3)
        yield _ratio("the same by FastAPI and ORM in the usual way", found["usual"], None)

    def _writers(self) -> Iterator[Row]:
        seconds = 3.0 if self._is_quick else 60.0
        yield http_cases.beside_writers(self._servers, self._dataset(self._sizes[0]), seconds)
        if self._with_postgres:
            yield http_cases.beside_writers(self._servers, self._dataset_on_postgres(self._sizes[1]), seconds)

    def _size(self) -> Iterator[Row]:
        small, large = (self._dataset(self._sizes[at]) for at in (0, 2))
        few, many = http_cases.by_size(self._servers, small, large, self._effort)
        times = many.p50 / few.p50
        words = f"p50 {many.p50:.2f} ms and {few.p50:.2f} ms; processor {many.micros:.0f} µs and {few.micros:.0f} µs"
        case = f"check by number at {large.rows:,} rows against {small.rows:,}"
        yield Row(case, words, "≤ 1.3", times, times <= 1.3)


def _ratio(case: str, found: http_cases.Compared, limit: float | None) -> Row:
    words = f"{found.micros:.0f} µs; {found.per_second:,.0f}/s; p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms"
    if limit is None:
        return Row(case, words, "", found.ratio)
    return Row(case, words, f"≥ {limit:.2f}", found.ratio, holds=found.ratio >= limit)


if __name__ == "__main__":
    main()
