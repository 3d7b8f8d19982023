"""Refusals come in the order 401, 404, 403, 428, 412, 409, 422; a body, however hostile, is refused and no more."""

import copy
import itertools
import json

import anyio
import pyotp
import pytest

from app.core.actor import Role
from tests.auth import passkeys, provider_links
from tests.factories import PASSWORD, PDF, QUESTION, REASON, in_state, ok, other_reviewer, product, running_app, voen_of
from tests.helpers import count, execute, refused, rows
from tests.organisations.sanctions import resembling

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
CLOSING = {"on": "2026-11-22", "reason": "Taken back by the park."}
CHANGE = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}
CHANGED_SITE = {"name": "Hall 2", "production_started_on": "2024-03-01"}
MEMBER = {"full_name": "Aysel Nümunə", "password": PASSWORD, "language": None}
REGISTRATION = {
    "legal_name_az": "“Nümunə” MMC",
    "legal_name_en": "Sample",
    "legal_form": "MMC",
    "voen": voen_of(6001),
    "member": MEMBER,
}

MALFORMED = {
    "cut off": b'{"reason": ',
    "no JSON": b"reason=x",
    "two documents": b"{}{}",
    "single quotes": b"{'reason': 'x'}",
    "a member twice": b'{"reason": "x", "reason": "y"}',
    "a member twice within": b'{"products": [{"outcome": "approve", "outcome": "reject"}]}',
    "NaN": b'{"reason": NaN}',
    "Infinity": b'{"reason": -Infinity}',
    "beyond floats": b'{"reason": 1e999999}',
    "many digits": b'{"reason": ' + b"9" * 5_000 + b"}",
    "many decimals": b'{"reason": 0.' + b"9" * 5_000 + b"}",
    "deep arrays": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep and open": b"[" * 10_000,
    "no UTF-8": b'{"reason": "\xff\xfe"}',
    "a surrogate in UTF-8": b'{"reason": "\xed\xa0\x80"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "a byte-order mark": b'\xef\xbb\xbf{"reason": "x"}',
    "a bare NUL": b'{"reason": "\x00"}',
    "only spaces": b"   ",
}
WRONG_SHAPE = {
    "null": b"null",
    "true": b"true",
    "a number": b"0",
    "a string": b'"reason"',
    "an array": b'[{"reason": "x"}]',
    "an empty object": b"{}",
    "an unknown member": b'{"reason": "x", "is_admin": true}',
    "a lone surrogate as a member": b'{"\\ud800": "x"}',
    "a NUL as a member": b'{"\\u0000": "x"}',
    "__proto__": b'{"__proto__": {}, "constructor": 1}',
    "ten thousand members": json.dumps({f"m{i}": i for i in range(10_000)}).encode(),
    "a huge string": json.dumps({"x": "x" * 200_000}).encode(),
}
HOSTILE = MALFORMED | WRONG_SHAPE

VALUES = (
    None,
    True,
    0,
    -1,
    1.5,
    10**300,
    "",
    " ",
    "a\0b",
    "\ud800",
    "\u202eevil",
    "x" * 5_000,
    "9" * 400,
    "1e400",
    "NaN",
    "9999-12-31",
    [],
    {},
    [[]],
    "00000000-0000-7000-8000-000000000000",
)


class Place:
    """A route with a right body, at a thing in the right state: `now` is (path, body), made when first asked for."""

    def __init__(self, caller, make):
        self.caller, self._make = caller, make
        self._made = None

    @property
    def now(self):
        self._made = self._made or self._make()
        return self._made

    def forget(self):
        """The state changed: the next one to ask gets a new thing."""
        self._made = None


@pytest.fixture(scope="module")
def places(shared_app):  # noqa: C901 (one line for each route)
    app = shared_app
    company = app.set_up_company()
    waiting, moving = app.set_up_company(), app.set_up_company()

    def case(state, action, body):
        return lambda: (f"/v1/applications/{in_state(app, company, state)}/{action}", body)

    def respond():
        case_id = in_state(app, company, "information_requested")
        (question,) = ok(company.get(f"/v1/applications/{case_id}"))["questions"]
        answers = {"answers": [{"question_id": question["id"], "text": "On 1 March 2024."}]}
        return f"/v1/applications/{case_id}/respond", answers

    def declare():
        path = f"/v1/applications/{company.draft()}/declaration"
        present = ok(company.get(path))
        return path, {name: present[name] for name in ("text_version", "declared_hash")}

    def recommend():
        case_id = in_state(app, company, "in_review")
        (product_id,) = ok(company.get(f"/v1/applications/{case_id}"))["product_ids"]
        verdict = {"product_id": product_id, "outcome": "reject", "reasons": ["No."], "resolutions": []}
        return f"/v1/applications/{case_id}/recommend", {"products": [verdict]}

    def certificate(deed, body, suspended=False):
        def make():
            number = app.certify(company)
            if suspended:
                app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
            return f"/v1/certificates/{number}/{deed}", body

        return make

    def residency(deed, body):
        def make():
            resident = app.set_up_company()
            (row,) = ok(resident.get("/v1/residencies"))["items"]
            return f"/v1/residencies/{row['id']}/{deed}", body

        return make

    def claim(deed, body):
        return lambda: (f"/v1/claims/{app.register().claim_id}/{deed}", body)

    def disputed(deed, body):
        return lambda: (f"/v1/claims/{app.register(company.voen).claim_id}/{deed}", body)

    def new_residency():
        newcomer = app.confirm(app.register())
        body = {
            "organisation_id": newcomer.organisation_id,
            "park_code": "AGDAM-SP",
            "status": "resident",
            "holder_voen": newcomer.voen,
            "registration_no": "AGSP-R-1",
            "starts_on": "2021-11-22",
            "stage": "operating",
            "incentive_until": "2030-01-01",
            "plot_ha": "1.5",
            "planned_investment_azn": "1000000",
            "planned_jobs": 12,
        }
        return "/v1/residencies", body

    def candidate():
        return resembling(app)

    def paper():
        serial = f"{next(serials)}"
        item = company.upload("permit", content=PDF + serial.encode(), issued_on="2024-01-15")
        read = {"issued_on": "2024-01-15", "valid_until": None, "number": serial, "values": {}}
        return f"/v1/evidence/{item['id']}/confirm", read

    def withdrawal():
        """Of what a certificate rests on: it has to say why."""
        path, read = paper()
        app.certify(company)
        item = path.removesuffix("/confirm")
        app.registrar.act(path, read)
        return f"{item}/withdraw-confirmation", {"reason": "Of another works.", "found_false": False}

    def own_paper():
        """About a product of which nothing is under review."""
        item = company.upload("conformity-document", about=company.add_product(), issued_on="2024-01-15")
        return f"/v1/evidence/{item['id']}/withdraw", {"reason": "Of another works."}

    def matter():
        path, body = certificate("changes", CHANGE)()
        closing = {"outcome": "upheld", "reason": "So it is.", "revocation_reason": "critical-nonconformity"}
        return f"/v1/matters/{ok(company.post(path, json=body))['id']}/close", closing

    def address():
        return f"next{next(serials)}@sample.example"

    def registering():
        return "/v1/registrations/confirm", REGISTRATION | {"token": app.address_token(address())}

    def acceptance():
        email = ok(company.post("/v1/invitations", json={"email": address()}))["email"]
        token = app.code(email)
        return "/v1/invitations/accept", {"token": token, "full_name": "Kənan Nümunə", "password": PASSWORD}

    def redemption():
        member = app.register()
        ok(app.registrar.post(f"/v1/users/{member.id}/password-resets"))
        token = app.code(f"member@{member.voen}.example")
        return "/v1/auth/password-reset", {"token": token, "password": PASSWORD, "otp": None}

    def newcomer():
        return app.staff(Role.INSPECTOR, name=f"newcomer-{next(serials)}")

    def change_of_password():  # it ends the session: everybody does it once
        changing.caller = app.register()
        return "/v1/me/password", {"present_password": PASSWORD, "password": "another horse battery staple"}

    def enrolment():
        enrolling.caller = newcomer()
        ok(enrolling.caller.post("/v1/me/second-factor"))
        return "/v1/me/second-factor/confirm", {"otp": "000000"}

    def code():
        stepping.caller = newcomer()
        secret = ok(stepping.caller.post("/v1/me/second-factor"))["secret"]
        now = pyotp.TOTP(secret).at(app.clock())
        ok(stepping.caller.post("/v1/me/second-factor/confirm", json={"otp": now}))
        return "/v1/auth/step-up", {"otp": now}

    def notices():
        app.follow_events()
        return "/v1/inbox/read", {"up_to": ok(company.get("/v1/inbox"))["items"][0]["id"]}

    serials = itertools.count(1)
    changing, enrolling, stepping = Place(None, change_of_password), Place(None, enrolment), Place(None, code)
    to_other = {"to": other_reviewer(app).id}
    holidays = {"year": 2027, "days": [{"day": "2027-03-20", "occasion": "novruz", "works": False}]}
    whole = product(company.site_id) | {"national_code": "7306300000", "reference": None, "brand": "Nümunə"}
    whole |= {"flags": [], "joint_production": ["TR"]}
    whole["materials"][0]["weight_kg"] = "1040"
    webhook = {"url": "https://erp.numune.example/mik", "description": "Orders", "event_types": ["certificate.issued"]}
    webhook |= {"follows": [{"kind": "heading", "value": "7306"}]}
    own_webhook, since = f"/v1/webhooks/{company.add_webhook()['id']}", app.clock().isoformat()
    drafted = {"product_ids": [company.add_product()], "reference": None}
    anybody = app.anonymous
    site = {"name": "Hall 3", "country": "AZ", "district": "Ağdam", "park_code": None, "production_started_on": None}
    return {
        "POST /v1/registrations": Place(anybody, lambda: ("/v1/registrations", {"email": address(), "language": None})),
        "POST /v1/registrations/confirm": Place(anybody, registering),
        "POST /v1/reports": Place(anybody, lambda: ("/v1/reports", {"address": "https://mik-az.example/"})),
        "POST /v1/watches": Place(
            anybody,
            lambda: ("/v1/watches", {"kind": "heading", "value": "7306", "email": address(), "language": None}),
        ),
        "POST /v1/sites": Place(company, lambda: ("/v1/sites", site)),
        "PUT /v1/sites/{site_id}": Place(moving, lambda: (f"/v1/sites/{moving.site_id}", CHANGED_SITE)),
        "POST /v1/products": Place(company, lambda: ("/v1/products", whole)),
        "PUT /v1/products/{product_id}": Place(company, lambda: (f"/v1/products/{company.add_product()}", whole)),
        "POST /v1/schemes/{code}/assessments": Place(
            company, lambda: ("/v1/schemes/MIK/assessments", {"product_ids": drafted["product_ids"]})
        ),
        "POST /v1/applications": Place(company, lambda: ("/v1/applications", drafted | {"scheme": "MIK"})),
        "PUT /v1/applications/{application_id}": Place(
            company, lambda: (f"/v1/applications/{company.draft()}", drafted)
        ),
        "POST /v1/applications/{application_id}/copy": Place(
            company, lambda: (f"/v1/applications/{company.draft()}/copy", {"scheme": "MIK", "reference": None})
        ),
        "POST /v1/applications/{application_id}/respond": Place(company, respond),
        "POST /v1/applications/{application_id}/declaration": Place(company, declare),
        "POST /v1/applications/{application_id}/visit-waiver": Place(
            app.owner, case("submitted", "visit-waiver", REASON)
        ),
        "POST /v1/webhooks": Place(company, lambda: ("/v1/webhooks", webhook)),
        "PUT /v1/webhooks/{webhook_id}": Place(company, lambda: (own_webhook, webhook)),
        "POST /v1/webhooks/{webhook_id}/redeliver": Place(
            company, lambda: (f"{own_webhook}/redeliver", {"since": since})
        ),
        "POST /v1/api-clients": Place(company, lambda: ("/v1/api-clients", {"name": "Order system"})),
        "POST /v1/applications/{application_id}/request-information": Place(
            app.reviewer, case("in_review", "request-information", QUESTION)
        ),
        "POST /v1/applications/{application_id}/recommend": Place(app.reviewer, recommend),
        "POST /v1/applications/{application_id}/reject": Place(app.approver, case("recommended", "reject", REASON)),
        "POST /v1/applications/{application_id}/return": Place(app.approver, case("recommended", "return", REASON)),
        "POST /v1/claims/{claim_id}/confirm": Place(
            app.registrar, claim("confirm", {"basis": "Extract seen.", "evidence_seen": []})
        ),
        "POST /v1/claims/{claim_id}/propose": Place(app.registrar, disputed("propose", {"basis": "A new director."})),
        "POST /v1/claims/{claim_id}/refuse": Place(app.registrar, claim("refuse", REASON)),
        "POST /v1/residencies": Place(app.registrar, new_residency),
        "POST /v1/residencies/{residency_id}/end": Place(app.registrar, residency("end", CLOSING)),
        "POST /v1/residencies/{residency_id}/cancel": Place(app.registrar, residency("cancel", CLOSING)),
        "PUT /v1/residencies/{residency_id}/stage": Place(app.registrar, residency("stage", {"stage": "planned"})),
        "POST /v1/certificates/{number}/suspend": Place(
            app.owner, certificate("suspend", {"cause": "hearing", "note": "A hearing is set."})
        ),
        "POST /v1/certificates/{number}/reinstate": Place(
            app.owner, certificate("reinstate", {"cause": "hearing"}, suspended=True)
        ),
        "POST /v1/certificates/{number}/revoke": Place(app.owner, certificate("revoke", {"reason": "bankruptcy"})),
        "POST /v1/certificates/{number}/changes": Place(company, certificate("changes", CHANGE)),
        "POST /v1/matters/{matter_id}/close": Place(app.registrar, matter),
        "POST /v1/organisations/{organisation_id}/sanctions-screening/decisions": Place(app.registrar, candidate),
        "POST /v1/evidence/{evidence_id}/confirm": Place(app.registrar, paper),
        "POST /v1/evidence/{evidence_id}/withdraw-confirmation": Place(app.registrar, withdrawal),
        "POST /v1/evidence/{evidence_id}/withdraw": Place(company, own_paper),
        "POST /v1/applications/{application_id}/hand-over": Place(
            app.reviewer, case("in_review", "hand-over", to_other)
        ),
        "POST /v1/applications/{application_id}/notes": Place(
            app.reviewer, case("submitted", "notes", {"text": "Called."})
        ),
        "POST /v1/applications/assign": Place(
            app.reviewer,
            lambda: (
                "/v1/applications/assign",
                {"application_ids": [in_state(app, company, "submitted")]} | to_other,
            ),
        ),
        "POST /v1/calendar/holidays": Place(app.owner, lambda: ("/v1/calendar/holidays", holidays)),
        "POST /v1/invitations": Place(company, lambda: ("/v1/invitations", {"email": address()})),
        "POST /v1/invitations/accept": Place(anybody, acceptance),
        "POST /v1/auth/password-reset": Place(anybody, redemption),
        "POST /v1/auth/password-resets": Place(
            anybody, lambda: ("/v1/auth/password-resets", {"email": "nobody@sample.example", "language": None})
        ),
        "POST /v1/me/password": changing,
        "POST /v1/me/second-factor/confirm": enrolling,
        "POST /v1/auth/step-up": stepping,
        "POST /v1/me/credentials": Place(
            app.owner, lambda: ("/v1/me/credentials", {"name": "Key", "registration": app.owner.registration()})
        ),
        "POST /v1/inbox/read": Place(company, notices),
        "PUT /v1/me/notification-settings": Place(
            company,
            lambda: ("/v1/me/notification-settings", {"language": None, "not_mailed": ["certificate.issued"]}),
        ),
        "POST /v1/me/identities": Place(company, lambda: ("/v1/me/identities", provider_links.unlinked(company))),
        "POST /v1/me/passkeys": Place(company, lambda: ("/v1/me/passkeys", passkey_body(company))),
        "PUT /v1/me/passkeys/{passkey_id}": Place(
            company, lambda: (f"/v1/me/passkeys/{registered_passkey(company)}", {"name": "Old telephone"})
        ),
        "POST /v1/authorities": Place(
            company,
            lambda: (
                "/v1/authorities",
                {"email": address(), "scopes": ["read"], "first_day": "2026-11-22", "last_day": "2026-12-31"},
            ),
        ),
        "POST /v1/users": Place(
            app.owner,
            lambda: ("/v1/users", {"email": address(), "full_name": "Leyla Nümunə", "roles": ["auditor"]}),
        ),
        "POST /v1/proposals": Place(
            app.owner,
            lambda: (
                "/v1/proposals",
                {"kind": "role", "content": {"user_id": str(newcomer().id), "role": "auditor"}},
            ),
        ),
        "": waiting,
    }


def passkey_body(caller):
    begun = ok(caller.post("/v1/me/passkeys/options"))
    registration = passkeys.PasskeyDevice(caller.app.container.relying_party).create(begun["options"])
    return {"name": "Telephone", "ticket": begun["ticket"], "registration": registration}


def registered_passkey(caller):
    """Id of a new passkey; earlier ones make room."""
    for row in ok(caller.get("/v1/me/passkeys"))["items"]:
        caller.delete(f"/v1/me/passkeys/{row['id']}")
    return passkeys.registered(caller)[1]["id"]


ROUTES = """
    POST /v1/registrations
    POST /v1/registrations/confirm
    POST /v1/reports
    POST /v1/watches
    POST /v1/sites
    PUT /v1/sites/{site_id}
    POST /v1/products
    PUT /v1/products/{product_id}
    POST /v1/schemes/{code}/assessments
    POST /v1/applications
    PUT /v1/applications/{application_id}
    POST /v1/applications/{application_id}/copy
    POST /v1/applications/{application_id}/respond
    POST /v1/applications/{application_id}/declaration
    POST /v1/applications/{application_id}/visit-waiver
    POST /v1/webhooks
    PUT /v1/webhooks/{webhook_id}
    POST /v1/webhooks/{webhook_id}/redeliver
    POST /v1/api-clients
    POST /v1/applications/{application_id}/request-information
    POST /v1/applications/{application_id}/recommend
    POST /v1/applications/{application_id}/reject
    POST /v1/applications/{application_id}/return
    POST /v1/claims/{claim_id}/confirm
    POST /v1/claims/{claim_id}/propose
    POST /v1/claims/{claim_id}/refuse
    POST /v1/residencies
    POST /v1/residencies/{residency_id}/end
    POST /v1/residencies/{residency_id}/cancel
    PUT /v1/residencies/{residency_id}/stage
    POST /v1/certificates/{number}/suspend
    POST /v1/certificates/{number}/reinstate
    POST /v1/certificates/{number}/revoke
    POST /v1/certificates/{number}/changes
    POST /v1/matters/{matter_id}/close
    POST /v1/organisations/{organisation_id}/sanctions-screening/decisions
    POST /v1/evidence/{evidence_id}/confirm
    POST /v1/evidence/{evidence_id}/withdraw-confirmation
    POST /v1/evidence/{evidence_id}/withdraw
    POST /v1/applications/{application_id}/hand-over
    POST /v1/applications/{application_id}/notes
    POST /v1/applications/assign
    POST /v1/calendar/holidays
    POST /v1/invitations
    POST /v1/invitations/accept
    POST /v1/auth/password-reset
    POST /v1/auth/password-resets
    POST /v1/me/password
    POST /v1/me/second-factor/confirm
    POST /v1/auth/step-up
    POST /v1/me/credentials
    POST /v1/inbox/read
    PUT /v1/me/notification-settings
    POST /v1/me/identities
    POST /v1/me/passkeys
    PUT /v1/me/passkeys/{passkey_id}
    POST /v1/authorities
    POST /v1/users
    POST /v1/proposals
"""
ROUTES = [line.strip() for line in ROUTES.strip().splitlines()]
ADDS = (
    "/{passkey_id}",
    "/notes",
    "/decisions",
    "/changes",
    "/declaration",
    "/copy",
    "/redeliver",
)  # to a thing, whatever its version
CHANGES = [route for route in ROUTES if "{" in route and "{code}" not in route and not route.endswith(ADDS)]
PUBLIC = [
    "POST /v1/registrations",
    "POST /v1/registrations/confirm",
    "POST /v1/reports",
    "POST /v1/watches",
    "POST /v1/invitations/accept",
    "POST /v1/auth/password-reset",
    "POST /v1/auth/password-resets",
]
OF_ONESELF = ["POST /v1/me/identities", "POST /v1/me/passkeys", "PUT /v1/me/passkeys/{passkey_id}"]
GUESSED = ["POST /v1/me/password", "POST /v1/auth/step-up", "POST /v1/me/second-factor/confirm"]
"""What is wrong there is a wrong guess: 403, and counted."""
BY_EVERYBODY = [*GUESSED[:2], "POST /v1/inbox/read", "PUT /v1/me/notification-settings"]
JSON = {"Content-Type": "application/json"}


def send(caller, route, path, content, *, version=None, headers=JSON):
    return caller.request(route.split()[0], path, content=content, version=version, headers=headers)


def version_for(route, caller, path):
    if route not in CHANGES:
        return None
    return (caller.app.auditor if "/applications" in path else caller).version_of(path)


def footprint(app):
    return [count(app, table) for table in ("audit_events", "organisations", "users", "products", "sites")] + rows(
        app, "SELECT id, state, version FROM applications ORDER BY id"
    )


def test_every_route_that_takes_json_is_here(shared_app):
    paths = ok(shared_app.anonymous.get("/openapi.json"))["paths"]
    found = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert found == {*ROUTES, "POST /v1/verify", "POST /v1/verify/batch"}


@pytest.mark.parametrize("route", ROUTES)
def test_hostile_bodies_are_refused_and_change_nothing(shared_app, places, route):
    path, _ = places[route].now
    caller = places[route].caller
    version = version_for(route, caller, path)
    before = footprint(shared_app)
    # the whole list where products are described; elsewhere a part of it, at each route another one
    part = list(HOSTILE) if route == "POST /v1/products" else list(HOSTILE)[ROUTES.index(route) % 4 :: 4]
    for name in part:
        if name == "an empty object" and "/evidence/" in path:
            continue  # whoever confirms need not say anything anew
        content = HOSTILE[name]
        document = refused(send(caller, route, path, content, version=version), 422)
        assert document["errors"], name
        assert all(set(error) >= {"pointer", "code", "detail"} for error in document["errors"]), name
        assert len(json.dumps(document)) < 20_000, name
    refused(send(caller, route, path, b"", version=version), 422)
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "", "json", "\u00e9"):
        body = json.dumps(places[route].now[1]).encode()
        headers = {"Content-Type": media_type.encode("latin-1")}
        refused(send(caller, route, path, body, version=version, headers=headers), 415)
    most = 8_000_000 if route == "POST /v1/reports" else 300_000  # a report may carry a photo
    big = b'{"x": "' + b"x" * most + b'"}'
    refused(send(caller, route, path, big, version=version), 413, "too-large")
    refused(send(caller, route, path, (big[i : i + 50_000] for i in range(0, len(big), 50_000)), version=version), 413)
    assert footprint(shared_app) == before


