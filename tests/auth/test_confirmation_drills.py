"""Somebody has every right in the database, but no key: nothing they change leads to a decision.

They replace a password and a second factor, add a person and a role, replace or add the authenticator, put a case back
to an older state and send a stored confirmation again. The MACs of rows (`core/crypto/row_macs.py`) refuse most of it
before it comes to a confirmation; so most drills are run as if the key of the rows was stolen as well.
"""

import json
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.auth import user_repository
from app.auth.authenticate import TokenSubject
from app.auth.credentials import mfa, staff_credentials
from app.auth.credentials.relying_party import encode_assertion
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.auth.model import Proposal, StaffCredential
from app.auth.proposals import proposal_document
from app.auth.users import create_staff
from app.core.actor import SYSTEM, ActorKind, Role
from app.core.canonical_json import digest
from app.core.crypto.row_macs import ROW_MACS
from app.core.database import new_id
from tests.factories import PASSWORD, ApiClient, in_state, ok
from tests.helpers import count, execute, refused, rewrite, rows, stored_id
from tests.played import played

FORM = "/v1/auth/token"


def stolen_key():
    return SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1()))


@played
def case(app):
    """A case to be decided, whose approver is known."""
    assert app.approver and app.owner and app.second_owner
    return in_state(app, app.set_up_company(), "recommended")


def with_row_key(app, change):
    """Change rows as the service writes them, MACs included: the key of the rows was stolen with the database."""
    with app.database.session() as session:
        change(session)
        session.commit()


def sign_in_with_code(app, email, password, secret):
    code = mfa.pyotp.TOTP(secret).at(app.clock())
    form = {"grant_type": "password", "username": email, "password": password, "otp": code}
    return ok(app.http.post(FORM, data=form))["access_token"]


def try_to_approve(app, case, caller, *, key=None):
    """The answer to an approval with whatever the thief can sign."""
    path = f"/v1/applications/{case}/approve"
    asked = caller.post(path, version="now")
    if key is None or asked.json().get("code") != "confirmation-required":
        return asked
    header = key.confirmation_header(asked.json()["document"], app.container.relying_party)
    return caller.post(path, version="now", headers={"Mik-Confirmation": header})


def nothing_was_decided(app, case):
    assert count(app, "decisions") == count(app, "certificates") == 0
    assert ok(app.reviewer.get(f"/v1/applications/{case}"))["state"] == "recommended"


def test_a_password_and_a_factor_that_were_replaced(app, case):
    """Signed in as the approver, with a fresh code of the thief's own phone."""
    secret = mfa.generate_secret()

    def change(session):
        user = user_repository.find_user(session, UUID(app.approver.id))
        user.password_hash = app.container.passwords.hash("a password of the thief")
        mfa.activate_secret(session, SYSTEM, app.container.secret_box, user.id, secret, app.clock())

    with_row_key(app, change)
    token = sign_in_with_code(app, "approver@staff.example", "a password of the thief", secret)
    version = app.approver.version_of(f"/v1/applications/{case}")
    headers = {"Authorization": f"Bearer {token}", "If-Match": f'"{version}"'}
    path = f"/v1/applications/{case}/approve"
    asked = refused(app.http.post(path, headers=headers), 403, "confirmation-required")
    forged = stolen_key().confirmation_header(asked["document"], app.container.relying_party)
    refused(app.http.post(path, headers=headers | {"Mik-Confirmation": forged}), 403, "confirmation-invalid")
    # Nor can the thief give the approver another authenticator: an owner, whom they are not, confirms it.
    registration = app.approver.registration(key := stolen_key())
    made = app.http.post(
        "/v1/me/credentials",
        json={"name": "Key", "registration": registration},
        headers={"Authorization": f"Bearer {token}"},
    )
    proposal = f"/v1/proposals/{ok(made)['id']}"
    thief = app.approver.without_confirmation()
    refused(thief.post(f"{proposal}/confirm", headers={"If-Match": '"1"'}), 403, "forbidden")
    refused(app.owner.without_confirmation().post(f"{proposal}/confirm", version="now"), 403, "confirmation-required")
    signed = key.confirmation_header(asked["document"], app.container.relying_party)
    refused(app.http.post(path, headers=headers | {"Mik-Confirmation": signed}), 403, "confirmation-invalid")
    nothing_was_decided(app, case)


