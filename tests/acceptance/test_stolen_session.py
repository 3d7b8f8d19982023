"""A refresh token is copied from a lost laptop. Whoever uses it second betrays the theft, and both are out."""

from tests.factories import PASSWORD, ok

TOKEN = "/v1/auth/token"


def sign_in(app, company):
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    return ok(app.http.post(TOKEN, data=form))


def renew(app, tokens):
    return app.http.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})


def reads(app, tokens):
    """What the service answers to somebody who asks with this access token."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return app.http.get("/v1/applications", headers=headers).status_code


def test_the_thief_is_first(app):
    company = app.set_up_company()
    laptop, phone = sign_in(app, company), sign_in(app, company)

    # The thief renews with the copy, again and again, and reads along.
    first = ok(renew(app, laptop))
    second = ok(renew(app, first))
    assert reads(app, second) == 200

    # In the morning the laptop renews with the token it still has. It was used: the service cannot tell who of the two
    # is the thief, and cuts off all that ever came of this sign-in, at once.
    refusal = renew(app, laptop)
    assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
    assert [reads(app, tokens) for tokens in (laptop, first, second)] == [401, 401, 401]
    for tokens in (first, second):
        assert renew(app, tokens).status_code == 400

    # The phone was another sign-in and goes on; with the password the company is in again.
    assert reads(app, phone) == 200
    assert reads(app, ok(renew(app, phone))) == 200
    assert reads(app, sign_in(app, company)) == 200

    # Why it ended stands in the history, without a token in it.
    (ended,) = ok(app.auditor.get("/v1/audit?event=session.ended"))["items"]
    assert "refresh-token-reused" in str(ended)
    assert laptop["refresh_token"] not in str(ended)


def test_the_thief_is_second(app):
    company = app.set_up_company()
    copied = sign_in(app, company)
    own = ok(renew(app, copied))
    assert renew(app, copied).status_code == 400
    assert [reads(app, tokens) for tokens in (copied, own)] == [401, 401]
