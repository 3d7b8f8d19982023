"""A decision counts only with the signature of a key that the public log names for the person."""

import base64
import hashlib
import json
from contextlib import suppress
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from app.auth import user_repository, users
from app.auth.credentials import credential_repository, staff_credentials
from app.auth.credentials.confirmations import (
    ConfirmationInvalid,
    ConfirmationRequired,
    NoAuthenticator,
    is_confirmed,
    require_confirmation,
    verify_record,
)
from app.auth.credentials.relying_party import (
    RelyingParty,
    WebAuthnRejected,
    challenge_of,
    decode_assertion,
    encode_assertion,
)
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.core.actor import SYSTEM, Actor, ActorKind, Role
from app.core.canonical_json import digest
from app.core.crypto.pem_files import UnsafeKeyFile
from app.core.errors import Unavailable
from tests.factories import register_authenticator
from tests.helpers import execute, rows, stored_id

PARTY = RelyingParty.of("http://localhost:8000")
DOCUMENT = {"v": 1, "act": "approve", "application": "MIK-A-2026-1", "version": 5, "decided_by": "somebody"}


def actor_of(person, confirmation=None, role=Role.APPROVER):
    return Actor(ActorKind.USER, UUID(person.id), frozenset({role}), confirmation=confirmation)


def confirm(app, person, document=DOCUMENT, text=None, *, commit=True):
    """What a service does that decides."""
    with app.database.session() as session:
        record = require_confirmation(session, actor_of(person, text), document)
        if commit:
            session.commit()
        return record


def header(person, document=DOCUMENT, party=PARTY):
    return person.confirmation(document, party=party)


def changed(text, **members):
    """The header with other members in the response of the assertion."""
    assertion = decode_assertion(text)
    assertion["response"] |= members
    return encode_assertion(assertion)


def invalid(app, person, text, document=DOCUMENT):
    with pytest.raises(ConfirmationInvalid) as caught:
        confirm(app, person, document, text)
    assert caught.value.data["document"] == document
    return caught.value.message


def test_what_is_to_be_confirmed_is_told_and_then_confirmed(app):
    approver = app.approver
    with pytest.raises(ConfirmationRequired) as caught:
        confirm(app, approver)
    told = caught.value.data
    assert told["document"] == DOCUMENT and told["sha256"] == digest(DOCUMENT)
    assert told["credentials"] == [approver.authenticator.credential_id]
    record = confirm(app, approver, text=header(approver))
    sha256 = verify_record(record, DOCUMENT, user_id=UUID(approver.id), party=PARTY)
    assert record["credential"] == sha256 and app.container.log.credentials()[sha256] == approver.id
    with app.database.session() as session:
        assert is_confirmed(session, record, DOCUMENT, UUID(approver.id))
        assert not is_confirmed(session, record, DOCUMENT | {"version": 6}, UUID(approver.id))
        assert not is_confirmed(session, record, DOCUMENT, UUID(app.reviewer.id))
        assert not is_confirmed(session, None, DOCUMENT, UUID(approver.id))
        for broken in ({}, record | {"assertion": None}, record | {"credential_id": "other"}):
            assert not is_confirmed(session, broken, DOCUMENT, UUID(approver.id))


def test_the_system_confirms_nothing_and_others_need_a_port(app, database_url):
    with app.database.session() as session:
        assert require_confirmation(session, SYSTEM, DOCUMENT) is None
        session.info.pop("confirmation")
        with pytest.raises(Unavailable):
            require_confirmation(session, actor_of(app.approver), DOCUMENT)


def test_a_confirmation_is_for_one_document_one_person_and_one_time(app):
    approver, reviewer = app.approver, app.reviewer
    text = header(approver)
    assert "challenge" in invalid(app, approver, text, DOCUMENT | {"version": 6})
    assert "challenge" in invalid(app, approver, text, DOCUMENT | {"application": "MIK-A-2026-2"})
    assert "not registered for you" in invalid(app, reviewer, text)
    confirm(app, approver, text=text, commit=False)  # a decision that failed later is confirmed again
    confirm(app, approver, text=text)
    for again in (text, header(approver)):  # whatever the database says of the case by then
        assert "before" in invalid(app, approver, again)


