"""Every address that changes something takes an Idempotency-Key and honours it: generated from the OpenAPI document.

A new address turns this red until it has a case below, or stands among the few that keep no answers, with its reason.
"""

from importlib.resources import files

import pyotp
import pytest

from app.core.actor import Role
from tests.api.helpers import events, is_replay, keyed, new_key, same
from tests.auth import passkeys, provider_links
from tests.bulk.sheets import csv_file, product_row
from tests.factories import PASSWORD, PDF, ok, product, voen_of
from tests.helpers import disable_webhooks
from tests.organisations.sanctions import resembling

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
CHANGES = {"post", "put", "patch", "delete"}
KEEPS_NO_ANSWER = {
    "POST /v1/auth/token": "an access token is a secret; asking again gives another",
    "POST /v1/auth/revoke": "a token that is over is no error (RFC 7009): the second time does no harm",
    "POST /v1/auth/step-up": "a code is good once, and a kept answer must not stand in for one",
    "POST /v1/me/password": "it ends the session that asks",
    "POST /v1/auth/oidc/{provider}/backchannel-logout": "sessions that have ended end no more",
    "POST /v1/auth/passkey/options": "changes nothing; each challenge is good once",
    "POST /v1/me/passkeys/options": "changes nothing; each challenge is good once",
    "POST /v1/auth/password-reset": "the token is good once; who has the new password signs in",
    "POST /v1/schemes/{code}/assessments": "nothing is kept of a dry assessment",
    "POST /v1/inbox/read": "what is read stays read",
    "POST /v1/inbox/{notice_id}/read": "what is read stays read",
    "PUT /v1/me/notification-settings": "it sets the whole: the second time changes nothing",
    "POST /v1/watches/unsubscribe": "a token that is over is no error: the second time does no harm",
    "POST /v1/verify": "changes nothing",
    "POST /v1/verify/batch": "changes nothing",
    "POST /v1/verify/file": "changes nothing",
}
AUTHORITY = {"scopes": ["read"], "first_day": "2026-12-20", "last_day": "2026-12-31"}  # nobody is an agent yet
CLOSING = {"on": "2026-11-20", "reason": "Moved away."}
REGISTER = (files("app.demo") / "sample" / "others.csv").read_bytes()


class Stage:
    """People and things, made when a case asks for them."""

    def __init__(self, app):
        self.app = app
        self.company = app.set_up_company()

    def case(self, state):
        """Address of a case of the company in this state, held by the reviewer."""
        item = self.company.add_product()
        case = f"/v1/applications/{self.company.apply(item)}"
        if state != "submitted":
            self.app.reviewer.act(f"{case}/claim")
        if state == "recommended":
            self.app.review(case.rpartition("/")[2])
        return case

    def application(self):
        return f"/v1/applications/{self.company.draft()}"

    def ready(self):
        return f"/v1/applications/{self.company.prepare(self.company.draft())}"

    def asked(self):
        """Address of an application whose applicant is asked something, and the question's id."""
        case = self.case("in_review")
        questions = {"questions": [{"text": "When did production start?"}]}
        row = self.app.reviewer.act(f"{case}/request-information", questions)
        return case, row["questions"][0]["id"]

    def sealed(self):
        """Somebody whose claim was refused."""
        claimant = self.app.register()
        self.app.registrar.act(f"/v1/claims/{claimant.claim_id}/refuse", {"reason": "Nobody knows them."})
        return claimant.without_factor()

    def claim(self):
        return f"/v1/claims/{self.app.register().claim_id}"

    def disputed(self):
        return f"/v1/claims/{self.app.register(self.company.voen).claim_id}"

    def residency(self):
        company = self.app.confirm(self.app.register())
        return f"/v1/residencies/{self.app.add_residency(company)}"

    def certificate(self):
        return f"/v1/certificates/{self.app.certify(self.company, self.company.add_product())}"


def at(address, deed, version="now", **more):
    return f"{address}{deed}", {"version": version, **more}


