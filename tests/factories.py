"""A running app for the tests above the services: its people, a clock that the test moves, and quick cases.

`with running_app(database_url, folder) as app:` starts the whole service on a migrated database; the fixture `app`
in conftest.py does so on both kinds. Everything goes over HTTP; only the staff and the sessions are made directly:
sessions that the clock does not end, those of the staff with a second factor that is always recent
(`caller.without_factor()` has none), and access tokens that are cut afresh for every request. All names are invented.
"""

import asyncio
import itertools
import json
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from unittest.mock import patch
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.applications.evidence import confirmation, evidence_documents
from app.applications.evidence.details import EvidenceDetails, EvidenceSubject
from app.auth import user_repository, users
from app.auth.authenticate import TokenSubject, load_actor
from app.auth.credentials import address_confirmations, passwords, staff_credentials
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.auth.model import UserSession
from app.bootstrap import prepare
from app.cli.admin.mail import code_in
from app.core import actor
from app.core.actor import SYSTEM, ActorKind, Role
from app.core.database import new_id
from app.core.dates import baku_day
from app.core.settings import Settings
from app.jobs.job_type import JobType
from app.jobs.model import Job
from app.jobs.port import enqueue
from app.main import create_asgi_app
from app.notifications import inbox_follower, outbox
from app.notifications.model import MessageKind
from app.notifications.transport import read_mail_file
from app.organisations.tax_number import parse_voen as read_voen
from app.schemes import publishing
from app.schemes.evidence_kinds import EvidenceScope, load_evidence_kinds
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_loader import load_schemes
from app.worker.handlers import build_worker
from tests.helpers import execute, stored_id

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
PARK = {"park_code": "AGDAM-SP", "district": "Ağdam"}
PDF = b"%PDF-1.4\n% a sample, with nothing on it\n%%EOF\n"

LONG_AGO = "2024-01-15"
COMPANY_DOCUMENTS = {
    "authority-to-sign": {"issued_on": LONG_AGO, "basis": "director"},  # the member who uploads it signs
    "ownership-statement": {"issued_on": LONG_AGO, "state_share_pct": "0"},
    "permit": {"issued_on": LONG_AGO},
    "capacity-statement": {"issued_on": LONG_AGO, "per_year": "24000"},  # in the unit of the product
    "conformity-document": {"issued_on": LONG_AGO},
    "volume-statement": {"issued_on": LONG_AGO, "claimed_volume": "200"},
    "cost-statement": {
        "issued_on": LONG_AGO,
        "accountant": "Nərgiz Nümunə",
        "licence_no": "M-001",
        "signed": True,  # of the months before
    },
}
"""Kind → what the company states of it. No end: tests move the clock by years."""
STAFF_DOCUMENTS = {
    "tax-status": {"taxpayer_status": "active"},
    "background-check": {"sanctions_match": False, "tax_debt": False, "open_complaint": False},
    "resident-project": {"approved_goods": [f"{chapter:02d}" for chapter in range(1, 98) if chapter != 77]},
    "inspection-record": {"visited_by": "staff", "surveyor": "Rəşad Nümunə", "findings": []},
}
"""Kind → what staff find out on the day of asking."""
AGES = frozenset({"tax-status", "background-check", "register-snapshot"})
"""Of these a document is looked up again before it is too old."""
HOUSEHOLD_DOCUMENTS = {
    "volume-statement": {"issued_on": LONG_AGO, "claimed_volume": "1200"},
    "municipality-letter": {"issued_on": LONG_AGO, "municipality": "URVA", "relation": "lives"},
    "local-material": {"issued_on": LONG_AGO, "local_material_pct": "95"},
    "food-registration": {"issued_on": LONG_AGO, "number": "AQ-1"},
}
HOUSEHOLD_STAFF_DOCUMENTS = {
    "tax-status": STAFF_DOCUMENTS["tax-status"],
    "background-check": STAFF_DOCUMENTS["background-check"],
    "inspection-record": STAFF_DOCUMENTS["inspection-record"] | {"visited_by": "municipality"},
    "specification-check": {"result": "all_met"},
    "trademark-search": {"match": "none"},
}

