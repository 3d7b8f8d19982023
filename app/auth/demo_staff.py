"""Create the staff of the demo profile with random passwords and authenticators, stored in private files.

The keys with which they confirm decisions are in a folder of their own, one file for each person.

The file of accounts maps e-mail → password, and has one member `totp_secrets` that maps e-mail → secret (base 32)
for the staff.
"""

import fcntl
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.auth import user_repository, users
from app.auth.credentials import credential_repository, mfa, staff_credentials
from app.auth.credentials.passwords import PasswordHasher
from app.auth.credentials.relying_party import RelyingParty
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.auth.model import User
from app.core.actor import SYSTEM, Role
from app.core.crypto.row_macs import ROW_MACS, load_row_macs
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.core.files import replace_file
from app.core.settings import Settings

AUTHENTICATORS_FOLDER = "demo-authenticators"
ACCOUNTS_FILE = "demo-accounts.json"
TOTP_SECRETS_KEY = "totp_secrets"

STAFF: Mapping[str, tuple[str, frozenset[Role]]] = {
    "registrar@mik.example": ("Demo registrar", frozenset({Role.REGISTRAR})),
    "reviewer@mik.example": ("Demo reviewer", frozenset({Role.REVIEWER})),
    "approver@mik.example": ("Demo approver", frozenset({Role.APPROVER})),
    "owner@mik.example": ("Demo owner", frozenset({Role.OWNER})),
    "second-owner@mik.example": ("Demo second owner", frozenset({Role.OWNER})),
    "auditor@mik.example": ("Demo auditor", frozenset({Role.AUDITOR})),
    "inspector@mik.example": ("Demo inspector", frozenset({Role.INSPECTOR})),
}


def ensure_demo_staff(database: Database, settings: Settings, now: datetime) -> None:
    """Create missing staff accounts and authenticators. Removed accounts stay removed.

    Password and secret are in the file before the account exists: after a crash in between, the next run creates the
    account with them.
    """
    database.attach_session_info({ROW_MACS: load_row_macs(settings.row_key)})
    accounts = save_accounts(settings.data_dir, {email: generate_password() for email in STAFF}, with_secrets=True)
    totp = load_totp_secrets(settings.data_dir)
    with database.read_session() as session:
        missing = [email for email in STAFF if not user_repository.is_known_email(session, email)]
        present = [user for email in STAFF if (user := user_repository.find_user_by_email(session, email))]
        bare = [user for user in present if not mfa.is_enrolled(session, user.id)]
        keyless = [user for user in present if not credential_repository.had_credential(session, user.id)]
    if not missing and not bare and not keyless:
        return
    secret_box = SecretBox.from_folder(settings.keys_dir)
    passwords = PasswordHasher(settings.password_hashers)
    hashes = {email: passwords.hash(accounts[email]) for email in missing}
    with database.session() as session:
        for user in bare:
            mfa.activate_secret(session, SYSTEM, secret_box, user.id, totp[user.email], now)
        for email in missing:
            name, roles = STAFF[email]
            user = users.create_staff(
                session,
                SYSTEM,
                email=email,
                full_name=name,
                password_hash=hashes[email],
                roles=roles,
                now=now,
            )
            mfa.activate_secret(session, SYSTEM, secret_box, user.id, totp[email], now)
            keyless.append(user)
        for user in keyless:
            _register_authenticator(session, settings, user, now)
        session.commit()


def authenticator_file(data_dir: Path, email: str) -> Path:
    """Return the key file with which this member of staff confirms decisions."""
    return data_dir / AUTHENTICATORS_FOLDER / f"{email}.pem"


def _register_authenticator(session: Session, settings: Settings, user: User, now: datetime) -> None:
    """Register the key file of a member of staff; it is made where it is missing."""
    party = RelyingParty.of(settings.base_url)
    authenticator = SoftwareAuthenticator.create(authenticator_file(settings.data_dir, user.email))
    registration = authenticator.register(staff_credentials.registration_document(user.email), party)
    content = staff_credentials.read_registration(
        registration, account=user.email, user_id=user.id, name="Key file of the demo", party=party
    )
    staff_credentials.register_credential(session, SYSTEM, content, now)


def generate_password() -> str:
    """Return a random password."""
    return secrets.token_urlsafe(15)


def load_passwords(data_dir: Path) -> dict[str, str]:
    """Read e-mail → password of every demo account."""
    return {email: password for email, password in _read_accounts(data_dir).items() if isinstance(password, str)}


def load_totp_secrets(data_dir: Path) -> dict[str, str]:
    """Read e-mail → authenticator secret of the staff."""
    found = _read_accounts(data_dir).get(TOTP_SECRETS_KEY, {})
    return found if isinstance(found, dict) else {}


def save_accounts(data_dir: Path, passwords: Mapping[str, str], *, with_secrets: bool = False) -> dict[str, str]:
    """Add missing accounts to the file, with authenticator secrets on request; present entries stay unchanged.

    Returns all passwords. Safe against a concurrent process.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / f".{ACCOUNTS_FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        secrets_by_email = load_totp_secrets(data_dir)
        if with_secrets:
            secrets_by_email = {email: mfa.generate_secret() for email in passwords} | secrets_by_email
        accounts = {**passwords, **load_passwords(data_dir)}
        replace_file(
            data_dir / ACCOUNTS_FILE, json.dumps({**accounts, TOTP_SECRETS_KEY: secrets_by_email}, indent=2).encode()
        )
    return accounts


def _read_accounts(data_dir: Path) -> dict[str, str | dict[str, str]]:
    path = data_dir / ACCOUNTS_FILE
    if not path.exists():
        return {}
    content: dict[str, str | dict[str, str]] = json.loads(path.read_text("utf-8"))
    return content
