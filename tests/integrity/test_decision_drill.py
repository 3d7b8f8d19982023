"""Decisions, their reasons and moments are changed with the rights of the database: `mik doctor` names each row."""

import copy

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec

from app.applications.model import Application, DecidedProduct, Decision, Recommendation
from app.audit import recorder
from app.audit.model import AuditEvent, AuditHead
from app.auth.credentials.relying_party import RelyingParty
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.certificates.model import Certificate, CertificateStatus, StatusDecision, Suspension
from app.certificates.status_decisions.status_document import StatusAct, build_status_document
from app.commit_pipeline import open_database
from app.core import canonical_json
from app.core.database import new_id
from tests.conftest import _fresh
from tests.factories import NOW, REASON, ok, running_app
from tests.integrity.helpers import Drill, copied
from tests.transparency.helpers import disarm

pytestmark = pytest.mark.no_coverage
REGISTERED = ("plain", "suspended", "revoked", "surrendered", "partly")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def register(request, tmp_path_factory):
    """A register with every kind of decision: address, data folder, name → number of a certificate."""
    folder = tmp_path_factory.mktemp("app")
    with _fresh(request, folder, is_prepared=True) as url:
        with running_app(url, folder, is_prepared=True) as app:
            numbers = register_decisions(app)
        yield url, folder / "data", numbers


def register_decisions(app):
    company = app.set_up_company()
    numbers = {name: app.certify(company) for name in REGISTERED[:-1]}
    numbers["partly"] = certify_one_of_two(app, company)
    rejected = company.apply()
    app.review(rejected)
    app.approver.act(f"/v1/applications/{rejected}/reject", REASON)
    app.clock.advance(minutes=1)
    act = app.owner.act
    act(f"/v1/certificates/{numbers['suspended']}/suspend", {"cause": "hearing", "note": "Hearing on Monday."})
    app.clock.advance(minutes=1)
    act(f"/v1/certificates/{numbers['suspended']}/suspend", {"cause": "court"})
    act(f"/v1/certificates/{numbers['surrendered']}/suspend", {"cause": "surveillance"})
    act(f"/v1/certificates/{numbers['revoked']}/suspend", {"cause": "document"})
    app.clock.advance(minutes=1)
    act(f"/v1/certificates/{numbers['suspended']}/reinstate", {"cause": "court"})
    act(f"/v1/certificates/{numbers['revoked']}/reinstate", {"cause": "document"})
    app.clock.advance(minutes=1)
    app.revoke(numbers["revoked"], "court-order")
    company.act(f"/v1/certificates/{numbers['surrendered']}/surrender")
    return numbers


def certify_one_of_two(app, company):
    """The number of the certificate of an application whose second product is rejected."""
    case_id = company.apply(company.add_product(), company.add_product())
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    first, second = ok(app.reviewer.get(f"/v1/applications/{case_id}"))["product_ids"]
    verdicts = [
        {"product_id": first, "outcome": "approve"},
        {"product_id": second, "outcome": "reject", "reasons": ["No volume is stated."]},
    ]
    app.reviewer.act(f"/v1/applications/{case_id}/recommend", {"products": verdicts})
    (number,) = app.approve(case_id)["certificates"]
    return number


