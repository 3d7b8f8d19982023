"""Certificates of before get the names and the country that were frozen with them, and districts are found."""

from alembic import command

from app.certificates.read_model import projector
from tests.factories import ok
from tests.helpers import execute
from tests.migrations.helpers import run

BEFORE = "20261127_2230_evidence_hash"
SPELT = ("Aghdam", "Агдам", "Agdan", "Şuşa")
FROZEN = "certified_descriptions"


def test_certificates_of_before_are_shown_with_what_was_frozen(app):
    company = app.set_up_company(legal_name_az="“Nümunə İşıq”")
    person = app.set_up_company(legal_form="fərdi sahibkar", legal_name_az="Aysel Nümunə")
    renamed = app.set_up_company()
    numbers = {
        "company": app.certify(company),
        "person": app.certify(person),
        "renamed": app.certify(renamed),
    }
    before = {name: app.verify(number)["certificate"] for name, number in numbers.items()}
    tag = app.anonymous.get(f"/v1/certificates/{numbers['company']}").headers["ETag"]
    for spelt in SPELT:
        ok(company.post("/v1/sites", json={"name": spelt, "district": "Ağdam"}))

    run(app.database, command.downgrade, BEFORE)
    execute(app, "UPDATE sites SET district = name, economic_region = NULL WHERE name IN ('Aghdam', 'Агдам', 'Agdan')")
    execute(app, "UPDATE sites SET district = name WHERE name = 'Şuşa'")
    # What was signed of this one is not what was frozen.
    execute(app, "UPDATE certificates SET holder_name = 'Somebody' WHERE number = :number", number=numbers["renamed"])
    run(app.database, command.upgrade, "head")

    after = {name: app.verify(number)["certificate"] for name, number in numbers.items()}
    assert after["company"] == before["company"]
    assert after["company"]["holder"]["name_az"] == "“Nümunə İşıq” MMC"
    assert after["person"] == before["person"]
    assert after["person"]["holder"]["voen"] is None
    assert after["renamed"] == before["renamed"]  # what was signed, whatever the row says
    assert app.anonymous.get(f"/v1/certificates/{numbers['company']}").headers["ETag"] != tag
    for asked in (company.voen, "isig mmc"):
        found = ok(app.anonymous.get("/v1/certificates", params={"holder": asked}))["items"]
        assert [each["number"] for each in found] == [numbers["company"]]
    with app.database.session() as session:
        assert session.info[projector.WRITER_KEY].renew(session, app.clock()) == len(numbers)

    sites = {each["name"]: each for each in ok(company.get("/v1/sites"))["items"] if each["name"] in SPELT}
    assert {name: (each["district"], each["economic_region"]) for name, each in sites.items()} == {
        "Aghdam": ("Ağdam", "QARABAG"),
        "Агдам": ("Ağdam", "QARABAG"),
        "Agdan": ("Agdan", None),
        "Şuşa": ("Şuşa", "QARABAG"),
    }