SAMPLE_PROVIDER = {
    "name": "sample",
    "title": "Sample identities",
    "issuer": "https://id.sample.example",
    "client_id": "mik",
    "client_secret": "a secret of thirty-two characters",
    "authorization_endpoint": "https://id.sample.example/authorize",
    "token_endpoint": "https://id.sample.example/token",
    "jwks_uri": "https://id.sample.example/keys",
    "end_session_endpoint": "https://id.sample.example/end",
}
"""A provider that nobody asks: see tests/auth/provider_links.py."""
QUESTION = {"questions": [{"text": "When did series production start?"}]}
REASON = {"reason": "The cost statement does not add up."}


class Clock:
    """Stands still until the test moves it."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, **much):
        """`clock.advance(days=3)`"""
        self.now += timedelta(**much)


class ApiClient:
    """Somebody who calls the service: anonymous, a member of staff, or a company.

    `get`, `post`, `put`, `delete` give the answer whatever it is. `version=` becomes If-Match; `version="now"` asks for
    the present one first. `ok(answer)` is the JSON of an answer that had to succeed.
    """

    def __init__(self, app, subject=None, *, factor=False, authenticator=None):
        self.app = app
        self._subject = subject
        self._factor = factor
        self.authenticator = authenticator  # with which this member of staff confirms decisions, by itself
        self._factor_at = None
        if subject is not None and subject.kind is ActorKind.USER and subject.session_id is None:
            self._subject = TokenSubject(subject.kind, subject.id, self._begin_session(subject.id))

    @property
    def id(self):
        return str(self._subject.id)

    @property
    def is_staff(self):
        return self._factor

    @property
    def subject(self):
        """Whom a token for this caller speaks for; the second factor of the staff is made recent again."""
        if self._factor and abs(self.app.clock() - self._factor_at) > timedelta(minutes=5):
            with self.app.database.session() as session:
                session.get(UserSession, self._subject.session_id).second_factor_at = self.app.clock()
                session.commit()
            self._factor_at = self.app.clock()
        return self._subject

    def without_factor(self):
        """The same person in another session, signed in with no more than a password."""
        return ApiClient(self.app, TokenSubject(self._subject.kind, self._subject.id), authenticator=self.authenticator)

    def without_confirmation(self):
        """The same person in the same session, who confirms nothing."""
        other = copy(self)
        other.authenticator = None
        return other

    def registration(self, key=None):
        """The registration of a new key by this member of staff."""
        key = key or SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1()))
        account = ok(self.get("/v1/me/credentials/options"))["options"]["user"]["name"]
        document = staff_credentials.registration_document(account)
        return key.register(document, self.app.container.relying_party)

    def add_authenticator(self):
        """Id of one more authenticator of this member of staff."""
        with self.app.database.session() as session:
            register_authenticator(self.app, session, user_repository.find_user(session, UUID(self.id)))
            session.commit()
        return ok(self.get("/v1/me/credentials"))["items"][-1]["id"]

    def confirmation(self, document, *, party=None):
        """The header that confirms a document with this person's key."""
        return self.authenticator.confirmation_header(document, party or self.app.container.relying_party)

    def _begin_session(self, user_id):
        now = self._factor_at = self.app.clock()
        with self.app.database.session() as session:
            given = now if self._factor else None
            ever = now + timedelta(days=36_500)
            begun = UserSession(id=new_id(), user_id=user_id, created_at=now, expires_at=ever, second_factor_at=given)
            session.add(begun)
            session.commit()
            return begun.id

    def request(self, method, path, *, version=None, headers=None, **more):
        headers = dict(headers or {})
        if self._subject is not None:
            token = self.app.container.access_tokens.issue(self.subject, self.app.clock())
            headers.setdefault("Authorization", f"Bearer {token}")
        if version is not None:
            headers["If-Match"] = f'"{self.version_of(path) if version == "now" else version}"'
        return self.confirming(lambda signed: self.app.http.request(method, path, headers=headers | signed, **more))

    def confirming(self, send):
        """The answer to `send(headers)`, which is sent again with this person's signature where it is asked for."""
        answer = send({})
        if self.authenticator is not None and answer.status_code == 403:
            problem = answer.json()
            if problem.get("code") == "confirmation-required":
                return send({"Mik-Confirmation": self.confirmation(problem["document"])})
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def put(self, path, **more):
        return self.request("PUT", path, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def version_of(self, path):
        """Present version of what a path is about: `/v1/products/{id}/retire` is about `/v1/products/{id}`."""
        parts = path.split("?")[0].split("/")
        about = "/".join(parts[: 5 if parts[2] == "verify" else 4])
        answer = self.get(about)
        assert answer.status_code == 200, answer.text
        return int(answer.headers["ETag"].strip('"').partition("-")[0])

    def act(self, path, body=None):
        """A transition against the present version; it has to succeed."""
        return ok(self.post(path, version="now", **({} if body is None else {"json": body})))


class Company(ApiClient):
    """A company with its member signed in, and a site in the park."""

    def __init__(self, app, subject, organisation_id, voen, name):
        super().__init__(app, subject)
        self.organisation_id = organisation_id
        self.voen = voen
        self.name = name
        self.name_az = f"“Nümunə-{name.rpartition(' ')[2]}” MMC"
        self.claim_id = None
        self.site_id = None
        self.attested_at = None  # when its evidence was last looked up; None: it is not kept up
        self.papers, self.looked_up = {}, {}  # kind → what is stated of it, for whatever it applies for
        self.documented = set()  # what these documents were added for: the company, sites with a unit, products

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

    def prepare(self, application_id):
        """The application with every document that the company is to have, and declared: it can be submitted."""
        self.app.document_products(self, application_id)
        if self.attested_at is not None:
            self.app.attest(self, application_id)
        self.declare(application_id)
        return application_id

    def submit(self, application_id):
        self.prepare(application_id)
        return self.act(f"/v1/applications/{application_id}/submit")

    def declare(self, application_id):
        """Declare that what stands in the application now is true and complete."""
        path = f"/v1/applications/{application_id}/declaration"
        present = ok(self.get(path))
        return ok(self.post(path, json={name: present[name] for name in ("text_version", "declared_hash")}))

    def apply(self, *product_ids, scheme="MIK"):
        """Id of a submitted application."""
        application_id = self.draft(*product_ids, scheme=scheme)
        self.submit(application_id)
        return application_id

    def add_evidence(self, application_id, content=PDF, *, kind="other", name="statement.pdf", **form):
        """The answer to the upload, whatever it is."""
        path = f"/v1/applications/{application_id}/evidence"
        return self.post(path, files={"file": (name, content)}, data={"kind": kind} | form)

    def upload(self, kind, *, content=PDF, about=None, site=None, **details):
        """Add a document for all applications, as the company states it; not yet confirmed.

        `about`: a product or several. A kind that is about a site takes the company's own where none is named.
        """
        return self._upload(f"/v1/organisations/{self.organisation_id}/evidence", kind, content, about, site, details)

    def upload_for(self, application_id, kind, *, content=PDF, about=None, site=None, **details):
        """Add a document to one application; one about products is about all of its own where none is named."""
        if about is None and load_evidence_kinds()[kind].scope in (EvidenceScope.PRODUCT, EvidenceScope.LOT):
            about = self.application(application_id)["product_ids"]
        return self._upload(f"/v1/applications/{application_id}/evidence", kind, content, about, site, details)

    def _upload(self, path, kind, content, about, site, details):
        if site is None and load_evidence_kinds()[kind].scope is EvidenceScope.SITE:
            site = self.site_id
        return upload(self, path, kind, content, about, details, site=site)

    def add_webhook(self, **changed):
        """A webhook at an address to which nothing can be sent; with its secret."""
        return ok(self.post("/v1/webhooks", json={"url": "https://erp.numune.example/mik"} | changed))

    def application(self, application_id):
        return ok(self.get(f"/v1/applications/{application_id}"))


async def _resolve_nowhere(_host, _port):
    """A public address that nobody has, for names of webhooks: no test asks a name server."""
    return ["3ffe::1"]


class RunningApp:
    """The service, running. `http` is the bare test client, `database` for a look at the tables.

    `asgi` is the whole service with its fast path, `fastapi` the application within.
    """

    def __init__(self, asgi, http, clock):
        self.asgi, self.fastapi = asgi, asgi
        while not isinstance(self.fastapi, FastAPI):
            self.fastapi = self.fastapi.app
        self.http = http
        self.clock = clock
        self.settings = self.container.settings
        self.database = self.container.database
        self.container.webhook_sender.resolve = _resolve_nowhere
        self.anonymous = ApiClient(self)
        self._staff = {}
        self._read = {}
        self._serials = itertools.count(901)

    @property
    def container(self):
        """The services of the worker."""
        return self.fastapi.state.container

    @contextmanager
    def with_services(self, **changed):
        """Let routes use other services until the end of the block."""
        usual = self.container
        self.fastapi.state.container = replace(usual, **changed)
        try:
            yield
        finally:
            self.fastapi.state.container = usual

    def staff(self, *roles, name=None):
        """A member of staff, made on first sight: `app.staff(Role.REVIEWER)`, a second one by another `name`."""
        name = name or "-".join(sorted(roles))
        if name not in self._staff:
            with self.database.session() as session:
                user = users.create_staff(
                    session,
                    SYSTEM,
                    email=f"{name}@staff.example",
                    full_name=name.title(),
                    password_hash=self.container.passwords.hash(PASSWORD),
                    roles=[Role(role) for role in roles],
                    now=self.clock(),
                )
                key = register_authenticator(self, session, user)
                session.commit()
            self._staff[name] = ApiClient(self, TokenSubject(ActorKind.USER, user.id), factor=True, authenticator=key)
        return self._staff[name]

    def restore_authenticators(self):
        """Register the keys of the staff again, after a migration took them."""
        with self.database.session() as session:
            for person in self._staff.values():
                user = user_repository.find_user(session, UUID(person.id))
                register_authenticator(self, session, user, person.authenticator)
            session.commit()

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
    def second_owner(self):
        return self.staff(Role.OWNER, name="second-owner")

    def confirm_proposal(self, proposal, by=None):
        return (by or self.second_owner).act(f"/v1/proposals/{proposal['id']}/confirm")

    def revoke(self, number, reason):
        """One owner proposes, another confirms; the certificate as it is then."""
        path = f"/v1/certificates/{number}"
        self.confirm_proposal(self.owner.act(f"{path}/revoke", {"reason": reason}))
        return ok(self.anonymous.get(path))

    def change_status(self, number, deed, body=None):
        """An act of the owner, or of the two owners who revoke; the certificate as it is then."""
        if deed == "revoke":
            return self.revoke(number, body["reason"])
        return self.owner.act(f"/v1/certificates/{number}/{deed}", body)

    @property
    def auditor(self):
        return self.staff(Role.AUDITOR)

    @property
    def inspector(self):
        return self.staff(Role.INSPECTOR)

    def run_jobs(self):
        """Run the jobs that are due now; how many there were."""
        return build_worker(self.container).run_due()

    def park_job(self):
        """Id of a job that failed too often, of a type that has no handler."""
        with self.database.session() as session:
            job_id = enqueue(session, JobType("test.parked"), {"n": 1}, now=self.clock())
            job = session.get(Job, job_id)
            job.state, job.due_at, job.attempts, job.last_error = "parked", None, 10, "OSError: no answer"
            session.commit()
        return str(job_id)

    def fail_mail(self):
        """Id of a mail that its server refused."""
        with self.database.session() as session:
            message = outbox.add_message(
                session, MessageKind.ACCOUNT_CLOSED, "nobody@numune.example", language="en", now=self.clock()
            )
            message.attempts, message.last_error = 1, "550 5.1.1 No such mailbox"
            session.commit()
        return str(message.id)

    def follow_events(self):
        """Make the notices of everything that happened, and the mails that deliver them, unsent."""
        return inbox_follower.follow_all(self.database, self.clock())

    def mail(self, email=None):
        """The messages that were sent so far, those that wait now among them; to one address where it is named."""
        asyncio.run(self.container.mail.send_due())
        for path in sorted(self.settings.mail_dir.glob("*.eml")):
            if path not in self._read:
                self._read[path] = read_mail_file(path)
        return [each for _, each in sorted(self._read.items()) if email in {None, each.recipient}]

    def code(self, email):
        """The newest one-time code that was mailed to this address."""
        return next(code for message in reversed(self.mail(email)) if (code := code_in(message)))

    def address_token(self, email):
        """What shows that somebody reads the mail of this address, whether or not it has an account: the token of a
        registration. It is mailed; here it is made as the mail makes it, which is quicker."""
        with self.database.session() as session:
            _, token = address_confirmations.issue_confirmation(
                session, users.normalize_email(email), None, self.clock()
            )
            session.commit()
        return token

    def with_token(self, body):
        """The registration of somebody who has confirmed the address `body["member"]["email"]`."""
        member = dict(body["member"])
        token = self.address_token(member.pop("email"))
        return {**body, "token": token, "member": member}

    def send_registration(self, body, **more):
        """The answer to it."""
        return self.anonymous.post("/v1/registrations/confirm", json=self.with_token(body), **more)

    def register(self, voen=None, **changed):
        """A company that has registered itself: unconfirmed, no residency, no site. `voen`: of that number."""
        serial = next(self._serials)
        email = f"member@{voen_of(serial)}.example"
        voen = voen or voen_of(serial)
        body = {
            "legal_name_az": f"“Nümunə-{serial}” MMC",
            "legal_name_en": f"Sample {serial}",
            "legal_form": "MMC",
            "voen": voen,
            "member": {"full_name": "Aysel Nümunə", "email": email, "password": PASSWORD},
        } | changed
        made = ok(self.send_registration(body))
        subject = TokenSubject(ActorKind.USER, UUID(made["user_id"]))
        company = Company(self, subject, made["organisation_id"], voen, body["legal_name_en"])
        company.claim_id = made["claim_id"]
        return company

    def confirm(self, company):
        """What was entered moves into the company, where the register lists it: the id may be another one then."""
        made = self.registrar.act(f"/v1/claims/{company.claim_id}/confirm", {"basis": "Extract seen."})
        company.organisation_id = made["organisation_id"]
        return company

    def add_residency(self, company, *, stage="operating", status="resident"):
        """Enter the company into the park's register."""
        body = {
            "organisation_id": company.organisation_id,
            "park_code": PARK["park_code"],
            "status": status,
            "holder_voen": company.voen,
            "starts_on": "2021-11-22",
            "stage": stage,
        } | registration_of(company)
        return ok(self.registrar.post("/v1/residencies", json=body))["id"]

    def set_up_company(self, *, confirmed=True, resident=True, stage="operating", evidence=True, **changed):
        """A company ready to apply: registered, confirmed, resident of the park, with a site where production runs.

        With it come the confirmed items of evidence that the rules of MIK and MIA ask for, laid once for all its
        applications: `evidence=False` leaves all out, `evidence=("permit", …)` takes only these kinds.
        """
        company = self.register(**changed)
        if confirmed:
            self.confirm(company)
        if resident and confirmed:  # a claim has no residency
            self.add_residency(company, stage=stage)
        company.add_site()
        if evidence is True:
            self.document(company)
        elif evidence:
            papers, looked_up = (
                {k: d for k, d in all_.items() if k in evidence} for all_ in (COMPANY_DOCUMENTS, STAFF_DOCUMENTS)
            )
            self._upload_kinds(company, papers, looked_up)
        return company

    def document(self, company, changed=None):
        """Every document that MIK and MIA ask for, added and confirmed today; those of products when it submits.

        `changed`: kind → what the company states of it instead.
        """
        self._upload_kinds(company, COMPANY_DOCUMENTS | (changed or {}), STAFF_DOCUMENTS)
        company.attested_at = self.clock()

    def _upload_kinds(self, company, papers, looked_up):
        company.papers, company.looked_up = papers, looked_up
        self._document(company, EvidenceScope.COMPANY)
        if company.site_id:
            self._document(company, EvidenceScope.SITE, site=company.site_id)

    def document_products(self, company, application_id):
        """What the company is to have of the products of an application and of their sites, once for each."""
        if not company.papers and not company.looked_up:
            return
        for product_id in company.application(application_id)["product_ids"]:
            described = ok(company.get(f"/v1/products/{product_id}"))
            self._document(company, EvidenceScope.SITE, site=described["site_id"], unit=described["unit"])
            self._document(company, EvidenceScope.PRODUCT, about=product_id)

    def _document(self, company, scope, *, about=None, site=None, unit="t"):
        """Add and confirm the documents of one scope in one transaction: over HTTP it is half of many tests."""
        today = baku_day(self.clock())
        people = company.subject, self.registrar.subject, self.reviewer.subject
        with self.database.session() as session:
            member, registrar, reviewer = (load_actor(session, each, self.clock()) for each in people)
            for kind in (*company.papers, *company.looked_up):
                of = {"capacity-statement": unit, "cost-statement": today.year}.get(kind)  # of a unit, of a year
                done = (kind, about, site, of)
                if load_evidence_kinds()[kind].scope is not scope or done in company.documented:
                    continue
                company.documented.add(done)
                if kind in company.looked_up:
                    details = {"issued_on": today.isoformat()} | company.looked_up[kind]
                    by, then = registrar, reviewer
                else:
                    details = company.papers[kind] | ({"unit": unit} if kind == "capacity-statement" else {})
                    by, then = member, registrar
                self._add_confirmed(session, company, by, then, kind, details, about=about, site=site)
            session.commit()

    def _add_confirmed(self, session, company, by, then, kind, details, *, about, site):
        """Add a document by one person and confirm it by another, as the routes do."""
        container, now = self.container, self.clock()
        dated, values = split_details(kind, details, baku_day(now))
        draft = container.evidence_files.stage([PDF])
        row = evidence_documents.add_to_organisation(
            session,
            by,
            UUID(company.organisation_id),
            kind=kind,
            file_name=f"{kind}.pdf",
            about=EvidenceSubject((UUID(about),) if about else (), UUID(site) if site else None),
            details=EvidenceDetails(
                *(date.fromisoformat(dated[name]) if name in dated else None for name in ("issued_on", "valid_until")),
                dated.get("number"),
                json.loads(json.dumps(values)),
            ),
            stored=draft.file,
            quotas=container.quotas,
            now=now,
        )
        container.evidence_files.store(draft)
        draft.discard()
        session.flush()
        if row.confirmed_at is None:
            confirmation.confirm_document(
                session,
                then,
                row.id,
                details=EvidenceDetails(),
                version=row.version,
                now=now,
            )

    def household(self):
        """A family producer of Urva: a natural person, with all that the rules of URVA ask for of honey."""
        company = self.confirm(self.register(voen_of(next(self._serials), "2"), legal_form="fiziki şəxs"))
        company.add_site(name="Yard", district="Qusar", park_code=None)
        self._upload_kinds(company, COMPANY_DOCUMENTS | HOUSEHOLD_DOCUMENTS, HOUSEHOLD_STAFF_DOCUMENTS)
        company.attested_at = self.clock()
        return company

    def confirm_evidence(self, item, *, by=None, version="now", **reading):
        """Confirm an item as it was stated; name what the registrar reads otherwise."""
        path = f"/v1/evidence/{item['id']}/confirm"
        return ok((by or self.registrar).post(path, json=reading, version=version))

    def add_staff_evidence(
        self, company, *kinds_, stated=None, case_id=None, by=None, about=None, site=None, **details
    ):
        """What staff know, added today: for all applications, or for one case. Without kinds: nothing.

        Confirmed by another member of staff than the one who added it.
        """
        path = (
            f"/v1/applications/{case_id}/evidence"
            if case_id
            else f"/v1/organisations/{company.organisation_id}/evidence"
        )
        today = {"issued_on": baku_day(self.clock()).isoformat()}
        item, by = None, by or self.registrar
        another = self.registrar if by is self.reviewer else self.reviewer
        for kind in kinds_:
            where = site or company.site_id if load_evidence_kinds()[kind].scope is EvidenceScope.SITE else None
            said = today | (stated or STAFF_DOCUMENTS)[kind] | details
            item = upload(by, path, kind, PDF, about, said, site=where)
            if item["confirmed_at"] is None:  # the same one sent twice is one
                item = self.confirm_evidence(item, by=another, version=item["version"])
        return item

    def attest(self, company, application_id):
        """Keep the looked-up facts of a company fresh, and have a certificate of origin for each of its headings."""
        if self.clock() - company.attested_at > timedelta(days=20):
            self.add_staff_evidence(
                company, *(kind for kind in company.looked_up if kind in AGES), stated=company.looked_up
            )
            self.add_staff_evidence(
                company, "register-snapshot", stated={"register-snapshot": registration_of(company)}
            )
            company.attested_at = self.clock()
        application = company.application(application_id)
        if application["scheme"] == "MIA":
            for product_id in application["product_ids"]:
                heading = ok(company.get(f"/v1/products/{product_id}"))["hs6"][:4]
                day = baku_day(self.clock() - timedelta(days=30)).isoformat()
                stated = {
                    "number": "AZ 1",
                    "form": "GENERAL",
                    "hs4": heading,
                    "country": "AZ",
                    "values": {"about": "product"},
                }
                origin = company.upload("origin-document", about=product_id, issued_on=day, **stated)
                if origin["confirmed_at"] is None:
                    self.confirm_evidence(origin)

    def review(self, case_id, *, reviewer=None, outcome="approve", **verdict):
        """Claim if need be, and recommend the same for every product of the case."""
        reviewer = reviewer or self.reviewer
        case = ok(reviewer.get(f"/v1/applications/{case_id}"))
        if case["state"] == "submitted":
            reviewer.act(f"/v1/applications/{case_id}/claim")
        verdicts = [{"product_id": pid, "outcome": outcome} | verdict for pid in case["product_ids"]]
        return reviewer.act(f"/v1/applications/{case_id}/recommend", {"products": verdicts})

    def approve(self, case_id, *, approver=None):
        """The decided case; its `certificates` are the numbers."""
        return (approver or self.approver).act(f"/v1/applications/{case_id}/approve")

    def certify(self, company=None, *product_ids, scheme="MIK"):
        """The whole way at once; the number of the (first) certificate."""
        case_id = (company or self.set_up_company()).apply(*product_ids, scheme=scheme)
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
def running_app(database_url, folder, clock=None, *, is_prepared=False, before=None, **settings):
    """The service on a migrated database, with cheap password hashes; its keys and files go to `folder`.

    `is_prepared`: the database and the keys are copies of prepared ones (conftest.py). `before(settings, clock)`: what
    else happens before the start.
    """
    clock = clock or Clock()
    given = {"data_dir": folder / "data", "database_url": database_url, "base_url": "http://localhost:8000"}
    given |= {"mail_seconds": 0}  # tests have their messages sent by `RunningApp.mail`
    given |= {"witness_seconds": 0}  # and show the log to witnesses by a round of their own
    given |= {"job_threads": 0}  # and run jobs themselves
    given |= {"registrations_per_day": 0}  # tests register any number from one address
    given |= {"identity_providers": (SAMPLE_PROVIDER,)}
    settings = Settings(**(given | settings))
    if not is_prepared:
        prepare(settings, clock())
    if before is not None:
        before(settings, clock)
    with ExitStack() as stack:
        with patch.object(passwords, "Argon2Hasher", partial(passwords.Argon2Hasher, 1, 8)):
            asgi = create_asgi_app(settings, clock)
        http = TestClient(asgi, base_url=settings.base_url, raise_server_exceptions=False)
        yield RunningApp(asgi, stack.enter_context(http), clock)


def register_authenticator(app, session, user, key=None):
    """A key of this member of staff that the public log names from the commit on."""
    key = key or SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1()))
    registration = key.register(staff_credentials.registration_document(user.email), app.container.relying_party)
    content = staff_credentials.read_registration(
        registration, account=user.email, user_id=user.id, name="Key", party=app.container.relying_party
    )
    staff_credentials.register_credential(session, SYSTEM, content, app.clock())
    return key


