"""A running service with its pages, and a register that holds a certificate for every verdict.

`with open_site(folder) as site:` fills an app in-process (tests/factories.py), then serves it from a thread on a free
port: a browser sees the real thing, and the test still holds the clock and the desk behind it.
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import httpx2 as httpx
import uvicorn

from app.certificates.certificate_number import CertificateNumber
from app.commit_pipeline import open_database
from app.database_schema import migrate
from app.documents.qr_token import QrToken, sign_qr_token
from app.main import create_asgi_app
from tests.factories import Clock, product, running_app
from tests.helpers import supersede
from tests.live import free_port

PATIENCE = 30


@dataclass
class Site:
    """`numbers` by verdict, `tokens` by number."""

    base_url: str
    clock: Clock
    numbers: dict = field(default_factory=dict)
    tokens: dict = field(default_factory=dict)
    gtin: str = "4006381333931"  # of the product with the valid certificate
    holder: str = ""  # id of the company that holds them all
    signer: object = None
    app: object = None  # its people, where they stay

    def stamp(self, number, **changed):
        """A stamp of ours for a certificate, as the paper carries it."""
        told = httpx.get(f"{self.base_url}/v1/certificates/{number}", trust_env=False).json()
        said = {
            "number": number,
            "holder_name": told["holder"]["name"],
            "product_names": told["product"]["name"],
            "hs6": told["product"]["hs6"],
            "valid_from": date.fromisoformat(told["valid_from"]),
            "valid_until": date.fromisoformat(told["valid_until"]),
            "list_id": 1,
            "index": 42,
        }
        return sign_qr_token(QrToken.from_certificate(**(said | changed)), self.signer)

    def v(self, verdict, more=""):
        """Address of the page with this verdict."""
        return f"{self.base_url}/v/{self.numbers[verdict]}{more}"


def fill_every_verdict(app, site):
    """One company with a certificate for each verdict; the clock ends four years later than it began."""
    clock, company = app.clock, app.set_up_company()
    site.holder = company.organisation_id

    def certify(verdict, **changed):
        wanted = product(company.site_id) | changed
        number = app.certify(company, company.add_product(**wanted))
        site.numbers[verdict], site.tokens[number] = number, app.token(number)
        return number

    certify("expired")
    clock.advance(days=4 * 365)
    app.add_staff_evidence(company, "inspection-record")  # the first visit is too old by now
    certify("valid", gtin=site.gtin)
    app.owner.act(f"/v1/certificates/{certify('suspended')}/suspend", {"cause": "hearing"})
    certify("revoked")
    company.act(f"/v1/certificates/{certify('surrendered')}/surrender")
    clock.advance(days=2)
    certify("not_yet_valid")
    clock.advance(days=-1)
    supersede(app, certify("superseded"))
    # The last act: after it a reviewer would have to decide on every other product of the heading at this site.
    app.revoke(site.numbers["revoked"], "bankruptcy")
    site.numbers |= {"unknown": str(CertificateNumber("MIK", 2026, 999_999)), "mistyped": "MIK-2026-000042-A"}
    site.signer = app.container.keys.active_signer()


@contextmanager
def open_site(folder, fill=fill_every_verdict, *, stays=False):
    """A `Site`, served until the end of the block; `fill(app, site)` makes what it shows.

    `stays`: its people act on beside the served pages (`site.app`).
    """
    url = f"sqlite:///{folder / 'mik.sqlite3'}"
    database = open_database(url)
    migrate(database)
    database.dispose()
    port = free_port()
    site = Site(f"http://localhost:{port}", Clock())
    with running_app(url, folder, site.clock, base_url=site.base_url) as app:
        fill(app, site)
        settings = app.settings
        if stays:
            site.app = app
            with serving(create_asgi_app(settings, site.clock), port):
                yield site
            return
    with serving(create_asgi_app(settings, site.clock), port):
        yield site


@contextmanager
def serving(app, port):
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        assert server.started, "the service did not start"
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
