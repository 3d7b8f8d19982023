"""Getting in: tokens by RFC 6749, guesses, API clients, registration; and how somebody is cut off."""

import hashlib
from collections import Counter
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app import jws
from app.access.service import Subject
from app.access.tokens import AUDIENCE, AccessTokens
from app.actor import ActorKind, Role, Scope
from app.keys import access_signer
from tests.factories import PASSWORD, Caller, in_state, ok, product, voen_of
from tests.helpers import count, execute, refused, rows, stored_id

pytestmark = pytest.mark.pg_sampled
FORM = "/v1/auth/token"


def sign_in(house, username, password=PASSWORD, *, address=None, **more):
    form = {"grant_type": "password", "username": username, "password": password} | more
    return from_address(house, address).post(FORM, data=form)


def from_address(house, address):
    """A client that calls from another address of the net."""
    if address is None:
        return house.http
    return TestClient(
        house.app, base_url=house.settings.base_url, raise_server_exceptions=False, client=(address, 50_000)
    )


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
def company(shared_house):
    return shared_house.company()


# Tokens


def test_a_right_password_gives_a_token_that_works(shared_house, company):
    answer = sign_in(shared_house, email_of(company))
    body = ok(answer)
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 900
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    me = ok(shared_house.http.get("/v1/me", headers={"Authorization": f"bearer {body['access_token']}"}))
    assert me["organisation"]["id"] == company.organisation_id
    assert me["roles"] == ["applicant"]
    assert me["kind"] == "user"


def test_the_address_is_forgiving_of_case_and_spaces(shared_house, company):
    assert sign_in(shared_house, f"  {email_of(company).upper()} ").status_code == 200


def test_what_is_wrong_in_the_form(shared_house, company):
    house = shared_house
    user = {"username": email_of(company), "password": PASSWORD}
    denied(house.http.post(FORM, data=user), 400, "unsupported_grant_type")
    for grant in ("", "refresh", "PASSWORD", "authorization_code", "password client_credentials"):
        denied(house.http.post(FORM, data=user | {"grant_type": grant}), 400, "unsupported_grant_type")
    for missing in ({}, {"username": "a@sample.example"}, {"password": "x"}, {"username": "", "password": ""}):
        denied(house.http.post(FORM, data={"grant_type": "password"} | missing), 400, "invalid_request")
        denied(house.http.post(FORM, data={"grant_type": "client_credentials"} | missing), 400, "invalid_request")
    refused(house.http.post(FORM, json=user | {"grant_type": "password"}), 415)
    refused(house.http.post(FORM, content=b"grant_type=password"), 415)
    assert house.http.get(FORM).status_code == 405


def test_unknown_wrong_and_inactive_look_the_same(house):
    company = house.company()
    wrong = sign_in(house, email_of(company), "not this password")
    unknown = sign_in(house, "nobody@sample.example")
    execute(house, "UPDATE users SET active = false WHERE email = :e", e=email_of(company))
    inactive = sign_in(house, email_of(company))
    inactive_and_wrong = sign_in(house, email_of(company), "not this password")
    for answer in (wrong, unknown, inactive, inactive_and_wrong):
        denied(answer, 401, "invalid_grant")
        assert answer.json() == wrong.json()


def test_strange_names_and_passwords_are_only_wrong(shared_house):
    house = shared_house
    for text in ("\0", "a\0b", "\u202e", "'; --", "%", "x" * 300, "İstanbul", "𐀀", "\x85"):
        assert sign_in(house, text).status_code in {400, 401}, text
        assert sign_in(house, "nobody@sample.example", text).status_code == 401, text
    raw = "grant_type=password&username=%ED%A0%80&password=%ff%fe%00"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert house.http.post(FORM, content=raw, headers=headers).status_code in {400, 401, 422}
    for name, text in {"username": "x" * 400, "password": "x" * 5_000, "grant_type": "x" * 400}.items():
        form = {"grant_type": "password", "username": "a@sample.example", "password": "x"} | {name: text}
        refused(house.http.post(FORM, data=form), 422)
    many = "&".join(f"f{i}=x" for i in range(5_000))
    answer = house.http.post(FORM, content=f"grant_type=password&{many}", headers=headers)
    assert answer.status_code < 500
    twice = "grant_type=password&grant_type=client_credentials&username=a&password=b"
    assert house.http.post(FORM, content=twice, headers=headers).status_code in {400, 401}


