"""Measure in this process: the service without HTTP, and the costs that limits are compared with."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from app.applications.assessment import assessments as assessment_assessments
from app.auth import authenticate
from app.commit_pipeline import open_database
from app.core.crypto.keyring import KeyRing
from app.core.crypto.row_macs import RowMacs
from app.core.dates import utc_now
from app.signing.issuer_identity import load_keys
from app.verification.evaluation import ProvenRecords
from app.verification.request_parser import VerifyItem
from app.verification.response import EncodedResponse
from app.verification.service import VerificationService
from app.verification.snapshot_setup import load_snapshot_key
from app.verification.snapshots import SnapshotCheck
from app.verification.stores.factory import create_snapshot_store
from benchmarks import load
from benchmarks.datasets import BASE_URL, Dataset
from tests.factories import Company, RunningApp, product, running_app
from tests.helpers import verified_log

PACE = 0.02
"""Seconds between two calls with a thousand numbers: about the time of sending one and reading its response."""


@contextmanager
def verification_service(dataset: Dataset) -> Iterator[VerificationService]:
    database = open_database(dataset.url)
    log = verified_log(database)
    with database.read_session() as session:
        keys = KeyRing.from_keys(load_keys(session, log).values())
    check = SnapshotCheck(load_snapshot_key(dataset.settings), log)
    store, records = create_snapshot_store(dataset.url), ProvenRecords(database, log)
    yield VerificationService(store, records, check, lambda: keys, utc_now, BASE_URL, demo=True)
    database.dispose()


def answer_of(dataset: Dataset, number: str) -> bytes:
    return render_all(dataset, [number])[0][1]


def render_all(dataset: Dataset, numbers: Sequence[str]) -> list[EncodedResponse]:
    async def run() -> list[EncodedResponse]:
        with verification_service(dataset) as service:
            await service.store.open()
            try:
                return [await service.render_number(number) for number in numbers]
            finally:
                await service.store.close()

    return asyncio.run(run())


def openssl_verify() -> float:
    """Return the microseconds of one P-256 signature check by OpenSSL alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    text = b"x" * 1_500
    signature, public = key.sign(text, algorithm), key.public_key()
    return _median(lambda: public.verify(signature, text, algorithm), calls=200) * 1e6


def store_of_thousand(dataset: Dataset, numbers: Sequence[str], rounds: int) -> float:
    """Return the store's median processor time for a thousand numbers, in ms, at the pace of the calls."""

    async def run() -> float:
        store = create_snapshot_store(dataset.url)
        await store.open()
        try:
            times = []
            for at in range(rounds):
                part = numbers[at * 1000 % len(numbers) :][:1000]
                await asyncio.sleep(PACE)
                started = time.process_time()
                found = await store.find_snapshots(part)
                times.append((time.process_time() - started) * 1000)
                if len(found) != len(part):
                    raise RuntimeError("the dataset lacks rows")
            return statistics.median(times)
        finally:
            await store.close()

    return asyncio.run(run())


def tokens_together(dataset: Dataset, tokens: Sequence[str]) -> float:
    """Return tokens verified per second, a thousand per call, on threads."""

    async def run() -> float:
        with verification_service(dataset) as service:
            await service.store.open()
            items = [VerifyItem("token", token) for token in tokens[:1000]]
            times = []
            for _ in range(5):
                started = time.perf_counter()
                await service.render_many(items)
                times.append(time.perf_counter() - started)
            await service.store.close()
            return len(items) / statistics.median(times)

    return asyncio.run(run())


@contextmanager
def app(folder: Path, url: str) -> Iterator[RunningApp]:
    """Run the whole service in this process, with its users: see tests/factories.py."""
    with running_app(url, folder, clock=utc_now) as opened:
        yield opened


def writing_requests(dataset: Dataset, count: int) -> list[bytes]:
    """Return requests that create products, each of a company of its own; valid for 15 minutes, as the tokens."""
    folder = dataset.settings.data_dir.parent
    with running_app(dataset.url, folder, clock=utc_now, data_dir=dataset.settings.data_dir) as opened:
        return [_product_request(opened, opened.set_up_company(evidence=False)) for _ in range(count)]


def _product_request(opened: RunningApp, company: Company) -> bytes:
    token = opened.container.access_tokens.issue(company.subject, utc_now())
    body = json.dumps(product(company.site_id)).encode()
    return load.post("/v1/products", body, headers=[f"Authorization: Bearer {token}"])


def assessments(opened: RunningApp, rounds: int) -> float:
    """Return product assessments per second: facts from the database and every rule of the mark."""
    company = opened.set_up_company()
    product_id = company.add_product()

    def assess() -> None:
        with opened.database.read_session() as session:
            assessment_assessments.assess_products(
                session, "MIK", UUID(company.organisation_id), [UUID(product_id)], utc_now()
            )

    return 1 / _median(assess, calls=max(10, rounds * 5))


def authentication(opened: RunningApp, rounds: int = 300) -> tuple[float, float]:
    """Return microseconds of processor time to authenticate a request of staff, with and without MACs of its rows."""
    header = f"Bearer {opened.container.access_tokens.issue(opened.owner.subject, utc_now())}"

    def spent() -> float:
        with opened.database.read_session() as session:
            started = time.process_time()
            authenticate.load_actor(session, opened.container.access_tokens.authenticate(header, utc_now()), utc_now())
            return time.process_time() - started

    found = []
    for _ in range(rounds):
        checked = spent()
        with mock.patch.object(RowMacs, "verify", _is_trusted):
            found.append((checked, spent()))
    with_macs, without = (statistics.median(each) * 1e6 for each in zip(*found, strict=True))
    return with_macs, without


def _is_trusted(*_row: object) -> bool:
    return True


def _median(work: Callable[[], object], *, calls: int) -> float:
    """Return the median seconds of one call."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
