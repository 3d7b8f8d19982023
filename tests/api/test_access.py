"""Getting in: tokens by RFC 6749, guesses, API clients, registration; and how somebody is cut off."""

import hashlib
from collections import Counter
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.auth.access_tokens import AUDIENCE, AccessTokens
from app.auth.authenticate import TokenSubject
from app.core.actor import ActorKind, Role, Scope
from app.core.crypto import jws
from app.core.crypto.signer import access_signer
from tests.factories import PASSWORD, ApiClient, in_state, ok, product, voen_of
from tests.helpers import count, execute, refused, rows, stored_id

pytestmark = pytest.mark.pg_sampled
FORM = "/v1/auth/token"


def sign_in(app, username, password=PASSWORD, *, address=None, **more):
    form = {"grant_type": "password", "username": username, "password": password} | more
    return from_address(app, address).post(FORM, data=form)


def from_address(app, address):
    """A client that calls from another address of the net."""
    if address is None:
        return app.http
    return TestClient(app.asgi, base_url=app.settings.base_url, raise_server_exceptions=False, client=(address, 50_000))


def denied(answer, status, error):
    """A refusal by RFC 6749 §5.2."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] == error
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


def email_of(company):
    return f"member@{company.voen}.example"


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


# Tokens


def test_a_right_password_gives_a_token_that_works(shared_app, company):
    answer = sign_in(shared_app, email_of(company))
    body = ok(answer)
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 900
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    me = ok(shared_app.http.get("/v1/me", headers={"Authorization": f"bearer {body['access_token']}"}))
    assert me["organisation"]["id"] == company.organisation_id
    assert me["roles"] == ["applicant"]
    assert me["kind"] == "user"


def test_the_address_is_forgiving_of_case_and_spaces(shared_app, company):
    assert sign_in(shared_app, f"  {email_of(company).upper()} ").status_code == 200


def test_what_is_wrong_in_the_form(shared_app, company):
    app = shared_app
    user = {"username": email_of(company), "password": PASSWORD}
    denied(app.http.post(FORM, data=user), 400, "unsupported_grant_type")
    for grant in ("", "refresh", "PASSWORD", "implicit", "password client_credentials"):
        denied(app.http.post(FORM, data=user | {"grant_type": grant}), 400, "unsupported_grant_type")
    for missing in ({}, {"username": "a@sample.example"}, {"password": "x"}, {"username": "", "password": ""}):
        denied(app.http.post(FORM, data={"grant_type": "password"} | missing), 400, "invalid_request")
        denied(app.http.post(FORM, data={"grant_type": "client_credentials"} | missing), 400, "invalid_request")
    refused(app.http.post(FORM, json=user | {"grant_type": "password"}), 415)
    refused(app.http.post(FORM, content=b"grant_type=password"), 415)
    assert app.http.get(FORM).status_code == 405


def test_unknown_wrong_and_inactive_look_the_same(app):
    company = app.set_up_company()
    wrong = sign_in(app, email_of(company), "not this password")
    unknown = sign_in(app, "nobody@sample.example")
    execute(app, "UPDATE users SET active = false WHERE email = :e", e=email_of(company))
    inactive = sign_in(app, email_of(company))
    inactive_and_wrong = sign_in(app, email_of(company), "not this password")
    for answer in (wrong, unknown, inactive, inactive_and_wrong):
        denied(answer, 401, "invalid_grant")
        assert answer.json() == wrong.json()


def test_strange_names_and_passwords_are_only_wrong(shared_app):
    app = shared_app
    for text in ("\0", "a\0b", "\u202e", "'; --", "%", "x" * 300, "İstanbul", "𐀀", "\x85"):
        assert sign_in(app, text).status_code in {400, 401}, text
        assert sign_in(app, "nobody@sample.example", text).status_code == 401, text
    raw = "grant_type=password&username=%ED%A0%80&password=%ff%fe%00"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert app.http.post(FORM, content=raw, headers=headers).status_code in {400, 401, 422}
    for name, text in {"username": "x" * 400, "password": "x" * 5_000, "grant_type": "x" * 400}.items():
        form = {"grant_type": "password", "username": "a@sample.example", "password": "x"} | {name: text}
        refused(app.http.post(FORM, data=form), 422)
    many = "&".join(f"f{i}=x" for i in range(5_000))
    answer = app.http.post(FORM, content=f"grant_type=password&{many}", headers=headers)
    assert answer.status_code < 500
    twice = "grant_type=password&grant_type=client_credentials&username=a&password=b"
    assert app.http.post(FORM, content=twice, headers=headers).status_code in {400, 401}


def test_a_secret_never_comes_back(shared_app, company):
    for name in (email_of(company), "\0", ""):
        assert "hidden horse" not in sign_in(shared_app, name, "hidden horse").text


def test_an_unknown_account_costs_the_same_work(shared_app, company):
    """One hash each, whoever is named: the time of answering does not tell who exists."""
    app = shared_app
    hasher = type(app.container.passwords._hasher)
    original, calls = hasher.verify, []

    def counted(self, password, stored):
        calls.append(stored.split("$")[3])
        return original(self, password, stored)

    with patch.object(hasher, "verify", counted):
        sign_in(app, email_of(company), "not this password")
        sign_in(app, "nobody-at-all@sample.example", "not this password")
    assert len(calls) == 2
    assert calls[0] == calls[1]  # the same cost parameters


# Guesses


def test_guesses_at_one_account_from_one_address(app):
    company = app.set_up_company()
    for _ in range(10):
        denied(sign_in(app, email_of(company), "a wrong guess"), 401, "invalid_grant")
    exhausted = sign_in(app, email_of(company), "a wrong guess")
    denied(exhausted, 429, "slow_down")
    assert 0 < int(exhausted.headers["Retry-After"]) <= 900
    denied(sign_in(app, email_of(company)), 429, "slow_down")  # not even the right one tells
    ok(sign_in(app, email_of(company), address="192.0.2.7"))  # the person at home is not locked out
    app.clock.advance(minutes=15, seconds=1)
    ok(sign_in(app, email_of(company)))


def test_a_right_password_forgives_what_went_wrong_before(app):
    company = app.set_up_company()
    for _ in range(3):
        for _ in range(9):
            denied(sign_in(app, email_of(company), "a wrong guess"), 401, "invalid_grant")
        ok(sign_in(app, email_of(company)))


def test_guesses_from_one_address_at_many_accounts(app):
    company = app.set_up_company()
    for i in range(100):
        denied(sign_in(app, f"nobody{i}@sample.example", address="192.0.2.8"), 401, "invalid_grant")
    denied(sign_in(app, "nobody-else@sample.example", address="192.0.2.8"), 429, "slow_down")
    denied(sign_in(app, email_of(company), address="192.0.2.8"), 429, "slow_down")
    ok(sign_in(app, email_of(company), address="192.0.2.9"))


def test_guesses_at_one_account_from_many_addresses(app):
    company = app.set_up_company()
    """They slow each other down, and lock nobody out: the person at home signs in, and has a few tries."""
    for i in range(52):
        denied(sign_in(app, email_of(company), "a wrong guess", address=f"198.51.100.{i}"), 401, "invalid_grant")
    ok(sign_in(app, email_of(company), address="203.0.113.9"))
    for _ in range(3):
        denied(sign_in(app, email_of(company), "a wrong guess", address="203.0.113.9"), 401, "invalid_grant")
    denied(sign_in(app, email_of(company), address="203.0.113.9"), 429, "slow_down")
    ok(sign_in(app, email_of(company), address="203.0.113.10"))
    app.clock.advance(minutes=15, seconds=1)
    ok(sign_in(app, email_of(company), address="203.0.113.9"))


def test_an_ipv6_address_counts_by_its_network(app):
    company = app.set_up_company()
    for i in range(10):
        denied(sign_in(app, email_of(company), "a wrong guess", address=f"2001:db8::{i}"), 401, "invalid_grant")
    denied(sign_in(app, email_of(company), address="2001:db8:0:0:ffff::1"), 429, "slow_down")
    denied(sign_in(app, email_of(company), "a wrong guess", address="2001:db8:0:1::1"), 401, "invalid_grant")


def test_guesses_at_a_programs_secret(app):
    company = app.set_up_company()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    wrong = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": "wrong"}
    for _ in range(10):
        denied(app.http.post(FORM, data=wrong), 401, "invalid_client")
    denied(app.http.post(FORM, data=wrong | {"client_secret": made["client_secret"]}), 429, "slow_down")


def test_no_address_and_no_account_is_kept_in_clear(app):
    company = app.set_up_company()
    sign_in(app, email_of(company), "a wrong guess")
    kept = rows(app, "SELECT * FROM failed_logins")
    assert len(kept) == 3
    assert email_of(company) not in str(kept)
    assert "testclient" not in str(kept)


# API clients


def test_a_programs_secret_is_shown_once_and_kept_as_a_hash(app):
    company = app.set_up_company()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    secret = made["client_secret"]
    assert len(secret) >= 43  # 32 random bytes
    assert made["client_id"].startswith("mikc_")
    for path in ("/v1/api-clients", f"/v1/api-clients/{made['id']}"):
        assert secret not in company.get(path).text
        assert "client_secret" not in company.get(path).text
    ((kept,),) = rows(app, "SELECT secret_hash FROM client_secrets")
    assert kept == hashlib.sha256(secret.encode()).hexdigest()
    for table in ("api_clients", "client_secrets", "audit_events", "failed_logins", "idempotency_records"):
        assert secret not in str(rows(app, f"SELECT * FROM {table}"))


def test_a_program_signs_in_and_is_revoked_at_once(app):
    company = app.set_up_company()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system", "scopes": list(Scope)}))
    assert made["last_used_at"] is None
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    token = ok(app.http.post(FORM, data=form))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    me = ok(app.http.get("/v1/me", headers=headers))
    assert me == {
        "kind": "client",
        "id": made["id"],
        "name": "Order system",
        "roles": ["applicant"],
        "organisation": me["organisation"],
        "administrator": None,
        "scopes": sorted(Scope),
        "second_factor": None,
    }
    ok(app.http.post("/v1/products", json=product(company.site_id), headers=headers))
    assert ok(company.get(f"/v1/api-clients/{made['id']}"))["last_used_at"] is not None
    assert ok(company.delete(f"/v1/api-clients/{made['id']}"))["revoked_at"] is not None
    refused(app.http.get("/v1/me", headers=headers), 401, "unauthenticated")
    refused(app.http.post("/v1/products", json=product(company.site_id), headers=headers), 401)
    denied(app.http.post(FORM, data=form), 401, "invalid_client")
    assert ok(company.delete(f"/v1/api-clients/{made['id']}"))["revoked_at"] is not None  # once more is no harm


def test_wrong_secrets(shared_app, company):
    app = shared_app
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    ok(app.http.post(FORM, data=form))
    other = ok(company.post("/v1/api-clients", json={"name": "Another"}))
    for wrong in (
        {"client_secret": made["client_secret"] + "x"},
        {"client_secret": made["client_secret"].swapcase()},
        {"client_secret": other["client_secret"]},
        {"client_id": other["client_id"]},
        {"client_id": "mikc_0000000000000000"},
        {"client_id": made["id"]},
    ):
        denied(app.http.post(FORM, data=form | wrong), 401, "invalid_client")


def test_a_program_neither_makes_nor_revokes_programs(shared_app, company):
    """Whoever stole a secret could otherwise keep the door open."""
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = ApiClient(shared_app, TokenSubject(ActorKind.CLIENT, UUID(made["id"])))
    refused(program.post("/v1/api-clients", json={"name": "Another"}), 403)
    refused(program.delete(f"/v1/api-clients/{made['id']}"), 403)
    refused(program.post(f"/v1/api-clients/{made['id']}/secrets"), 403)
    refused(program.delete(f"/v1/api-clients/{made['id']}/secrets/{made['secrets'][0]['id']}"), 403)
    assert program.get("/v1/me").status_code == 200


# Cut off


def test_a_role_that_was_taken_ends_with_the_next_request(app):
    reviewer = app.staff(Role.REVIEWER, Role.REGISTRAR, name="two-roles")
    assert reviewer.get("/v1/applications").status_code == 200
    who = stored_id(app, reviewer.id)
    execute(app, "DELETE FROM staff_roles WHERE user_id = :u AND role = 'reviewer'", u=who)
    company = app.set_up_company()
    refused(reviewer.post(f"/v1/applications/{company.apply()}/claim", version="now"), 403, "forbidden")
    assert reviewer.get("/v1/organisations").status_code == 200
    execute(app, "DELETE FROM staff_roles WHERE user_id = :u", u=who)
    refused(reviewer.get("/v1/applications"), 403)
    refused(reviewer.get("/v1/organisations"), 403)


def test_somebody_who_is_deactivated_is_out_with_the_next_request(app):
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    for caller, path in ((app.approver, f"/v1/applications/{case_id}"), (company, "/v1/products")):
        assert caller.get(path).status_code == 200
        execute(app, "UPDATE users SET active = false WHERE id = :u", u=stored_id(app, caller.id))
        refused(caller.get(path), 401, "unauthenticated")
    refused(app.approver.post(f"/v1/applications/{case_id}/approve", headers={"If-Match": '"4"'}), 401)
    assert count(app, "certificates") == 0


def test_a_refused_claim_seals_members_and_ends_programs(app):
    company = app.register()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = ApiClient(app, TokenSubject(ActorKind.CLIENT, UUID(made["id"])))
    app.registrar.act(f"/v1/claims/{company.claim_id}/refuse", {"reason": "No power of attorney."})
    refused(company.get("/v1/me"), 401)
    refused(program.get("/v1/me"), 401)
    assert sign_in(app, email_of(company)).status_code == 200
    sealed = company.without_factor()
    assert ok(sealed.get("/v1/me"))["organisation"] is None
    refused(sealed.get("/v1/sites"), 403, "forbidden")


def test_access_tokens_of_other_kinds_are_refused(shared_app, company, tmp_path):
    app = shared_app
    now = app.clock()
    own = app.container.access_tokens
    issued = int(now.timestamp())
    claims = {
        "iss": app.settings.base_url,
        "aud": AUDIENCE,
        "sub": str(company.subject),
        "iat": issued,
        "exp": issued + 900,
        "jti": "x",
        "sid": str(company.subject.session_id),
    }

    def me(token):
        return app.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    signer = own._signer
    assert me(signer.sign(claims, typ=jws.TYP_ACCESS_TOKEN)).status_code == 200
    stranger = access_signer(tmp_path / "other.pem")
    refused(me(AccessTokens(stranger, issuer=app.settings.base_url, minutes=15).issue(company.subject, now)), 401)
    refused(
        me(app.container.keys.active_signer().sign(claims, typ=jws.TYP_ACCESS_TOKEN)), 401
    )  # the key of certificates
    for wrong in (
        {"aud": "another"},
        {"aud": [AUDIENCE, "another"]},
        {"iss": "https://elsewhere.example"},
        {"sub": "user:"},
        {"sub": "system:None"},
        {"sub": "user:00000000-0000-7000-8000-000000000000"},
        {"sub": f"client:{company.id}"},
        {"sub": None},
        {"exp": issued - 1},
        {"exp": issued},
        {"exp": str(issued + 900)},
        {"exp": None},
        {"iat": issued + 600},
        {"iat": None},
        {"jti": None},
        {"sid": None},
        {"sid": "x"},
        {"sid": "00000000-0000-7000-8000-000000000000"},
    ):
        refused(me(signer.sign(claims | wrong, typ=jws.TYP_ACCESS_TOKEN)), 401)
    for typ in ("JWT", jws.TYP_CREDENTIAL, "at+JWT+x"):
        refused(me(signer.sign(claims, typ=typ)), 401)
    token = own.issue(company.subject, now)
    for changed in (
        token[:-4],
        token + "=",
        token.swapcase(),
        token.replace(".", ".."),
        f"{token} ",
        f"{token},{token}",
    ):
        refused(me(changed), 401)
    header, payload, _ = token.split(".")
    refused(me(f"{header}.{payload}."), 401)


def test_a_token_ends_after_a_quarter_of_an_hour(app):
    company = app.register()
    token = ok(sign_in(app, email_of(company)))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    app.clock.advance(minutes=14, seconds=59)
    assert app.http.get("/v1/me", headers=headers).status_code == 200
    app.clock.advance(seconds=1)
    refused(app.http.get("/v1/me", headers=headers), 401, "token-expired")


def test_a_certificate_is_no_access_token(app):
    token = app.token(app.certify())
    refused(app.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401)


# Registration


def registration(voen, **changed):
    member = {"full_name": "Aysel Nümunə", "email": f"first@{voen}.example", "password": PASSWORD}
    body = {"legal_name_az": "“Nümunə” MMC", "legal_name_en": "Sample", "legal_form": "MMC", "voen": voen}
    return body | {"member": member | changed.pop("member", {})} | changed


def test_a_company_registers_once(app):
    voen = voen_of(5001)
    made = ok(app.send_registration(registration(voen)))
    assert made["status"] == "unconfirmed"
    again = registration(voen, member={"email": "second@sample.example"})
    known = ok(app.send_registration(again))
    assert known.keys() == made.keys()
    assert known["status"] == made["status"]
    assert not set(known.values()) & set(made.values()) - {"unconfirmed"}
    assert count(app, "organisations") == count(app, "users") == count(app, "claims") == 2
    for email in (f"first@{voen}.example", f"FIRST@{voen}.EXAMPLE"):
        taken = registration(voen_of(5002), member={"email": email})
        refused(app.send_registration(taken), 409, "email-taken")
    assert count(app, "organisations") == count(app, "users") == 2


def test_a_staff_address_is_no_companys(app):
    app.reviewer  # noqa: B018 (made on first sight)
    body = registration(voen_of(5003), member={"email": "Reviewer@staff.example"})
    refused(app.send_registration(body), 409, "email-taken")


@pytest.mark.parametrize(
    ("member", "pointer"),
    [
        ({"password": "short"}, "/member/password"),
        ({"password": "eleven char"}, "/member/password"),
        ({"password": "aaaaaaaaaaaaaaaaaaaa"}, "/member/password"),
        ({"password": "x" * 257}, "/member/password"),
        ({"password": ""}, "/member/password"),
        ({"full_name": ""}, "/member/full_name"),
        ({"full_name": "a\0b"}, "/member/full_name"),
        ({"full_name": "\u202egnp.exe"}, "/member/full_name"),
    ],
)
def test_what_is_wrong_with_a_member(shared_app, member, pointer):
    before = count(shared_app, "users")
    body = registration(voen_of(5004), member=member)
    document = refused(shared_app.send_registration(body), 422)
    assert pointer in {error["pointer"] for error in document["errors"]}
    if len(member.get("password", "")) > 3:
        assert member["password"] not in str(document)
    assert count(shared_app, "users") == before


@pytest.mark.parametrize(
    "voen", ["", "123", "0" * 10, "00900001a1", "0090000121\0", "009000012", "00900001211", "٠٠٩٠٠٠٠١٢١"]
)
def test_what_is_wrong_with_a_voen(shared_app, voen):
    body = registration(voen, member={"email": "voen@sample.example"})
    document = refused(shared_app.send_registration(body), 422)
    assert "/voen" in {error["pointer"] for error in document["errors"]}


def test_a_listed_company_is_claimed_and_keeps_what_the_register_says(app):
    voen = voen_of(5005)
    columns = "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region"
    line = (
        f"N01,“Siyahı” MMC,From the register,MMC,{voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,non_resident,Asphalt mixes,true"
    )
    assert app.import_register(f"{columns},status,activity_en,is_fictional\n{line}\n").status_code == 200
    made = ok(app.send_registration(registration(voen)))
    assert made["status"] == "unconfirmed"
    (listed,) = ok(app.registrar.get("/v1/organisations?status=listed"))["items"]
    decided = app.registrar.act(f"/v1/claims/{made['claim_id']}/confirm", {"basis": "Extract seen."})
    seen = ok(app.registrar.get(f"/v1/organisations/{decided['organisation_id']}"))
    assert (seen["id"], seen["status"], seen["legal_name_en"]) == (listed["id"], "confirmed", "From the register")
    assert [member["email"] for member in seen["members"]] == [f"first@{voen}.example"]


def test_an_unconfirmed_company_drafts_and_tries_but_does_not_submit(app):
    company = app.set_up_company(confirmed=False)
    product_id = company.add_product()
    app.document_products(company, company.draft(product_id))
    dry = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [product_id]}))
    assert dry["items"][0]["outcome"] == "manual"  # it has no residency
    draft = company.draft(product_id)
    refused(company.post(f"/v1/applications/{draft}/submit", version="now"), 409, "organisation-unconfirmed")
    assert company.application(draft)["state"] == "draft"
    app.add_residency(app.confirm(company))
    company.submit(draft)
    assert company.application(draft)["state"] == "submitted"


def test_a_confirmed_company_gains_no_member_by_registration(app):
    company = app.set_up_company()
    body = registration(company.voen, member={"email": "intruder@sample.example"})
    made = app.send_registration(body)
    assert ok(made)["organisation_id"] != company.organisation_id
    assert company.name not in made.text
    members = ok(app.registrar.get(f"/v1/organisations/{company.organisation_id}"))["members"]
    assert [member["email"] for member in members] == [email_of(company)]
    assert sign_in(app, "intruder@sample.example").status_code == 200  # for the claim, and nothing else


def test_nobody_becomes_staff_by_registering(shared_app):
    for stray in ({"is_staff": True}, {"roles": ["owner"]}, {"status": "confirmed"}):
        refused(shared_app.send_registration(registration(voen_of(5006)) | stray), 422)
        body = registration(voen_of(5006), member=stray)
        refused(shared_app.send_registration(body), 422)


def test_the_password_is_kept_as_argon2id(shared_app, company):
    ((kept,),) = rows(shared_app, "SELECT password_hash FROM users WHERE email = :e", e=email_of(company))
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in str(rows(shared_app, "SELECT * FROM users"))
    assert PASSWORD not in str(rows(shared_app, "SELECT * FROM audit_events"))


def test_the_house_in_production_hashes_with_sixty_four_mebibytes():
    from app.auth.credentials.passwords import PasswordHasher  # noqa: PLC0415 (the one test without the cheap ones)

    parameters = PasswordHasher(1).hash(PASSWORD).split("$")[3]
    assert Counter(parameters.split(",")) == {"m=65536": 1, "t=3": 1, "p=1": 1}


def test_roles_are_the_databases_and_not_the_tokens(shared_app):
    """The claims of a token name somebody and nothing else."""
    app = shared_app
    token = app.container.access_tokens.issue(app.owner.subject, app.clock())
    claims = jws.verify_access_token(
        token,
        keys=app.container.access_tokens._keys,
        issuer=app.settings.base_url,
        audience=AUDIENCE,
        now=app.clock() + timedelta(minutes=1),
    )
    assert "owner" not in str(claims)
