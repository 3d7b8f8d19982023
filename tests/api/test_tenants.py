"""Who gets through which door, for every route of the OpenAPI document: a new route turns these tests red until it is
entered into the table below.
"""

import base64
import itertools
import re
import secrets

import pytest

from tests.auth import passkeys, provider_links
from tests.factories import PASSWORD, PDF, in_state, ok, product, program_of
from tests.helpers import refused
from tests.second_factor import NEEDED

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
NOWHERE = "00000000-0000-7000-8000-000000000000"
METHODS = ("get", "head", "put", "post", "delete", "patch")

PUBLIC = """
    GET  /v1/verify/{number}
    HEAD /v1/verify/{number}
    POST /v1/verify
    POST /v1/verify/batch
    POST /v1/verify/file
    POST /v1/auth/token
    POST /v1/auth/revoke
    GET  /v1/auth/providers
    GET  /v1/auth/oidc/{provider}/start
    GET  /v1/auth/oidc/{provider}/callback
    POST /v1/auth/oidc/{provider}/backchannel-logout
    POST /v1/auth/passkey/options
    POST /v1/auth/password-reset
    POST /v1/auth/password-resets
    POST /v1/invitations/accept
    POST /v1/registrations
    POST /v1/registrations/confirm
    POST /v1/reports
    POST /v1/watches
    POST /v1/watches/unsubscribe
    GET  /v1/certificates
    GET  /v1/certificates/{number}
    GET  /v1/certificates/{number}/qr.svg
    GET  /v1/certificates/{number}/qr.png
    GET  /v1/certificates/{number}/label.svg
    GET  /v1/certificates/{number}/certificate.pdf
    GET  /v1/certificates/{number}/events.atom
    GET  /v1/holders/{holder_id}/events.atom
    GET  /v1/headings/{heading}/events.atom
    GET  /v1/certificates.csv
    GET  /v1/certificates.jsonl
    GET  /v1/certificates/{number}/badge.svg
    GET  /v1/certificates/{number}/credential.jwt
    GET  /01/{gtin}
    GET  /01/{gtin}/{qualifiers}
    GET  /.well-known/gs1resolver
    GET  /v1/schemes
    GET  /v1/schemes/{code}
    GET  /v1/schemes/{code}/rulesets
    GET  /v1/evidence-kinds
    GET  /v1/operations
    GET  /v1/units
    GET  /v1/flags
    GET  /v1/headings
    GET  /v1/calendar
    GET  /v1/parks
    GET  /v1/parks/{code}
    GET  /v1/certificates/{number}/log-proof
    GET  /log/checkpoint
    GET  /log/vkey
    GET  /log/tile/{coordinates}
    GET  /log/consistency
    GET  /.well-known/jwks.json
    GET  /v1/contexts/{shape}
    GET  /v1/schemas/{shape}
    GET  /v1/render-templates/{shape}
    GET  /v1/imports/templates/{name}
    GET  /v1/status-lists/{list}
    GET  /.well-known/did.json
    GET  /health/live
    GET  /health/ready
"""

COMPANY = "applicant program"
READERS = "registrar reviewer approver owner auditor"
STAFF = f"{READERS} inspector"

