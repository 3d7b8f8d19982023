"""`updated_since` of certificates: what was issued or got another status."""

from tests.factories import ok


def test_certificates_by_time_of_change(app):
    company = app.set_up_company()
    first = app.certify(company)
    app.clock.advance(hours=2)
    between = app.clock().isoformat()
    app.clock.advance(hours=2)
    second = app.certify(company)

    def numbers(since):
        lists = [
            ok(caller.get(path, params={"updated_since": since}))["items"]
            for caller, path in ((app.anonymous, "/v1/certificates"), (company, "/v1/my/certificates"))
        ]
        public, own = ({each["number"] for each in items} for items in lists)
        assert public == own
        return own

    assert numbers(between) == {second}
    app.owner.act(f"/v1/certificates/{first}/suspend", {"cause": "hearing", "note": "A hearing is set."})
    assert numbers(between) == {first, second}
    app.clock.advance(hours=1)
    assert numbers(app.clock().isoformat()) == set()