def leaves(body, at=()):
    """Addresses of everything inside a body, the body itself left out."""
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inside:
        yield (*at, key)
        yield from leaves(value, (*at, key))


def changed(body, at, value):
    body = copy.deepcopy(body)
    *path, last = at
    inner = body
    for key in path:
        inner = inner[key]
    inner[last] = value
    return body


TEXT = {"name", "reason", "reasons", "text", "basis", "note", "full_name", "district", "operation", "subcontractor"}
TEXT |= {"legal_name_az", "legal_name_en", "legal_form", "registration_no", "unit", "brand", "reference", "az", "en"}
MERELY_ODD = {"9" * 400, "1e400", "NaN", "9999-12-31", "00000000-0000-7000-8000-000000000000"}
"""Fine as free text: one of them there is enough."""


def hostile_to(body):
    """(where, value) for every place in a right body."""
    for at, value in itertools.product(leaves(body), VALUES):
        where = at[-1] if isinstance(at[-1], str) else at[-2]
        if where in TEXT and isinstance(value, str) and value in MERELY_ODD - {"NaN"}:
            continue
        yield at, value


# a product is described anew by the same form as it was described by at first
@pytest.mark.parametrize("route", [route for route in ROUTES if route != "PUT /v1/products/{product_id}"])
def test_hostile_values_in_a_right_body(shared_app, places, route):
    """Every value of a right body replaced by every hostile one: taken or refused in words, never a crash."""
    place = places[route]
    path, right = place.now
    version = version_for(route, place.caller, path)  # what was refused has not changed it
    for at, value in hostile_to(right):
        path, body = place.now
        try:
            body = changed(body, at, value)
        except (KeyError, IndexError):
            continue
        content = json.dumps(body).encode()
        if route in GUESSED:
            execute(shared_app, "DELETE FROM failed_logins")
        answer = send(place.caller, route, path, content, version=version)
        said = f"{route} {at} {str(value)[:40]!r}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, said
        if answer.is_success:
            place.forget()
            version = version_for(route, place.caller, place.now[0])
        else:
            assert answer.status_code in {404, 409, 422} | ({403} if route in GUESSED else set()), said
            refused(answer, answer.status_code)