def upload(caller, path, kind, content, about, details, *, site=None):
    """Upload a document; `details` are its dates, its number and its values by name; `about` one product or several."""
    dated, values = split_details(kind, details, baku_day(caller.app.clock()))
    form = dated | {"kind": kind, "values": json.dumps(values)}
    form |= {"product_id": [about] if isinstance(about, str) else list(about)} if about else {}
    form |= {"site_id": site} if site else {}
    return ok(caller.post(path, files={"file": (f"{kind}.pdf", content)}, data=form))


def split_details(kind, details, today):
    """Dates and number of a document, and its values."""
    if kind == "cost-statement":
        details = months_before(today) | details
    dated = {name: str(details[name]) for name in ("issued_on", "valid_until", "number") if name in details}
    values = {name: value for name, value in details.items() if name not in dated and name != "values"}
    return dated, values | details.get("values", {})  # those whose names are taken here


def ok(answer):
    """The JSON of an answer that had to succeed."""
    assert answer.status_code in {200, 201, 202}, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json()


def product(site_id, **changed):
    """A welded tube of foreign coil: change of heading, 42.8 % value content, 40.0 % of cost in Karabakh."""
    coil = {"name": "Hot-rolled coil", "hs4": "7208", "origin_country": "TR", "originating": False}
    here = {"country": "AZ", "district": "Ağdam", "is_essential": True}
    body = {
        "names": {"az": "Qaynaqlı polad boru", "en": "Welded steel tube"},
        "hs6": "730630",
        "unit": "t",
        "site_id": site_id,
        "ex_works": "1450",
        "materials": [coil | {"value": "830", "basis": "cif"}],
        "steps": [
            {"name": "Forming", "operation": "forming"} | here,
            {"name": "Welding", "operation": "tube_welding"} | here,
        ],
        "costs": [
            {"kind": "labour", "place": "KARABAKH", "amount": "563"},
            {"kind": "quality", "place": "AZ_OTHER", "amount": "14"},
        ],
    }
    return body | changed