# route → who is let in (whatever else may be wrong with the request); everybody else is refused with 403
DOORS = {
    "GET    /v1/me": f"{COMPANY} {STAFF} stranger",
    "POST   /v1/me/password": f"applicant stranger {STAFF}",
    "POST   /v1/me/second-factor": STAFF,
    "POST   /v1/me/second-factor/confirm": STAFF,
    "GET    /v1/me/credentials": STAFF,
    "GET    /v1/me/credentials/options": STAFF,
    "POST   /v1/me/credentials": STAFF,
    "DELETE /v1/me/credentials/{credential_id}": STAFF,
    "POST   /v1/auth/step-up": f"applicant stranger {STAFF}",
    "GET    /v1/me/session": f"applicant stranger {STAFF}",
    "GET    /v1/me/identities": f"applicant stranger {STAFF}",
    "POST   /v1/me/identities": f"applicant stranger {STAFF}",
    "DELETE /v1/me/identities/{identity_id}": "",  # of somebody else
    "GET    /v1/me/passkeys": f"applicant stranger {STAFF}",
    "POST   /v1/me/passkeys/options": f"applicant stranger {STAFF}",
    "POST   /v1/me/passkeys": f"applicant stranger {STAFF}",
    "PUT    /v1/me/passkeys/{passkey_id}": "",  # of somebody else
    "DELETE /v1/me/passkeys/{passkey_id}": "",  # of somebody else
    "GET    /v1/me/authorities": f"applicant stranger {STAFF}",
    "POST   /v1/me/authorities/{authority_id}/accept": "",  # of somebody else
    "DELETE /v1/me/authorities/{authority_id}": "",  # of somebody else
    "POST   /v1/authorities": "applicant stranger",
    "DELETE /v1/authorities/{authority_id}": "",  # of somebody else
    "GET    /v1/organisations/{organisation_id}/authorities": f"applicant {STAFF}",
    # applicant
    "GET    /v1/sites": f"{COMPANY} stranger",
    "POST   /v1/sites": f"{COMPANY} stranger",
    "GET    /v1/sites/{site_id}": f"{COMPANY} {STAFF}",
    "PUT    /v1/sites/{site_id}": f"{COMPANY} registrar",
    "GET    /v1/products": f"{COMPANY} stranger",
    "POST   /v1/products": f"{COMPANY} stranger",
    "GET    /v1/products/{product_id}": f"{COMPANY} {STAFF}",
    "PUT    /v1/products/{product_id}": COMPANY,
    "POST   /v1/products/{product_id}/retire": COMPANY,
    "POST   /v1/schemes/{code}/assessments": f"{COMPANY} stranger",
    "GET    /v1/products.csv": f"{COMPANY} stranger",
    "GET    /v1/products.jsonl": f"{COMPANY} stranger",
    "GET    /v1/applications.csv": f"{COMPANY} stranger",
    "GET    /v1/applications.jsonl": f"{COMPANY} stranger",
    "GET    /v1/my/certificates": f"{COMPANY} stranger",
    "GET    /v1/my/certificates.csv": f"{COMPANY} stranger",
    "GET    /v1/my/certificates.jsonl": f"{COMPANY} stranger",
    "POST   /v1/imports/products": f"{COMPANY} stranger",
    "POST   /v1/imports/applications": f"{COMPANY} stranger",
    "GET    /v1/verify/manifests": f"{COMPANY} stranger {STAFF}",
    "POST   /v1/verify/manifests": f"{COMPANY} stranger {STAFF}",
    "GET    /v1/verify/manifests/{manifest_id}": COMPANY,
    "GET    /v1/verify/manifests/{manifest_id}/result.csv": COMPANY,
    "GET    /v1/verify/manifests/{manifest_id}/result.jwt": COMPANY,
    "POST   /v1/verify/manifests/{manifest_id}/cancel": COMPANY,
    "POST   /v1/applications/{application_id}/copy": COMPANY,
    "GET    /v1/applications": f"{COMPANY} stranger {READERS}",
    "POST   /v1/applications": f"{COMPANY} stranger",
    "GET    /v1/applications/{application_id}": f"{COMPANY} {READERS}",
    "PUT    /v1/applications/{application_id}": COMPANY,
    "POST   /v1/applications/{application_id}/submit": COMPANY,
    "POST   /v1/applications/{application_id}/respond": COMPANY,
    "GET    /v1/applications/{application_id}/declaration": f"{COMPANY} {READERS}",
    "POST   /v1/applications/{application_id}/declaration": "applicant",
    "POST   /v1/applications/{application_id}/withdraw": COMPANY,
    "GET    /v1/applications/{application_id}/assessment": f"{COMPANY} {READERS}",
    "GET    /v1/applications/{application_id}/timeline": f"{COMPANY} {READERS}",
    "POST   /v1/applications/{application_id}/evidence": f"{COMPANY} registrar reviewer",
    "GET    /v1/applications/{application_id}/evidence": f"{COMPANY} {READERS}",
    "GET    /v1/applications/{application_id}/evidence/{evidence_id}": f"{COMPANY} {READERS}",
    "DELETE /v1/applications/{application_id}/evidence/{evidence_id}": COMPANY,
    "GET    /v1/applications/{application_id}/earlier-decisions": f"{COMPANY} {READERS}",
    "GET    /v1/organisations/{organisation_id}/evidence": f"{COMPANY} {READERS}",
    "POST   /v1/organisations/{organisation_id}/evidence": f"{COMPANY} registrar reviewer",
    "GET    /v1/evidence/{evidence_id}": f"{COMPANY} {READERS}",
    "GET    /v1/evidence/{evidence_id}/file": f"{COMPANY} {READERS}",
    "POST   /v1/evidence/{evidence_id}/withdraw": "applicant",
    "POST   /v1/evidence/{evidence_id}/confirm": "registrar reviewer",
    "POST   /v1/evidence/{evidence_id}/withdraw-confirmation": "registrar reviewer",
    "GET    /v1/members": "applicant stranger",  # people decide about people
    "DELETE /v1/members/{member_id}": "applicant",
    "PUT    /v1/members/{member_id}/administrator": "applicant registrar",
    "DELETE /v1/members/{member_id}/administrator": "applicant registrar",
    "GET    /v1/invitations": "applicant stranger",
    "POST   /v1/invitations": "applicant stranger",
    "DELETE /v1/invitations/{invitation_id}": "applicant",
    "GET    /v1/events": f"{COMPANY} stranger",
    "GET    /v1/inbox": f"applicant stranger {STAFF}",
    "POST   /v1/inbox/read": f"applicant stranger {STAFF}",
    "POST   /v1/inbox/{notice_id}/read": "applicant",
    "GET    /v1/me/notification-settings": f"applicant stranger {STAFF}",
    "PUT    /v1/me/notification-settings": f"applicant stranger {STAFF}",
    "GET    /v1/webhooks": f"{COMPANY} stranger",
    "POST   /v1/webhooks": f"{COMPANY} stranger",
    "GET    /v1/webhooks/{webhook_id}": COMPANY,
    "PUT    /v1/webhooks/{webhook_id}": COMPANY,
    "DELETE /v1/webhooks/{webhook_id}": COMPANY,
    "POST   /v1/webhooks/{webhook_id}/rotate-secret": COMPANY,
    "POST   /v1/webhooks/{webhook_id}/enable": COMPANY,
    "POST   /v1/webhooks/{webhook_id}/test": COMPANY,
    "POST   /v1/webhooks/{webhook_id}/redeliver": COMPANY,
    "GET    /v1/webhooks/{webhook_id}/deliveries": COMPANY,
    "POST   /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": COMPANY,
    "GET    /v1/api-clients": f"{COMPANY} stranger",
    "POST   /v1/api-clients": "applicant stranger",  # by a person
    "GET    /v1/api-clients/{client_id}": COMPANY,
    "DELETE /v1/api-clients/{client_id}": "applicant",
    "POST   /v1/api-clients/{client_id}/secrets": "applicant",
    "DELETE /v1/api-clients/{client_id}/secrets/{secret_id}": "applicant",
    "GET    /v1/schemes/{code}/impact": "owner auditor",
    # reviewer, approver
    "GET    /v1/applications/{application_id}/notes": READERS,
    "POST   /v1/applications/{application_id}/notes": "registrar reviewer approver owner",
    "POST   /v1/applications/assign": "reviewer",
    "POST   /v1/applications/{application_id}/claim": "reviewer",
    "POST   /v1/applications/{application_id}/hand-over": "reviewer",
    "POST   /v1/applications/{application_id}/release": "reviewer",
    "POST   /v1/applications/{application_id}/request-information": "reviewer",
    "POST   /v1/applications/{application_id}/recommend": "reviewer",
    "POST   /v1/applications/{application_id}/visit-waiver": "owner",
    "POST   /v1/applications/{application_id}/approve": "approver",
    "POST   /v1/applications/{application_id}/reject": "approver",
    "POST   /v1/applications/{application_id}/return": "approver",
    # registrar
    "GET    /v1/organisations": STAFF,
    "GET    /v1/organisations/{organisation_id}": f"{COMPANY} {STAFF}",
    "GET    /v1/organisations/{organisation_id}/claims": f"applicant {READERS}",
    "GET    /v1/organisations/{organisation_id}/sanctions-screening": READERS,
    "POST   /v1/organisations/{organisation_id}/sanctions-screening/decisions": "registrar reviewer",
    "GET    /v1/residencies": f"{COMPANY} {STAFF} stranger",
    "GET    /v1/claims": f"applicant stranger {READERS}",
    "POST   /v1/claims": "applicant stranger",  # whose claim was refused; others are told so
    "GET    /v1/claims/{claim_id}": f"applicant {READERS}",
    "POST   /v1/claims/{claim_id}/propose": "registrar",
    "POST   /v1/claims/{claim_id}/confirm": "registrar",
    "POST   /v1/claims/{claim_id}/refuse": "registrar",
    "POST   /v1/residencies": "registrar",
    "GET    /v1/residencies/{residency_id}": f"{COMPANY} {STAFF}",
    "POST   /v1/residencies/{residency_id}/end": "registrar",
    "POST   /v1/residencies/{residency_id}/cancel": "registrar",
    "POST   /v1/residencies/{residency_id}/restore": "registrar",
    "PUT    /v1/residencies/{residency_id}/stage": "registrar",
    "POST   /v1/register/imports": "registrar",
    # owner, holder
    "POST   /v1/certificates/{number}/suspend": "owner",
    "POST   /v1/certificates/{number}/reinstate": "owner",
    "POST   /v1/certificates/{number}/revoke": "owner",
    "POST   /v1/certificates/{number}/surrender": COMPANY,
    "POST   /v1/certificates/{number}/changes": "applicant",  # a person tells
    "GET    /v1/certificates/{number}/description": f"{COMPANY} {READERS}",
    "GET    /v1/matters": "owner registrar auditor",
    "GET    /v1/matters/{matter_id}": "owner registrar auditor",
    "POST   /v1/matters/{matter_id}/close": "owner registrar",
    "GET    /v1/reports": "owner registrar auditor",
    "GET    /v1/reports/{report_id}/photo": "owner registrar auditor",
    # owners, and who watches them
    "POST   /v1/calendar/holidays": "owner",
    "GET    /v1/audit": "owner auditor",
    "GET    /v1/jobs": "owner auditor",
    "GET    /v1/jobs/{job_id}": "owner auditor",
    "POST   /v1/jobs/{job_id}/retry": "owner",
    "GET    /v1/mail-deliveries": "owner auditor",
    "POST   /v1/mail-deliveries/{mail_id}/retry": "owner",
    "GET    /v1/users": "owner auditor",
    "POST   /v1/users": "owner",
    "GET    /v1/users/{user_id}": "owner auditor",
    "DELETE /v1/users/{user_id}": "owner",
    "DELETE /v1/users/{user_id}/roles/{role}": "owner",
    "POST   /v1/users/{user_id}/password-resets": "owner",  # of a member of staff; a company's is the registrar's
    "GET    /v1/proposals": "owner auditor",
    "POST   /v1/proposals": "owner",
    "GET    /v1/proposals/{proposal_id}": "owner auditor",
    "POST   /v1/proposals/{proposal_id}/confirm": "owner",
    "POST   /v1/proposals/{proposal_id}/refuse": "owner",
    "POST   /v1/proposals/{proposal_id}/withdraw": "owner",
}

