"""The walks of accounts and of evidence items; `walks.py` takes them in."""

from functools import partial

import pyotp

from tests.auth import passkeys, provider_links
from tests.factories import PASSWORD, PDF, ok

WORDS = "another sufficiently long secret"


def _sign_in(app, company):
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    return ok(app.anonymous.post("/v1/auth/token", data=form))


def _sign_out(app):
    token = _sign_in(app, app.register())["refresh_token"]
    return partial(app.anonymous.post, "/v1/auth/revoke", data={"token": token})


def _code(app, secret):
    return pyotp.TOTP(secret).at(app.clock())


def _begin_enrolment(app):
    return partial(app.staff("registrar", name="new-registrar").post, "/v1/me/second-factor")


def _confirm_enrolment(app):
    staff = app.staff("registrar", name="new-registrar")
    secret = ok(staff.post("/v1/me/second-factor"))["secret"]
    return partial(staff.post, "/v1/me/second-factor/confirm", json={"otp": _code(app, secret)})


def _register_authenticator(app):
    staff = app.staff("registrar", name="new-registrar")
    return partial(staff.post, "/v1/me/credentials", json={"name": "Key", "registration": staff.registration()})


def _remove_authenticator(app):
    staff = app.staff("registrar", name="new-registrar")
    (mine,) = ok(staff.get("/v1/me/credentials"))["items"]
    return partial(staff.delete, f"/v1/me/credentials/{mine['id']}")


def step_up(app):
    """Like a sign-in it changes no state, right, rule or key: it makes the second factor of the session recent."""
    staff = app.staff("registrar", name="new-registrar")
    secret = ok(staff.post("/v1/me/second-factor"))["secret"]
    ok(staff.post("/v1/me/second-factor/confirm", json={"otp": _code(app, secret)}))
    app.clock.advance(minutes=2)  # each code is good once
    return partial(staff.post, "/v1/auth/step-up", json={"otp": _code(app, secret)})


def _end_for_provider(app):
    provider_links.signed_in(app.register(), "subject")
    form = {"logout_token": provider_links.logout_token(app, "subject")}
    return partial(app.anonymous.post, "/v1/auth/oidc/sample/backchannel-logout", data=form)


def _link(app):
    return partial(app.register().post, "/v1/me/identities", json=provider_links.link_body(app))


def _unlink(app):
    company = app.register()
    return partial(company.delete, f"/v1/me/identities/{provider_links.link(company)['id']}")


def _register_passkey(app):
    company = app.register()
    begun = ok(company.post("/v1/me/passkeys/options"))
    registration = passkeys.PasskeyDevice(app.container.relying_party).create(begun["options"])
    body = {"name": "Telephone", "ticket": begun["ticket"], "registration": registration}
    return partial(company.post, "/v1/me/passkeys", json=body)


def _rename_passkey(app):
    company = app.register()
    path = f"/v1/me/passkeys/{passkeys.registered(company)[1]['id']}"
    return partial(company.put, path, json={"name": "Old telephone"})


def _remove_passkey(app):
    company = app.register()
    return partial(company.delete, f"/v1/me/passkeys/{passkeys.registered(company)[1]['id']}")


AUTHORITY = {"scopes": ["read"], "first_day": "2026-11-22", "last_day": "2026-12-31"}


def _offer(app):
    body = AUTHORITY | {"email": "agent@numune.example"}
    return partial(app.set_up_company(evidence=()).post, "/v1/authorities", json=body)


def _revoke_authority(app):
    company = app.set_up_company(evidence=())
    row = ok(company.post("/v1/authorities", json=AUTHORITY | {"email": "agent@numune.example"}))
    return partial(company.delete, f"/v1/authorities/{row['id']}")


def _offered(app):
    agent = app.register()
    body = AUTHORITY | {"email": f"member@{agent.voen}.example"}
    return agent, ok(app.set_up_company(evidence=()).post("/v1/authorities", json=body))["id"]


def _accept_authority(app):
    agent, row_id = _offered(app)
    return partial(agent.post, f"/v1/me/authorities/{row_id}/accept")


def _give_up_authority(app):
    agent, row_id = _offered(app)
    return partial(agent.delete, f"/v1/me/authorities/{row_id}")


def _change_password(app):
    body = {"present_password": PASSWORD, "password": WORDS}
    return partial(app.register().post, "/v1/me/password", json=body)


def _redeem(app):
    company = app.register()
    ok(app.registrar.post(f"/v1/users/{company.id}/password-resets"))
    token = app.code(f"member@{company.voen}.example")
    return partial(app.anonymous.post, "/v1/auth/password-reset", json={"token": token, "password": WORDS})


def _issue_reset(app):
    return partial(app.registrar.post, f"/v1/users/{app.register().id}/password-resets")


def _invited(app):
    company = app.set_up_company()
    return company, ok(company.post("/v1/invitations", json={"email": "second@numune.example"}))


def _joined(app):
    company, _ = _invited(app)
    body = {"token": app.code("second@numune.example"), "full_name": "Kənan Nümunə", "password": WORDS}
    return company, ok(app.anonymous.post("/v1/invitations/accept", json=body))["user_id"]


def _make_administrator(app):
    company, member_id = _joined(app)
    return partial(company.put, f"/v1/members/{member_id}/administrator")


def _take_administrator(app):
    company, member_id = _joined(app)
    ok(company.put(f"/v1/members/{member_id}/administrator"))
    return partial(company.delete, f"/v1/members/{member_id}/administrator")


def _accept(app):
    _invited(app)
    body = {"token": app.code("second@numune.example"), "full_name": "Kənan Nümunə", "password": WORDS}
    return partial(app.anonymous.post, "/v1/invitations/accept", json=body)


