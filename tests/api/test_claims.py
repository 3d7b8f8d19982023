"""Claims as a stranger would make them: what is seen before, beside and after, and what becomes of what was entered.

The cases claim-01 to claim-04 are named by their ids.
"""

import os
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.applications import claim_repository
from app.applications.evidence.file_store import EvidenceFileStore
from app.cli.admin import sweep
from app.core.actor import Role
from app.core.database import Base
from tests.factories import PASSWORD, PDF, ApiClient, ok, product, voen_of
from tests.helpers import refused, rows

pytestmark = pytest.mark.no_coverage

COLUMNS = "resident_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region"
COLUMNS += ",status,registration_no,registered_on,stage,is_fictional"
NOWHERE = "00000000-0000-7000-8000-000000000000"
REASON = {"reason": "Nobody there knows this person."}
PROPOSAL = {"basis": "The extract names a new director."}
BASIS = {"basis": "Extract and power of attorney, both seen."}


@pytest.fixture
def listed(app):
    """VÖEN of a company that the register lists, with a residency, a site and a look-up of the staff."""
    voen = voen_of(5100)
    line = f"R01,“Siyahı” MMC,From the register,MMC,{voen},AGDAM-SP,Ağdam,AZ-AGM,QARABAG,resident,AGSP-R-1"
    assert app.import_register(f"{COLUMNS}\n{line},2021-11-22,operating,true\n").status_code == 200
    return voen


@pytest.fixture
def company_id(app, listed):
    (row,) = ok(app.registrar.get("/v1/organisations?status=listed"))["items"]
    path = f"/v1/organisations/{row['id']}/evidence"
    form = {"kind": "tax-status", "issued_on": "2026-11-20", "values": '{"taxpayer_status": "active"}'}
    ok(app.registrar.post(path, files={"file": ("tax.pdf", PDF)}, data=form))
    return row["id"]


def claimant(app, voen, name):
    member = {"full_name": name, "email": f"{name.split()[0].lower()}@{secrets.token_hex(3)}.example"}
    return app.register(voen, legal_name_en=f"As {name} says", member=member | {"password": PASSWORD})


def enter(caller, what):
    """A site, a product, a draft, and two documents: everything that a claimant can enter; by the parameter's name."""
    caller.add_site(name=f"Hall of {what}")
    product_id = caller.add_product(names={"az": f"Boru {what}", "en": f"Tube {what}"}, brand=what)
    draft = caller.draft(product_id, reference=f"ref-{what}")
    paper = caller.upload("authority-to-sign", content=PDF + what.encode(), issued_on="2024-01-15", basis="director")
    in_draft = ok(caller.add_evidence(draft, PDF + what.encode() + b"2"))
    program = ok(caller.post("/v1/api-clients", json={"name": f"Program {what}"}))
    return {
        "site_id": caller.site_id,
        "product_id": product_id,
        "application_id": draft,
        "evidence_id": paper["id"],
        "file_id": in_draft["id"],
        "client_id": program["id"],
        "organisation_id": caller.organisation_id,
        "claim_id": caller.claim_id,
    }


def decide(app, caller, deed, body, by=None):
    return ok((by or app.registrar).post(f"/v1/claims/{caller.claim_id}/{deed}", json=body, version="now"))


def paths_of(things):
    yield from (
        f"/v1/sites/{things['site_id']}",
        f"/v1/products/{things['product_id']}",
        f"/v1/applications/{things['application_id']}",
        f"/v1/applications/{things['application_id']}/evidence",
        f"/v1/applications/{things['application_id']}/evidence/{things['file_id']}",
        f"/v1/applications/{things['application_id']}/declaration",
        f"/v1/applications/{things['application_id']}/assessment",
        f"/v1/applications/{things['application_id']}/timeline",
        f"/v1/evidence/{things['evidence_id']}",
        f"/v1/evidence/{things['evidence_id']}/file",
        f"/v1/evidence/{things['file_id']}",
        f"/v1/api-clients/{things['client_id']}",
    )


def routes_with(app, things):
    """Every route of the document that names one of these things, filled in."""
    for path, operations in ok(app.anonymous.get("/openapi.json"))["paths"].items():
        names = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        if names and names <= things.keys():
            for method in operations:
                yield method.upper(), path.format(**things)


