"""Measure what floods of anonymous requests cost other clients: `python -m benchmarks.availability [starts] [load]`.

`load`: one service as `mik serve` starts it, on SQLite. During a flood, a member signs in, another company writes, and
a certificate is verified, repeatedly. The times are compared with those of the quiet service in the same run, and the
memory of the worker is recorded. `starts`: `mik serve --workers 4` beside two busy loops, ten times: ready in time, and
no worker killed. `X-Forwarded-For`, which the service trusts from this machine, gives the client addresses. Writes
benchmarks/AVAILABILITY.md.
"""

import contextlib
import io
import multiprocessing
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from app import database_schema  # noqa: F401 (every table first: a column takes its type from the one its foreign key names)
from app.auth.credentials.passwords import PasswordHasher
from app.core.dates import utc_now
from benchmarks import in_process
from benchmarks.datasets import BASE_URL, create_dataset
from benchmarks.servers import ROOT, free_port
from tests.factories import PASSWORD, RunningApp, product

SECONDS = 6.0
BEGUN = 6
Answers = Any
"""Shared counts of responses by first digit of the status, 0: none; last: whether the flood has begun."""
STARTS, READY_S = 10, 120
RESULTS = Path(__file__).with_name("AVAILABILITY.md")
MIB = 1 << 20


@dataclass
class LoadTarget:
    """Hold what the clients need, created in this process before the service starts."""

    port: int
    number: str
    writer: dict[str, str]
    site_id: str
    member: str
    uploaders: list[tuple[str, dict[str, str]]]


@dataclass
class Probe:
    """Hold one kind of other work: milliseconds of each request, and the failures."""

    times: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def shown(self, quiet: "Probe | None") -> str:
        if not self.times:
            return f"none of {len(self.failed)} ({self.failed[:1]})"
        middle = statistics.median(self.times)
        ratio = f", {middle / statistics.median(quiet.times):.1f} ×" if quiet is not None and quiet.times else ""
        failed = f", {len(self.failed)} failed ({self.failed[0]})" if self.failed else ""
        return f"{middle:.0f} ms{ratio}, worst {max(self.times):.0f} ms of {len(self.times)}{failed}"


def client(port: int, address: str = "203.0.113.50") -> httpx2.Client:
    base = f"http://127.0.0.1:{port}"
    return httpx2.Client(base_url=base, headers={"X-Forwarded-For": address}, timeout=60, trust_env=False)


# Floods: each runs in processes of its own until it is stopped.


def registering(answers: Answers, port: int, clients: int) -> None:
    def one(place: int) -> None:
        with client(port, "198.51.100.1") as http:
            for turn in range(10**6):
                body = {"email": f"f{place}-{turn}@flood.example"}
                _count_response(answers, lambda body=body: http.post("/v1/registrations", json=body))

    _threads(answers, one, clients)


def guessing(answers: Answers, port: int, clients: int) -> None:
    def one(place: int) -> None:
        with client(port, "198.51.100.2") as http:
            while True:
                form = {"grant_type": "password", "username": f"x{place}@flood.example"}
                form["password"] = secrets.token_hex(8)
                _count_response(answers, lambda form=form: http.post("/v1/auth/token", data=form))

    _threads(answers, one, clients)


def uploading(answers: Answers, port: int, uploaders: list[tuple[str, dict[str, str]]]) -> None:
    def one(place: int) -> None:
        path, headers = uploaders[place]
        with client(port, f"198.51.100.{10 + place}") as http:
            while True:
                files = {"file": ("big.xlsx", workbook(19 * MIB))}
                more = {"files": files, "data": {"kind": "other"}, "headers": headers}
                _count_response(answers, lambda more=more: http.post(path, **more))

    _threads(answers, one, len(uploaders))