@pytest.mark.parametrize("route", ROUTES)
def test_a_member_missing_or_unknown(shared_app, places, route):
    place = places[route]
    path, right = place.now
    version = version_for(route, place.caller, path)
    for at in list(leaves(right)):
        if isinstance(at[-1], int):
            continue
        lacking = copy.deepcopy(right)
        inner = lacking
        for key in at[:-1]:
            inner = inner[key]
        stray = copy.deepcopy(right)
        within = stray
        for key in at[:-1]:
            within = within[key]
        if at[0] not in {"names", "registration"}:  # their members are not ours
            within["x_" + at[-1]] = 1
            refused(send(place.caller, route, path, json.dumps(stray).encode(), version=version), 422, "invalid")
        del inner[at[-1]]
        answer = send(place.caller, route, path, json.dumps(lacking).encode(), version=version)
        assert answer.status_code < 500, answer.text
        if answer.is_success:
            place.forget()
            path, _ = place.now
            version = version_for(route, place.caller, path)


@pytest.mark.parametrize("route", ROUTES)
def test_the_order_of_refusals(shared_app, places, route):
    app, place = shared_app, places[route]
    path, _ = place.now
    stranger = places[""]
    bad = [MALFORMED["cut off"], MALFORMED["no UTF-8"], b"[]", b"", b'{"x": "' + b"x" * 300_000 + b'"}']
    texts = [JSON, {"Content-Type": "text/plain"}]
    needs_token = route not in PUBLIC
    wrong_role = app.auditor if needs_token and route not in [*BY_EVERYBODY, *OF_ONESELF] else None
    if route in {"POST /v1/me/second-factor/confirm", "POST /v1/me/credentials"}:
        wrong_role = stranger  # every member of staff has an authenticator
    of_companies = ("applications", "products", "sites", "residencies", "organisations", "evidence")
    before = footprint(app)
    for content in bad:
        if needs_token:
            for headers in texts:
                refused(send(app.anonymous, route, path, content, headers=headers), 401, "unauthenticated")
        if len(content) > 1_000:
            continue
        if "{" in route and path.split("/")[2] in of_companies:
            refused(send(stranger, route, path, content), 404, "not-found")
        if wrong_role:
            refused(send(wrong_role, route, path, content), 403)
        if route in CHANGES:
            refused(send(place.caller, route, path, content), 428, "version-required")
            refused(send(place.caller, route, path, content, version=999_999), 412, "stale-version")
    assert footprint(app) == before


