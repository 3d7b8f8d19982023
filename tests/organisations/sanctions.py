"""A sanctions list with an entry that resembles a company."""

import hashlib

from app.organisations.sanctions import screening
from tests.factories import ok

HEADER = "id,names,country,programme\n"


def load_list(app, *names, ident="SL-1"):
    content = (HEADER + f"{ident},{';'.join(names)},XX,TEST\n").encode()
    with app.database.session() as session:
        screening.load_list(session, content, hashlib.sha256(content).hexdigest(), 85, app.clock())
        session.commit()


def resembling(app):
    """Address and body of a decision about an entry that resembles a company of its own, and no other."""
    names = {"legal_name_az": "“Zirvə Palıd” MMC", "legal_name_en": "Zirve Oak Works"}
    company = app.confirm(app.register(**names))
    load_list(app, company.name)
    path = f"/v1/organisations/{company.organisation_id}/sanctions-screening"
    (found,) = ok(app.registrar.get(path))["candidates"]
    body = {"entry_id": found["entry_id"], "entry_sha256": found["entry_sha256"], "decision": "different"}
    return f"{path}/decisions", body | {"reason": "Another company; extract seen."}