# What takes a recent code of the authenticator, whoever it is
OF_A_COMPANY = {"site_id", "product_id", "application_id", "evidence_id", "client_id", "organisation_id"}
OF_A_COMPANY |= {"residency_id", "member_id", "invitation_id", "claim_id", "secret_id", "manifest_id"}
OF_A_COMPANY |= {"webhook_id", "delivery_id"}
OF_ONESELF = {"identity_id", "passkey_id", "authority_id", "notice_id"}
OF_THE_HOUSE = {"user_id", "proposal_id", "role", "matter_id", "report_id", "job_id", "mail_id"}
OF_NOBODY = {
    "number",
    "holder_id",
    "heading",
    "credential_id",
    "provider",
    "code",
    "coordinates",
    "shape",
    "list",
    "gtin",
    "qualifiers",
    "name",
}  # what is public; what only the holder does with a certificate is looked at by itself
OF_THE_HOLDER = ("/surrender", "/changes", "/description")
CHANGE = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}
TAKES_FORM = {"POST /v1/claims", "POST /v1/register/imports", "POST /v1/auth/token", "POST /v1/auth/revoke"}
TAKES_FORM |= {"POST /v1/auth/oidc/{provider}/backchannel-logout"}
TAKES_FORM |= {"POST /v1/imports/products", "POST /v1/imports/applications", "POST /v1/verify/manifests"}
TAKES_FORM |= {
    f"POST /v1/{whose}/evidence" for whose in ("applications/{application_id}", "organisations/{organisation_id}")
}


