"""Time write operations of staff over HTTP: approvals and a status change, beside the unavoidable cost."""

import json
import sqlite3
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.auth.credentials.relying_party import RelyingParty
from app.core.crypto.signer import certificate_signer
from app.core.dates import utc_now
from app.core.settings import Settings
from benchmarks import in_process, load
from benchmarks.datasets import BASE_URL
from benchmarks.servers import Server, serving
from tests.factories import ApiClient, RunningApp

PRODUCTS = 50
EACH = 5
"""Approvals of one company."""
WARM_UP = 3
"""Approvals that are not counted: the first ones compile statements."""


@dataclass(frozen=True)
class WriteTimes:
    """Hold median milliseconds; `floor` is one signature and one durable row."""

    approval: float
    approval_cpu: float
    """Processor time of the server."""
    bulk: float
    suspension: float
    floor: float
    floor_cpu: float
    with_macs: float
    """Microseconds of processor time to authenticate a request."""
    without_macs: float
    assessments: float
    """Per second."""


def measure(folder: Path, url: str, count: int, report: Callable[[str], None], products: int = PRODUCTS) -> WriteTimes:
    """Measure on a dataset of its own in `folder`; `url` is an empty, migrated database."""
    with in_process.app(folder, url) as opened:
        # An assessment reads every document of the company: cases of one product are of companies with a few.
        companies = [opened.set_up_company() for _ in range(-(-(WARM_UP + count) // EACH))]
        cases = [_recommended(opened, companies[at // EACH].apply(), report) for at in range(WARM_UP + count)]
        company = opened.set_up_company()
        big = _recommended(opened, company.apply(*(company.add_product() for _ in range(products))), report)
        numbers = [opened.certify(company) for _ in range(count)]
        approvals = [_act(opened.approver, f"/v1/applications/{case}/approve") for case in cases]
        bulk = _act(opened.approver, f"/v1/applications/{big}/approve")
        hearing = {"cause": "hearing"}
        suspensions = [_act(opened.owner, f"/v1/certificates/{number}/suspend", hearing) for number in numbers]
        settings, speed = opened.settings, in_process.assessments(opened, count)
        with_macs, without_macs = in_process.authentication(opened)
    environment = {"MIK_DATA_DIR": str(settings.data_dir), "MIK_DATABASE_URL": url, "MIK_BASE_URL": BASE_URL}
    with serving("writes", "app.main:from_environment()", environment, folder, ready="/health/live") as server:
        timed = [_timed_with_cpu(server, approval) for approval in approvals][WARM_UP:]
        floor, floor_cpu = _floor(settings, folder, count)
        return WriteTimes(
            approval=statistics.median(wall for wall, _ in timed),
            approval_cpu=statistics.median(cpu for _, cpu in timed),
            bulk=_timed(server.port, bulk),
            suspension=statistics.median(_timed(server.port, suspension) for suspension in suspensions),
            floor=floor,
            floor_cpu=floor_cpu,
            with_macs=with_macs,
            without_macs=without_macs,
            assessments=speed,
        )


def _recommended(opened: RunningApp, case_id: str, report: Callable[[str], None]) -> str:
    opened.review(case_id)
    report(f"case {case_id} is recommended")
    return case_id


def _act(caller: ApiClient, path: str, body: object = None) -> bytes:
    token = caller.app.container.access_tokens.issue(caller.subject, utc_now())
    headers = [f"Authorization: Bearer {token}", f'If-Match: "{caller.version_of(path)}"']
    asked = caller.without_confirmation().post(path, version="now", **({} if body is None else {"json": body})).json()
    headers.append(f"Mik-Confirmation: {caller.confirmation(asked['document'], party=RelyingParty.of(BASE_URL))}")
    return load.post(path, b"" if body is None else json.dumps(body).encode(), headers=headers)


def _timed_with_cpu(server: Server, request: bytes) -> tuple[float, float]:
    """Return milliseconds by the clock and of the server's processor."""
    begun = server.cpu()
    wall = _timed(server.port, request)
    return wall, (server.cpu() - begun) * 1000


def _timed(port: int, request: bytes) -> float:
    started = time.perf_counter()
    status, _, answer = load.once(port, request)
    spent = (time.perf_counter() - started) * 1000
    if status != 200:
        raise RuntimeError(f"{status}: {answer[:500]!r}")
    return spent


def _floor(settings: Settings, folder: Path, count: int) -> tuple[float, float]:
    """Return the cost of one signature and one durably written row of the size of a certificate.

    In milliseconds by the clock and of the processor.
    """
    signer = certificate_signer(settings.certificate_key, settings.default_issuer)
    payload = b'{"x":"' + b"x" * 1_000 + b'"}'
    connection = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("CREATE TABLE rows (number TEXT PRIMARY KEY, token TEXT)")
    times = []
    for serial in range(max(20, count)):
        started, begun = time.perf_counter(), time.process_time()
        token = signer.sign(payload, typ="vc+jwt")
        connection.execute("INSERT INTO rows VALUES (?, ?)", (str(serial), token))
        times.append(((time.perf_counter() - started) * 1000, (time.process_time() - begun) * 1000))
    connection.close()
    wall, processor = (statistics.median(each) for each in zip(*times, strict=True))
    return wall, processor