class DecisionDrill(Drill):
    """Rows are read and changed through the models, with all triggers and checks taken away."""

    def __getitem__(self, name):
        """The certificate of this name."""
        return self.one(Certificate, Certificate.number == self.numbers[name])

    def one(self, model, *conditions):
        return self.all(model, *conditions)[0]

    def all(self, model, *conditions):
        with self.database.read_session() as session:
            return session.scalars(sa.select(model).where(*conditions).order_by(*model.__table__.primary_key)).all()

    def decision_of(self, name):
        return self.one(Decision, Decision.id == self[name].decision_id)

    def decisions_on(self, name):
        return self.all(StatusDecision, StatusDecision.certificate_id == self[name].id)

    @property
    def rejected(self):
        return self.one(Decision, Decision.outcome == "rejected")

    def change(self, row, **values):
        key = type(row).__table__.primary_key.columns
        same = [column == getattr(row, column.name) for column in key]
        self.execute(sa.update(type(row).__table__).where(*same).values(**values))

    def add(self, model, **values):
        self.execute(sa.insert(model.__table__).values(**values))

    def delete(self, row):
        key = type(row).__table__.primary_key.columns
        self.execute(sa.delete(type(row).__table__).where(*[column == getattr(row, column.name) for column in key]))

    def execute(self, statement):
        with self.database.write_engine.connect() as connection:
            if self.database.is_sqlite:
                connection.exec_driver_sql("COMMIT")
                for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
                    connection.exec_driver_sql(f"PRAGMA {pragma}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql("SET session_replication_role = replica")
                connection.exec_driver_sql("ALTER TABLE decisions DROP CONSTRAINT IF EXISTS ck_decisions_four_eyes")
            disarm(connection)
            connection.execute(statement)
            connection.commit()
            connection.invalidate()  # the next one has its checks again

    def rewrite_document(self, row, **changed):
        """A document with its hash, as if it had been decided like that."""
        document = copy.deepcopy(row.document) | changed
        self.change(row, document=document, sha256=canonical_json.digest(document))

    def rewrite_audit_trail(self, change):
        """The audit trail with `change(event)` applied to every event, chained anew to its head."""
        with self.database.session() as session:
            disarm(session.connection())
            last = recorder.GENESIS
            for row in session.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq)):
                change(row)
                row.prev_hash, row.hash = last, recorder.chain_hash(last, recorder.hashed_members(row))
                last = row.hash
            session.get(AuditHead, 1).hash = last
            session.commit()

    def label(self, row):
        """How `mik doctor` names a row."""
        if isinstance(row, Certificate):
            return f"certificate {row.number}"
        if isinstance(row, Decision | Recommendation):
            application = self.one(Application, Application.id == row.application_id)
            return f"{type(row).__name__.lower()} {row.id} on {application.number}"
        number = self.one(Certificate, Certificate.id == row.certificate_id).number
        words = {StatusDecision: "status decision {} on {}", Suspension: "suspension {} of {}"}
        return words[type(row)].format(row.id, number)


@pytest.fixture
def drill(register, request, monkeypatch, tmp_path):
    """A copy of that register for every test."""
    url, data_dir, numbers = register
    with copied(url, request, tmp_path) as own:
        monkeypatch.setenv("MIK_DATABASE_URL", own)
        monkeypatch.setenv("MIK_DATA_DIR", str(data_dir))
        database = open_database(own)
        yield DecisionDrill(database, numbers, tmp_path, "decisions")
        database.dispose()


def test_a_whole_register_agrees(drill):
    code, said = drill.check()
    assert (code, said.splitlines()) == (
        0,
        [
            "decisions: passed",
            "  6 decisions, 5 certificates, 1 proposals agree with recommendations, audit events and log.",
        ],
    )


def test_a_swapped_decision_is_named(drill):
    other = drill.decision_of("suspended")
    drill.change(drill["plain"], decision_id=other.id)
    code, said = drill.check()
    assert code == 1
    name = drill.label(drill["plain"])
    assert f"Wrong: {name}: Its decision {other.id} is on another application." in said
    assert f"Wrong: {name}: Its decision {other.id} is not the one of entry " in said
    assert set(drill.named()) == {name}


def test_two_certificates_with_all_of_each_others_decision_are_named(drill):
    """Nothing in the rows contradicts it: the log names the other decision, and the tokens name other products."""
    first, second = drill["plain"], drill["suspended"]
    drill.change(first, product_id=new_id(), application_id=new_id())
    for row, other in ((second, first), (first, second)):
        drill.change(
            row, decision_id=other.decision_id, application_id=other.application_id, product_id=other.product_id
        )
    named = drill.named()
    assert set(named) == {drill.label(first), drill.label(second)}
    drill.part = "log"
    assert drill.named() == [f"certificate {min(first.number, second.number)}"]


