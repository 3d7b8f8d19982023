"""A refresh token is copied from a lost laptop. Whoever uses it second betrays the theft, and both are out."""

from tests.factories import PASSWORD, ok

TOKEN = "/v1/auth/token"


def sign_in(house, company):
    form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    return ok(house.http.post(TOKEN, data=form))


def renew(house, tokens):
    return house.http.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})


def reads(house, tokens):
    """What the house answers to somebody who asks with this access token."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return house.http.get("/v1/applications", headers=headers).status_code


def test_the_thief_is_first(house):
    company = house.company()
    laptop, phone = sign_in(house, company), sign_in(house, company)

    # The thief renews with the copy, again and again, and reads along.
    first = ok(renew(house, laptop))
    second = ok(renew(house, first))
    assert reads(house, second) == 200

    # In the morning the laptop renews with the token it still has. It was used: the house cannot tell who of the two
    # is the thief, and cuts off all that ever came of this sign-in, at once.
    refusal = renew(house, laptop)
    assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
    assert [reads(house, tokens) for tokens in (laptop, first, second)] == [401, 401, 401]
    for tokens in (first, second):
        assert renew(house, tokens).status_code == 400

    # The phone was another sign-in and goes on; with the password the company is in again.
    assert reads(house, phone) == 200
    assert reads(house, ok(renew(house, phone))) == 200
    assert reads(house, sign_in(house, company)) == 200

    # Why it ended stands in the history, without a token in it.
    (ended,) = ok(house.auditor.get("/v1/audit?event=session.ended"))["items"]
    assert "refresh-token-reused" in str(ended)
    assert laptop["refresh_token"] not in str(ended)


def test_the_thief_is_second(house):
    company = house.company()
    copied = sign_in(house, company)
    own = ok(renew(house, copied))
    assert renew(house, copied).status_code == 400
    assert [reads(house, tokens) for tokens in (copied, own)] == [401, 401]
