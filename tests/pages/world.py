"""A running service with its pages, and a register that holds a certificate for every verdict.

`with open_site(folder) as site:` fills a house in-process (tests/support.py), then serves it from a thread on a free
port: a browser sees the real thing, and the test still holds the clock and the desk behind it.
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn

from app.db import Database
from app.main import create_app
from app.schema import migrate
from tests.live import free_port
from tests.support import Clock, open_house, product

PATIENCE = 30


@dataclass
class Site:
    """`numbers` by verdict, `tokens` by number."""

    base_url: str
    clock: Clock
    numbers: dict = field(default_factory=dict)
    tokens: dict = field(default_factory=dict)

    def v(self, verdict, more=""):
        """Address of the page with this verdict."""
        return f"{self.base_url}/v/{self.numbers[verdict]}{more}"


def fill_every_verdict(house, site):
    """One company with a certificate for each verdict; the clock ends four years later than it began."""
    clock, company = house.clock, house.company()

    def certify(verdict, **changed):
        wanted = product(company.site_id) | changed
        number = house.certify(company, company.add_product(**wanted))
        site.numbers[verdict], site.tokens[number] = number, house.token(number)
        return number

    certify("expired")
    clock.advance(days=4 * 365)
    certify("valid")
    house.owner.act(f"/v1/certificates/{certify('suspended')}/suspend", {"cause": "hearing"})
    house.owner.act(f"/v1/certificates/{certify('revoked')}/revoke", {"reason": "bankruptcy"})
    company.act(f"/v1/certificates/{certify('surrendered')}/surrender")
    clock.advance(days=2)
    certify("not_yet_valid")
    clock.advance(days=-1)
    site.numbers |= {"unknown": "MIK-2026-999999-Z", "mistyped": "MIK-2026-000042-A"}


@contextmanager
def open_site(folder, fill=fill_every_verdict):
    """A `Site`, served until the end of the block; `fill(house, site)` makes what it shows."""
    url = f"sqlite:///{folder / 'mik.sqlite3'}"
    database = Database(url)
    migrate(database)
    database.dispose()
    port = free_port()
    site = Site(f"http://localhost:{port}", Clock())
    with open_house(url, folder, site.clock, base_url=site.base_url) as house:
        fill(house, site)
        settings = house.settings
    with serving(create_app(settings, site.clock), port):
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