AFTERWARDS = {
    "PUT /v1/applications/{application_id}": ("submitted", "application-frozen"),
    "POST /v1/applications/{application_id}/respond": ("submitted", "wrong-state"),
    "POST /v1/applications/{application_id}/declaration": ("withdrawn", "application-frozen"),
    "POST /v1/applications/{application_id}/visit-waiver": ("withdrawn", "application-frozen"),
    "POST /v1/applications/{application_id}/request-information": ("submitted", "wrong-state"),
    "POST /v1/applications/{application_id}/recommend": ("submitted", "wrong-state"),
    "POST /v1/applications/{application_id}/reject": ("submitted", "wrong-state"),
    "POST /v1/applications/{application_id}/return": ("submitted", "wrong-state"),
}


@pytest.mark.parametrize("route", AFTERWARDS)
def test_the_state_speaks_before_the_body(shared_app, places, route):
    app, place = shared_app, places[route]
    state, code = AFTERWARDS[route]
    company = app.set_up_company()
    case_id = in_state(app, company, state)
    path = route.split()[1].format(application_id=case_id)
    caller = place.caller if place.caller.is_staff else company
    for content in (MALFORMED["cut off"], b"[]", b""):
        refused(send(caller, route, path, content, version=version_for(route, caller, path)), 409, code)