def _withdraw_invitation(app):
    company, invitation = _invited(app)
    return partial(company.delete, f"/v1/invitations/{invitation['id']}")


def _remove_member(app):
    company, member_id = _joined(app)
    return partial(company.delete, f"/v1/members/{member_id}")


def _create_user(app):
    body = {"email": "new@staff.example", "full_name": "Leyla Nümunə", "roles": ["reviewer"]}
    return partial(app.owner.post, "/v1/users", json=body)


def _remove_user(app):
    return partial(app.owner.delete, f"/v1/users/{app.reviewer.id}")


def _take_role(app):
    return partial(app.owner.delete, f"/v1/users/{app.reviewer.id}/roles/reviewer")


def _ask_for_role(app):
    content = {"user_id": str(app.reviewer.id), "role": "approver"}
    return partial(app.owner.post, "/v1/proposals", json={"kind": "role", "content": content})


def _answer_request(answer):
    def walk(app):
        request = ok(_ask_for_role(app)())
        by = app.owner if answer == "withdraw" else app.second_owner
        path = f"/v1/proposals/{request['id']}"
        return partial(by.post, f"{path}/{answer}", version=by.version_of(path))

    return walk


def _lay(caller, path, kind, **details):
    files = {"file": ("paper.pdf", PDF, "application/pdf")}
    return partial(caller.post, path, data={"kind": kind, **details}, files=files)


def _lay_for_case(app):
    case_id = app.set_up_company().apply()
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    return _lay(app.reviewer, f"/v1/applications/{case_id}/evidence", "tax-status", **_TAXPAYER)


def _lay_for_company(app):
    path = f"/v1/organisations/{app.register().organisation_id}/evidence"
    return _lay(app.registrar, path, "tax-status", **_TAXPAYER)


_TAXPAYER = {"values": '{"taxpayer_status": "active"}', "issued_on": "2026-11-22"}


def _confirm_evidence(app):
    item = app.set_up_company(evidence=()).upload("permit", issued_on="2026-11-02")
    path = f"/v1/evidence/{item['id']}"
    return partial(app.registrar.post, f"{path}/confirm", json={}, version=app.registrar.version_of(path))


def _withdraw_confirmation(app):
    item = app.confirm_evidence(app.set_up_company(evidence=()).upload("permit", issued_on="2026-11-02"))
    path = f"/v1/evidence/{item['id']}"
    body = {"reason": "It is the permit of another works."}
    return partial(
        app.registrar.post, f"{path}/withdraw-confirmation", json=body, version=app.registrar.version_of(path)
    )


def _withdraw_document(app):
    company = app.set_up_company(evidence=())
    path = f"/v1/evidence/{company.upload('permit', issued_on='2026-11-02')['id']}"
    body = {"reason": "It is the permit of another works."}
    return partial(company.post, f"{path}/withdraw", json=body, version=company.version_of(path))


ACCESS_WALKS = {
    "POST /v1/auth/revoke": _sign_out,
    "POST /v1/auth/oidc/{provider}/backchannel-logout": _end_for_provider,
    "POST /v1/me/identities": _link,
    "DELETE /v1/me/identities/{identity_id}": _unlink,
    "POST /v1/me/passkeys": _register_passkey,
    "PUT /v1/me/passkeys/{passkey_id}": _rename_passkey,
    "DELETE /v1/me/passkeys/{passkey_id}": _remove_passkey,
    "POST /v1/authorities": _offer,
    "DELETE /v1/authorities/{authority_id}": _revoke_authority,
    "POST /v1/me/authorities/{authority_id}/accept": _accept_authority,
    "DELETE /v1/me/authorities/{authority_id}": _give_up_authority,
    "POST /v1/auth/password-reset": _redeem,
    "POST /v1/me/password": _change_password,
    "POST /v1/me/second-factor": _begin_enrolment,
    "POST /v1/me/second-factor/confirm": _confirm_enrolment,
    "POST /v1/me/credentials": _register_authenticator,
    "DELETE /v1/me/credentials/{credential_id}": _remove_authenticator,
    "POST /v1/invitations": lambda app: partial(
        app.set_up_company().post, "/v1/invitations", json={"email": "second@numune.example"}
    ),
    "POST /v1/invitations/accept": _accept,
    "DELETE /v1/invitations/{invitation_id}": _withdraw_invitation,
    "DELETE /v1/members/{member_id}": _remove_member,
    "PUT /v1/members/{member_id}/administrator": _make_administrator,
    "DELETE /v1/members/{member_id}/administrator": _take_administrator,
    "POST /v1/users": _create_user,
    "DELETE /v1/users/{user_id}": _remove_user,
    "DELETE /v1/users/{user_id}/roles/{role}": _take_role,
    "POST /v1/users/{user_id}/password-resets": _issue_reset,
    "POST /v1/proposals": _ask_for_role,
    "POST /v1/proposals/{proposal_id}/confirm": _answer_request("confirm"),
    "POST /v1/proposals/{proposal_id}/refuse": _answer_request("refuse"),
    "POST /v1/proposals/{proposal_id}/withdraw": _answer_request("withdraw"),
}
BY_STAFF = {"POST /v1/applications/{application_id}/evidence": _lay_for_case}
"""Where the staff writes to the same address as the company."""

EVIDENCE_WALKS = {
    "POST /v1/organisations/{organisation_id}/evidence": _lay_for_company,
    "POST /v1/evidence/{evidence_id}/confirm": _confirm_evidence,
    "POST /v1/evidence/{evidence_id}/withdraw-confirmation": _withdraw_confirmation,
    "POST /v1/evidence/{evidence_id}/withdraw": _withdraw_document,
}