@pytest.mark.parametrize("has_row_key", [False, True])
@pytest.mark.parametrize("adds", [True, False], ids=["added", "replaced"])
def test_an_authenticator_that_was_added_or_replaced(app, case, adds, has_row_key):
    key, user_id = stolen_key(), UUID(app.approver.id)
    sha256 = staff_credentials.credential_sha256(key.credential_id, key.public_key, user_id)

    def change(session):
        if adds:
            session.add(
                StaffCredential(
                    id=new_id(),
                    credential_id=key.credential_id,
                    public_key=key.public_key,
                    user_id=user_id,
                    name="Key",
                    sign_count=0,
                    sha256=sha256,
                    registered_at=app.clock(),
                )
            )
            return
        (row,) = session.query(StaffCredential).filter_by(user_id=user_id)
        row.credential_id, row.public_key, row.sha256 = key.credential_id, key.public_key, sha256

    with_row_key(app, change)
    if not has_row_key:
        execute(app, "UPDATE staff_credentials SET mac = NULL WHERE credential_id = :id", id=key.credential_id)
    caller = app.approver.without_confirmation()
    expected = "confirmation-invalid" if adds else "no-authenticator"
    refused(try_to_approve(app, case, caller, key=key), 403, expected)
    nothing_was_decided(app, case)


@pytest.mark.parametrize("has_row_key", [False, True])
def test_a_person_and_a_role_that_were_added(app, case, has_row_key):
    """An account with every right, made past the service, has no key in the log."""

    def change(session):
        user = create_staff(
            session,
            SYSTEM,
            email="thief@staff.example",
            full_name="Nobody",
            password_hash=app.container.passwords.hash(PASSWORD),
            roles=[Role.APPROVER, Role.OWNER],
            now=app.clock(),
        )
        change.id = user.id

    with_row_key(app, change)
    if not has_row_key:
        execute(app, "UPDATE staff_roles SET mac = NULL WHERE user_id = :id", id=stored_id(app, str(change.id)))
    caller = ApiClient(app, TokenSubject(ActorKind.USER, change.id), factor=True)
    person = {"kind": "second-factor-reset", "content": {"user_id": enrolled(app, app.reviewer)}}
    proposal = ok(app.owner.post("/v1/proposals", json=person))
    for path, version in ((f"/v1/applications/{case}/approve", 4), (f"/v1/proposals/{proposal['id']}/confirm", 1)):
        answer = caller.post(path, headers={"If-Match": f'"{version}"', "Mik-Confirmation": "e30"})
        assert answer.status_code in {403, 404}
        assert answer.json()["code"] in ({"no-authenticator"} if has_row_key else {"forbidden", "not-found"})
    nothing_was_decided(app, case)


def enrolled(app, person):
    with_row_key(
        app,
        lambda session: mfa.activate_secret(
            session, SYSTEM, app.container.secret_box, UUID(person.id), mfa.generate_secret(), app.clock()
        ),
    )
    return person.id


def test_a_role_that_was_added_to_somebody_with_an_authenticator(app, case):
    """The inspector has a key in the log; the role in the database has no MAC."""
    inspector = app.inspector
    execute(
        app,
        "INSERT INTO staff_roles (user_id, role, is_staff) VALUES (:id, 'approver', :yes)",
        id=stored_id(app, inspector.id),
        yes=True,
    )
    refused(inspector.post(f"/v1/applications/{case}/approve", headers={"If-Match": '"4"'}), 403, "forbidden")
    nothing_was_decided(app, case)


def test_a_confirmation_stored_in_the_database_is_not_sent_again(app, case):
    """A decision is deleted with its certificate, the case put back to before, and its signature sent again."""
    (before,) = rows(app, "SELECT state, version FROM applications WHERE id = :id", id=stored_id(app, case))
    app.approve(case)
    (stored,) = rows(app, "SELECT document, confirmation FROM decisions")
    document, confirmation = (
        json.loads(each) if isinstance(each, str) else each for each in (stored.document, stored.confirmation)
    )
    for table in ("certificates", "certified_descriptions", "certificate_snapshots", "decided_products", "decisions"):
        rewrite(app, f"DELETE FROM {table}")
    rewrite(
        app,
        "UPDATE applications SET state = :state, version = :version WHERE id = :id",
        state=before.state,
        version=before.version,
        id=stored_id(app, case),
    )
    thief = app.approver.without_confirmation()
    path = f"/v1/applications/{case}/approve"
    asked = refused(thief.post(path, version="now"), 403, "confirmation-required")
    assert asked["document"] == document
    again = {"Mik-Confirmation": encode_assertion(confirmation["assertion"])}
    answer = thief.post(path, version="now", headers=again)
    assert "before" in refused(answer, 403, "confirmation-invalid")["detail"]
    nothing_was_decided(app, case)