def publish(app, scheme, version, changes=(), *, without=()):
    """Publish a further version of a mark's rules: `changes` are (rule, parameter, value)."""
    with app.database.session() as session:
        mark = load_schemes()[scheme]
        content = mark.ruleset.content() | {"version": version}
        content["rules"] = [rule for rule in content["rules"] if rule["id"] not in without]
        for rule_id, name, value in changes:
            rule = next(each for each in content["rules"] if each["id"] == rule_id)
            assert name in rule, name
            rule[name] = value
        changed = mark.model_copy(update={"ruleset": Ruleset.model_validate(content)})
        publishing.publish_rulesets(session, [changed], app.clock())
        session.commit()
        return changed.ruleset


def months_before(day):
    """The period of a cost statement: this year up to the last month, in January the year before."""
    end = day.replace(day=1) - timedelta(days=1)
    return {"period_from": end.replace(month=1, day=1).isoformat(), "period_until": end.isoformat()}


def registration_of(company):
    return {"registration_no": f"AGSP-R-{company.voen[4:8]}"}


def voen_of(serial, ending="1"):
    """A VÖEN in good form that is unlikely to be real: 00, the serial, check digit, 1 for a company, 2 for a person."""
    for check_digit in range(10):
        voen = f"009{serial:05d}{check_digit}{ending}"
        if not read_voen(voen).needs_review:
            return voen
    return voen_of(serial + 10_000, ending)  # this serial has the remainder ten, for which there is no check digit