def registration(app):
    token = app.address_token("new@sample.example")
    member = {"full_name": "Aysel Nümunə", "password": "correct horse battery"}
    names = {"legal_name_az": "“Yeni” MMC", "legal_name_en": "New", "legal_form": "MMC"}
    return {**names, "voen": voen_of(650), "member": member, "token": token}


def upload(stage):
    return f"{stage.application()}/evidence", {"files": {"file": ("a.pdf", PDF)}, "data": {"kind": "other"}}


def removal(stage):
    application = stage.company.draft()
    evidence = ok(stage.company.add_evidence(application))["id"]
    return f"/v1/applications/{application}/evidence/{evidence}", {}


def webhook(stage):
    path = f"/v1/webhooks/{stage.company.add_webhook()['id']}"
    for each in ok(stage.company.get("/v1/webhooks?limit=100"))["items"][:-1]:
        stage.company.delete(f"/v1/webhooks/{each['id']}")  # a company has so many at most
    return path


def disabled_webhook(stage):
    path = webhook(stage)
    disable_webhooks(stage.app)
    return at(path, "/enable")


def delivery_of_a_test(stage):
    path = webhook(stage)
    return f"{path}/deliveries/{ok(stage.company.post(f'{path}/test'))['id']}/redeliver", {}


def secret_of_a_client(stage):
    client = ok(stage.company.post("/v1/api-clients", json={"name": "Old"}))
    return f"/v1/api-clients/{client['id']}/secrets/{client['secrets'][0]['id']}", {}


def residency(stage):
    company = stage.app.confirm(stage.app.register())
    body = {
        "organisation_id": company.organisation_id, "park_code": "AGDAM-SP", "status": "resident",
        "holder_voen": company.voen, "registration_no": "AGSP-R-77",
    }  # fmt: skip
    return "/v1/residencies", {"json": body}


def respond(stage):
    application, question = stage.asked()
    return at(application, "/respond", json={"answers": [{"question_id": question, "text": "In March."}]})


def declaration(stage):
    path = f"/v1/applications/{stage.company.draft()}/declaration"
    present = ok(stage.company.get(path))
    return path, {"json": {name: present[name] for name in ("text_version", "declared_hash")}}


def recommend(stage):
    case = stage.case("in_review")
    ids = ok(stage.app.reviewer.get(case))["product_ids"]
    return at(case, "/recommend", json={"products": [{"product_id": each, "outcome": "approve"} for each in ids]})


def suspended(stage):
    address = stage.certificate()
    stage.app.owner.act(f"{address}/suspend", {"cause": "hearing"})
    return at(address, "/reinstate", json={"cause": "hearing"})


def ended(stage):
    address = stage.residency()
    stage.app.registrar.act(f"{address}/end", CLOSING)
    return at(address, "/restore")


def product_file(company):
    return csv_file([product_row(1, reference=None, site=company.site_id)])


def application_file(company):
    return csv_file([{"scheme": "MIK", "products": company.add_product()}], kind="applications")


def running_manifest(stage):
    sent = ok(stage.company.post("/v1/verify/manifests", files={"file": ("numbers.txt", b"MIK-2026-000001-F")}))
    return at(f"/v1/verify/manifests/{sent['id']}", "/cancel")


def change_of_draft(stage):
    products = [stage.company.add_product(), stage.company.add_product()]
    return at(f"/v1/applications/{stage.company.draft(products[0])}", "", json={"product_ids": products})


def invitation(stage):
    return ok(stage.company.post("/v1/invitations", json={"email": f"{new_key()}@sample.example"}))


def acceptance(stage):
    body = {"token": stage.app.code(invitation(stage)["email"]), "full_name": "Kənan Nümunə", "password": PASSWORD}
    return "/v1/invitations/accept", {"json": body}


def departure(stage):
    _, request = acceptance(stage)
    joined = ok(stage.app.anonymous.post("/v1/invitations/accept", **request))
    return f"/v1/members/{joined['user_id']}", {}


def administering(stage):
    path, _ = departure(stage)
    return f"{path}/administrator", {}


def no_longer(stage):
    path, _ = administering(stage)
    ok(stage.company.put(path))
    return path, {}