def test_confirmations_of_another_address_or_form_are_refused(app):
    approver = app.approver
    text = header(approver)
    assert "origin" in invalid(app, approver, header(approver, party=RelyingParty("localhost", "https://evil.example")))
    foreign = RelyingParty("evil.example", "http://localhost:8000")
    assert "RP ID" in invalid(app, approver, header(approver, party=foreign))
    response = decode_assertion(text)["response"]
    client_data = json.loads(base64.urlsafe_b64decode(response["clientDataJSON"] + "=="))
    for changes in ({"crossOrigin": True}, {"topOrigin": "https://evil.example"}, {"type": "webauthn.create"}):
        assert invalid(app, approver, changed(text, clientDataJSON=b64(json.dumps(client_data | changes).encode())))
    for broken in ("", "{}", "e30", "bm90", "ü", "W10", encode_assertion({"id": 7}), "A" * 9000, f"{text}, {text}"):
        assert invalid(app, approver, broken)
    for lost in ("clientDataJSON", "authenticatorData", "signature"):
        assertion = decode_assertion(text)
        del assertion["response"][lost]
        assert invalid(app, approver, encode_assertion(assertion))
    assert "signature" in invalid(app, approver, changed(text, signature=b64(b"0" * 70)))


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key, document, *, flags=0x05, count=0):
    """An assertion of a key that counts, or that did not ask its person."""
    client_data = json.dumps(
        {"type": "webauthn.get", "challenge": b64(challenge_of(document)), "origin": PARTY.origin}
    ).encode()
    data = hashlib.sha256(PARTY.id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")
    signature = key._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
    assertion = key.confirm(document, PARTY)
    parts = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
    return encode_assertion(assertion | {"response": {name: b64(part) for name, part in parts.items()}})


def test_the_person_must_have_been_verified_and_the_counter_must_rise(app):
    approver = app.approver
    key = approver.authenticator
    for flags in (0x00, 0x01, 0x04):
        assert invalid(app, approver, signed(key, DOCUMENT, flags=flags))
    at = [DOCUMENT | {"version": version} for version in range(5)]
    confirm(app, approver, at[0], signed(key, at[0], count=7))
    for count in (7, 6, 0):
        assert "sign count" in invalid(app, approver, signed(key, at[1], count=count), at[1])
    confirm(app, approver, at[1], signed(key, at[1], count=8))
    assert rows(app, "SELECT max(sign_count) FROM staff_credentials")[0][0] == 8


def test_who_has_no_authenticator_is_told_what_to_do(app):
    with app.database.session() as session:
        user = users.create_staff(
            session, SYSTEM, email="new@staff.example", full_name="New", password_hash="x", roles=[Role.APPROVER],
            now=app.clock(),
        )  # fmt: skip
        session.commit()
        with pytest.raises(NoAuthenticator, match="/v1/me/credentials"):
            require_confirmation(session, Actor(ActorKind.USER, user.id, frozenset({Role.APPROVER})), DOCUMENT)


def test_a_removed_authenticator_confirms_nothing_whatever_the_row_says(app):
    approver = app.approver
    with app.database.session() as session:
        (row,) = credential_repository.list_credentials(session, UUID(approver.id))
        staff_credentials._remove(session, SYSTEM, row, app.clock())
        session.commit()
    with pytest.raises(NoAuthenticator):
        confirm(app, approver, text=header(approver))
    execute(app, "UPDATE staff_credentials SET removed_at = NULL")
    with pytest.raises(NoAuthenticator):
        confirm(app, approver, text=header(approver))


def test_an_account_that_ends_loses_its_authenticators(app):
    approver = app.approver
    with app.database.session() as session:
        users.deactivate_user(session, SYSTEM, user_repository.find_user(session, UUID(approver.id)), app.clock())
        session.commit()
    assert approver.id not in app.container.log.credentials().values()


def test_rows_that_were_added_or_changed_in_the_database_confirm_nothing(app):
    """With every right in the database, and no key: a row of one's own, a replaced key, a borrowed row, a borrowed log
    entry."""
    approver, reviewer = app.approver, app.reviewer
    forged = SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1()))
    victim = stored_id(app, approver.id)
    sha256 = staff_credentials.credential_sha256(forged.credential_id, forged.public_key, UUID(approver.id))
    execute(
        app,
        "INSERT INTO staff_credentials "
        "(id, credential_id, public_key, user_id, name, sign_count, sha256, registered_at) "
        "SELECT :id, :credential, :key, user_id, name, 0, :sha256, registered_at FROM staff_credentials "
        "WHERE user_id = :user",
        id=stored_id(app, "0190b4a0-0000-7000-8000-000000000001"),
        credential=forged.credential_id,
        key=forged.public_key,
        sha256=sha256,
        user=victim,
    )
    text = forged.confirmation_header(DOCUMENT, PARTY)
    assert "not registered for you" in invalid(app, approver, text)
    confirm(app, approver, text=header(approver))  # the honest person goes on
    execute(app, "DELETE FROM staff_credentials WHERE credential_id = :id", id=forged.credential_id)
    execute(
        app,
        "UPDATE staff_credentials SET credential_id = :id, public_key = :key WHERE user_id = :user",
        id=forged.credential_id,
        key=forged.public_key,
        user=victim,
    )
    with pytest.raises(NoAuthenticator):
        confirm(app, approver, text=text)
    execute(app, "DELETE FROM staff_credentials WHERE user_id = :user", user=victim)
    execute(
        app,
        "UPDATE staff_credentials SET user_id = :user WHERE user_id = :other",
        user=victim,
        other=stored_id(app, reviewer.id),
    )
    with pytest.raises(NoAuthenticator):  # the reviewer signs as the approver
        confirm(app, approver, text=header(reviewer))