def lines(text):
    return {" ".join(line.split()) for line in text.strip().splitlines()}


PUBLIC = lines(PUBLIC)
DOORS = {" ".join(route.split()): set(who.split()) for route, who in DOORS.items()}


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


def invitation(company):
    return ok(company.post("/v1/invitations", json={"email": f"{secrets.token_hex(8)}@sample.example"}))


def member(company):
    """Id of one more member of the company."""
    joining = {
        "token": company.app.code(invitation(company)["email"]),
        "full_name": "Kənan Nümunə",
        "password": PASSWORD,
    }
    return ok(company.app.anonymous.post("/v1/invitations/accept", json=joining))["user_id"]


def authority(app, agent):
    """Id of an authority that one more company offers to this person."""
    body = {"email": f"member@{agent.voen}.example", "scopes": ["read"]}
    days = {"first_day": "2026-11-22", "last_day": "2026-12-31"}
    return ok(app.set_up_company(evidence=()).post("/v1/authorities", json=body | days))["id"]


def report_with_photo(app):
    photo = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    ok(app.anonymous.post("/v1/reports", json={"address": "https://mik-az.example/", "photo": photo}))
    return ok(app.owner.get("/v1/reports"))["items"][-1]["id"]


def role_of(user_id, role):
    return {"kind": "role", "content": {"user_id": str(user_id), "role": role}}


