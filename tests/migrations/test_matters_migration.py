"""Certificates of before get the description that issuing would freeze today, and the older service its four causes."""

from uuid import UUID

import sqlalchemy as sa
from alembic import command

from app.certificates.credential import certified_description
from app.certificates.model import Certificate, CertifiedDescription
from app.core import canonical_json
from app.database_schema import is_migrated
from app.organisations import organisation_repository
from app.products import product_repository
from tests.factories import ok
from tests.migrations.helpers import run

BEFORE, AFTER = "20261123_0130_extracts", "20261127_1900_matters"
CHANGE = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}


def descriptions(database):
    with database.read_session() as session:
        return {
            row.certificate_id: (row.content, row.sha256) for row in session.scalars(sa.select(CertifiedDescription))
        }


def present(database):
    """What issuing would freeze of each certificate now."""
    with database.read_session() as session:
        found = {}
        for row in session.scalars(sa.select(Certificate)):
            whole = product_repository.load_aggregates_by_id(session, [row.product_id])[row.product_id]
            site, company = (
                organisation_repository.find_site(session, row.site_id),
                organisation_repository.find_organisation(session, row.organisation_id),
            )
            content = certified_description.build_description(whole, site, company)
            found[row.id] = (content, canonical_json.digest(content))
    return found


def test_certificates_of_before_are_described_as_their_product_stands(app):
    company = app.set_up_company()
    full = company.add_product(national_code="7306300000", gtin="9520000000011", brand="Nümunə", ex_works="1450.50")
    numbers = [app.certify(company, full, scheme="MIA"), app.certify(company)]
    issued = descriptions(app.database)
    assert issued == present(app.database)
    ok(company.post(f"/v1/certificates/{numbers[0]}/changes", json=CHANGE))
    changed = ok(company.get(f"/v1/products/{full}"))["names"] | {"en": "Another name"}
    with app.database.session() as session:
        product_repository.find_product(session, UUID(full)).names = changed
        session.commit()

    run(app.database, command.downgrade, BEFORE)
    run(app.database, command.upgrade, AFTER)
    run(app.database, command.upgrade, "head")
    assert is_migrated(app.database)
    after = descriptions(app.database)
    assert after == present(app.database)
    assert after.keys() == issued.keys()
    assert after != issued  # as it stands on the day of the migration
    assert app.verify(numbers[0])["verdict"] == "valid"


def test_the_older_service_gets_causes_that_it_knows(app):
    company = app.set_up_company()
    number, other = app.certify(company), app.certify(company)
    for cause in ("document", "court", "hearing"):
        app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": cause})
    app.owner.act(f"/v1/certificates/{other}/suspend", {"cause": "surveillance"})
    app.owner.act(f"/v1/certificates/{other}/suspend", {"cause": "licence"})
    run(app.database, command.downgrade, BEFORE)
    with app.database.read_engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT c.number, s.cause, c.status_reason FROM suspensions s JOIN certificates c "
                "ON c.id = s.certificate_id ORDER BY c.number, s.cause"
            )
        ).all()
        columns = {each["name"] for each in sa.inspect(connection).get_columns("certificates")}
    assert [tuple(row) for row in rows] == [
        (number, "hearing", "surveillance"),
        (number, "surveillance", "surveillance"),
        (other, "surveillance", "surveillance"),
    ]
    assert "during_investigation" not in columns
    run(app.database, command.upgrade, "head")
    assert app.verify(number)["verdict"] == "suspended"
    app.restore_authenticators()
    assert app.owner.act(f"/v1/certificates/{other}/reinstate", {"cause": "surveillance"})["status"] == "active"