def attempt(caller, method, path):
    form = {"files": {"file": ("a.pdf", PDF)}} if (method, path.rpartition("/")[2]) == ("POST", "evidence") else {}
    return caller.request(method, path, **form)


def listings(caller):
    found = {}
    for collection in ("sites", "products", "applications", "residencies", "api-clients"):
        found[collection] = {each["id"] for each in ok(caller.get(f"/v1/{collection}?limit=100"))["items"]}
    return found


def test_claim_01_a_claim_of_a_listed_company_reads_nothing_of_it(app, listed, company_id):
    stranger = claimant(app, listed, "Yad Adam")
    site_id, residency_id = (row[0] for row in rows(app, "SELECT id FROM sites UNION ALL SELECT id FROM residencies"))
    evidence_id = rows(app, "SELECT id FROM evidence")[0][0]
    for path in (
        f"/v1/organisations/{company_id}",
        f"/v1/organisations/{company_id}/evidence",
        f"/v1/sites/{site_id}",
        f"/v1/residencies/{residency_id}",
        f"/v1/residencies?organisation_id={company_id}",
        f"/v1/evidence/{evidence_id}",
        f"/v1/evidence/{evidence_id}/file",
    ):
        refused(stranger.get(path), 404, "not-found")
    for method, path in routes_with(app, {"organisation_id": company_id, "evidence_id": evidence_id}):
        refused(attempt(stranger, method, path), 404, "not-found")
    assert not any(listings(stranger).values())
    refused(stranger.post("/v1/products", json=product(str(site_id))), 422)
    own = ok(stranger.get("/v1/me"))["organisation"]
    assert (own["id"], own["legal_name_en"]) == (stranger.organisation_id, "As Yad Adam says")
    [claim] = ok(stranger.get("/v1/claims"))["items"]
    assert claim["id"] == stranger.claim_id
    whole = ok(stranger.get(f"/v1/claims/{stranger.claim_id}"))
    assert (whole["register_entry"], whole["other_claims"], whole["claimant"]) == (None, None, None)
    assert "From the register" not in str(whole)
    assert "From the register" not in str(ok(stranger.get(f"/v1/organisations/{stranger.organisation_id}")))


def test_the_dry_check_works_on_what_was_entered_without_the_residency(app, listed, company_id):
    stranger = claimant(app, listed, "Yad Adam")
    things = enter(stranger, "yad")
    dry = stranger.post("/v1/schemes/MIK/assessments", json={"product_ids": [things["product_id"]]})
    [judged] = ok(dry)["items"]
    seen = {rule["rule"]: rule for rule in judged["rules"]}
    assert seen["K-02"]["outcome"] == "manual"
    assert "AGSP-R-1" not in str(judged)
    body = {"organisation_id": stranger.organisation_id, "park_code": "AGDAM-SP", "status": "resident"}
    answer = app.registrar.post("/v1/residencies", json=body | {"holder_voen": listed})
    assert refused(answer, 422)["errors"][0]["pointer"] == "/organisation_id"


def test_claim_02_nothing_of_a_refused_claim_passes_to_the_next(app, listed, company_id):
    first = claimant(app, listed, "Yad Adam")
    entered = enter(first, "yad")
    decide(app, first, "refuse", REASON)
    second = claimant(app, listed, "Aysel Nümunə")
    for method, path in routes_with(app, entered):
        refused(attempt(second, method, path), 404, "not-found")
    for path in paths_of(entered):
        refused(second.get(path), 404, "not-found")
    assert not any(listings(second).values())
    decide(app, second, "confirm", BASIS)
    assert listings(second)["products"] == set()
    for path in paths_of(entered):
        refused(second.get(path), 404, "not-found")


