"""Certificates that were issued before there were published lists come into them with the status that they have."""

from alembic import command

from app.certificates import status_list_repository
from app.integrity import status_lists
from app.signing.issuer_identity import load_public_keys
from tests.migrations.helpers import run

BEFORE, AFTER = "20261122_2235_register_search", "20261122_2240_status_lists"


def test_lists_are_made_from_the_certificates(app):
    company = app.set_up_company()
    case_id = company.apply(*(company.add_product() for _ in range(4)))
    app.review(case_id)
    revoked, suspended, given_back, _ = app.approve(case_id)["certificates"]
    app.revoke(revoked, "court-order")
    app.owner.act(f"/v1/certificates/{suspended}/suspend", {"cause": "hearing"})
    company.act(f"/v1/certificates/{given_back}/surrender")

    run(app.database, command.downgrade, BEFORE)
    run(app.database, command.upgrade, AFTER)
    run(app.database, command.upgrade, "head")
    with app.database.read_session() as session:
        keys = load_public_keys(session)
        report = status_lists.check_status_lists(session, keys)
        set_bits = [
            sum(byte.bit_count() for byte in status_list_repository.get_row(session, 1, purpose).bits)
            for purpose in ("revocation", "suspension")
        ]
    assert (report.lists, report.certificates, report.error) == (2, 4, None)
    assert set_bits == [2, 1]
    assert app.anonymous.get("/v1/status-lists/revocation-1").status_code == 200