def test_the_state_speaks_before_the_body_elsewhere(shared_app):
    app = shared_app
    company = app.set_up_company()
    (residency,) = ok(company.get("/v1/residencies"))["items"]
    number = app.certify(company)
    app.revoke(number, "bankruptcy")
    app.registrar.act(f"/v1/residencies/{residency['id']}/cancel", CLOSING)
    product_id = company.add_product()
    company.act(f"/v1/products/{product_id}/retire")
    at = {
        f"POST /v1/certificates/{number}/suspend": app.owner,
        f"POST /v1/certificates/{number}/reinstate": app.owner,
        f"POST /v1/certificates/{number}/revoke": app.owner,
        f"POST /v1/certificates/{number}/changes": company,
        f"POST /v1/residencies/{residency['id']}/end": app.registrar,
        f"POST /v1/residencies/{residency['id']}/cancel": app.registrar,
        f"PUT /v1/residencies/{residency['id']}/stage": app.registrar,
        f"POST /v1/claims/{company.claim_id}/confirm": app.registrar,
        f"POST /v1/claims/{company.claim_id}/refuse": app.registrar,
        f"PUT /v1/products/{product_id}": company,
    }
    for (route, caller), content in itertools.product(at.items(), (MALFORMED["cut off"], b"[]", b"")):
        path = route.split()[1]
        adds = path.endswith(ADDS)
        refused(send(caller, route, path, content, version=None if adds else "now"), 409)


