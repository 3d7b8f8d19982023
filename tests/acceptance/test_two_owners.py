"""Who may decide is itself decided by two: an owner alone makes nobody an approver, least of all himself."""

from app.core.actor import Role
from tests.factories import ok


def role(user, name):
    return {"kind": "role", "content": {"user_id": str(user.id), "role": name}}


def test_a_role_takes_two_owners(app):
    company = app.set_up_company()
    case = company.apply()
    app.review(case)
    rena, tural = app.staff(Role.OWNER, name="rena"), app.staff(Role.OWNER, name="tural")
    newcomer = app.staff(Role.AUDITOR, name="newcomer")
    approve = f"/v1/applications/{case}/approve"

    # Rena wants the newcomer to approve, and asks for it. That alone changes nothing.
    request = ok(rena.post("/v1/proposals", json=role(newcomer, "approver")))
    assert request["state"] == "proposed"
    assert newcomer.post(approve, version="now").status_code == 403

    # She cannot be the second owner herself, and the newcomer is none.
    confirm = f"/v1/proposals/{request['id']}/confirm"
    refusal = rena.post(confirm, version="now")
    assert (refusal.status_code, refusal.json()["code"]) == (403, "four-eyes")
    assert newcomer.post(confirm, version=1).status_code == 403
    assert newcomer.post(approve, version="now").status_code == 403

    # Tural looks at it and confirms: from the next request on the newcomer is an approver.
    decided = tural.act(confirm)
    assert (decided["state"], decided["decided_by"]) == ("confirmed", tural.id)
    assert ok(newcomer.post(approve, version="now"))["state"] == "approved"

    # To take a role away one owner is enough, and it works at once.
    assert rena.delete(f"/v1/users/{newcomer.id}/roles/approver").is_success
    another = company.apply(company.add_product())
    app.review(another)
    assert newcomer.post(f"/v1/applications/{another}/approve", version="now").status_code == 403

    # All of it stands in the history: who asked, who confirmed.
    events = ok(app.auditor.get("/v1/audit?limit=100&event=role.granted"))["items"]
    assert [each["actor"]["id"] for each in events if each["actor"]["kind"] == "user"] == [tural.id]


def test_an_owner_does_not_help_himself(app):
    rena, tural = app.staff(Role.OWNER, name="rena"), app.staff(Role.OWNER, name="tural")
    own = ok(rena.post("/v1/proposals", json=role(rena, "approver")))
    assert rena.post(f"/v1/proposals/{own['id']}/confirm", version="now").status_code == 403

    # What one asks for another, that other cannot confirm.
    gift = ok(rena.post("/v1/proposals", json=role(tural, "reviewer")))
    assert tural.post(f"/v1/proposals/{gift['id']}/confirm", version="now").status_code == 403
    assert ok(rena.get(f"/v1/users/{tural.id}"))["roles"] == ["owner"]
