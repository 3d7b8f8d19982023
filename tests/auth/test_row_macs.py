"""Whoever may write every table but has no key gives nobody a right: each changed or added row counts as absent."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.auth.authenticate import TokenSubject
from app.auth.credentials.passwords import new_token, token_hash
from app.core.actor import ActorKind, Role
from app.core.crypto.row_macs import find_unauthentic, load_row_macs
from app.core.database import new_id
from tests.api.helpers import FORM, bearer, denied, email_of, enrolled, me, renew, sign_in
from tests.factories import PASSWORD, ApiClient, ok
from tests.helpers import execute, refused, stored_id

STOLEN = "a password of the thief"
MACS = {"no MAC": "NULL", "MAC of another row": "(SELECT mac FROM {table} WHERE mac IS NOT NULL LIMIT 1)"}


def insert(app, table, mac, **values):
    """Add a row past the service."""
    names = ", ".join([*values, "mac"])
    places = ", ".join([*(f":{name}" for name in values), MACS[mac].format(table=table)])
    execute(app, f"INSERT INTO {table} ({names}) VALUES ({places})", **values)


def change(app, table, caller, changed, **values):
    """Change the row of a person past the service."""
    key = "user_id" if table == "totp_enrolments" else "id"
    execute(app, f"UPDATE {table} SET {changed} WHERE {key} = :id", id=stored_id(app, caller.id), **values)


def unauthentic(app):
    """Tables of the rows that `mik doctor` names."""
    with app.database.read_session() as session:
        return [table for table, _ in find_unauthentic(session, load_row_macs(app.settings.row_key))]


def test_rows_as_the_service_wrote_them_are_all_authentic(app):
    enrolled(app.owner)
    app.certify()
    assert unauthentic(app) == []


def test_a_password_that_was_replaced(app):
    """Neither the thief's password nor the person's own one is taken, and no session goes on."""
    code = enrolled(app.approver).code
    email, tokens = "approver@staff.example", ok(sign_in(app, "approver@staff.example", otp=code()))
    app.clock.advance(minutes=1)
    change(app, "users", app.approver, "password_hash = :hash", hash=app.container.passwords.hash(STOLEN))
    for password in (STOLEN, PASSWORD):
        denied(sign_in(app, email, password, otp=code()), 401, "invalid_grant")
    refused(me(app, tokens), 401)
    denied(renew(app, tokens["refresh_token"]), 400, "invalid_grant")
    assert unauthentic(app) == ["users"]


def test_a_password_copied_with_its_mac_from_another_account(app):
    """The thief knows the password of the auditor; all that is authenticated of that row is put into the owner's."""
    assert app.owner and app.auditor
    copied = ", ".join(f"{name} = (SELECT {name} FROM users WHERE id = :other)" for name in ("password_hash", "mac"))
    change(app, "users", app.owner, copied, other=stored_id(app, app.auditor.id))
    denied(sign_in(app, "owner@staff.example"), 401, "invalid_grant")
    refused(app.owner.get("/v1/me"), 401)


@pytest.mark.parametrize("mac", MACS)
def test_a_role_that_was_added(app, mac):
    number = app.certify()
    insert(app, "staff_roles", mac, user_id=stored_id(app, app.auditor.id), role="owner", is_staff=True)
    assert ok(app.auditor.get("/v1/me"))["roles"] == [Role.AUDITOR]
    refused(app.auditor.post(f"/v1/certificates/{number}/suspend", version="now", json={"cause": "court"}), 403)
    assert app.verify(number)["verdict"] == "valid"
    assert unauthentic(app) == ["staff_roles"]


def test_a_company_s_member_turned_into_staff(app):
    company = app.register()
    tokens = ok(sign_in(app, email := email_of(company)))
    staff = "is_staff = :yes, organisation_id = NULL, is_administrator = :no"
    change(app, "users", company, staff, yes=True, no=False)
    insert(app, "staff_roles", "no MAC", user_id=stored_id(app, company.id), role="owner", is_staff=True)
    refused(me(app, tokens), 401)
    refused(app.http.get("/v1/applications", headers=bearer(tokens)), 401)
    denied(sign_in(app, email), 401, "invalid_grant")
    assert unauthentic(app) == ["staff_roles", "users"]


