"""A company writes its district as everybody does, or wrongly: the rules find the site, or somebody can correct it."""

import pytest
import sqlalchemy as sa

from app.core.actor import Role
from tests.factories import ok

CHANGE = {"what": "site", "text": "The district was misspelt.", "on": "2026-11-22"}


def territory_rule(company, product_id):
    (tried,) = ok(company.post("/v1/schemes/MIK/assessments", json={"product_ids": [product_id]}))["items"]
    return next(each["outcome"] for each in tried["rules"] if each["rule"] == "K-01")


@pytest.mark.parametrize("spelt", ["Aghdam", "Агдам", "Ağdam r-nu"])
def test_every_spelling_is_the_one_district(app, spelt):
    company = app.set_up_company()
    made = ok(company.post("/v1/sites", json={"name": "Mill", "district": spelt, "park_code": "AGDAM-SP"}))
    assert (made["district"], made["economic_region"]) == ("Ağdam", "QARABAG")
    assert territory_rule(company, company.add_product(site_id=made["id"])) == "pass"


def test_an_unknown_district_is_refused_with_the_nearest(app):
    refused = app.set_up_company().post("/v1/sites", json={"name": "Mill", "district": "Agdan"})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/district"
    assert "Do you mean Ağdaş, Ağdam, Ağdərə?" in error["detail"]


def test_a_site_of_before_is_corrected(app):
    """As it was entered when districts were not looked up."""
    company = app.set_up_company()
    product, path = company.add_product(), f"/v1/sites/{company.site_id}"
    certified = app.certify(company)
    with app.database.session() as session:
        session.execute(sa.text("UPDATE sites SET district = 'Agdan', economic_region = NULL"))
        session.commit()
    assert territory_rule(company, product) != "pass"
    site = ok(company.get(path))
    change = {name: site[name] for name in ("name", "production_started_on")} | {"district": "Aghdam"}

    refused = company.put(path, version="now", json=change)  # a certificate rests on it
    assert (refused.status_code, refused.json()["code"]) == (409, "certified")
    assert app.staff(Role.REVIEWER).put(path, version="now", json=change).status_code == 403
    ok(company.post(f"/v1/certificates/{certified}/changes", json=CHANGE))
    corrected = ok(company.put(path, version="now", json=change))
    assert (corrected["district"], corrected["economic_region"]) == ("Ağdam", "QARABAG")
    assert territory_rule(company, product) == "pass"


def test_the_registrar_corrects_it_too(app):
    company = app.set_up_company()
    with app.database.session() as session:
        session.execute(sa.text("UPDATE sites SET district = 'Agdan', economic_region = NULL"))
        session.commit()
    path = f"/v1/sites/{company.site_id}"
    change = {"name": "Mill", "production_started_on": None, "district": "Agdam"}
    assert ok(app.registrar.put(path, version="now", json=change))["district"] == "Ağdam"