def test_a_secret_never_comes_back(shared_house, company):
    for name in (email_of(company), "\0", ""):
        assert "hidden horse" not in sign_in(shared_house, name, "hidden horse").text


def test_an_unknown_account_costs_the_same_work(shared_house, company):
    """One hash each, whoever is named: the time of answering does not tell who exists."""
    house = shared_house
    hasher = type(house.app.state.passwords._hasher)
    original, calls = hasher.verify, []

    def counted(self, password, stored):
        calls.append(stored.split("$")[3])
        return original(self, password, stored)

    with patch.object(hasher, "verify", counted):
        sign_in(house, email_of(company), "not this password")
        sign_in(house, "nobody-at-all@sample.example", "not this password")
    assert len(calls) == 2
    assert calls[0] == calls[1]  # the same cost parameters


# Guesses


def test_guesses_at_one_account_from_one_address(house):
    company = house.company()
    for _ in range(10):
        denied(sign_in(house, email_of(company), "a wrong guess"), 401, "invalid_grant")
    exhausted = sign_in(house, email_of(company), "a wrong guess")
    denied(exhausted, 429, "slow_down")
    assert 0 < int(exhausted.headers["Retry-After"]) <= 900
    denied(sign_in(house, email_of(company)), 429, "slow_down")  # not even the right one tells
    ok(sign_in(house, email_of(company), address="192.0.2.7"))  # the person at home is not locked out
    house.clock.advance(minutes=15, seconds=1)
    ok(sign_in(house, email_of(company)))


def test_a_right_password_forgives_what_went_wrong_before(house):
    company = house.company()
    for _ in range(3):
        for _ in range(9):
            denied(sign_in(house, email_of(company), "a wrong guess"), 401, "invalid_grant")
        ok(sign_in(house, email_of(company)))


def test_guesses_from_one_address_at_many_accounts(house):
    company = house.company()
    for i in range(100):
        denied(sign_in(house, f"nobody{i}@sample.example", address="192.0.2.8"), 401, "invalid_grant")
    denied(sign_in(house, "nobody-else@sample.example", address="192.0.2.8"), 429, "slow_down")
    denied(sign_in(house, email_of(company), address="192.0.2.8"), 429, "slow_down")
    ok(sign_in(house, email_of(company), address="192.0.2.9"))


def test_guesses_at_one_account_from_many_addresses(house):
    company = house.company()
    """They slow each other down, and lock nobody out: the person at home signs in, and has a few tries."""
    for i in range(52):
        denied(sign_in(house, email_of(company), "a wrong guess", address=f"198.51.100.{i}"), 401, "invalid_grant")
    ok(sign_in(house, email_of(company), address="203.0.113.9"))
    for _ in range(3):
        denied(sign_in(house, email_of(company), "a wrong guess", address="203.0.113.9"), 401, "invalid_grant")
    denied(sign_in(house, email_of(company), address="203.0.113.9"), 429, "slow_down")
    ok(sign_in(house, email_of(company), address="203.0.113.10"))
    house.clock.advance(minutes=15, seconds=1)
    ok(sign_in(house, email_of(company), address="203.0.113.9"))


def test_an_ipv6_address_counts_by_its_network(house):
    company = house.company()
    for i in range(10):
        denied(sign_in(house, email_of(company), "a wrong guess", address=f"2001:db8::{i}"), 401, "invalid_grant")
    denied(sign_in(house, email_of(company), address="2001:db8:0:0:ffff::1"), 429, "slow_down")
    denied(sign_in(house, email_of(company), "a wrong guess", address="2001:db8:0:1::1"), 401, "invalid_grant")


def test_guesses_at_a_programs_secret(house):
    company = house.company()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    wrong = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": "wrong"}
    for _ in range(10):
        denied(house.http.post(FORM, data=wrong), 401, "invalid_client")
    denied(house.http.post(FORM, data=wrong | {"client_secret": made["client_secret"]}), 429, "slow_down")


def test_no_address_and_no_account_is_kept_in_clear(house):
    company = house.company()
    sign_in(house, email_of(company), "a wrong guess")
    kept = rows(house, "SELECT * FROM guesses")
    assert len(kept) == 3
    assert email_of(company) not in str(kept)
    assert "testclient" not in str(kept)


