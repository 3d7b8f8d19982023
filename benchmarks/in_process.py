"""Measured in this process: what the service costs without HTTP, and what the limits are measured against."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from app.applications.assessment import assessments as assessment_assessments
from app.commit_pipeline import open_database
from app.core.crypto.keyring import KeyRing
from app.core.dates import utc_now
from app.signing.issuer_identity import load_keys
from app.verification.request_parser import VerifyItem
from app.verification.response import EncodedResponse
from app.verification.service import VerificationService
from app.verification.stores.factory import create_certificate_store
from benchmarks import load
from benchmarks.registers import BASE_URL, Register
from tests.factories import Company, RunningApp, product, running_app

PACE = 0.02
"""Seconds between two calls with a thousand numbers: about what it takes to send one and read its answer."""


@contextmanager
def desk_of(made: Register) -> Iterator[VerificationService]:
    database = open_database(made.url)
    with database.read_session() as session:
        keys = KeyRing.from_keys(load_keys(session).values())
    database.dispose()
    yield VerificationService(create_certificate_store(made.url), lambda: keys, utc_now, BASE_URL)


def answer_of(made: Register, number: str) -> bytes:
    return printed(made, [number])[0][1]


def etags_of(made: Register, numbers: Sequence[str]) -> list[str]:
    return [etag.decode() for _, _, etag in printed(made, numbers)]


def printed(made: Register, numbers: Sequence[str]) -> list[EncodedResponse]:
    async def ask() -> list[EncodedResponse]:
        with desk_of(made) as desk:
            await desk.store.open()
            try:
                return [await desk.render_number(number) for number in numbers]
            finally:
                await desk.store.close()

    return asyncio.run(ask())


def openssl_verify() -> float:
    """Microseconds of one check of a P-256 signature by OpenSSL, and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    how = ec.ECDSA(hashes.SHA256())
    text = b"x" * 1_500
    signature, public = key.sign(text, how), key.public_key()
    return _median(lambda: public.verify(signature, text, how), calls=200) * 1e6


def store_of_thousand(made: Register, numbers: Sequence[str], rounds: int) -> float:
    """Milliseconds of processor time that the store needs for a thousand numbers, median; at the pace of the calls."""

    async def ask() -> float:
        store = create_certificate_store(made.url)
        await store.open()
        try:
            times = []
            for at in range(rounds):
                part = numbers[at * 1000 % len(numbers) :][:1000]
                await asyncio.sleep(PACE)
                begun = time.process_time()
                found = await store.find_snapshots(part)
                times.append((time.process_time() - begun) * 1000)
                if len(found) != len(part):
                    raise RuntimeError("the register lacks rows")
            return statistics.median(times)
        finally:
            await store.close()

    return asyncio.run(ask())


def tokens_together(made: Register, tokens: Sequence[str]) -> float:
    """Tokens checked in a second, a thousand in one call, on threads; after one call that makes the forms."""

    async def ask() -> float:
        with desk_of(made) as desk:
            await desk.store.open()
            questions = [VerifyItem("token", token) for token in tokens[:1000]]
            times = []
            for _ in range(5):
                begun = time.perf_counter()
                await desk.render_many(questions)
                times.append(time.perf_counter() - begun)
            await desk.store.close()
            return len(questions) / statistics.median(times)

    return asyncio.run(ask())


@contextmanager
def app(folder: Path, url: str) -> Iterator[RunningApp]:
    """The whole service in this process, with its people: see tests/factories.py."""
    with running_app(url, folder, clock=utc_now) as opened:
        yield opened


def writing_requests(made: Register, count: int) -> list[bytes]:
    """Products to register, each by a company of its own; good for a quarter of an hour, the life of a token."""
    folder = made.settings.data_dir.parent
    with running_app(made.url, folder, clock=utc_now, data_dir=made.settings.data_dir) as opened:
        return [_product_request(opened, opened.set_up_company(evidence=False)) for _ in range(count)]


def _product_request(opened: RunningApp, company: Company) -> bytes:
    token = opened.container.access_tokens.issue(company.subject, utc_now())
    body = json.dumps(product(company.site_id)).encode()
    return load.post("/v1/products", body, headers=[f"Authorization: Bearer {token}"])


def assessments(opened: RunningApp, rounds: int) -> float:
    """Assessments of a product in a second: facts read from the database, and every rule of the mark."""
    company = opened.set_up_company()
    product_id = company.add_product()

    def assess() -> None:
        with opened.database.read_session() as session:
            assessment_assessments.assess_products(
                session, "MIK", UUID(company.organisation_id), [UUID(product_id)], utc_now()
            )

    return 1 / _median(assess, calls=max(10, rounds * 5))


def _median(work: Callable[[], object], *, calls: int) -> float:
    """Seconds of one call."""
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)
