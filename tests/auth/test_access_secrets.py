"""Codes, seals and one-time secrets, without a service around them; and the demo's staff."""

import base64
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.auth import demo_staff, user_repository
from app.auth import users as auth_users
from app.auth.credentials import mfa
from app.auth.credentials.passwords import NO_PASSWORD, PasswordHasher, new_token, token_hash
from app.auth.model import TotpEnrolment
from app.core.actor import SYSTEM
from app.core.crypto.pem_files import UnsafeKeyFile
from app.core.crypto.row_macs import ensure_row_macs
from app.core.crypto.secret_box import KEY_FILE, DecryptionFailed, SecretBox
from app.core.settings import Settings

pytestmark = pytest.mark.pg_sampled
NOW = datetime(2026, 11, 22, 17, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30
SECRET = base64.b32encode(b"12345678901234567890").decode()  # of RFC 6238, appendix B
SOMEBODY, ANOTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_vectors_of_rfc_6238(seconds, code):
    assert mfa.find_matching_step(SECRET, code, datetime.fromtimestamp(seconds, UTC), None) == seconds // 30


@pytest.mark.parametrize(
    ("step", "last_step", "accepted"),
    [
        (STEP, None, True),
        (STEP - 1, None, True),
        (STEP + 1, None, True),
        (STEP - 2, None, False),
        (STEP + 2, None, False),
        (STEP, STEP - 1, True),
        (STEP, STEP, False),  # once
        (STEP - 1, STEP, False),  # nor an older one
        (STEP + 1, STEP, True),
    ],
)
def test_a_code_is_good_for_its_step_and_its_neighbours_and_once(step, last_step, accepted):
    code = pyotp.TOTP(SECRET).generate_otp(step)
    assert mfa.find_matching_step(SECRET, code, NOW, last_step) == (step if accepted else None)
    assert mfa.find_matching_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, last_step) == (step if accepted else None)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "²²²²²²", "-12345", "1e5000", "\ud800" * 6]
)
def test_what_is_no_code(code):
    assert mfa.find_matching_step(SECRET, code, NOW, None) is None