@pytest.fixture(scope="module")
def things(shared_app, company):
    """One of everything, in the hands of the company."""
    app = shared_app
    number = app.certify(company, company.add_product(gtin="4006381333931"))
    draft = company.draft()
    program = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    another_owner = app.staff("owner", name="another-owner")
    newcomer = app.staff("inspector", name="newcomer").id
    change = ok(company.post(f"/v1/certificates/{number}/changes", json=CHANGE))
    manifest = ok(company.post("/v1/verify/manifests", files={"file": ("numbers.txt", number.encode())}))
    webhook = company.add_webhook()
    delivery = ok(company.post(f"/v1/webhooks/{webhook['id']}/test"))
    app.run_jobs()
    app.follow_events()
    somebody = app.set_up_company(evidence=())
    asked = another_owner.post("/v1/proposals", json=role_of(newcomer, "auditor"))
    return {
        "site_id": company.site_id,
        "product_id": company.add_product(),
        "application_id": draft,
        "evidence_id": ok(company.add_evidence(draft))["id"],
        "client_id": program["id"],
        "secret_id": program["secrets"][0]["id"],
        "case_id": in_state(app, company, "recommended"),
        "organisation_id": company.organisation_id,
        "claim_id": company.claim_id,
        "residency_id": ok(company.get("/v1/residencies"))["items"][0]["id"],
        "member_id": member(company),
        "invitation_id": invitation(company)["id"],
        "user_id": newcomer,
        "proposal_id": ok(asked)["id"],
        "own_proposal_id": ok(app.owner.post("/v1/proposals", json=role_of(newcomer, "reviewer")))["id"],
        "credential_id": NOWHERE,
        "identity_id": provider_links.link(somebody)["id"],
        "passkey_id": passkeys.registered(somebody)[1]["id"],
        "authority_id": authority(app, somebody),
        "provider": "sample",
        "role": "inspector",
        "matter_id": change["id"],
        "report_id": report_with_photo(app),
        "job_id": app.park_job(),
        "mail_id": app.fail_mail(),
        "notice_id": ok(company.get("/v1/inbox?type=certificate.issued"))["items"][0]["id"],
        "manifest_id": manifest["id"],
        "holder_id": company.organisation_id,
        "heading": "7306",
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "name": "products.csv",
        "number": number,
        "coordinates": "0/000.p/1",
        "shape": "certificate-3",
        "list": "revocation-1",
        "code": "MIK",
        "gtin": "4006381333931",
        "qualifiers": "10/A1",
    }


@pytest.fixture(scope="module")
def stranger(shared_app):
    return shared_app.set_up_company()