def test_claim_02_uploads_of_a_refused_claim_are_erased_after_30_days(app, listed, company_id):
    first, second = claimant(app, listed, "Yad Adam"), claimant(app, listed, "Aysel Nümunə")
    enter(first, "yad")
    shared = first.upload("other", content=PDF + b"both have it")
    second.upload("other", content=PDF + b"both have it")
    decide(app, first, "refuse", REASON)
    files = EvidenceFileStore(app.settings.evidence_dir, 1 << 20)
    uploads = rows(app, "SELECT sha256 FROM evidence WHERE kind <> 'tax-status'")
    long_ago = time.time() - 7_200
    for (sha256,) in uploads:
        os.utime(files.path(sha256), (long_ago, long_ago))

    def swept():
        said = []
        sweep.run(app.database, app.clock(), dry_run=False, report=said.append, files=files)
        return [line for line in said if "uploads" in line]

    app.clock.now += timedelta(days=29)
    assert swept() == []
    app.clock.now += timedelta(days=1, minutes=1)
    assert swept() == [f"claim {first.claim_id} was refused: its uploads are erased"]
    assert swept() == []
    whole = ok(app.registrar.get(f"/v1/claims/{first.claim_id}"))
    assert len(whole["evidence"]) == 3
    for item in whole["evidence"]:
        assert item["erased_at"]
        assert item["sha256"]
        refused(app.registrar.get(f"/v1/evidence/{item['id']}/file"), 404, "not-found")
        assert files.path(item["sha256"]).is_file() == (item["id"] == shared["id"])  # the other claim has it too


def test_claim_03_of_two_that_wait_one_is_confirmed(app, listed, company_id):
    loser, winner = claimant(app, listed, "Yad Adam"), claimant(app, listed, "Aysel Nümunə")
    lost, won = enter(loser, "yad"), enter(winner, "own")
    for caller, others in ((loser, won), (winner, lost)):
        for method, path in routes_with(app, others):
            refused(attempt(caller, method, path), 404, "not-found")
    claim = decide(app, winner, "confirm", BASIS | {"evidence_seen": [won["evidence_id"]]})
    assert (claim["state"], claim["organisation_id"], claim["evidence_seen"]) == (
        "confirmed",
        company_id,
        [won["evidence_id"]],
    )
    assert ok(winner.get("/v1/me"))["organisation"] | {"legal_name_az": ""} == {
        "id": company_id,
        "legal_name_az": "",
        "legal_name_en": "From the register",
        "voen": listed,
        "status": "confirmed",
    }
    for path in paths_of(won):
        assert winner.get(path).status_code == 200, path
    assert len(listings(winner)["sites"]) == 2  # the register's, and their own
    assert len(listings(winner)["residencies"]) == 1
    documents = ok(winner.get(f"/v1/organisations/{company_id}/evidence"))["items"]
    assert {each["id"] for each in documents} == {won["evidence_id"]}
    assert {each["uploaded_by"] for each in documents} == {"Aysel Nümunə"}

    sealed = ApiClient(app, loser.subject.__class__(loser.subject.kind, loser.subject.id))
    notice = ok(sealed.get(f"/v1/claims/{loser.claim_id}"))
    assert (notice["state"], notice["reason"], notice["evidence"]) == ("refused", None, [])
    assert "30 days" in notice["notice"]
    assert (
        ok(app.registrar.get(f"/v1/claims/{loser.claim_id}"))["reason"] == "Another claim of this number was confirmed."
    )
    for things in (lost, won):
        for method, path in routes_with(app, {k: v for k, v in things.items() if k != "claim_id"}):
            assert attempt(sealed, method, path).status_code in {403, 404}, (method, path)
        for path in paths_of(things):
            assert sealed.get(path).status_code in {403, 404}, path
    for path in paths_of(lost):
        refused(winner.get(path), 404, "not-found")
    for table in ("sites", "products", "applications", "evidence", "api_clients", "users"):
        held = rows(app, f"SELECT id FROM {table} WHERE organisation_id = '{_key(app, company_id)}'")
        assert not {str(each[0]).replace("-", "") for each in held} & {each.replace("-", "") for each in lost.values()}


def _key(app, an_id):
    return an_id.replace("-", "") if app.database.is_sqlite else an_id


def tried(app, own, foreign):
    """Every route that names such things, with the foreign ones in all places and in each place alone."""
    for path, operations in ok(app.anonymous.get("/openapi.json"))["paths"].items():
        names = sorted({part[1:-1] for part in path.split("/") if part.startswith("{")})
        if not names or not set(names) <= foreign.keys():
            continue
        for strange in {tuple(names), *((name,) for name in names)}:
            filled = path.format(**(own | {name: foreign[name] for name in strange}))
            yield from ((method.upper(), filled) for method in operations)