def test_while_the_log_is_damaged_nobody_decides(app):
    approver = app.approver
    (older,) = rows(app, "SELECT size, checkpoint FROM log_head")
    text = header(approver)
    assert app.reviewer.authenticator  # one more entry
    app.container.log.refresh(force=True)
    execute(app, "UPDATE log_head SET size = :size, checkpoint = :checkpoint", **older._mapping)
    app.container.log.refresh(force=True)
    with pytest.raises(Unavailable):
        confirm(app, approver, text=text)


def test_a_key_that_another_process_registered_counts_at_once(app):
    approver = app.approver
    app.container.log.refresh(force=True)
    with app.database.session() as session:
        for name in ("log.guard",):  # another process commits: this one adopts nothing
            session.info.pop(name)
        key = register_authenticator(app, session, user_repository.find_user(session, UUID(approver.id)))
        session.commit()
    confirm(app, approver, text=key.confirmation_header(DOCUMENT, PARTY))


def test_files_of_authenticators_are_private_and_of_the_right_kind(tmp_path):
    path = tmp_path / "folder" / "mine.pem"
    made = SoftwareAuthenticator.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SoftwareAuthenticator.create(path).credential_id == made.credential_id  # an existing one stays
    path.chmod(0o644)
    with pytest.raises(UnsafeKeyFile, match="chmod"):
        SoftwareAuthenticator.load(path)
    other = tmp_path / "other.pem"
    other.write_text("no key")
    other.chmod(0o600)
    with pytest.raises(UnsafeKeyFile):
        SoftwareAuthenticator.load(other)


@pytest.mark.parametrize("change", ["challenge", "origin", "attestation"])
def test_registrations_that_do_not_fit_are_refused(change):
    key = SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1()))
    party = RelyingParty("localhost", "https://evil.example") if change == "origin" else PARTY
    registration = key.register(DOCUMENT, party)
    if change == "attestation":
        registration["response"]["attestationObject"] = b64(b"nothing")
    with pytest.raises(WebAuthnRejected):
        PARTY.verify_registration(registration, challenge_of({} if change == "challenge" else DOCUMENT))


@given(st.binary(max_size=200))
def test_no_header_crashes_the_parser(raw):
    for text in (raw.decode("latin-1"), b64(raw)):
        with suppress(WebAuthnRejected):
            assert isinstance(decode_assertion(text)["id"], str)


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": SHAPES,
            "rawId": SHAPES,
            "type": st.just("public-key") | SHAPES,
            "response": SHAPES
            | st.dictionaries(
                st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle"]), SHAPES
            ),
        },
    )
)
def test_no_assertion_crashes_the_verification(assertion):
    key = SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(WebAuthnRejected):
        PARTY.verify_assertion(assertion, b"x" * 32, public_key=key.public_key, sign_count=0)
    with pytest.raises(WebAuthnRejected):
        PARTY.verify_registration(assertion, b"x" * 32)