def test_forms_in_the_same_order(shared_app):
    app = shared_app
    company, stranger = app.set_up_company(), app.set_up_company()
    path = f"/v1/applications/{company.draft()}/evidence"
    for kind in (
        {"json": {}},
        {"content": b"x"},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ):
        refused(app.anonymous.post(path, **kind), 401)
    refused(stranger.post(path, data={"kind": "nonsense"}, files={"x": b"x"}), 404)
    refused(app.auditor.post(path, data={"kind": "nonsense"}, files={"x": b"x"}), 403)
    refused(app.auditor.post("/v1/register/imports", files={"x": b"x"}), 403)
    refused(company.post(path, data={"kind": "nonsense"}, files={"file": ("a.pdf", PDF)}), 422, "invalid")
    refused(company.post(path, data={"kind": "photo"}, files={"x": b"x"}), 422, "invalid")
    refused(company.post(path, data={"kind": "photo", "file": "a text"}), 422, "invalid")
    refused(company.post(path, json={"kind": "photo"}), 415)
    broken = {"Content-Type": "multipart/form-data"}
    answer = company.post(path, content=b"x", headers=broken)
    refused(answer, answer.status_code)
    assert answer.status_code in {400, 422}
    cut = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = company.post(path, content=b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nph', headers=cut)
    refused(answer, answer.status_code)
    assert answer.status_code in {400, 422}
    many = {f"f{i}": "x" for i in range(1_100)}
    answer = company.post(path, data=many, files={"file": ("a.pdf", PDF)})
    refused(answer, answer.status_code)
    assert answer.status_code in {400, 413, 422}
    company.submit(path.split("/")[3])
    refused(company.post(path, data={"kind": "nonsense"}, files={"x": b"x"}), 409, "application-frozen")


def test_a_file_over_the_limit(database_url, tmp_path):
    with running_app(database_url, tmp_path, evidence_max_bytes=50_000) as app:
        company = app.set_up_company()
        draft = company.draft()
        path = f"/v1/applications/{draft}/evidence"
        refused(company.add_evidence(draft, PDF + b"x" * 50_000), 413, "too-large")
        refused(company.add_evidence(draft, PDF + b"x" * 200_000), 413, "too-large")
        refused(app.import_register(b"x" * 200_000), 413, "too-large")
        ok(company.add_evidence(draft, PDF.ljust(50_000)))
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + b"x" * 200_000
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        chunks = (body[i : i + 4_096] for i in range(0, len(body), 4_096))
        refused(company.post(path, content=chunks, headers=headers), 413, "too-large")
        refused(app.anonymous.post(path, content=body, headers=headers), 401)
        assert len(ok(company.get(path))["items"]) == 1


def test_a_day_is_a_day(shared_app, places):
    """Not seconds since 1970, and not a moment."""
    place = places["POST /v1/sites"]
    path, body = place.now
    for value in (
        0,
        86_400,
        86_400.0,
        "0",
        "86400",
        True,
        "2024-03-01T00:00:00Z",
        "20240301",
        " 2024-03-01",
        "2024-02-30",
    ):
        answer = place.caller.post(path, json=body | {"production_started_on": value})
        assert refused(answer, 422, "invalid")["errors"][0]["pointer"] == "/production_started_on", value
    closing = places["POST /v1/residencies/{residency_id}/end"]
    path, body = closing.now
    for value in (0, 86_400, "0", "2024-03-01T00:00:00"):
        refused(closing.caller.post(path, version="now", json=body | {"on": value}), 422, "invalid")


def test_no_number_or_flag_stands_in_for_another(shared_app, places):
    place = places["POST /v1/products"]
    path, body = place.now
    material, step = body["materials"][0], body["steps"][0]
    wrong = [
        {"hs6": 730630},
        {"gtin": 9520000000011},
        {"ex_works": True},
        {"ex_works": "1,5"},
        {"ex_works": "Infinity"},
        {"annual_capacity": False},
        {"names": "Welded tube"},
        {"names": ["Welded tube"]},
        {"flags": "assembly_only"},
        {"flags": {"assembly_only": True}},
        {"materials": [material | {"originating": "false"}]},
        {"materials": [material | {"originating": 0}]},
        {"materials": [material | {"hs4": 7208}]},
        {"materials": material},
        {"steps": [step | {"is_essential": "yes"}]},
        {"steps": [step | {"country": 31}]},
        {"materials": [material] * 201},
    ]
    for members in wrong:
        refused(place.caller.post(path, json=body | members), 422, "invalid")


def test_public_bodies(shared_app):
    """Verification and tokens: the same care, without a token."""
    anybody = shared_app.anonymous
    for content in HOSTILE.values():
        refused(anybody.post("/v1/verify", content=content, headers=JSON), 422)
        answer = anybody.post("/v1/auth/token", content=content, headers=JSON)
        refused(answer, 415)
    for value in (None, True, 0, 1.5, [], {}, ["x"]):
        refused(anybody.post("/v1/verify", json={"number": value}), 422)
        refused(anybody.post("/v1/verify", json={"token": value}), 422)
    refused(anybody.post("/v1/verify", json={"token": "x", "number": "x"}), 422)
    refused(anybody.post("/v1/verify", json={"token": "x" * 300_000}), 413)
    for text in ("", "\0", "\ud800", "x" * 200_000, "a.b.c", "..", "eyJ" * 60_000, "ı" * 1_000):
        content = json.dumps({"token": text}).encode()
        assert ok(anybody.post("/v1/verify", content=content, headers=JSON))["verdict"] == "unreadable"
        content = json.dumps({"number": text}).encode()
        assert ok(anybody.post("/v1/verify", content=content, headers=JSON))["verdict"] == "mistyped"


def test_a_body_that_is_too_large_stops_a_deed_without_a_body(shared_app):
    """Refused before anything is done: never a 413 for what was committed."""
    app = shared_app
    company, approver = app.set_up_company(), app.approver
    case_id = in_state(app, company, "recommended")
    before = footprint(app)
    path = f"/v1/applications/{case_id}/approve"
    refused(approver.post(path, version="now", content=b"x" * 300_000), 413, "too-large")
    refused(app.anonymous.post(path, content=b"x" * 300_000), 401)
    refused(approver.post(path, content=b"x"), 428)
    assert footprint(app) == before
    assert ok(app.approver.get(f"/v1/applications/{case_id}"))["state"] == "recommended"


def test_a_caller_who_hangs_up_half_way_changes_nothing(shared_app, caplog):
    """The connection ends before the body does: nobody is answered, and nothing looks like a fault of ours."""
    app = shared_app
    company = app.set_up_company()
    token = app.container.access_tokens.issue(company.subject, app.clock())
    before, sent = footprint(app), []
    messages = [{"type": "http.request", "body": b'{"name": "Hall', "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/sites", "raw_path": b"/v1/sites", "query_string": b""}
    scope |= {"headers": headers, "client": ("192.0.2.1", 1), "server": ("localhost", 8000), "scheme": "http"}
    scope |= {"http_version": "1.1", "asgi": {"version": "3.0"}, "root_path": ""}
    anyio.run(app.asgi, scope, receive, send)
    assert [message.get("status") for message in sent if message["type"] == "http.response.start"] in ([], [400])
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert footprint(app) == before
