"""A running house for the tests above the services: its people, a clock that the test moves, and quick cases.

`with open_house(database_url, folder) as house:` starts the whole service on a migrated database; the fixture `house`
in conftest.py does so on both kinds. Everything goes over HTTP; only the staff are made directly, and access tokens are
cut afresh for every request, so that moving the clock ends nobody's session. All names are invented.
"""

import itertools
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from unittest.mock import patch
from uuid import UUID

from fastapi.testclient import TestClient

from app.access import passwords, service
from app.access.service import Subject
from app.actor import SYSTEM, ActorKind, Role
from app.main import create_app, prepare
from app.registry.voen import read as read_voen
from app.settings import Settings

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
PARK = {"park_code": "AGDAM-SP", "district": "Ağdam"}
PDF = b"%PDF-1.4\n% a sample, with nothing on it\n%%EOF\n"


class Clock:
    """Stands still until the test moves it."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, **much):
        """`clock.advance(days=3)`"""
        self.now += timedelta(**much)


class Caller:
    """Somebody who calls the service: anonymous, a member of staff, or a company.

    `get`, `post`, `put`, `delete` give the answer whatever it is. `version=` becomes If-Match; `version="now"` asks for
    the present one first. `ok(answer)` is the JSON of an answer that had to succeed.
    """

    def __init__(self, house, subject=None):
        self.house = house
        self.subject = subject

    @property
    def id(self):
        return str(self.subject.id)

    def request(self, method, path, *, version=None, headers=None, **more):
        headers = dict(headers or {})
        if self.subject is not None:
            token = self.house.app.state.tokens.issue(self.subject, self.house.clock())
            headers.setdefault("Authorization", f"Bearer {token}")
        if version is not None:
            headers["If-Match"] = f'"{self.version_of(path) if version == "now" else version}"'
        return self.house.http.request(method, path, headers=headers, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def put(self, path, **more):
        return self.request("PUT", path, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def version_of(self, path):
        """Present version of the thing that a path speaks of: `/v1/cases/{id}/claim` is about `/v1/cases/{id}`."""
        about = "/".join(path.split("?")[0].split("/")[:4])
        answer = self.get(about)
        assert answer.status_code == 200, answer.text
        return int(answer.headers["ETag"].strip('"'))

    def act(self, path, body=None):
        """A transition against the present version; it has to succeed."""
        return ok(self.post(path, version="now", **({} if body is None else {"json": body})))


class Company(Caller):
    """A company with its member signed in, and a site in the park."""

    def __init__(self, house, subject, organisation_id, voen, name):
        super().__init__(house, subject)
        self.organisation_id = organisation_id
        self.voen = voen
        self.name = name
        self.site_id = None

    def add_site(self, **changed):
        """A place of production; it becomes the one that new products are made at."""
        body = {"name": "Hall 1", "production_started_on": "2024-03-01"} | PARK | changed
        self.site_id = ok(self.post("/v1/sites", json=body))["id"]
        return self.site_id

    def add_product(self, **changed):
        """Id of a product that passes every rule of MIK and MIA; name what shall differ."""
        return ok(self.post("/v1/products", json=product(self.site_id) | changed))["id"]

    def draft(self, *product_ids, scheme="MIK", reference=None):
        """Id of a draft; without products it gets a good one."""
        ids = list(product_ids) or [self.add_product()]
        body = {"scheme": scheme, "product_ids": ids, "reference": reference}
        return ok(self.post("/v1/applications", json=body))["id"]

    def submit(self, application_id):
        return self.act(f"/v1/applications/{application_id}/submit")

    def apply(self, *product_ids, scheme="MIK"):
        """Id of a submitted application."""
        application_id = self.draft(*product_ids, scheme=scheme)
        self.submit(application_id)
        return application_id

    def add_evidence(self, application_id, content=PDF, *, kind="cost-statement", name="statement.pdf", **form):
        """The answer to the upload, whatever it is."""
        path = f"/v1/applications/{application_id}/evidence"
        return self.post(path, files={"file": (name, content)}, data={"kind": kind} | form)

    def application(self, application_id):
        return ok(self.get(f"/v1/applications/{application_id}"))


class House:
    """The service, running. `http` is the bare test client, `database` for a look at the tables."""

    def __init__(self, app, http, clock):
        self.app = app
        self.http = http
        self.clock = clock
        self.settings = app.state.settings
        self.database = app.state.database
        self.anonymous = Caller(self)
        self._staff = {}
        self._serials = itertools.count(901)

    def staff(self, *roles, name=None):
        """A member of staff, made on first sight: `house.staff(Role.REVIEWER)`, a second one by another `name`."""
        name = name or "-".join(sorted(roles))
        if name not in self._staff:
            with self.database.session() as session:
                user = service.create_staff(
                    session,
                    SYSTEM,
                    email=f"{name}@staff.example",
                    full_name=name.title(),
                    password_hash=self.app.state.passwords.hash(PASSWORD),
                    roles=[Role(role) for role in roles],
                    now=self.clock(),
                )
                session.commit()
                self._staff[name] = Caller(self, Subject(ActorKind.USER, user.id))
        return self._staff[name]

    @property
    def registrar(self):
        return self.staff(Role.REGISTRAR)

    @property
    def reviewer(self):
        return self.staff(Role.REVIEWER)

    @property
    def approver(self):
        return self.staff(Role.APPROVER)

    @property
    def owner(self):
        return self.staff(Role.OWNER)

    @property
    def auditor(self):
        return self.staff(Role.AUDITOR)

    @property
    def inspector(self):
        return self.staff(Role.INSPECTOR)

    def register(self, voen=None, **changed):
        """A company that has registered itself: unconfirmed, no residency, no site."""
        serial = next(self._serials)
        voen = voen or voen_of(serial)
        body = {
            "legal_name_az": f"“Nümunə-{serial}” MMC",
            "legal_name_en": f"Sample {serial}",
            "legal_form": "MMC",
            "voen": voen,
            "member": {"full_name": "Aysel Nümunə", "email": f"member@{voen}.example", "password": PASSWORD},
        } | changed
        made = ok(self.anonymous.post("/v1/registrations", json=body))
        subject = Subject(ActorKind.USER, UUID(made["user_id"]))
        return Company(self, subject, made["organisation_id"], voen, body["legal_name_en"])

    def confirm(self, company):
        self.registrar.act(f"/v1/organisations/{company.organisation_id}/confirm", {"basis": "Extract seen."})
        return company

    def settle(self, company, *, stage="operating", status="resident"):
        """Enter the company into the park's register."""
        body = {
            "organisation_id": company.organisation_id,
            "park_code": PARK["park_code"],
            "status": status,
            "holder_voen": company.voen,
            "registration_no": f"AGSP-R-{company.voen[4:8]}",
            "starts_on": "2021-11-22",
            "stage": stage,
        }
        return ok(self.registrar.post("/v1/residencies", json=body))["id"]

    def company(self, *, confirmed=True, resident=True, stage="operating", **changed):
        """A company ready to apply: registered, confirmed, resident of the park, with a site where production runs."""
        company = self.register(**changed)
        if confirmed:
            self.confirm(company)
        if resident:
            self.settle(company, stage=stage)
        company.add_site()
        return company

    def review(self, case_id, *, reviewer=None, outcome="approve", **verdict):
        """Claim if need be, and recommend the same for every product of the case."""
        reviewer = reviewer or self.reviewer
        case = ok(reviewer.get(f"/v1/cases/{case_id}"))
        if case["state"] == "submitted":
            reviewer.act(f"/v1/cases/{case_id}/claim")
        verdicts = [{"product_id": pid, "outcome": outcome} | verdict for pid in case["product_ids"]]
        return reviewer.act(f"/v1/cases/{case_id}/recommend", {"products": verdicts})

    def approve(self, case_id, *, approver=None):
        """The decided case; its `certificates` are the numbers."""
        return (approver or self.approver).act(f"/v1/cases/{case_id}/approve")

    def certify(self, company=None, *product_ids, scheme="MIK"):
        """The whole way at once; the number of the (first) certificate."""
        case_id = (company or self.company()).apply(*product_ids, scheme=scheme)
        self.review(case_id)
        return self.approve(case_id)["certificates"][0]

    def verify(self, number):
        return ok(self.anonymous.get(f"/v1/verify/{number}"))

    def token(self, number):
        """The signed credential of a certificate."""
        answer = self.anonymous.get(f"/v1/certificates/{number}", headers={"Accept": "application/vc+jwt"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def import_register(self, text, *, dry_run=False):
        """The answer to the upload of a register file, whatever it is."""
        files = {"file": ("register.csv", text.encode() if isinstance(text, str) else text)}
        return self.registrar.post(f"/v1/register/imports?dry_run={str(dry_run).lower()}", files=files)


@contextmanager
def open_house(database_url, folder, clock=None, **settings):
    """The service on a migrated database, with cheap password hashes; its keys and files go to `folder`."""
    clock = clock or Clock()
    given = {"data_dir": folder / "data", "database_url": database_url, "base_url": "http://localhost:8000"}
    settings = Settings(**(given | settings))
    prepare(settings, clock())
    with ExitStack() as stack:
        with patch.object(passwords, "Argon2Hasher", partial(passwords.Argon2Hasher, 1, 8, 1)):
            app = create_app(settings, clock)
        http = TestClient(app, base_url=settings.base_url, raise_server_exceptions=False)
        yield House(app, stack.enter_context(http), clock)


def ok(answer):
    """The JSON of an answer that had to succeed."""
    assert answer.status_code in {200, 201}, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json()


def product(site_id, **changed):
    """A welded tube of foreign coil: change of heading, 42.8 % value content, 52 % of cost in Karabakh."""
    body = {
        "names": {"az": "Qaynaqlı polad boru", "en": "Welded steel tube"},
        "hs6": "730630",
        "unit": "t",
        "site_id": site_id,
        "ex_works": "1450",
        "materials": [
            {"name": "Hot-rolled coil", "hs4": "7208", "origin_country": "TR", "originating": False, "value": "830"}
        ],
        "steps": [
            {"name": "Forming", "operation": "forming", "country": "AZ", "district": "Ağdam", "is_essential": True},
            {"name": "Welding", "operation": "welding", "country": "AZ", "district": "Ağdam", "is_essential": True},
        ],
        "costs": [
            {"kind": "labour", "place": "KARABAKH", "amount": "520"},
            {"kind": "energy", "place": "AZ_OTHER", "amount": "40"},
            {"kind": "materials", "place": "ABROAD", "amount": "440"},
        ],
    }
    return body | changed


def voen_of(serial):
    """A VÖEN in good form that is unlikely to be real: 00, the serial, check digit, 1."""
    for check_digit in range(10):
        voen = f"009{serial:05d}{check_digit}1"
        if not read_voen(voen).needs_review:
            return voen
    return voen_of(serial + 10_000)  # this serial has the remainder ten, for which there is no check digit
