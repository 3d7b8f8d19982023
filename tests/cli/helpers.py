"""The demo on an app inside the test: cheap passwords, no sockets, and a line that dies wherever a test wants it."""

import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyotp
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec

from app.auth import users
from app.auth.credentials import mfa
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.auth.demo_staff import STAFF
from app.core.actor import SYSTEM
from app.core.database import Base
from app.core.dates import baku_day
from app.demo.context import DemoContext
from tests.factories import PASSWORD, register_authenticator, running_app

SECRET = mfa.generate_secret()
KEYS = {email: SoftwareAuthenticator(ec.generate_private_key(ec.SECP256R1())) for email in STAFF}
OF_SESSIONS = ("user_sessions", "refresh_tokens", "failed_logins", "idempotency_records")
"""Who signs in begins a session, whatever is done in it; and the answer to a dry run is kept for a repetition."""


class LineDead(Exception):
    """What the demo meets when it is cut off; it catches nothing of the kind."""


class Line:
    """Stands for the HTTP client. The n-th write is the last: it goes out or not, but no answer comes back."""

    def __init__(self, http, writes=None, *, last_goes_out=True):
        self.http, self.left, self.last_goes_out = http, writes, last_goes_out

    def __getattr__(self, name):
        return getattr(self.http, name)

    def send(self, request, **more):
        path = request.url.path
        if request.method == "GET" or path in ("/v1/auth/token", "/v1/auth/step-up") or self.left is None:
            return self.http.send(request, **more)
        self.left -= 1
        if self.left > 0:
            return self.http.send(request, **more)
        if self.last_goes_out:
            self.http.send(request, **more)
        raise LineDead


def hire_staff(app):
    """The staff of the demo profile, all with the same cheap password."""
    with app.database.session() as session:
        for email, (name, roles) in STAFF.items():
            password_hash = app.container.passwords.hash(PASSWORD)
            user = users.create_staff(
                session,
                SYSTEM,
                email=email,
                full_name=name,
                password_hash=password_hash,
                roles=roles,
                now=app.clock(),
            )
            mfa.activate_secret(session, SYSTEM, app.container.secret_box, user.id, SECRET, app.clock())
            register_authenticator(app, session, user, KEYS[email])
        session.commit()


def codes(app, email):
    """What the authenticator of a member of staff shows at the moment that the clock of the app stands at."""
    if email in STAFF:
        yield pyotp.TOTP(SECRET).at(app.clock())


def confirmer(app, email):
    """What signs the decisions of a member of staff."""
    if email in STAFF:
        return partial(KEYS[email].confirmation_header, party=app.container.relying_party)
    return None


def stage(app, line=None):
    """A stage for the demo, and what it says while it plays."""
    said = []
    line, today = line or Line(app.http), baku_day(app.clock())
    context = DemoContext(
        line, lambda _email: PASSWORD, partial(codes, app), app.code, partial(confirmer, app), said.append, today
    )
    return context, said


def counts(database):
    """Rows of every table but those of sessions."""
    with database.read_session() as session:
        return {
            name: session.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
            if name not in OF_SESSIONS
        }


@contextmanager
def demo_app(template, folder):
    """An app with the staff of the demo profile, on a database of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, folder / "mik.sqlite3")
    with running_app(f"sqlite:///{folder / 'mik.sqlite3'}", folder) as app:
        hire_staff(app)
        yield app


def issued(played):
    """(mark, product) → number of its certificate."""
    return {
        (each["scheme"], product["product"]): product["certificate"]
        for each in played.applications
        for product in each["products"]
    }


def transcript():
    """The lines of the journey that the tutorial shows."""
    tutorial = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
    return tutorial.partition("<!-- transcript -->\n```text\n")[2].partition("\n```")[0].splitlines()
