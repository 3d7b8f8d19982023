"""A reviewer goes on leave: cases are handed over one by one, and sharing out the desk takes nothing from anybody."""

from app.core.actor import Role
from tests.factories import ok


def test_handed_over_and_shared_out(app):
    company = app.set_up_company()
    kamran, leyla = app.staff(Role.REVIEWER, name="kamran"), app.staff(Role.REVIEWER, name="leyla")
    his, hers, first, second = (company.apply(company.add_product()) for _ in range(4))
    kamran.act(f"/v1/applications/{his}/claim")
    leyla.act(f"/v1/applications/{hers}/claim")

    # Kamran leaves for two weeks. He writes down how far he got, and gives his case to Leyla.
    ok(kamran.post(f"/v1/applications/{his}/notes", json={"text": "Cost statement checked, it adds up."}))
    handed = kamran.act(f"/v1/applications/{his}/hand-over", {"to": leyla.id})
    assert (handed["state"], handed["assignee_id"]) == ("in_review", leyla.id)

    # What is not his any more he cannot take back, nor decide on.
    for verb, body in (("hand-over", {"to": kamran.id}), ("release", None)):
        refusal = kamran.post(f"/v1/applications/{his}/{verb}", version="now", **({"json": body} if body else {}))
        assert (refusal.status_code, refusal.json()["code"]) == (403, "not-case-holder"), verb

    # The rest of the desk is shared out in one go. Somebody ticked one of Leyla's cases too: she keeps it, the answer
    # says so, and the other two stay where they were as well.
    everything = {"application_ids": [first, hers, second], "to": kamran.id}
    refusal = kamran.post("/v1/applications/assign", json=everything)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "not-assignable")
    assert [(each["application_id"], each["code"]) for each in refusal.json()["applications"]] == [(hers, "case-held")]
    holders = {case: ok(leyla.get(f"/v1/applications/{case}"))["assignee_id"] for case in (hers, first, second)}
    assert holders == {hers: leyla.id, first: None, second: None}

    # Without it the two are given to her.
    given = ok(kamran.post("/v1/applications/assign", json={"application_ids": [first, second], "to": leyla.id}))
    assert {each["assignee_id"] for each in given["items"]} == {leyla.id}
    mine = ok(leyla.get("/v1/applications?assignee=me"))["items"]
    assert {each["id"] for each in mine} == {his, hers, first, second}

    # She reads the note, and finishes what he began. Whoever handed it over did not recommend: the eyes are hers.
    assert [note["text"] for note in ok(leyla.get(f"/v1/applications/{his}/notes"))["items"]] == [
        "Cost statement checked, it adds up."
    ]
    app.review(his, reviewer=leyla)
    assert app.approve(his)["state"] == "approved"

    # The company reads that its case changed hands, and neither the names nor the note.
    told = ok(company.get(f"/v1/applications/{his}/timeline"))["items"]
    assert "application.handed_over" in {each["event"] for each in told}
    assert all(each["name"] is None and each["note"] is None for each in told if each["by"] == "staff")