@pytest.mark.parametrize("whole", [False, True])
def test_a_certificate_on_a_rejection_is_named(drill, whole):
    rejected = drill.rejected
    more = {"application_id": rejected.application_id} if whole else {}
    if whole:
        more["product_id"] = drill.one(DecidedProduct, DecidedProduct.decision_id == rejected.id).product_id
    drill.change(drill["plain"], decision_id=rejected.id, **more)
    _, said = drill.check()
    name = drill.label(drill["plain"])
    assert f"Wrong: {name}: Its decision {rejected.id} is a rejection." in said
    assert f"Wrong: {name}: Its decision {rejected.id} is not the one of entry " in said


def test_a_certificate_on_a_rejected_product_is_named(drill):
    decision = drill.decision_of("partly")
    product = drill.one(DecidedProduct, DecidedProduct.decision_id == decision.id, DecidedProduct.outcome == "rejected")
    drill.change(drill["partly"], product_id=product.product_id)
    assert f"{drill.label(drill['partly'])}: Its decision {decision.id} rejected its product." in drill.check()[1]
    assert set(drill.named()) == {drill.label(drill["partly"]), drill.label(decision)}


def test_a_rejection_turned_into_an_approval_is_named(drill):
    decision = drill.rejected
    products = [each | {"outcome": "approved", "reasons": []} for each in decision.products]
    drill.change(decision, outcome="approved", reason=None, products=products)
    for row in drill.all(DecidedProduct, DecidedProduct.decision_id == decision.id):
        drill.change(row, outcome="approved")
    drill.change(drill.one(Application, Application.id == decision.application_id), state="approved")
    drill.rewrite_document(
        decision,
        act="approve",
        reason=None,
        details=canonical_json.digest(products),
        products=[{"product": each["product_id"], "outcome": "approved", "reasons": []} for each in products],
    )
    _, said = drill.check()
    assert f"{drill.label(decision)}: Its hash is not the one of audit event " in said
    assert f"{drill.label(decision)}: Its outcome is not the one of audit event " in said
    assert f"{drill.label(decision)}: It approved product {products[0]['product_id']}, but there is no" in said
    assert set(drill.named()) == {drill.label(decision)}


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": "Another reason."},
        {"ruleset_version": "2020.1"},
        {"dossier_hash": "0" * 64},
        {"decided_by": new_id()},
        {"products": []},
        {"sha256": "0" * 64},
        {"document": {}},
        {"decided_at": NOW.replace(year=2025)},
    ],
    ids=lambda changed: next(iter(changed)),
)
@pytest.mark.parametrize("name", ["plain", "rejected"])
def test_a_rewritten_decision_is_named(drill, name, changed):
    decision = drill.rejected if name == "rejected" else drill.decision_of(name)
    drill.change(decision, **changed)
    assert drill.label(decision) in drill.named()


def test_the_reason_of_a_rejection_rewritten_with_its_document_is_named(drill):
    decision, reason = drill.rejected, "The rules were not met."
    products = [each | {"reasons": [reason]} for each in decision.products]
    drill.change(decision, reason=reason, products=products)
    drill.rewrite_document(
        decision,
        reason=reason,
        details=canonical_json.digest(products),
        products=[{"product": each["product_id"], "outcome": "rejected", "reasons": [reason]} for each in products],
    )
    assert drill.named() == [drill.label(decision)] * 2  # the audit trail and the signature of the person


def test_a_decision_that_claims_to_be_older_than_its_document_is_named(drill):
    """Only where neither audit trail nor log has a hash may the document be one of the migration."""
    decision = drill.decision_of("plain")
    drill.rewrite_document(decision, version=None, unknown=["version"])
    assert set(drill.named()) == {drill.label(decision), drill.label(drill["plain"])}