def test_a_confirmation_is_of_one_case_one_version_and_one_person(app, case):
    """What was signed for one decision decides no other one."""
    other = in_state(app, app.set_up_company(), "recommended")
    path = f"/v1/applications/{case}/approve"
    thief = app.approver.without_confirmation()
    document = thief.post(path, version="now").json()["document"]
    signed = {"Mik-Confirmation": app.approver.confirmation(document)}
    refused(thief.post(f"/v1/applications/{other}/approve", version="now", headers=signed), 403, "confirmation-invalid")
    refused(thief.post(f"/v1/applications/{case}/reject", version="now", headers=signed, json={"reason": "No."}), 403)
    second = app.staff(Role.APPROVER, name="second-approver").without_confirmation()
    refused(second.post(path, version="now", headers=signed), 403, "confirmation-invalid")
    app.approver.act(f"/v1/applications/{case}/return", {"reason": "Look again."})
    app.review(case)
    refused(thief.post(path, version="now", headers=signed), 403, "confirmation-invalid")
    assert ok(app.approver.post(path, version="now"))["state"] == "approved"


def test_a_proposal_that_was_changed_or_made_in_the_database_is_not_confirmed(app):
    number, other = app.certify(), app.certify()
    proposal = app.owner.act(f"/v1/certificates/{number}/revoke", {"reason": "bankruptcy"})
    content = {"number": other, "reason": "bankruptcy"}
    path = f"/v1/proposals/{proposal['id']}"
    text = json.dumps(content)
    execute(app, "UPDATE proposals SET content = :content, subject_id = :number", content=text, number=other)
    refused(app.second_owner.get(path), 404)
    refused(app.second_owner.post(f"{path}/confirm", headers={"If-Match": '"1"'}), 404)
    assert ok(app.owner.get("/v1/proposals"))["items"] == []

    def change(session):  # the key of the rows was stolen as well
        macs = session.info[ROW_MACS]
        row = session.get(Proposal, UUID(proposal["id"]))
        row.content, row.sha256 = content, digest(proposal_document("revocation", content, row.proposed_by))
        row.mac = macs.compute(Proposal, [getattr(row, name) for name in Proposal.mac_columns])

    with_row_key(app, change)
    refused(app.second_owner.post(f"{path}/confirm", version="now"), 409, "proposal-unsigned")
    assert app.verify(number)["verdict"] == app.verify(other)["verdict"] == "valid"


def test_of_a_removed_authenticator_nothing_is_confirmed_nor_stays_proposed(app):
    """The proposer loses the key before the second owner confirms: it has to be proposed again."""
    number = app.certify()
    proposal = app.owner.act(f"/v1/certificates/{number}/revoke", {"reason": "bankruptcy"})
    (mine,) = ok(app.owner.get("/v1/me/credentials"))["items"]
    ok(app.owner.delete(f"/v1/me/credentials/{mine['id']}"))
    assert ok(app.owner.get("/v1/me/credentials"))["items"] == []
    path = f"/v1/proposals/{proposal['id']}/confirm"
    refused(app.second_owner.post(path, version="now"), 409, "proposal-unsigned")
    refused(app.owner.post(f"/v1/certificates/{number}/suspend", version="now", json={"cause": "court"}), 403,
            "no-authenticator")  # fmt: skip
    # A new key, confirmed by the other owner, and everything goes on.
    key = stolen_key()
    made = ok(app.owner.post("/v1/me/credentials", json={"name": "New", "registration": app.owner.registration(key)}))
    assert made["kind"] == "staff-credential" and made["content"]["public_key"] == key.public_key
    refused(app.owner.post(f"/v1/proposals/{made['id']}/confirm", version="now"), 403, "four-eyes")
    app.confirm_proposal(made)
    app.owner.authenticator = key
    app.revoke(number, "bankruptcy")
    assert app.verify(number)["verdict"] == "revoked"
    refused(
        app.owner.post("/v1/me/credentials", json={"name": "Again", "registration": app.owner.registration(key)}),
        409,
        "known-authenticator",
    )