def test_a_member_moved_into_another_company(app):
    company, other = app.register(), app.register()
    moved = "organisation_id = :other"
    change(app, "users", company, moved, other=stored_id(app, other.organisation_id))
    refused(company.get("/v1/me"), 401)
    refused(company.get(f"/v1/organisations/{other.organisation_id}"), 401)


@pytest.mark.parametrize("columns", [("encrypted_secret",), ("encrypted_secret", "last_step", "mac")])
def test_a_second_factor_copied_from_another_account(app, columns):
    """The thief, an auditor who also knows the owner's password, sends codes of their own phone."""
    thief, own = enrolled(app.auditor), enrolled(app.owner)
    app.clock.advance(minutes=1)
    copied = ", ".join(f"{name} = (SELECT {name} FROM totp_enrolments WHERE user_id = :other)" for name in columns)
    change(app, "totp_enrolments", app.owner, copied, other=stored_id(app, app.auditor.id))
    for phone in (thief, own):
        denied(sign_in(app, "owner@staff.example", otp=phone.code()), 401, "invalid_grant")
    # Nor does a row that is not authentic count as no second factor, which a password alone would replace.
    tokens = ok(sign_in(app, "owner@staff.example"))
    refused(app.http.post("/v1/me/second-factor", headers=bearer(tokens)), 403, "second-factor-required")
    assert unauthentic(app) == ["totp_enrolments"]


def test_a_secret_of_an_api_client_that_was_replaced(app):
    company = app.register()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system", "scopes": ["read"]}))
    own = {"grant_type": "client_credentials", "client_id": made["client_id"]}
    tokens = ok(app.http.post(FORM, data=own | {"client_secret": made["client_secret"]}))
    secret, digest = new_token("miks_")
    execute(app, "UPDATE client_secrets SET secret_hash = :digest", digest=digest)
    for tried in (secret, made["client_secret"]):
        denied(app.http.post(FORM, data=own | {"client_secret": tried}), 401, "invalid_client")
    refused(app.http.get("/v1/products", headers=bearer(tokens)), 401)
    assert unauthentic(app) == ["client_secrets"]


def test_scopes_that_were_added_to_an_api_client(app):
    company = app.register()
    made = ok(company.post("/v1/api-clients", json={"name": "Order system", "scopes": ["read"]}))
    own = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"]}
    tokens = ok(app.http.post(FORM, data=own))
    execute(app, "UPDATE api_clients SET scopes = :scopes", scopes='["read", "products:write"]')
    denied(app.http.post(FORM, data=own), 401, "invalid_client")
    refused(app.http.get("/v1/products", headers=bearer(tokens)), 401)


@pytest.mark.parametrize("mac", MACS)
def test_a_session_that_was_inserted(app, mac):
    """Of the owner, with a second factor just given and a refresh token that the thief knows."""
    now, session_id = app.clock(), new_id()
    assert app.owner and app.auditor
    moments = {"now": str(now.replace(tzinfo=None)), "later": str((now + timedelta(days=1)).replace(tzinfo=None))}
    ident, token = stored_id(app, str(session_id)), "mikr_of-the-thief"
    insert(
        app,
        "user_sessions",
        mac,
        id=ident,
        user_id=stored_id(app, app.owner.id),
        created_at=moments["now"],
        expires_at=moments["later"],
        second_factor_at=moments["now"],
    )
    insert(app, "refresh_tokens", mac, token_hash=token_hash(token), user_session_id=ident, created_at=moments["now"])
    denied(renew(app, token), 400, "invalid_grant")
    # Not even with an access token, which takes the key of the service.
    thief = ApiClient(app, TokenSubject(ActorKind.USER, UUID(app.owner.id), session_id))
    refused(thief.get("/v1/me"), 401)
    assert unauthentic(app) == ["refresh_tokens", "user_sessions"]


def test_a_session_with_a_second_factor_that_was_never_given(app):
    number = app.certify()
    thief = app.owner.without_factor()
    path = f"/v1/certificates/{number}/suspend"
    refused(thief.post(path, version="now", json={"cause": "court"}), 403, "second-factor-required")
    session_id = stored_id(app, str(thief.subject.session_id))
    execute(app, "UPDATE user_sessions SET second_factor_at = created_at WHERE id = :id", id=session_id)
    refused(thief.post(path, headers={"If-Match": '"1"'}, json={"cause": "court"}), 401)
    assert app.verify(number)["verdict"] == "valid"