def named(things):
    """The same things under all names that routes have for them."""
    other_names = {"member_id": "user_id"}
    return things | {new: things[name] for name, new in other_names.items() if name in things}


def told(caller):
    """Everything that this person is shown: every list and every page about them, as one text."""
    paths = ok(caller.app.anonymous.get("/openapi.json"))["paths"]
    asked = [
        path
        for path, operations in paths.items()
        if "{" not in path and "get" in operations and operations["get"].get("security")
    ]
    return "\n".join(caller.get(path).text for path in asked)


def test_every_route_by_an_impostor_before_beside_and_after(app, listed, company_id):
    """Two claims on one number, one refused and one confirmed; an impostor who comes first, waits beside, is refused,
    claims again, and is disputed: nothing of the company for him, nothing of his in the company."""
    site_id, residency_id = (
        str(row[0]) for row in rows(app, "SELECT id FROM sites UNION ALL SELECT id FROM residencies")
    )
    looked_up = str(rows(app, "SELECT id FROM evidence")[0][0])
    impostor, rightful = claimant(app, listed, "Yad Adam"), claimant(app, listed, "Aysel Nümunə")
    his, hers = enter(impostor, "yad"), enter(rightful, "own")
    his |= {"member_id": impostor.id, "residency_id": NOWHERE, "invitation_id": NOWHERE}
    of_register = {"site_id": site_id, "residency_id": residency_id, "evidence_id": looked_up}
    of_register["organisation_id"] = company_id
    hers |= {"member_id": rightful.id, "residency_id": residency_id, "invitation_id": NOWHERE}
    words_of_hers = ("From the register", "AGSP-R-1", "Aysel", "Tube own", "Hall of own", "ref-own", "Program own")

    def nothing_for(caller, *others, acts=True):
        for method, path in (each for foreign in others for each in tried(app, named(his), named(foreign))):
            answer = attempt(caller, method, path)
            is_forbidden = answer.status_code == 403 and (not acts or "/v1/users/" in path)  # whatever the id
            assert is_forbidden or answer.status_code == 404, (method, path, answer.text)
        shown = told(caller)
        hidden = {each for foreign in others for each in foreign.values()} - {his["organisation_id"], NOWHERE}
        assert not [each for each in (*words_of_hers, *hidden) if each in shown]

    nothing_for(impostor, hers, of_register)
    for path, body in (
        ("/v1/products", product(site_id)),
        ("/v1/products", product(hers["site_id"])),
        ("/v1/applications", {"scheme": "MIK", "product_ids": [hers["product_id"]]}),
    ):
        refused(impostor.post(path, json=body), 422)
    dry = impostor.post("/v1/schemes/MIK/assessments", json={"product_ids": [hers["product_id"]]})
    refused(dry, 404, "not-found")

    decide(app, rightful, "confirm", BASIS)
    company = hers | {"organisation_id": company_id}
    company["invitation_id"] = ok(rightful.post("/v1/invitations", json={"email": "next@sample.example"}))["id"]
    sealed = impostor.without_factor()
    sealed.claim_id = impostor.claim_id
    own = {name: each for name, each in his.items() if name not in {"claim_id", "member_id"}}
    nothing_for(sealed, company, of_register, own, acts=False)

    extract = {"files": {"file": ("extract.pdf", PDF + b"new")}, "data": {"kind": "other", "voen": listed}}
    extract["data"] |= {"legal_name_az": "“Yad” MMC", "legal_name_en": "Yad", "legal_form": "MMC"}
    again = ok(sealed.post("/v1/claims", **extract))
    assert ok(app.registrar.get(f"/v1/claims/{again['id']}"))["state"] == "disputed"
    sealed.claim_id = again["id"]
    del own["organisation_id"]
    nothing_for(sealed, company, of_register, own)

    seen = told(rightful) + rightful.get(f"/v1/organisations/{company_id}/evidence").text
    seen += app.registrar.get(f"/v1/organisations/{company_id}/evidence").text
    for each in ("yad", "Yad", *his.values()):
        assert each not in seen.replace(NOWHERE, "") or each == NOWHERE, each
    assert hers["product_id"] in seen
    assert again["id"] in rightful.get(f"/v1/organisations/{company_id}/claims").text


