"""Somebody reads an approver's password over the shoulder. It opens the door to the desk, and decides nothing."""

import pyotp

from app.core.actor import Role
from tests.api.helpers import bearer
from tests.factories import PASSWORD, ok

TOKEN = "/v1/auth/token"


def sign_in(app, email, **more):
    return app.http.post(TOKEN, data={"grant_type": "password", "username": email, "password": PASSWORD} | more)


def test_a_password_alone_decides_nothing(app):
    case = app.set_up_company().apply()
    app.review(case)
    approver = app.staff(Role.APPROVER, name="sevda")
    email = "sevda@staff.example"

    # Sevda has an authenticator on her phone.
    hers = ok(sign_in(app, email))
    phone = pyotp.TOTP(ok(app.http.post("/v1/me/second-factor", headers=bearer(hers)))["secret"])
    code = {"otp": phone.at(app.clock())}
    ok(app.http.post("/v1/me/second-factor/confirm", json=code, headers=bearer(hers)))
    app.clock.advance(hours=1)

    # The thief has her password, signs in, and can look around.
    stolen = ok(sign_in(app, email))
    assert ok(app.http.get(f"/v1/applications/{case}", headers=bearer(stolen)))["state"] == "recommended"

    # To decide takes the phone as well: there is no way round it, by none of the ways of signing in.
    version = {"If-Match": f'"{approver.version_of(f"/v1/applications/{case}")}"'}
    renewed = ok(app.http.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": stolen["refresh_token"]}))
    for tokens in (stolen, renewed):
        for verb, body in (("approve", None), ("reject", {"reason": "No."})):
            path, more = f"/v1/applications/{case}/{verb}", {"json": body} if body else {}
            refusal = app.http.post(path, headers=bearer(tokens) | version, **more)
            assert (refusal.status_code, refusal.json()["code"]) == (403, "second-factor-required")

    # Nor can the thief put a phone of his own in her phone's place, guess the code, or use hers a second time.
    new = app.http.post("/v1/me/second-factor", headers=bearer(renewed))
    assert (new.status_code, new.json()["code"]) == (403, "second-factor-required")
    for guess in ("000000", code["otp"]):
        assert not app.http.post("/v1/auth/step-up", json={"otp": guess}, headers=bearer(renewed)).is_success
    assert app.approver.get(f"/v1/applications/{case}").json()["state"] == "recommended"

    # Whoever has both is told what would be decided, and needs the key with which Sevda signs.
    good = ok(sign_in(app, email, otp=phone.at(app.clock())))
    path = f"/v1/applications/{case}/approve"
    asked = app.http.post(path, headers=bearer(good) | version)
    assert (asked.status_code, asked.json()["code"]) == (403, "confirmation-required")
    somebody_elses = app.reviewer.confirmation(asked.json()["document"])
    refusal = app.http.post(path, headers=bearer(good) | version | {"Mik-Confirmation": somebody_elses})
    assert (refusal.status_code, refusal.json()["code"]) == (403, "confirmation-invalid")

    # She decides with password, phone and key together.
    signed = {"Mik-Confirmation": approver.confirmation(asked.json()["document"])}
    decided = ok(app.http.post(path, headers=bearer(good) | version | signed))
    assert decided["state"] == "approved"

    # And when she hears of it, her new password throws the thief out.
    change = {"present_password": PASSWORD, "password": "another long and secret sentence"}
    assert app.http.post("/v1/me/password", json=change, headers=bearer(good)).is_success
    assert app.http.get("/v1/me", headers=bearer(renewed)).status_code == 401
    assert sign_in(app, email).status_code == 401