@given(st.text(max_size=20), st.integers(0, 2**33), st.none() | st.integers(0, 2**33))
def test_any_text_at_any_time_is_judged_and_never_crashes(code, seconds, last_step):
    found = mfa.find_matching_step(SECRET, code, datetime.fromtimestamp(seconds, UTC), last_step)
    assert found is None or (abs(found - seconds // 30) <= 1 and (last_step is None or found > last_step))


def test_recent_is_ten_minutes():
    for minutes, good in ((0, True), (9, True), (10, False), (600, False)):
        assert mfa.is_recent(NOW - timedelta(minutes=minutes), NOW) is good
    assert not mfa.is_recent(None, NOW)


def test_the_address_for_authenticators_holds_the_secret():
    address = mfa.address(SECRET, "reviewer@mik.example")
    assert address.startswith("otpauth://totp/Made%20in%20Karabakh:reviewer%40mik.example?")
    assert f"secret={SECRET}" in address


def test_a_sealed_secret_opens_for_its_owner_alone(tmp_path):
    seal = SecretBox.from_folder(tmp_path)
    sealed = seal.encrypt(SECRET, SOMEBODY)
    assert SECRET not in sealed
    assert seal.encrypt(SECRET, SOMEBODY) != sealed
    assert SecretBox.from_folder(tmp_path).decrypt(sealed, SOMEBODY) == SECRET
    with pytest.raises(DecryptionFailed):
        seal.decrypt(sealed, ANOTHER)
    with pytest.raises(DecryptionFailed):
        SecretBox.from_folder(tmp_path / "elsewhere").decrypt(sealed, SOMEBODY)
    raw = bytearray(base64.b64decode(sealed))
    raw[-1] ^= 1
    with pytest.raises(DecryptionFailed):
        seal.decrypt(base64.b64encode(raw).decode(), SOMEBODY)


def test_the_key_of_the_seal_is_a_private_file(tmp_path):
    SecretBox.from_folder(tmp_path)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(UnsafeKeyFile, match="chmod 600"):
        SecretBox.from_folder(tmp_path)
    path.chmod(0o600)
    for damaged in (b"", b"zz" * 32, b"00" * 31, b"\xff"):
        path.write_bytes(damaged)
        with pytest.raises(UnsafeKeyFile):
            SecretBox.from_folder(tmp_path)


def test_one_time_secrets_differ_and_are_known_by_their_hash():
    made = {new_token("mikr_") for _ in range(100)}
    assert len(made) == 100
    for token, digest in made:
        assert token.startswith("mikr_") and len(token) == 48
        assert token_hash(token) == digest
    assert len(token_hash("\ud800")) == 64  # what strangers send


def test_no_password_matches_an_account_that_has_none_yet():
    passwords = PasswordHasher(1)
    for guess in ("", "a password that nobody has", "x" * 20):
        assert not passwords.verify(guess, NO_PASSWORD)
        assert not passwords.verify(guess, None)


@pytest.fixture
def settings(database, database_url, tmp_path):
    settings = Settings(data_dir=tmp_path / "data", database_url=database_url)
    ensure_row_macs(database, settings.row_key)  # as the first start does
    return settings


def users(database):
    with database.session() as session:
        return {email: user_repository.find_user_by_email(session, email) for email in demo_staff.STAFF}


def test_the_demos_staff_have_passwords_and_authenticators(settings, database):
    demo_staff.ensure_demo_staff(database, settings, NOW)
    secrets, passwords = demo_staff.load_totp_secrets(settings.data_dir), demo_staff.load_passwords(settings.data_dir)
    assert secrets.keys() == passwords.keys() == demo_staff.STAFF.keys()
    assert all(isinstance(password, str) and len(password) >= 20 for password in passwords.values())
    path = settings.data_dir / demo_staff.ACCOUNTS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with database.session() as session:
        for email, user in users(database).items():
            code = pyotp.TOTP(secrets[email]).at(NOW)
            assert mfa.consume_code(session, SecretBox.from_folder(settings.keys_dir), user.id, code, NOW)
            assert secrets[email] not in str(session.get(TotpEnrolment, user.id).encrypted_secret)
    before = path.read_text()
    demo_staff.ensure_demo_staff(database, settings, NOW)
    assert path.read_text() == before


def test_staff_of_an_older_demo_get_their_authenticators(settings, database):
    """Made when the file held nothing but passwords; those stay."""
    email = "owner@mik.example"
    settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    (settings.data_dir / demo_staff.ACCOUNTS_FILE).write_text(
        json.dumps({email: "an older password", "r01@x.example": "kept"})
    )
    os.chmod(settings.data_dir / demo_staff.ACCOUNTS_FILE, 0o600)  # noqa: PTH101 (says the mode next to the file)
    with database.session() as session:
        name, roles = demo_staff.STAFF[email]
        auth_users.create_staff(session, SYSTEM, email=email, full_name=name, password_hash="x", roles=roles, now=NOW)
        session.commit()
    demo_staff.ensure_demo_staff(database, settings, NOW)
    assert demo_staff.load_passwords(settings.data_dir)[email] == "an older password"
    assert demo_staff.load_passwords(settings.data_dir)["r01@x.example"] == "kept"
    assert "r01@x.example" not in demo_staff.load_totp_secrets(settings.data_dir)
    with database.session() as session:
        assert mfa.is_enrolled(session, users(database)[email].id)


def test_an_account_that_is_remembered_later_keeps_the_secrets(settings, database):
    demo_staff.ensure_demo_staff(database, settings, NOW)
    secrets = demo_staff.load_totp_secrets(settings.data_dir)
    accounts = demo_staff.save_accounts(
        settings.data_dir, {"r01@company.example": "new", "owner@mik.example": "ignored"}
    )
    assert accounts["r01@company.example"] == "new" and accounts["owner@mik.example"] != "ignored"
    assert demo_staff.load_totp_secrets(settings.data_dir) == secrets


def test_who_was_removed_from_the_demo_stays_removed(settings, database):
    demo_staff.ensure_demo_staff(database, settings, NOW)
    with database.session() as session:
        user = user_repository.find_user_by_email(session, "reviewer@mik.example")
        auth_users.deactivate_user(session, SYSTEM, user, NOW)
        session.commit()
    demo_staff.ensure_demo_staff(database, settings, NOW)
    with database.session() as session:
        assert user_repository.find_user_by_email(session, "reviewer@mik.example") is None
        assert session.scalar(sa.text("SELECT count(*) FROM users")) == len(demo_staff.STAFF)