def test_what_belongs_to_a_company_moves_or_cannot_be_of_a_claim():
    of_companies = {"certificates", "decided_products", "residencies", "authorities", "sanctions_decisions"}
    by_themselves = {"sites", "products", "claims"}
    named = {
        table.name
        for table in Base.metadata.tables.values()
        if any(key.column.table.name == "organisations" for key in table.foreign_keys)
    }
    moved = {table.__tablename__ for table in claim_repository.MOVED_TABLES} | set(claim_repository.MOVED_ABOVE)
    unbound = {"notice_recipients"}  # an earlier event may name a company that was merged since
    assert named | unbound == of_companies | by_themselves | moved


def test_what_was_merged_can_be_submitted(app, listed, company_id):
    winner = claimant(app, listed, "Aysel Nümunə")
    won = enter(winner, "own")
    sent = ok(winner.post("/v1/verify/manifests", files={"file": ("numbers.txt", b"MIK-2026-000001-F")}))
    app.confirm(winner)
    assert winner.organisation_id == company_id
    assert ok(winner.get(f"/v1/verify/manifests/{sent['id']}"))["total"] == 1
    app.document(winner)
    winner.submit(won["application_id"])
    assert winner.application(won["application_id"])["state"] == "submitted"


def test_claim_04_no_answer_tells_whether_a_number_is_known(app, listed, company_id):
    confirmed = app.set_up_company()
    answers = []
    for serial, voen in enumerate((listed, confirmed.voen, voen_of(5200))):
        member = {"full_name": "Yad Adam", "email": f"yad{serial}@sample.example", "password": PASSWORD}
        names = {"legal_name_az": "“Yad” MMC", "legal_name_en": "Yad", "legal_form": "MMC"}
        answers.append(app.send_registration(names | {"voen": voen, "member": member}))
    assert {answer.status_code for answer in answers} == {201}
    shapes = [{name: name.endswith("_id") or value for name, value in answer.json().items()} for answer in answers]
    assert shapes[0] == shapes[1] == shapes[2]
    states = []
    for answer in answers:
        subject = app.reviewer.subject.__class__
        own = ApiClient(app, subject(app.reviewer.subject.kind, _uuid(answer.json()["user_id"])))
        claim = ok(own.get(f"/v1/claims/{answer.json()['claim_id']}"))
        states.append(
            (claim["state"], claim["notice"], claim["version"], own.get("/v1/me").json()["organisation"]["status"])
        )
    assert set(states) == {("waiting", None, None, "unconfirmed")}


def _uuid(text):
    from uuid import UUID  # noqa: PLC0415 (one use)

    return UUID(text)


@pytest.fixture
def disputed(app):
    """A confirmed company, and somebody who claims its number."""
    company = app.set_up_company()
    rival = claimant(app, company.voen, "Yad Adam")
    return company, rival, f"/v1/claims/{rival.claim_id}"


def test_of_a_claim_beside_them_members_read_and_nobody_else(app, disputed):
    company, rival, _ = disputed
    path = f"/v1/organisations/{company.organisation_id}/claims"
    [entry] = ok(company.get(path))["items"]
    assert entry == {
        "id": rival.claim_id,
        "claimant": "Yad Adam",
        "state": "disputed",
        "created_at": "2026-11-22T17:00:00Z",
        "objections_until": "2026-12-02T20:00:00Z",
        "decided_at": None,
    }
    assert ok(app.auditor.get("/v1/audit?event=claim.disputed"))["items"][0]["data"] == {"claim": rival.claim_id}
    for caller in (rival, app.set_up_company()):
        refused(caller.get(path), 404, "not-found")
    assert ok(rival.get(f"/v1/organisations/{rival.organisation_id}/claims"))["items"] == []
    refused(company.get(f"/v1/claims/{rival.claim_id}"), 404, "not-found")  # what was entered is not for them