def enrolment(stage):
    secret = ok(stage.app.inspector.post("/v1/me/second-factor"))["secret"]
    return "/v1/me/second-factor/confirm", {"json": {"otp": pyotp.TOTP(secret).at(stage.app.clock())}}


def user(stage):
    return f"/v1/users/{stage.app.staff(Role.AUDITOR, name=new_key()).id}"


def asked_access(stage):
    """By another owner than the one who decides."""
    asking = stage.app.staff(Role.OWNER, name="another-owner")
    return f"/v1/proposals/{ok(asking.post('/v1/proposals', json=role_of(user(stage))))['id']}"


def role_of(path):
    return {"kind": "role", "content": {"user_id": path.rpartition("/")[2], "role": "reviewer"}}


def own_proposal(stage):
    return f"/v1/proposals/{ok(stage.app.owner.post('/v1/proposals', json=role_of(user(stage))))['id']}"


def enrolled(stage):
    caller = stage.app.staff(Role.AUDITOR, name=new_key())
    secret = ok(caller.post("/v1/me/second-factor"))["secret"]
    code = pyotp.TOTP(secret).at(stage.app.clock())
    ok(caller.post("/v1/me/second-factor/confirm", json={"otp": code}))
    return f"/v1/users/{caller.id}"


def finding(address):
    issued_on = "2026-11-20"
    data = {"kind": "tax-status", "issued_on": issued_on, "values": '{"taxpayer_status": "active"}'}
    return f"{address}/evidence", {"files": {"file": ("tax.pdf", PDF + new_key().encode())}, "data": data}


def paper(stage):
    return stage.company.upload("permit", content=PDF + new_key().encode(), issued_on="2024-01-15")


def candidate(s):
    path, body = resembling(s.app)
    return path, {"json": body}


def unread(stage):
    return at(f"/v1/evidence/{paper(stage)['id']}", "/confirm", json={})


def read(stage):
    item = stage.app.confirm_evidence(paper(stage))
    return at(f"/v1/evidence/{item['id']}", "/withdraw-confirmation", json={"reason": "Of another works."})


def another_claim(_stage):
    form = {"kind": "other", "legal_name_az": "“Yeni” MMC", "legal_name_en": "New", "legal_form": "MMC"}
    return "/v1/claims", {"files": {"file": ("a.pdf", PDF)}, "data": form | {"voen": voen_of(651)}}


def own_paper(stage):
    product_id = stage.company.add_product()  # nothing of it is under review
    item = stage.company.upload("conformity-document", about=product_id, issued_on="2024-01-15")
    return at(f"/v1/evidence/{item['id']}", "/withdraw", json={"reason": "Of another works."})


CHANGE = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}


def matter(stage):
    made = stage.company.post(f"{stage.certificate()}/changes", json=CHANGE)
    return f"/v1/matters/{made.json()['id']}"


def assignment(stage):
    case_id = stage.case("submitted").rpartition("/")[2]
    return "/v1/applications/assign", {"json": {"application_ids": [case_id], "to": stage.app.reviewer.id}}


def handing_over(stage):
    other = stage.app.staff(Role.REVIEWER, name="second-reviewer")
    return at(stage.case("in_review"), "/hand-over", json={"to": other.id})


NOVRUZ = {"year": 2027, "days": [{"day": "2027-03-20", "occasion": "novruz"}]}
REASON = {"reason": "The cost statement does not add up."}
SITE = {"name": "Hall 2", "district": "Ağdam"}


def own_identity(stage):
    provider_links.unlinked(stage.company)
    return f"/v1/me/identities/{provider_links.link(stage.company)['id']}", {}


def new_passkey(stage):
    begun = ok(stage.company.post("/v1/me/passkeys/options"))
    registration = passkeys.PasskeyDevice(stage.app.container.relying_party).create(begun["options"])
    body = {"name": "Telephone", "ticket": begun["ticket"], "registration": registration}
    return "/v1/me/passkeys", {"json": body}


def given_authority(stage):
    row = ok(stage.company.post("/v1/authorities", json=AUTHORITY | {"email": "agent@sample.example"}))
    return f"/v1/authorities/{row['id']}", {}


