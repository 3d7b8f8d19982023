"""The walks of accounts and of evidence items; `walks.py` takes them in."""

from functools import partial

import pyotp

from tests.factories import PASSWORD, PDF, ok

WORDS = "another sufficiently long secret"


def _sign_in(house, company):
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    return ok(house.anonymous.post("/v1/auth/token", data=form))


def _sign_out(house):
    token = _sign_in(house, house.register())["refresh_token"]
    return partial(house.anonymous.post, "/v1/auth/revoke", data={"token": token})


def _code(house, secret):
    return pyotp.TOTP(secret).at(house.clock())


def _begin_enrolment(house):
    return partial(house.staff("registrar", name="new-registrar").post, "/v1/me/second-factor")


def _confirm_enrolment(house):
    staff = house.staff("registrar", name="new-registrar")
    secret = ok(staff.post("/v1/me/second-factor"))["secret"]
    return partial(staff.post, "/v1/me/second-factor/confirm", json={"otp": _code(house, secret)})


def step_up(house):
    """Like a sign-in it changes no state, right, rule or key: it makes the second factor of the session recent."""
    staff = house.staff("registrar", name="new-registrar")
    secret = ok(staff.post("/v1/me/second-factor"))["secret"]
    ok(staff.post("/v1/me/second-factor/confirm", json={"otp": _code(house, secret)}))
    house.clock.advance(minutes=2)  # each code is good once
    return partial(staff.post, "/v1/auth/step-up", json={"otp": _code(house, secret)})


def _change_password(house):
    body = {"present_password": PASSWORD, "password": WORDS}
    return partial(house.register().post, "/v1/me/password", json=body)


def _redeem(house):
    company = house.register()
    ok(house.registrar.post(f"/v1/users/{company.id}/password-resets"))
    token = house.code(f"member@{company.voen}.example")
    return partial(house.anonymous.post, "/v1/auth/password-reset", json={"token": token, "password": WORDS})


def _issue_reset(house):
    return partial(house.registrar.post, f"/v1/users/{house.register().id}/password-resets")


def _invited(house):
    company = house.company()
    return company, ok(company.post("/v1/invitations", json={"email": "second@numune.example"}))


def _joined(house):
    company, _ = _invited(house)
    body = {"token": house.code("second@numune.example"), "full_name": "Kənan Nümunə", "password": WORDS}
    return company, ok(house.anonymous.post("/v1/invitations/accept", json=body))["user_id"]


def _make_administrator(house):
    company, member_id = _joined(house)
    return partial(company.put, f"/v1/members/{member_id}/administrator")


def _take_administrator(house):
    company, member_id = _joined(house)
    ok(company.put(f"/v1/members/{member_id}/administrator"))
    return partial(company.delete, f"/v1/members/{member_id}/administrator")


def _accept(house):
    _invited(house)
    body = {"token": house.code("second@numune.example"), "full_name": "Kənan Nümunə", "password": WORDS}
    return partial(house.anonymous.post, "/v1/invitations/accept", json=body)


def _withdraw_invitation(house):
    company, invitation = _invited(house)
    return partial(company.delete, f"/v1/invitations/{invitation['id']}")


def _remove_member(house):
    company, member_id = _joined(house)
    return partial(company.delete, f"/v1/members/{member_id}")


def _create_user(house):
    body = {"email": "new@staff.example", "full_name": "Leyla Nümunə", "roles": ["reviewer"]}
    return partial(house.owner.post, "/v1/users", json=body)


def _remove_user(house):
    return partial(house.owner.delete, f"/v1/users/{house.reviewer.id}")


def _take_role(house):
    return partial(house.owner.delete, f"/v1/users/{house.reviewer.id}/roles/reviewer")


def _ask_for_role(house):
    return partial(house.owner.post, f"/v1/users/{house.reviewer.id}/role-requests", json={"role": "approver"})


def _ask_for_reset(house):
    _confirm_enrolment(house)()
    user = house.staff("registrar", name="new-registrar")
    return partial(house.owner.post, f"/v1/users/{user.id}/second-factor-requests")