def test_two_registrars_agree_on_a_claim_beside_a_company_and_not_within_ten_days(app, disputed):
    company, rival, path = disputed
    other = app.staff(Role.REGISTRAR, name="other-registrar")
    own = rival.add_product(names={"az": "Boru", "en": "Tube"}, reference="P-1") if rival.add_site() else None
    program = ok(rival.post("/v1/api-clients", json={"name": "Program"}))["id"]
    theirs = company.add_product(reference="P-1")
    [claim] = ok(app.registrar.get(f"/v1/claims?state=disputed&voen={company.voen}"))["items"]
    acting = ok(app.registrar.get(path))["register_entry"]["members"]
    assert [each["email"] for each in acting] == [f"member@{company.voen}.example"]
    assert (claim["id"], claim["due_at"], claim["objections_until"]) == (rival.claim_id, None, "2026-12-02T20:00:00Z")
    refused(app.registrar.post(f"{path}/confirm", json=BASIS, version="now"), 409, "not-proposed")
    refused(other.without_factor().post(f"{path}/propose", json=PROPOSAL, version=1), 403, "second-factor-required")
    proposed = ok(app.registrar.post(f"{path}/propose", json=PROPOSAL, version=1))
    assert (proposed["proposed_by"], proposed["proposal"]) == (app.registrar.id, PROPOSAL["basis"])
    seen = ok(rival.get(path))
    assert (seen["state"], seen["version"], seen["proposal"], seen["objections_until"]) == ("waiting", *[None] * 3)
    app.clock.now = datetime(2026, 12, 2, 19, 59, tzinfo=UTC)
    refused(other.post(f"{path}/confirm", json=BASIS, version="now"), 409, "objections-open")
    app.clock.now += timedelta(minutes=1)
    refused(app.registrar.post(f"{path}/confirm", json=BASIS, version="now"), 403, "four-eyes")
    refused(other.without_factor().post(f"{path}/confirm", json=BASIS, version=2), 403, "second-factor-required")
    before = app.registrar.get(f"/v1/organisations/{company.organisation_id}").json()
    assert decide(app, rival, "confirm", BASIS, other)["state"] == "confirmed"
    after = app.registrar.get(f"/v1/organisations/{company.organisation_id}").json()
    assert {name for name in before if before[name] != after[name]} == {"members", "version"}
    me = ok(rival.get("/v1/me"))
    assert (me["organisation"]["id"], me["administrator"]) == (company.organisation_id, False)
    assert ok(company.get(f"/v1/api-clients/{program}"))["revoked_at"]
    assert {own, theirs} <= listings(company)["products"]
    references = [ok(company.get(f"/v1/products/{each}"))["reference"] for each in (theirs, own)]
    assert references == ["P-1", "P-1-2"]


def test_a_proposal_ends_with_the_role_of_who_made_it_and_one_registrar_refuses(app, disputed):
    company, rival, path = disputed
    other = app.staff(Role.REGISTRAR, name="other-registrar")
    decide(app, rival, "propose", PROPOSAL, other)
    app.clock.now += timedelta(days=11)
    ok(app.owner.delete(f"/v1/users/{other.id}/roles/registrar"))
    refused(app.registrar.post(f"{path}/confirm", json=BASIS, version="now"), 409, "proposer-left")
    assert decide(app, rival, "refuse", REASON)["state"] == "refused"
    [entry] = ok(company.get(f"/v1/organisations/{company.organisation_id}/claims"))["items"]
    assert entry["state"] == "refused"


def test_a_claim_that_waits_is_due_after_five_working_days(app, listed):
    one = claimant(app, listed, "Yad Adam")
    refused(app.registrar.post(f"/v1/claims/{one.claim_id}/propose", json=PROPOSAL, version=1), 409, "wrong-state")
    [claim] = ok(app.registrar.get("/v1/claims"))["items"]
    assert (claim["due_at"], claim["overdue"]) == ("2026-11-27T20:00:00Z", False)
    app.clock.now += timedelta(days=6)
    assert ok(app.registrar.get("/v1/claims"))["items"][0]["overdue"]
    assert ok(one.get("/v1/claims"))["items"][0]["due_at"] is None
    decide(app, one, "refuse", REASON)
    assert ok(app.registrar.get("/v1/claims"))["items"][0]["due_at"] is None