@pytest.mark.parametrize(
    "changed",
    [
        {"products": []},
        {"recommended_by": new_id()},
        {"recommended_at": NOW.replace(year=2025)},
        {"dossier_hash": "0" * 64},
        {"voided_at": NOW},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_rewritten_recommendation_is_named(drill, changed):
    decision = drill.decision_of("plain")
    recommendation = drill.one(Recommendation, Recommendation.id == decision.recommendation_id)
    drill.change(recommendation, **changed)
    assert drill.label(recommendation) in drill.named()


def test_a_resolution_written_into_recommendation_and_decision_is_named(drill):
    decision = drill.decision_of("plain")
    recommendation = drill.one(Recommendation, Recommendation.id == decision.recommendation_id)
    added = {"rule": "MIK-01", "accept": True, "reason": "Seen."}
    drill.change(recommendation, products=[r | {"resolutions": [added]} for r in recommendation.products])
    drill.change(decision, products=[each | {"resolutions": [added]} for each in decision.products])
    assert drill.named() == [drill.label(decision), drill.label(recommendation)]


def test_one_person_who_recommended_and_decided_is_named(drill):
    decision = drill.decision_of("plain")
    recommendation = drill.one(Recommendation, Recommendation.id == decision.recommendation_id)
    drill.change(recommendation, recommended_by=decision.decided_by)
    drill.change(decision, recommended_by=decision.decided_by)
    drill.rewrite_document(decision, recommended_by=str(decision.decided_by))
    assert f"{drill.label(decision)}: One person recommended and decided it." in drill.check()[1]
    assert set(drill.named()) == {
        drill.label(decision),
        drill.label(recommendation),
        drill.label(drill["plain"]),
    }


@pytest.mark.parametrize(
    ("name", "reason"), [("suspended", "licence"), ("revoked", "bankruptcy"), ("surrendered", "other")]
)
def test_a_rewritten_reason_of_a_status_is_named(drill, name, reason):
    drill.change(drill[name], status_reason=reason)
    assert drill.named() == [drill.label(drill[name])]


def test_a_rewritten_suspension_is_named(drill):
    suspension = drill.one(Suspension, Suspension.note == "Hearing on Monday.")
    drill.change(suspension, cause="licence")
    assert drill.label(suspension) in drill.named()
    drill.change(suspension, cause="hearing", note="Nothing happened.")
    assert drill.named() == [drill.label(drill.decisions_on("suspended")[0])]
    drill.change(suspension, note="Hearing on Monday.", ended_at=NOW)
    assert set(drill.named()) == {drill.label(suspension), drill.label(drill["suspended"])}
    drill.delete(suspension)
    assert drill.label(drill["suspended"]) in drill.named()


def test_a_reason_rewritten_in_every_row_is_named_by_hash_audit_trail_and_log(drill):
    revoked = drill["revoked"]
    last = drill.decisions_on("revoked")[-1]
    drill.change(revoked, status_reason="bankruptcy")
    drill.rewrite_document(last, reason="bankruptcy")
    _, said = drill.check()
    assert f"{drill.label(last)}: Its document differs from audit event " in said
    assert f"{drill.label(last)}: Its hash is not the one of audit event " in said
    assert set(drill.named()) == {drill.label(last), drill.label(revoked)}


def test_a_reason_rewritten_with_the_whole_audit_trail_is_named_by_the_log(drill):
    """All keys but the log's do not help: its entries name the hash, and it knows the audit trail."""
    revoked = drill["revoked"]
    last = drill.decisions_on("revoked")[-1]
    document = last.document | {"reason": "bankruptcy"}
    sha256 = canonical_json.digest(document)

    def rewrite(event):
        if event.subject_id == revoked.number and event.event == "certificate.revoked":
            event.data = event.data | {"reason": "bankruptcy", "decision_sha256": sha256}

    drill.change(revoked, status_reason="bankruptcy")
    drill.change(last, document=document, sha256=sha256)
    drill.rewrite_audit_trail(rewrite)
    event, *others = drill.named()
    assert event.startswith("audit event ")
    assert others == [drill.label(revoked), drill.label(last)]  # two people confirmed another revocation
    assert "differs from its decision and audit event: decision, reason." in drill.check()[1]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("plain", {"status": "revoked", "status_reason": "bankruptcy"}),
        ("suspended", {"status": "active", "status_reason": None}),
        ("revoked", {"status": "active", "status_reason": None}),
        ("surrendered", {"during_investigation": False}),
        ("plain", {"during_investigation": True}),
    ],
)
def test_a_status_without_a_decision_is_named(drill, name, changed):
    drill.change(drill[name], **changed)
    assert drill.named()[0] == drill.label(drill[name])