# API clients


def test_a_programs_secret_is_shown_once_and_kept_as_a_hash(house):
    company = house.company()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    secret = made["client_secret"]
    assert len(secret) >= 43  # 32 random bytes
    assert made["client_id"].startswith("mikc_")
    for path in ("/v1/api-clients", f"/v1/api-clients/{made['id']}"):
        assert secret not in company.get(path).text
        assert "client_secret" not in company.get(path).text
    ((kept,),) = rows(house, "SELECT secret_hash FROM client_secrets")
    assert kept == hashlib.sha256(secret.encode()).hexdigest()
    for table in ("api_clients", "client_secrets", "audit_events", "guesses", "kept_answers"):
        assert secret not in str(rows(house, f"SELECT * FROM {table}"))


def test_a_program_signs_in_and_is_revoked_at_once(house):
    company = house.company()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system", "scopes": list(Scope)}))
    assert made["last_used_at"] is None
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    token = ok(house.http.post(FORM, data=form))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    me = ok(house.http.get("/v1/me", headers=headers))
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
    ok(house.http.post("/v1/products", json=product(company.site_id), headers=headers))
    assert ok(company.get(f"/v1/api-clients/{made['id']}"))["last_used_at"] is not None
    assert ok(company.delete(f"/v1/api-clients/{made['id']}"))["revoked_at"] is not None
    refused(house.http.get("/v1/me", headers=headers), 401, "unauthenticated")
    refused(house.http.post("/v1/products", json=product(company.site_id), headers=headers), 401)
    denied(house.http.post(FORM, data=form), 401, "invalid_client")
    assert ok(company.delete(f"/v1/api-clients/{made['id']}"))["revoked_at"] is not None  # once more is no harm


def test_wrong_secrets(shared_house, company):
    house = shared_house
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    form = {"grant_type": "client_credentials"} | {k: made[k] for k in ("client_id", "client_secret")}
    ok(house.http.post(FORM, data=form))
    other = ok(company.post("/v1/api-clients", json={"name": "Another"}))
    for wrong in (
        {"client_secret": made["client_secret"] + "x"},
        {"client_secret": made["client_secret"].swapcase()},
        {"client_secret": other["client_secret"]},
        {"client_id": other["client_id"]},
        {"client_id": "mikc_0000000000000000"},
        {"client_id": made["id"]},
    ):
        denied(house.http.post(FORM, data=form | wrong), 401, "invalid_client")


def test_a_program_neither_makes_nor_revokes_programs(shared_house, company):
    """Whoever stole a secret could otherwise keep the door open."""
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = Caller(shared_house, Subject(ActorKind.CLIENT, UUID(made["id"])))
    refused(program.post("/v1/api-clients", json={"name": "Another"}), 403)
    refused(program.delete(f"/v1/api-clients/{made['id']}"), 403)
    refused(program.post(f"/v1/api-clients/{made['id']}/secrets"), 403)
    refused(program.delete(f"/v1/api-clients/{made['id']}/secrets/{made['secrets'][0]['id']}"), 403)
    assert program.get("/v1/me").status_code == 200


# Cut off


def test_a_role_that_was_taken_ends_with_the_next_request(house):
    reviewer = house.staff(Role.REVIEWER, Role.REGISTRAR, name="two-roles")
    assert reviewer.get("/v1/cases").status_code == 200
    who = stored_id(house, reviewer.id)
    execute(house, "DELETE FROM staff_roles WHERE user_id = :u AND role = 'reviewer'", u=who)
    company = house.company()
    refused(reviewer.post(f"/v1/cases/{company.apply()}/claim", version="now"), 403, "forbidden")
    assert reviewer.get("/v1/organisations").status_code == 200
    execute(house, "DELETE FROM staff_roles WHERE user_id = :u", u=who)
    refused(reviewer.get("/v1/cases"), 403)
    refused(reviewer.get("/v1/organisations"), 403)