def test_the_registrar_compares_claims_with_each_other_and_the_register(app, listed, company_id):
    one, other = claimant(app, listed, "Yad Adam"), claimant(app, listed, "Aysel Nümunə")
    one.upload("other", content=PDF + b"x")
    other.upload("other", content=PDF + b"x")
    found = ok(app.registrar.get(f"/v1/claims?state=waiting&voen={listed}"))["items"]
    assert [each["id"] for each in found] == [one.claim_id, other.claim_id]
    assert [each["claimant"]["full_name"] for each in found] == ["Yad Adam", "Aysel Nümunə"]
    whole = ok(app.registrar.get(f"/v1/claims/{one.claim_id}"))
    assert (whole["register_entry"]["id"], whole["register_entry"]["parks"]) == (company_id, ["AGDAM-SP"])
    assert (whole["register_entry"]["members"], whole["voen_needs_review"]) == ([], False)
    [beside] = whole["other_claims"]
    assert beside["id"] == other.claim_id
    assert whole["evidence"][0]["sha256"] == beside["evidence"][0]["sha256"]
    wrong = BASIS | {"evidence_seen": [beside["evidence"][0]["id"]]}
    answer = app.registrar.post(f"/v1/claims/{one.claim_id}/confirm", json=wrong, version="now")
    assert refused(answer, 422)["errors"][0]["pointer"] == "/evidence_seen/0"
    refused(app.inspector.get(f"/v1/claims/{one.claim_id}"), 403, "forbidden")
    refused(other.get(f"/v1/claims/{one.claim_id}"), 404, "not-found")
    without = app.registrar.without_factor()
    for deed, body in (("confirm", BASIS), ("refuse", REASON)):
        path = f"/v1/claims/{one.claim_id}/{deed}"
        refused(without.post(path, json=body, version=1), 403, "second-factor-required")


def again(caller, voen, content, **more):
    form = {"kind": "other", "legal_name_az": "“Yeni” MMC", "legal_name_en": "New", "legal_form": "MMC", "voen": voen}
    return caller.post("/v1/claims", files={"file": ("extract.pdf", content)}, data=form, **more)


def test_who_was_refused_claims_again_only_with_new_evidence(app, listed, company_id):
    first = claimant(app, listed, "Aysel Nümunə")
    entered = enter(first, "own")
    refused(again(first, listed, PDF + b"new"), 409, "has-claim")
    decide(app, first, "refuse", REASON)
    sealed = ApiClient(app, first.subject.__class__(first.subject.kind, first.subject.id))
    old = again(sealed, listed, PDF + b"own")
    assert refused(old, 422)["errors"][0]["pointer"] == "/file"
    claim = ok(again(sealed, listed, PDF + b"new"))
    assert (claim["state"], len(claim["evidence"])) == ("waiting", 1)
    assert claim["organisation_id"] != first.organisation_id
    for path in paths_of(entered):
        refused(sealed.get(path), 404, "not-found")
    refused(again(sealed, listed, PDF + b"newer"), 409, "has-claim")
    assert {each["state"] for each in ok(sealed.get("/v1/claims"))["items"]} == {"waiting", "refused"}
    ok(app.registrar.post(f"/v1/claims/{claim['id']}/confirm", json=BASIS, version="now"))
    assert ok(sealed.get("/v1/me"))["organisation"]["id"] == company_id
    refused(again(app.set_up_company(), listed, PDF), 409, "has-claim")
    refused(again(app.reviewer, listed, PDF), 403, "forbidden")


def test_a_retry_of_another_claim_gets_the_same_answer(app):
    first = app.register()
    decide(app, first, "refuse", REASON)
    sealed = ApiClient(app, first.subject.__class__(first.subject.kind, first.subject.id))
    key = {"headers": {"Idempotency-Key": secrets.token_hex(8)}}
    one, two = (again(sealed, first.voen, PDF, **key) for _ in range(2))
    assert ok(one) == ok(two)
    assert len(ok(sealed.get("/v1/claims"))["items"]) == 2


def test_ten_registrations_from_one_address_in_a_day(database_url, tmp_path):
    from tests.factories import running_app  # noqa: PLC0415 (only this test opens one)

    with running_app(database_url, tmp_path, registrations_per_day=10) as app:

        def ask(number):
            return app.anonymous.post("/v1/registrations", json={"email": f"yad{number}@sample.example"})

        for number in range(10):
            assert ask(number).status_code == 202
        answer = ask(10)
        refused(answer, 429)
        assert answer.headers["Retry-After"]
        app.clock.advance(days=1, minutes=1)
        ok(ask(10))
