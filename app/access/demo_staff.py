"""Staff of the demo profile: random passwords, kept in one file that only its owner can read."""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from app.access import service, store
from app.access.passwords import Passwords
from app.actor import SYSTEM, Role
from app.db import Database
from app.settings import Settings

FILE = "demo-accounts.json"

STAFF: Mapping[str, tuple[str, frozenset[Role]]] = {
    "registrar@mik.example": ("Demo registrar", frozenset({Role.REGISTRAR})),
    "reviewer@mik.example": ("Demo reviewer", frozenset({Role.REVIEWER})),
    "approver@mik.example": ("Demo approver", frozenset({Role.APPROVER})),
    "owner@mik.example": ("Demo owner", frozenset({Role.OWNER})),
    "auditor@mik.example": ("Demo auditor", frozenset({Role.AUDITOR})),
    "inspector@mik.example": ("Demo inspector", frozenset({Role.INSPECTOR})),
}


def ensure(settings: Settings, now: datetime) -> None:
    """Make the staff that is missing. The password is in the file before the account exists: a kill in between loses
    nothing, the next run makes the account with it."""
    database = Database(settings.sqlalchemy_url)
    try:
        accounts = remember(settings.data_dir, {email: new_password() for email in STAFF})
        with database.read_session() as session:
            missing = [email for email in STAFF if store.user_by_email(session, email) is None]
        if not missing:
            return
        passwords = Passwords(settings.password_hashers)
        hashes = {email: passwords.hash(accounts[email]) for email in missing}
        with database.session() as session:
            for email in missing:
                name, roles = STAFF[email]
                service.create_staff(
                    session,
                    SYSTEM,
                    email=email,
                    full_name=name,
                    password_hash=hashes[email],
                    roles=roles,
                    now=now,
                )
            session.commit()
    finally:
        database.dispose()


def new_password() -> str:
    return secrets.token_urlsafe(15)


def known(data_dir: Path) -> dict[str, str]:
    """E-mail → password of every demo account."""
    path = data_dir / FILE
    if not path.exists():
        return {}
    accounts: dict[str, str] = json.loads(path.read_text("utf-8"))
    return accounts


def remember(data_dir: Path, passwords: Mapping[str, str]) -> dict[str, str]:
    """Add accounts that are not known yet; what is known stays. Returns all. Safe against a second process."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / f".{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        accounts = {**passwords, **known(data_dir)}
        draft = data_dir / f".{FILE}.{secrets.token_hex(6)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(accounts, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(data_dir / FILE)
    return accounts