def _answer_request(answer):
    def walk(house):
        request = ok(_ask_for_role(house)())
        second = house.staff("owner", name="second-owner")
        path = f"/v1/access-requests/{request['id']}"
        return partial(second.post, f"{path}/{answer}", version=second.version_of(path))

    return walk


def _lay(caller, path, kind, **details):
    files = {"file": ("paper.pdf", PDF, "application/pdf")}
    return partial(caller.post, path, data={"kind": kind, **details}, files=files)


def _lay_for_case(house):
    case_id = house.company().apply()
    house.reviewer.act(f"/v1/cases/{case_id}/claim")
    return _lay(house.reviewer, f"/v1/cases/{case_id}/evidence", "tax-status", **_TAXPAYER)


def _lay_for_company(house):
    path = f"/v1/organisations/{house.register().organisation_id}/evidence"
    return _lay(house.registrar, path, "tax-status", **_TAXPAYER)


_TAXPAYER = {"values": '{"taxpayer_status": "active"}', "issued_on": "2026-11-22"}


def _confirm_evidence(house):
    item = house.company(evidence=()).lay("permit", issued_on="2026-11-02")
    path = f"/v1/evidence/{item['id']}"
    return partial(house.registrar.post, f"{path}/confirm", json={}, version=house.registrar.version_of(path))


def _withdraw_confirmation(house):
    item = house.confirm_evidence(house.company(evidence=()).lay("permit", issued_on="2026-11-02"))
    path = f"/v1/evidence/{item['id']}"
    body = {"reason": "It is the permit of another works."}
    return partial(
        house.registrar.post, f"{path}/withdraw-confirmation", json=body, version=house.registrar.version_of(path)
    )


def _withdraw_document(house):
    company = house.company(evidence=())
    path = f"/v1/evidence/{company.lay('permit', issued_on='2026-11-02')['id']}"
    body = {"reason": "It is the permit of another works."}
    return partial(company.post, f"{path}/withdraw", json=body, version=company.version_of(path))


ACCESS_WALKS = {
    "POST /v1/auth/revoke": _sign_out,
    "POST /v1/auth/password-reset": _redeem,
    "POST /v1/me/password": _change_password,
    "POST /v1/me/second-factor": _begin_enrolment,
    "POST /v1/me/second-factor/confirm": _confirm_enrolment,
    "POST /v1/invitations": lambda house: partial(
        house.company().post, "/v1/invitations", json={"email": "second@numune.example"}
    ),
    "POST /v1/invitations/accept": _accept,
    "DELETE /v1/invitations/{invitation_id}": _withdraw_invitation,
    "DELETE /v1/members/{member_id}": _remove_member,
    "PUT /v1/members/{member_id}/administrator": _make_administrator,
    "DELETE /v1/members/{member_id}/administrator": _take_administrator,
    "POST /v1/users": _create_user,
    "DELETE /v1/users/{user_id}": _remove_user,
    "DELETE /v1/users/{user_id}/roles/{role}": _take_role,
    "POST /v1/users/{user_id}/role-requests": _ask_for_role,
    "POST /v1/users/{user_id}/second-factor-requests": _ask_for_reset,
    "POST /v1/users/{user_id}/password-resets": _issue_reset,
    "POST /v1/access-requests/{request_id}/confirm": _answer_request("confirm"),
    "POST /v1/access-requests/{request_id}/refuse": _answer_request("refuse"),
}
EVIDENCE_WALKS = {
    "POST /v1/cases/{case_id}/evidence": _lay_for_case,
    "POST /v1/organisations/{organisation_id}/evidence": _lay_for_company,
    "POST /v1/evidence/{evidence_id}/confirm": _confirm_evidence,
    "POST /v1/evidence/{evidence_id}/withdraw-confirmation": _withdraw_confirmation,
    "POST /v1/evidence/{evidence_id}/withdraw": _withdraw_document,
}