def program_of(company, name="Order system"):
    """An API client of the company, signed in."""
    made = ok(company.post("/v1/api-clients", json={"name": name, "scopes": list(actor.Scope)}))
    return ApiClient(company.app, TokenSubject(ActorKind.CLIENT, UUID(made["id"])))


def other_reviewer(app):
    return app.staff(Role.REVIEWER, name="second-reviewer")


def other_approver(app):
    return app.staff(Role.APPROVER, name="second-approver")


def both(app):
    """One person with both roles: the one that four eyes are about."""
    return app.staff(Role.REVIEWER, Role.APPROVER, name="reviewer-and-approver")


def in_state(app, company, state, *, reviewer=None):
    """Id of an application of the company that has come to this state on the proper way."""
    reviewer = reviewer or app.reviewer
    case_id = company.prepare(company.draft())
    if state in {"draft", "lapsed"}:
        if state == "lapsed":  # what falls due is the sweep's
            execute(app, "UPDATE applications SET state = 'lapsed' WHERE id = :id", id=stored_id(app, case_id))
        return case_id
    company.submit(case_id)
    path = f"/v1/applications/{case_id}"
    if state == "withdrawn":
        company.act(f"/v1/applications/{case_id}/withdraw")
    if state in {"submitted", "withdrawn"}:
        return case_id
    reviewer.act(f"{path}/claim")
    if state == "in_review":
        return case_id
    if state == "information_requested":
        reviewer.act(f"{path}/request-information", QUESTION)
        return case_id
    app.review(case_id, reviewer=reviewer)
    if state == "approved":
        app.approve(case_id)
    if state == "rejected":
        app.approver.act(f"{path}/reject", REASON)
    return case_id


def certified_again(app, company):
    """A certificate for a company whose earlier ones were revoked or given back: a reviewer accepts the past (C-12)."""
    case_id = company.apply()
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    (judged,) = ok(app.reviewer.get(f"/v1/applications/{case_id}/assessment"))["items"]
    open_ = [each["rule"] for each in judged["rules"] if each["outcome"] == "manual"]
    assert set(open_) <= {"C-12"}
    app.review(case_id, resolutions=[{"rule": rule, "accept": True, "reason": "Not of this line."} for rule in open_])
    return app.approve(case_id)["certificates"][0]