@pytest.fixture(scope="module")
def routes(shared_app):
    paths = ok(shared_app.anonymous.get("/openapi.json"))["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


def under_review(things, route):
    """What only staff act on is the application under review; everybody else has the draft."""
    if route.endswith("/withdraw") and "{proposal_id}" in route:
        return things | {"proposal_id": things["own_proposal_id"]}
    if "{application_id}" in route and "applicant" not in DOORS[route]:
        return things | {"application_id": things["case_id"]}
    return things


def call(caller, route, things, **more):
    method, path = route.split()
    if "/parks/" in path:
        things = things | {"code": "AGDAM-SP"}
    if route in TAKES_FORM and "content" not in more:
        more.setdefault("files", {"file": ("statement.pdf", PDF)})
    return caller.request(method, path.format(**things), **more)


def fresh(company, things):
    """With a file, a program and people that may be removed."""
    app = company.app
    newcomer = {"email": f"{secrets.token_hex(8)}@staff.example", "full_name": "Leyla Nümunə"}
    people = {
        "member_id": member(company),
        "invitation_id": invitation(company)["id"],
        "user_id": ok(app.owner.post("/v1/users", json=newcomer))["id"],
    }
    evidence = ok(company.add_evidence(things["application_id"], content=PDF + secrets.token_bytes(8)))
    program = ok(company.post("/v1/api-clients", json={"name": "For a day"}))
    for webhook in ok(company.get("/v1/webhooks"))["items"]:
        if webhook["id"] != things["webhook_id"]:
            company.delete(f"/v1/webhooks/{webhook['id']}")  # a company has so many at most
    return (
        things
        | people
        | {
            "evidence_id": evidence["id"],
            "webhook_id": company.add_webhook()["id"],
            "client_id": program["id"],
            "secret_id": program["secrets"][0]["id"],
        }
    )


def parameters(route):
    return set(re.findall(r"{(\w+)}", route))


def about_a_company(routes):
    return sorted(route for route in routes if parameters(route) & OF_A_COMPANY)


def test_every_route_has_its_entry(routes):
    assert routes == PUBLIC | DOORS.keys()
    assert not PUBLIC & DOORS.keys()
    assert {
        name for route in routes for name in parameters(route)
    } == OF_A_COMPANY | OF_ONESELF | OF_THE_HOUSE | OF_NOBODY
    assert all(route.split()[0].lower() in METHODS for route in routes)


def test_nothing_private_without_a_token(shared_app, things, routes):
    for route in sorted(routes - PUBLIC):
        answer = call(shared_app.anonymous, route, things)
        refused(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer", route
        for header in ("Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer " + "a" * 5_000, "bearer a.b.c"):
            refused(call(shared_app.anonymous, route, things, headers={"Authorization": header}), 401)


def test_everything_public_without_a_token(shared_app, things):
    for route in sorted(PUBLIC):
        assert call(shared_app.anonymous, route, things).status_code not in {401, 403, 404}, route


def test_what_is_public_needs_no_token_to_be_right(shared_app, things):
    """A page that sends its old token along still reads the public register."""
    for route in sorted(PUBLIC):
        headers = {"Authorization": "Bearer long-gone"}
        assert call(shared_app.anonymous, route, things, headers=headers).status_code not in {401, 403}, route


def test_the_document_says_which_routes_need_a_token(shared_app, routes):
    paths = ok(shared_app.anonymous.get("/openapi.json"))["paths"]
    secured = {
        f"{m.upper()} {p}" for p, operations in paths.items() for m, o in operations.items() if o.get("security")
    }
    assert secured == routes - PUBLIC


@pytest.mark.parametrize("route", sorted(DOORS))
def test_every_role_at_every_door(shared_app, company, stranger, things, route):
    app = shared_app
    staff = {role: app.staff(role) for role in STAFF.split()}
    callers = staff | {"stranger": stranger, "program": program_of(company), "applicant": company}
    suited = under_review(things, route)
    for name, caller in callers.items():
        ids = fresh(company, things) if route.startswith("DELETE") and not parameters(route) & OF_ONESELF else suited
        if "credential_id" in parameters(route) and caller.is_staff:
            ids |= {"credential_id": caller.add_authenticator()}
        answer = call(caller, route, ids)
        if name in DOORS[route]:
            assert answer.status_code not in {401, 403, 404}, f"{name} at {route}: {answer.text}"
            assert answer.status_code < 500, answer.text
        elif (
            (parameters(route) & OF_ONESELF and name != "program")
            or "manifest_id" in parameters(route)
            or (name == "stranger" and (parameters(route) & OF_A_COMPANY or route.endswith(OF_THE_HOLDER)))
        ):  # staff send lists of numbers too, and everybody sees their own things alone
            refused(answer, 404, "not-found")
        else:
            assert refused(answer, 403)["code"] in {"forbidden", "not-case-holder"}


def test_another_companys_things_are_absent(stranger, things, routes):
    """On every route, whatever else is said: not even the version or the body is looked at."""
    for route in about_a_company(routes):
        wanted, suited = parameters(route), under_review(things, route)
        for more in (
            {},
            {"version": 1},
            {"headers": {"If-Match": "x"}},
            {"json": {"reason": "x"}},
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
        ):
            if route in TAKES_FORM and more.keys() & {"json", "content"}:
                continue
            if route.startswith("GET") and more:
                continue
            document = refused(call(stranger, route, suited, **more), 404, "not-found")
            assert not any(suited[name] in str(document) for name in wanted), route


def test_what_is_absent_looks_the_same_as_another_companys(stranger, things, routes):
    nowhere = "00000000-0000-7000-8000-000000000000"
    for route in about_a_company(routes):
        wanted = parameters(route) & OF_A_COMPANY
        absent = refused(call(stranger, route, things | dict.fromkeys(wanted, nowhere)), 404)
        assert refused(call(stranger, route, under_review(things, route)), 404) == absent, route


def test_what_cannot_be_an_id_names_nothing(company, things, routes):
    shapes = ("x", "%00", "%ED%A0%80", "1", "..%2F..", "%E2%80%AE", "a" * 300, "'%20OR%201=1", "{}", "null")
    for route, shape in itertools.product(about_a_company(routes), shapes):
        wanted = parameters(route) & OF_A_COMPANY
        answer = call(company, route, things | dict.fromkeys(wanted, shape))
        # 403 where the company has no business at all, whatever the id
        refused(answer, answer.status_code)
        assert answer.status_code in ({404} if "applicant" in DOORS[route] else {403, 404}), f"{route} {shape}"


def test_evidence_is_found_only_through_its_own_application(company, things):
    path = "/v1/applications/{}/evidence/{}"
    other = company.draft()
    for caller in (company, company.app.reviewer):
        refused(caller.get(path.format(other, things["evidence_id"])), 404, "not-found")
    refused(company.delete(path.format(other, things["evidence_id"])), 404, "not-found")
    assert company.get(path.format(things["application_id"], things["evidence_id"])).status_code == 200


def test_bodies_do_not_reach_into_another_company(stranger, things):
    own_draft = stranger.draft()
    by_site = stranger.post("/v1/products", json=product(things["site_id"]))
    assert refused(by_site, 422, "invalid")["errors"][0]["pointer"] == "/site_id"
    body = {"scheme": "MIK", "product_ids": [things["product_id"]]}
    assert (
        refused(stranger.post("/v1/applications", json=body), 422, "invalid")["errors"][0]["pointer"]
        == "/product_ids/0"
    )
    changed = stranger.put(f"/v1/applications/{own_draft}", json={"product_ids": body["product_ids"]}, version="now")
    refused(changed, 422, "invalid")
    dry = stranger.post("/v1/schemes/MIK/assessments", json={"product_ids": body["product_ids"]})
    refused(dry, 404, "not-found")
    refused(stranger.add_evidence(own_draft, product_id=things["product_id"]), 422, "invalid")
    refused(stranger.get("/v1/residencies", params={"organisation_id": things["organisation_id"]}), 404, "not-found")


def test_lists_hold_the_own_things_only(shared_app, company, stranger, things):
    mine = {"sites": things["site_id"], "products": things["product_id"], "applications": things["application_id"]}
    mine |= {"api-clients": things["client_id"], "webhooks": things["webhook_id"]}
    mine |= {"residencies": things["residency_id"]}
    for collection, thing in mine.items():
        own = {each["id"] for each in ok(company.get(f"/v1/{collection}?limit=100"))["items"]}
        theirs = {each["id"] for each in ok(stranger.get(f"/v1/{collection}?limit=100"))["items"]}
        assert thing in own, collection
        assert not own & theirs, collection


def test_the_desk_lists_no_drafts(shared_app, things):
    ids = {case["id"] for case in ok(shared_app.reviewer.get("/v1/applications?limit=100"))["items"]}
    assert things["case_id"] in ids
    assert things["application_id"] not in ids


def test_the_applicant_reads_nothing_of_the_house(shared_app, company, stranger, things):
    """Who reviews, what was recommended and why a case went back is for the staff."""
    app = shared_app
    secret = "A note that only the staff may read."
    app.approver.act(f"/v1/applications/{things['case_id']}/return", {"reason": secret})
    app.review(things["case_id"])
    for path in (f"/v1/applications/{things['case_id']}", f"/v1/applications/{things['case_id']}/timeline"):
        text = company.get(path).text
        assert company.get(path).status_code == 200
        for hidden in (app.reviewer.id, app.approver.id, secret, "Reviewer", "Approver"):
            assert hidden not in text, (path, hidden)
    assert secret in app.reviewer.get(f"/v1/applications/{things['case_id']}/timeline").text


def test_what_only_staff_read_of_an_application_reaches_no_company(shared_app, company, things):
    """One address for both, and the members that are for the staff are empty for the company."""
    app, path = shared_app, f"/v1/applications/{things['case_id']}"
    for by_staff, shown in ((True, ok(app.auditor.get(path))), (False, ok(company.get(path)))):
        assert (shown["assignee_id"], shown["recommendation"] is not None) == (
            (app.reviewer.id, True) if by_staff else (None, False)
        )
    everybody = {each["id"]: each for each in ok(company.get("/v1/applications?limit=100"))["items"]}
    assert {each["assignee_id"] for each in everybody.values()} == {None}
    for assignee in ("me", app.reviewer.id, app.approver.id, "x"):  # so nobody finds out who reviews
        same = ok(company.get("/v1/applications", params={"limit": 100, "assignee": assignee}))["items"]
        assert [each["id"] for each in same] == list(everybody)
    refused(app.reviewer.get("/v1/applications?assignee=x"), 422, "invalid")
    refused(company.get(f"{path}/notes"), 403, "forbidden")


def test_decisions_take_a_recent_second_factor(shared_app, things):
    """Signed in with no more than a password: these doors are closed, all others are as they were."""
    for route, who in DOORS.items():
        for role in who & set(STAFF.split()):
            caller = shared_app.staff(role).without_factor()
            if route.startswith("DELETE") and route not in NEEDED:
                continue
            answer = call(caller, route, under_review(things, route))
            if route in NEEDED:
                refused(answer, 403, "second-factor-required")
            else:
                assert answer.status_code not in {401, 403, 404}, f"{role} at {route}: {answer.text}"


def test_what_is_of_the_house_is_nothing_to_a_company(shared_app, stranger, things, routes):
    """Neither people of the staff nor what owners asked for: 403 for every id, so that none can be found out."""
    nowhere = dict.fromkeys(OF_THE_HOUSE, "00000000-0000-7000-8000-000000000000")
    for route in sorted(route for route in routes if parameters(route) & OF_THE_HOUSE):
        for caller in (stranger, shared_app.reviewer, shared_app.inspector):
            for ids in (things, things | nowhere, things | dict.fromkeys(OF_THE_HOUSE, "x")):
                refused(call(caller, route, ids), 403, "forbidden")
        for wrong in ("00000000-0000-7000-8000-000000000000", "x", "%00", "%ED%A0%80", "a" * 300, things["member_id"]):
            ids = things | dict.fromkeys(OF_THE_HOUSE, wrong)
            document = refused(call(shared_app.owner, route, ids), 403 if is_way_in(route, wrong, things) else 404)
            assert "Nümunə" not in str(document)


def is_way_in(route, user_id, things):
    """A new password of a company's member: owners know of nobody there, and it is the registrar's anyway."""
    return route.endswith("/password-resets") and user_id == things["member_id"]


def test_who_has_a_password_reset_mailed(shared_app, company, stranger, things):
    app = shared_app
    of_member, of_staff = (f"/v1/users/{things[who]}/password-resets" for who in ("member_id", "user_id"))
    for caller, path in ((app.registrar, of_member), (app.owner, of_staff)):
        assert ok(caller.post(path))["expires_at"]
        refused(caller.without_factor().post(path), 403, "second-factor-required")
    for caller, path in itertools.product((app.registrar, app.owner), (of_member, of_staff)):
        if (caller is app.owner) == (path is of_member):
            refused(caller.post(path), 403, "forbidden")
    for caller, path in itertools.product((company, stranger, app.reviewer, app.auditor), (of_member, of_staff)):
        refused(caller.post(path), 403, "forbidden")