def offered_to_company(stage):
    giver = stage.app.set_up_company(evidence=())
    body = AUTHORITY | {"email": f"member@{stage.company.voen}.example"}
    return ok(giver.post("/v1/authorities", json=body))["id"]


CASES = {
    "POST /v1/registrations": (
        "anonymous",
        lambda _: ("/v1/registrations", {"json": {"email": f"{new_key()}@sample.example"}}),
    ),
    "POST /v1/registrations/confirm": (
        "anonymous",
        lambda s: ("/v1/registrations/confirm", {"json": registration(s.app)}),
    ),
    "POST /v1/reports": ("anonymous", lambda _: ("/v1/reports", {"json": {"address": "https://mik-az.example/"}})),
    "POST /v1/auth/password-resets": (
        "anonymous",
        lambda _: ("/v1/auth/password-resets", {"json": {"email": f"{new_key()}@sample.example"}}),
    ),
    "POST /v1/sites": ("company", lambda _: ("/v1/sites", {"json": SITE})),
    "PUT /v1/sites/{site_id}": (
        "company",
        lambda s: at(
            f"/v1/sites/{s.company.site_id}", "", json={"name": "Hall 3", "production_started_on": "2024-03-01"}
        ),
    ),
    "POST /v1/products": ("company", lambda s: ("/v1/products", {"json": product(s.company.site_id)})),
    "PUT /v1/products/{product_id}": (
        "company",
        lambda s: at(f"/v1/products/{s.company.add_product()}", "", json=product(s.company.site_id, unit="kg")),
    ),
    "POST /v1/products/{product_id}/retire": (
        "company",
        lambda s: at(f"/v1/products/{s.company.add_product()}", "/retire"),
    ),
    "POST /v1/applications": (
        "company",
        lambda s: ("/v1/applications", {"json": {"scheme": "MIK", "product_ids": [s.company.add_product()]}}),
    ),
    "PUT /v1/applications/{application_id}": ("company", change_of_draft),
    "POST /v1/applications/{application_id}/submit": ("company", lambda s: at(s.ready(), "/submit")),
    "POST /v1/applications/{application_id}/respond": ("company", respond),
    "POST /v1/applications/{application_id}/declaration": ("company", declaration),
    "POST /v1/applications/{application_id}/visit-waiver": (
        "owner",
        lambda s: at(s.case("submitted"), "/visit-waiver", json=REASON),
    ),
    "POST /v1/applications/{application_id}/withdraw": ("company", lambda s: at(s.application(), "/withdraw")),
    "POST /v1/applications/{application_id}/evidence": ("company", upload),
    "DELETE /v1/applications/{application_id}/evidence/{evidence_id}": ("company", removal),
    "POST /v1/watches": (
        "anonymous",
        lambda _: ("/v1/watches", {"json": {"kind": "heading", "value": "73", "email": f"{new_key()}@sample.example"}}),
    ),
    "POST /v1/webhooks": ("company", lambda _: ("/v1/webhooks", {"json": {"url": "https://erp.numune.example/"}})),
    "PUT /v1/webhooks/{webhook_id}": (
        "company",
        lambda s: at(webhook(s), "", json={"url": "https://erp.numune.example/new"}),
    ),
    "DELETE /v1/webhooks/{webhook_id}": ("company", lambda s: (webhook(s), {})),
    "POST /v1/webhooks/{webhook_id}/rotate-secret": ("company", lambda s: at(webhook(s), "/rotate-secret")),
    "POST /v1/webhooks/{webhook_id}/enable": ("company", disabled_webhook),
    "POST /v1/webhooks/{webhook_id}/test": ("company", lambda s: (f"{webhook(s)}/test", {})),
    "POST /v1/webhooks/{webhook_id}/redeliver": (
        "company",
        lambda s: (f"{webhook(s)}/redeliver", {"json": {"since": s.app.clock().isoformat()}}),
    ),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": ("company", delivery_of_a_test),
    "POST /v1/api-clients": ("company", lambda _: ("/v1/api-clients", {"json": {"name": "Orders"}})),
    "DELETE /v1/api-clients/{client_id}": (
        "company",
        lambda s: (f"/v1/api-clients/{ok(s.company.post('/v1/api-clients', json={'name': 'Old'}))['id']}", {}),
    ),
    "POST /v1/api-clients/{client_id}/secrets": (
        "company",
        lambda s: (f"/v1/api-clients/{ok(s.company.post('/v1/api-clients', json={'name': 'Old'}))['id']}/secrets", {}),
    ),
    "DELETE /v1/api-clients/{client_id}/secrets/{secret_id}": ("company", secret_of_a_client),
    "POST /v1/applications/{application_id}/claim": ("reviewer", lambda s: at(s.case("submitted"), "/claim")),
    "POST /v1/applications/{application_id}/release": ("reviewer", lambda s: at(s.case("in_review"), "/release")),
    "POST /v1/applications/{application_id}/request-information": (
        "reviewer",
        lambda s: at(s.case("in_review"), "/request-information", json={"questions": [{"text": "Since when?"}]}),
    ),
    "POST /v1/applications/{application_id}/recommend": ("reviewer", recommend),
    "POST /v1/applications/{application_id}/approve": ("approver", lambda s: at(s.case("recommended"), "/approve")),
    "POST /v1/applications/{application_id}/reject": (
        "approver",
        lambda s: at(s.case("recommended"), "/reject", json=REASON),
    ),
    "POST /v1/applications/{application_id}/return": (
        "approver",
        lambda s: at(s.case("recommended"), "/return", json=REASON),
    ),
    "POST /v1/claims": ("sealed", another_claim),
    "POST /v1/claims/{claim_id}/propose": (
        "registrar",
        lambda s: at(s.disputed(), "/propose", json={"basis": "A new director."}),
    ),
    "POST /v1/claims/{claim_id}/confirm": (
        "registrar",
        lambda s: at(s.claim(), "/confirm", json={"basis": "Extract seen."}),
    ),
    "POST /v1/claims/{claim_id}/refuse": (
        "registrar",
        lambda s: at(s.claim(), "/refuse", json={"reason": "Nobody knows them."}),
    ),
    "POST /v1/residencies": ("registrar", residency),
    "POST /v1/residencies/{residency_id}/end": ("registrar", lambda s: at(s.residency(), "/end", json=CLOSING)),
    "POST /v1/residencies/{residency_id}/cancel": ("registrar", lambda s: at(s.residency(), "/cancel", json=CLOSING)),
    "POST /v1/residencies/{residency_id}/restore": ("registrar", ended),
    "PUT /v1/residencies/{residency_id}/stage": (
        "registrar",
        lambda s: at(s.residency(), "/stage", json={"stage": "construction"}),
    ),
    "POST /v1/applications/{application_id}/copy": (
        "company",
        lambda s: (f"/v1/applications/{s.company.draft()}/copy", {"json": {}}),
    ),
    "POST /v1/imports/products": (
        "company",
        lambda s: ("/v1/imports/products", {"files": {"file": ("p.csv", product_file(s.company))}}),
    ),
    "POST /v1/imports/applications": (
        "company",
        lambda s: ("/v1/imports/applications", {"files": {"file": ("a.csv", application_file(s.company))}}),
    ),
    "POST /v1/verify/manifests": (
        "company",
        lambda _: ("/v1/verify/manifests", {"files": {"file": ("numbers.txt", b"MIK-2026-000001-F")}}),
    ),
    "POST /v1/verify/manifests/{manifest_id}/cancel": ("company", running_manifest),
    "POST /v1/register/imports": (
        "registrar",
        lambda _: ("/v1/register/imports", {"files": {"file": ("register.csv", REGISTER)}}),
    ),
    "POST /v1/certificates/{number}/suspend": (
        "owner",
        lambda s: at(s.certificate(), "/suspend", json={"cause": "hearing", "note": "A complaint."}),
    ),
    "POST /v1/certificates/{number}/reinstate": ("owner", suspended),
    "POST /v1/certificates/{number}/revoke": (
        "owner",
        lambda s: at(  # of another company: this one would be barred
            f"/v1/certificates/{s.app.certify()}", "/revoke", json={"reason": "false-documents"}
        ),
    ),
    "POST /v1/certificates/{number}/surrender": ("company", lambda s: at(s.certificate(), "/surrender")),
    "POST /v1/certificates/{number}/changes": (
        "company",
        lambda s: (f"{s.certificate()}/changes", {"json": CHANGE}),
    ),
    "POST /v1/matters/{matter_id}/close": (
        "owner",
        lambda s: at(matter(s), "/close", json={"outcome": "corrected", "reason": "Proven."}),
    ),
    "POST /v1/invitations": ("company", lambda _: ("/v1/invitations", {"json": {"email": "next@sample.example"}})),
    "DELETE /v1/invitations/{invitation_id}": (
        "company",
        lambda s: (f"/v1/invitations/{invitation(s)['id']}", {}),
    ),
    "POST /v1/invitations/accept": ("anonymous", acceptance),
    "DELETE /v1/members/{member_id}": ("company", departure),
    "PUT /v1/members/{member_id}/administrator": ("company", administering),
    "DELETE /v1/members/{member_id}/administrator": ("company", no_longer),
    "POST /v1/me/second-factor": ("inspector", lambda _: ("/v1/me/second-factor", {})),
    "POST /v1/me/second-factor/confirm": ("inspector", enrolment),
    "POST /v1/me/credentials": (
        "inspector",
        lambda s: ("/v1/me/credentials", {"json": {"name": "Key", "registration": s.app.inspector.registration()}}),
    ),
    "DELETE /v1/me/credentials/{credential_id}": (
        "inspector",
        lambda s: (f"/v1/me/credentials/{s.app.inspector.add_authenticator()}", {}),
    ),
    "POST /v1/me/identities": (
        "company",
        lambda s: ("/v1/me/identities", {"json": provider_links.unlinked(s.company)}),
    ),
    "DELETE /v1/me/identities/{identity_id}": ("company", own_identity),
    "POST /v1/me/passkeys": ("company", new_passkey),
    "PUT /v1/me/passkeys/{passkey_id}": (
        "company",
        lambda s: (f"/v1/me/passkeys/{passkeys.registered(s.company)[1]['id']}", {"json": {"name": "Other"}}),
    ),
    "DELETE /v1/me/passkeys/{passkey_id}": (
        "company",
        lambda s: (f"/v1/me/passkeys/{passkeys.registered(s.company)[1]['id']}", {}),
    ),
    "POST /v1/authorities": (
        "company",
        lambda _: ("/v1/authorities", {"json": AUTHORITY | {"email": "agent@sample.example"}}),
    ),
    "DELETE /v1/authorities/{authority_id}": ("company", given_authority),
    "POST /v1/me/authorities/{authority_id}/accept": (
        "company",
        lambda s: (f"/v1/me/authorities/{offered_to_company(s)}/accept", {}),
    ),
    "DELETE /v1/me/authorities/{authority_id}": (
        "company",
        lambda s: (f"/v1/me/authorities/{offered_to_company(s)}", {}),
    ),
    "POST /v1/users": (
        "owner",
        lambda _: ("/v1/users", {"json": {"email": "next@staff.example", "full_name": "Leyla", "roles": ["auditor"]}}),
    ),
    "DELETE /v1/users/{user_id}": ("owner", lambda s: (user(s), {})),
    "POST /v1/proposals": ("owner", lambda s: ("/v1/proposals", {"json": role_of(user(s))})),
    "DELETE /v1/users/{user_id}/roles/{role}": ("owner", lambda s: (f"{user(s)}/roles/auditor", {})),
    "POST /v1/users/{user_id}/password-resets": ("owner", lambda s: (f"{user(s)}/password-resets", {})),
    "POST /v1/proposals/{proposal_id}/confirm": ("owner", lambda s: at(asked_access(s), "/confirm")),
    "POST /v1/proposals/{proposal_id}/refuse": ("owner", lambda s: at(asked_access(s), "/refuse")),
    "POST /v1/proposals/{proposal_id}/withdraw": ("owner", lambda s: at(own_proposal(s), "/withdraw")),
    "POST /v1/jobs/{job_id}/retry": ("owner", lambda s: at(f"/v1/jobs/{s.app.park_job()}", "/retry")),
    "POST /v1/mail-deliveries/{mail_id}/retry": (
        "owner",
        lambda s: (f"/v1/mail-deliveries/{s.app.fail_mail()}/retry", {}),
    ),
    "POST /v1/calendar/holidays": ("owner", lambda _: ("/v1/calendar/holidays", {"json": NOVRUZ})),
    "POST /v1/applications/assign": ("reviewer", assignment),
    "POST /v1/applications/{application_id}/hand-over": ("reviewer", handing_over),
    "POST /v1/applications/{application_id}/notes": (
        "reviewer",
        lambda s: (f"{s.case('submitted')}/notes", {"json": {"text": "Called the park."}}),
    ),
    "POST /v1/organisations/{organisation_id}/evidence": (
        "registrar",
        lambda s: finding(f"/v1/organisations/{s.company.organisation_id}"),
    ),
    "POST /v1/organisations/{organisation_id}/sanctions-screening/decisions": (
        "registrar",
        candidate,
    ),
    "POST /v1/evidence/{evidence_id}/confirm": ("registrar", unread),
    "POST /v1/evidence/{evidence_id}/withdraw-confirmation": ("registrar", read),
    "POST /v1/evidence/{evidence_id}/withdraw": ("company", own_paper),
}

