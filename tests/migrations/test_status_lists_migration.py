"""Certificates that were issued before there were published lists come into them with the status that they have."""

from alembic import command

from app.certificates import status_list_check, status_list_store
from app.ledger.service import known_keys
from tests.migrations.helpers import run

BEFORE, AFTER = "20261122_2235_register_search", "20261122_2240_status_lists"


def test_lists_are_made_from_the_certificates(house):
    company = house.company()
    case_id = company.apply(*(company.add_product() for _ in range(4)))
    house.review(case_id)
    revoked, suspended, given_back, _ = house.approve(case_id)["certificates"]
    house.owner.act(f"/v1/certificates/{revoked}/revoke", {"reason": "court-order"})
    house.owner.act(f"/v1/certificates/{suspended}/suspend", {"cause": "hearing"})
    company.act(f"/v1/certificates/{given_back}/surrender")

    run(house.database, command.downgrade, BEFORE)
    run(house.database, command.upgrade, AFTER)
    run(house.database, command.upgrade, "head")
    with house.database.read_session() as session:
        keys = {kid: key.public for kid, key in known_keys(session).items()}
        report = status_list_check.check(session, keys)
        set_bits = [
            sum(byte.bit_count() for byte in status_list_store.row(session, 1, purpose).bits)
            for purpose in ("revocation", "suspension")
        ]
    assert (report.lists, report.certificates, report.wrong) == (2, 4, None)
    assert set_bits == [2, 1]
    assert house.anonymous.get("/v1/status-lists/revocation-1").status_code == 200