def test_somebody_who_is_deactivated_is_out_with_the_next_request(house):
    company = house.company()
    case_id = in_state(house, company, "recommended")
    for caller, path in ((house.approver, f"/v1/cases/{case_id}"), (company, "/v1/products")):
        assert caller.get(path).status_code == 200
        execute(house, "UPDATE users SET active = false WHERE id = :u", u=stored_id(house, caller.id))
        refused(caller.get(path), 401, "unauthenticated")
    refused(house.approver.post(f"/v1/cases/{case_id}/approve", headers={"If-Match": '"4"'}), 401)
    assert count(house, "certificates") == 0


def test_a_refused_claim_seals_members_and_ends_programs(house):
    company = house.register()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system"}))
    program = Caller(house, Subject(ActorKind.CLIENT, UUID(made["id"])))
    house.registrar.act(f"/v1/organisations/{company.organisation_id}/refuse", {"reason": "No power of attorney."})
    refused(company.get("/v1/me"), 401)
    refused(program.get("/v1/me"), 401)
    assert sign_in(house, email_of(company)).status_code == 200
    sealed = company.without_factor()
    assert ok(sealed.get("/v1/me"))["organisation"] is None
    refused(sealed.get("/v1/sites"), 403, "forbidden")


def test_access_tokens_of_other_kinds_are_refused(shared_house, company, tmp_path):
    house = shared_house
    now = house.clock()
    own = house.app.state.tokens
    issued = int(now.timestamp())
    claims = {
        "iss": house.settings.base_url,
        "aud": AUDIENCE,
        "sub": str(company.subject),
        "iat": issued,
        "exp": issued + 900,
        "jti": "x",
        "sid": str(company.subject.session_id),
    }

    def me(token):
        return house.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    signer = own._signer
    assert me(signer.sign(claims, typ=jws.ACCESS)).status_code == 200
    stranger = access_signer(tmp_path / "other.pem")
    refused(me(AccessTokens(stranger, issuer=house.settings.base_url, minutes=15).issue(company.subject, now)), 401)
    refused(me(house.app.state.keeper.signer().sign(claims, typ=jws.ACCESS)), 401)  # the key of certificates
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
        refused(me(signer.sign(claims | wrong, typ=jws.ACCESS)), 401)
    for typ in ("JWT", jws.CREDENTIAL, "at+JWT+x"):
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


def test_a_token_ends_after_a_quarter_of_an_hour(house):
    company = house.register()
    token = ok(sign_in(house, email_of(company)))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    house.clock.advance(minutes=14, seconds=59)
    assert house.http.get("/v1/me", headers=headers).status_code == 200
    house.clock.advance(seconds=1)
    refused(house.http.get("/v1/me", headers=headers), 401, "token-expired")


def test_a_certificate_is_no_access_token(house):
    token = house.token(house.certify())
    refused(house.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401)


# Registration


def registration(voen, **changed):
    member = {"full_name": "Aysel Nümunə", "email": f"first@{voen}.example", "password": PASSWORD}
    body = {"legal_name_az": "“Nümunə” MMC", "legal_name_en": "Sample", "legal_form": "MMC", "voen": voen}
    return body | {"member": member | changed.pop("member", {})} | changed


def test_a_company_registers_once(house):
    voen = voen_of(5001)
    made = ok(house.send_registration(registration(voen)))
    assert made["standing"] == "unconfirmed"
    again = registration(voen, member={"email": "second@sample.example"})
    known = ok(house.send_registration(again))
    assert known.keys() == made.keys()
    assert known["standing"] == made["standing"]
    assert not set(known.values()) & set(made.values()) - {"unconfirmed"}
    assert count(house, "organisations") == count(house, "users") == count(house, "claims") == 2
    for email in (f"first@{voen}.example", f"FIRST@{voen}.EXAMPLE"):
        taken = registration(voen_of(5002), member={"email": email})
        refused(house.send_registration(taken), 409, "email-taken")
    assert count(house, "organisations") == count(house, "users") == 2


def test_a_staff_address_is_no_companys(house):
    house.reviewer  # noqa: B018 (made on first sight)
    body = registration(voen_of(5003), member={"email": "Reviewer@staff.example"})
    refused(house.send_registration(body), 409, "email-taken")


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
def test_what_is_wrong_with_a_member(shared_house, member, pointer):
    before = count(shared_house, "users")
    body = registration(voen_of(5004), member=member)
    document = refused(shared_house.send_registration(body), 422)
    assert pointer in {error["pointer"] for error in document["errors"]}
    if len(member.get("password", "")) > 3:
        assert member["password"] not in str(document)
    assert count(shared_house, "users") == before