BY_STAFF = {
    "POST /v1/applications/{application_id}/evidence": ("registrar", lambda s: finding(s.case("submitted"))),
}
"""Where the staff writes to the same address as the company."""

# What is shown once, in the first answer only
SECRETS = {
    "/v1/api-clients": ("client_secret",),
    "/v1/webhooks": ("secret",),
    "rotate-secret": ("secret",),
    "/v1/me/second-factor": ("secret", "otpauth"),
    "secrets": ("client_secret",),
}


def changing(app):
    """`POST /v1/sites` → what the document says of it, for every address that changes something."""
    return {
        f"{method.upper()} {path}": operation
        for path, operations in app.fastapi.openapi()["paths"].items()
        for method, operation in operations.items()
        if method in CHANGES
    }


def test_every_change_declares_the_key_and_has_a_case(app):
    found = changing(app)
    assert found.keys() == CASES.keys() | BY_STAFF.keys() | KEEPS_NO_ANSWER.keys(), (
        "give a new address its case, an old one its rest"
    )
    declaring = {
        name
        for name, operation in found.items()
        if any(each["name"] == "Idempotency-Key" and each["in"] == "header" for each in operation.get("parameters", []))
    }
    assert declaring == CASES.keys()


def test_every_change_honours_the_key(app):
    stage = Stage(app)
    wrong = []
    for name, (who, prepare) in [*CASES.items(), *BY_STAFF.items()]:
        try:
            honours(app, stage, name.split()[0], who, prepare)
        except AssertionError as why:  # all of them at once
            wrong.append(f"{name}: {why}")
    assert wrong == []


def honours(app, stage, method, who, prepare):
    callers = {"company": lambda: stage.company, "sealed": stage.sealed}
    caller = callers.get(who, lambda: getattr(app, who))()
    path, request = prepare(stage)
    if request.get("version") == "now":  # for the retry this is an old version: the first try changed it
        request["version"] = caller.version_of(path)
    key = new_key()
    before = events(app)
    first = caller.request(method, path, headers=keyed(key), **request)
    assert first.status_code in {200, 201, 202, 204}, first.text
    assert not is_replay(first)
    done = events(app)
    assert done > before
    again = caller.request(method, path, headers=keyed(key), **request)
    assert events(app) == done
    once = SECRETS.get(path) or SECRETS.get(path.rpartition("/")[2])
    if once:
        assert is_replay(again)
        assert all(first.json()[name] for name in once)
        assert again.json() == first.json() | dict.fromkeys(once)
    else:
        same(first, again)