def headers(answers: Answers, port: int, connections: int, size: int) -> None:
    """Open the connections, each with one header of `size` bytes."""

    def one(_place: int) -> None:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as sent:
                sent.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Flood: ")
                for _ in range(size // MIB):
                    sent.sendall(b"x" * MIB)
                answers[int(sent.recv(16)[9:10] or b"0")] += 1
            time.sleep(0.05)

    _threads(answers, one, connections)


def half_open(answers: Answers, port: int, connections: int) -> None:
    held: list[socket.socket] = []
    while True:
        with contextlib.suppress(OSError):
            sent = socket.create_connection(("127.0.0.1", port), timeout=2)
            sent.sendall(b"GET /health/live HTTP/1.1\r\nHost: ")
            held.append(sent)
        if len(held) >= connections:
            answers[BEGUN] = 1
            time.sleep(0.02)
            held.pop(0).close()


def drawing(answers: Answers, port: int, number: str, clients: int) -> None:
    def one(place: int) -> None:
        with client(port, f"198.51.100.{50 + place}") as http:
            while True:
                _count_response(answers, lambda: http.get(f"/v1/certificates/{number}/qr.png"))

    _threads(answers, one, clients)


def _count_response(answers: Answers, send: Callable[[], httpx2.Response]) -> None:
    """Count the response by its first digit; 0: no response."""
    try:
        status = send().status_code
    except httpx2.HTTPError:
        status = 0
    answers[status // 100] += 1


def workbook(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", os.urandom(size))
    return out.getvalue()


def _threads(answers: Answers, one: Callable[[int], None], count: int) -> None:
    answers[BEGUN] = 1
    for place in range(count):
        threading.Thread(target=one, args=(place,), daemon=True).start()
    threading.Event().wait()


@contextlib.contextmanager
def flood(target: Callable[..., None], *arguments: Any) -> Iterator[Answers]:
    context = multiprocessing.get_context("spawn")
    answers: Answers = context.Array("i", BEGUN + 1)
    process = context.Process(target=target, args=(answers, *arguments), daemon=True)
    process.start()
    until = time.monotonic() + READY_S
    while not answers[BEGUN] and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    try:
        yield answers
    finally:
        process.kill()
        process.join()
        time.sleep(2)


# Requests of other clients meanwhile


def _repeat(port: int, probe: Probe, send: Callable[[httpx2.Client], int], pause: float, until: float) -> None:
    with client(port) as http:
        while time.monotonic() < until:
            begun = time.perf_counter()
            try:
                status = send(http)
            except httpx2.HTTPError as why:
                probe.failed.append(type(why).__name__)
            else:
                if status in {200, 201}:
                    probe.times.append((time.perf_counter() - begun) * 1000)
                else:
                    probe.failed.append(str(status))
            time.sleep(pause)


def probed(target: LoadTarget, seconds: float) -> dict[str, Probe]:
    until = time.monotonic() + seconds
    found = {"sign-in": Probe(), "write": Probe(), "check": Probe()}
    form = {"grant_type": "password", "username": target.member, "password": PASSWORD}

    def sign_in(http: httpx2.Client) -> int:
        return http.post("/v1/auth/token", data=form).status_code

    def write(http: httpx2.Client) -> int:
        return http.post("/v1/products", json=product(target.site_id), headers=target.writer).status_code

    def check(http: httpx2.Client) -> int:
        return http.get(f"/v1/verify/{target.number}").status_code

    asked = {"sign-in": (sign_in, 0.3), "write": (write, 0.2), "check": (check, 0.05)}
    threads = [
        threading.Thread(target=_repeat, args=(target.port, found[name], send, pause, until))
        for name, (send, pause) in asked.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def guesses_from(target: LoadTarget, networks: int) -> str:
    """Try wrong passwords for one user from many addresses; then the user signs in."""
    form = {"grant_type": "password", "username": target.member, "password": "a wrong guess"}
    with contextlib.ExitStack() as stack:
        https = [stack.enter_context(client(target.port, f"192.0.2.{place + 1}")) for place in range(networks)]
        told = [http.post("/v1/auth/token", data=form).status_code for http in https]
        person = stack.enter_context(client(target.port, "203.0.113.77"))
        signed_in = person.post("/v1/auth/token", data=form | {"password": PASSWORD}).status_code
    return f"{networks} wrong passwords from as many addresses: {sorted(set(told))}; then the person: {signed_in}"


# The service


@contextlib.contextmanager
def serving(folder: Path, port: int, workers: int, environment: dict[str, str]) -> Iterator[tuple[int, Path]]:
    log = folder / f"serve-{port}.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MIK_")}
    command = [str(Path(sys.executable).with_name("mik")), "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process.pid, log
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a process group of its own
            process.wait()


def ready(port: int, seconds: float) -> float | None:
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"http://127.0.0.1:{port}/health/ready", timeout=2, trust_env=False).status_code == 200:
                return time.monotonic() - begun
        time.sleep(0.2)
    return None


def resident(pid: int) -> int:
    """Return the resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


@contextlib.contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            peak[0] = max(peak[0], resident(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def target_in(folder: Path) -> tuple[LoadTarget, dict[str, str]]:
    dataset = create_dataset(folder / "data", 0, lambda _text: None)
    with in_process.app(folder, dataset.url) as app:
        member, writer = app.set_up_company(), app.set_up_company()
        number = app.certify(member)
        uploaders = [app.set_up_company() for _ in range(4)]
        _with_whole_hash(app)
        environment = {
            "MIK_DATA_DIR": str(app.settings.data_dir),
            "MIK_DATABASE_URL": dataset.url,
            "MIK_BASE_URL": BASE_URL,
            "MIK_REGISTRATIONS_PER_DAY": "0",
            "MIK_VERIFY_PER_MINUTE": "0",
        }
        paths = [f"/v1/organisations/{each.organisation_id}/evidence" for each in uploaders]
        tokens = [_bearer(app, each) for each in uploaders]
        target = LoadTarget(
            port=free_port(),
            number=number,
            writer=_bearer(app, writer),
            site_id=str(writer.site_id),
            member=f"member@{member.voen}.example",
            uploaders=list(zip(paths, tokens, strict=True)),
        )
    return target, environment


def _bearer(app: RunningApp, caller: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {app.container.access_tokens.issue(caller.subject, utc_now())}"}


def _with_whole_hash(app: RunningApp) -> None:
    """Store a password hash of full cost: the tests' hashes are cheap, and sign-in must cost what it costs in
    production.
    """
    whole = PasswordHasher(1).hash(PASSWORD)
    with app.database.session() as session:
        session.execute(sa.text("UPDATE users SET password_hash = :hash"), {"hash": whole})
        session.commit()


def measure_load(folder: Path, report: Callable[[str], None]) -> list[str]:
    target, environment = target_in(folder)
    lines = []
    with serving(folder, target.port, 1, environment) as (pid, _log):
        if ready(target.port, READY_S) is None:
            raise RuntimeError((folder / f"serve-{target.port}.log").read_text()[-2_000:])
        quiet = probed(target, SECONDS)
        lines.append(_row("quiet", quiet, None, resident(pid)))
        report(lines[-1])
        floods: list[tuple[str, Callable[..., None], tuple[Any, ...]]] = [
            ("16 QR clients", drawing, (target.port, target.number, 16)),
            ("4 uploaders of 19 MB XLSX", uploading, (target.port, target.uploaders)),
            ("40 clients registering", registering, (target.port, 40)),
            ("150 clients registering", registering, (target.port, 150)),
            ("40 clients guessing passwords", guessing, (target.port, 40)),
            ("300 MB of headers on 30 connections, again and again", headers, (target.port, 30, 10 * MIB)),
            ("500 half-open requests", half_open, (target.port, 500)),
        ]
        for name, clients, arguments in floods:
            with watched(pid) as peak, flood(clients, *arguments) as answers:
                found = probed(target, SECONDS)
                counts = [f"{count} × {first}xx" for first, count in enumerate(answers[:BEGUN]) if count]
            lines.append(_row(f"{name} ({', '.join(counts) or 'no answers'})", found, quiet, peak[0]))
            report(lines[-1])
        said = guesses_from(target, 52)
        report(said)
    head = ["| flood | sign-in | another company's write | check | memory, at most |", "|---|---|---|---|---|"]
    return [*head, *lines, "", said]


def _row(name: str, found: dict[str, Probe], quiet: dict[str, Probe] | None, memory: int) -> str:
    cells = [probe.shown(quiet[kind] if quiet else None) for kind, probe in found.items()]
    return f"| {name} | {' | '.join(cells)} | {memory} MiB |"


def _busy() -> None:
    while True:
        pass


def measure_starts(folder: Path, report: Callable[[str], None], times: int) -> list[str]:
    """Measure starts on an existing data folder, as when a service is restarted."""
    context = multiprocessing.get_context("spawn")
    busy = [context.Process(target=_busy, daemon=True) for _ in range(2)]
    took: list[float | None] = []
    died = 0
    environment = {"MIK_DATA_DIR": str(folder / "starts"), "MIK_BASE_URL": BASE_URL}
    try:
        for each in busy:
            each.start()
        for turn in range(times):
            port = free_port()
            with serving(folder, port, 4, environment) as (_pid, log):
                took.append(ready(port, READY_S))
                time.sleep(8)  # the parent checks each worker in turn
                text = log.read_text()
            died += text.count("died")
            report(f"start {turn + 1}: ready after {took[-1]} s; died: {text.count('died')}")
    finally:
        for each in busy:
            each.kill()
    known = [each for each in took if each is not None]
    spread = f"{min(known):.0f} to {max(known):.0f} s" if known else "never"
    said = f"{len(known)} of {times} starts ready within {READY_S} s ({spread}); workers killed or dead: {died}."
    return [f"`mik serve --workers 4` beside two busy loops on {os.cpu_count()} cores: {said}"]


def main() -> None:
    parts = set(sys.argv[1:]) or {"load", "starts"}

    def report(text: str) -> None:
        sys.stderr.write(text + "\n")

    lines = ["# Availability under floods\n\nWritten by `python -m benchmarks.availability`.", ""]
    with tempfile.TemporaryDirectory(prefix="mik-availability-") as temporary:
        if "load" in parts:
            lines += [*measure_load(Path(temporary), report), ""]
        if "starts" in parts:
            lines += measure_starts(Path(temporary), report, STARTS)
    text = "\n".join(lines).rstrip() + "\n"
    if parts == {"load", "starts"}:
        RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