@pytest.mark.parametrize(
    "voen", ["", "123", "0" * 10, "00900001a1", "0090000121\0", "009000012", "00900001211", "٠٠٩٠٠٠٠١٢١"]
)
def test_what_is_wrong_with_a_voen(shared_house, voen):
    body = registration(voen, member={"email": "voen@sample.example"})
    document = refused(shared_house.send_registration(body), 422)
    assert "/voen" in {error["pointer"] for error in document["errors"]}


def test_a_listed_company_is_claimed_and_keeps_what_the_register_says(house):
    voen = voen_of(5005)
    columns = "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region"
    line = (
        f"N01,“Siyahı” MMC,From the register,MMC,{voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,non_resident,Asphalt mixes,true"
    )
    assert house.import_register(f"{columns},status,activity_en,is_fictional\n{line}\n").status_code == 200
    made = ok(house.send_registration(registration(voen)))
    assert made["standing"] == "unconfirmed"
    (listed,) = ok(house.registrar.get("/v1/organisations?standing=listed"))["items"]
    path = f"/v1/organisations/{made['organisation_id']}/confirm"
    seen = ok(house.registrar.post(path, json={"basis": "Extract seen."}, version="now"))
    assert (seen["id"], seen["standing"], seen["legal_name_en"]) == (listed["id"], "confirmed", "From the register")
    assert [member["email"] for member in seen["members"]] == [f"first@{voen}.example"]


def test_an_unconfirmed_company_drafts_and_tries_but_does_not_submit(house):
    company = house.company(confirmed=False)
    product_id = company.add_product()
    house.document_products(company, company.draft(product_id))
    dry = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [product_id]}))
    assert dry["items"][0]["outcome"] == "manual"  # it has no residency
    draft = company.draft(product_id)
    refused(company.post(f"/v1/applications/{draft}/submit", version="now"), 409, "organisation-unconfirmed")
    assert company.application(draft)["state"] == "draft"
    house.settle(house.confirm(company))
    company.submit(draft)
    assert company.application(draft)["state"] == "submitted"


def test_a_confirmed_company_gains_no_member_by_registration(house):
    company = house.company()
    body = registration(company.voen, member={"email": "intruder@sample.example"})
    made = house.send_registration(body)
    assert ok(made)["organisation_id"] != company.organisation_id
    assert company.name not in made.text
    members = ok(house.registrar.get(f"/v1/organisations/{company.organisation_id}"))["members"]
    assert [member["email"] for member in members] == [email_of(company)]
    assert sign_in(house, "intruder@sample.example").status_code == 200  # for the claim, and nothing else


def test_nobody_becomes_staff_by_registering(shared_house):
    for stray in ({"is_staff": True}, {"roles": ["owner"]}, {"standing": "confirmed"}):
        refused(shared_house.send_registration(registration(voen_of(5006)) | stray), 422)
        body = registration(voen_of(5006), member=stray)
        refused(shared_house.send_registration(body), 422)


def test_the_password_is_kept_as_argon2id(shared_house, company):
    ((kept,),) = rows(shared_house, "SELECT password_hash FROM users WHERE email = :e", e=email_of(company))
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in str(rows(shared_house, "SELECT * FROM users"))
    assert PASSWORD not in str(rows(shared_house, "SELECT * FROM audit_events"))


def test_the_house_in_production_hashes_with_sixty_four_mebibytes():
    from app.access.passwords import Passwords  # noqa: PLC0415 (the one test without the cheap ones)

    parameters = Passwords(1).hash(PASSWORD).split("$")[3]
    assert Counter(parameters.split(",")) == {"m=65536": 1, "t=3": 1, "p=1": 1}


def test_roles_are_the_databases_and_not_the_tokens(shared_house):
    """The claims of a token name somebody and nothing else."""
    house = shared_house
    token = house.app.state.tokens.issue(house.owner.subject, house.clock())
    claims = jws.verify_access(
        token,
        keys=house.app.state.tokens._keys,
        issuer=house.settings.base_url,
        audience=AUDIENCE,
        now=house.clock() + timedelta(minutes=1),
    )
    assert "owner" not in str(claims)