def test_a_confirmation_that_is_missing_changed_or_of_somebody_else_is_named(drill):
    decided, other = drill.decision_of("plain"), drill.decision_of("revoked")
    for confirmation, said in (
        (None, "lacks the confirmation"),
        (other.confirmation, "does not fit its document"),
        ({}, "does not fit its document"),
        (forged_confirmation(decided), "not one that the log registers"),
    ):
        drill.change(decided, confirmation=confirmation)
        assert drill.named() == [drill.label(decided)]
        assert said in drill.check()[1]


def forged_confirmation(decision):
    key, party = (
        SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1())),
        RelyingParty.of("https://other.example"),
    )
    members = {"public_key": key.public_key, "credential_id": key.credential_id}
    return members | {"assertion": key.confirm(decision.document, party)}


def test_a_decision_slipped_in_is_named(drill):
    plain = drill["plain"]
    document = build_status_document(
        StatusAct.REVOKE, certificate=plain.number, version=1, code="bankruptcy", note=None, by=None
    )
    drill.add(
        StatusDecision,
        id=new_id(),
        certificate_id=plain.id,
        act="revoke",
        document=document,
        sha256=canonical_json.digest(document),
        decided_at=NOW,
    )
    drill.change(plain, status=CertificateStatus.REVOKED.value, status_reason="bankruptcy", version=2)
    (added,) = drill.decisions_on("plain")
    assert set(drill.named()) == {drill.label(added), drill.label(plain)}


def test_missing_rows_are_named(drill):
    rejected = drill.rejected
    drill.delete(drill.decisions_on("revoked")[-1])
    drill.delete(rejected)
    product = drill.one(DecidedProduct, DecidedProduct.decision_id == drill["plain"].decision_id)
    drill.delete(product)
    assert set(drill.named()) == {
        drill.label(drill["revoked"]),
        f"decision {rejected.id}",
        drill.label(drill.decision_of("plain")),
        drill.label(drill["plain"]),
    }


@pytest.mark.parametrize("row", ["Application", "Recommendation", "Decision"])
def test_a_certificate_whose_decision_is_gone_is_named(drill, row):
    decision = drill.decision_of("plain")
    gone = {
        "Application": drill.one(Application, Application.id == decision.application_id),
        "Recommendation": drill.one(Recommendation, Recommendation.id == decision.recommendation_id),
        "Decision": decision,
    }[row]
    drill.delete(gone)
    assert any(name.startswith(("decision ", "certificate ")) for name in drill.named())


def test_backdating_is_named(drill):
    drill.change(drill["plain"], issued_at=NOW.replace(year=2025))
    assert set(drill.named()) == {drill.label(drill["plain"])}
    assert "The moment of its issue is not the one of entry " in drill.check()[1]


def test_a_status_with_another_beginning_is_named(drill):
    drill.change(drill["revoked"], status_since=NOW.replace(year=2025))
    assert drill.named() == [drill.label(drill["revoked"])]
    last = drill.decisions_on("suspended")[-1]
    drill.change(last, decided_at=NOW.replace(year=2025))
    assert drill.label(last) in drill.named()


def test_what_cannot_be_read_is_named(drill):
    if not drill.database.is_sqlite:
        return  # its columns hold only what their types can be
    last = drill.all(Certificate)[-1]
    drill.attack("UPDATE certificates SET valid_until = 'never' WHERE number = :number", number=last.number)
    assert drill.named() == ["certificate after the first 4"]
    drill.attack("UPDATE decisions SET decided_at = 'never' WHERE sha256 = :sha", sha=drill.all(Decision)[-1].sha256)
    assert drill.named()[0] == "decision after the first 5"
