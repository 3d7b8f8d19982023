"""Read problem documents and tables, and send requests at the same moment."""

import base64
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import sqlalchemy as sa

from app.certificates import certificate_repository, status_service
from app.certificates.model import CertificateStatus
from app.certificates.read_model import projector
from app.core.crypto.keyring import KeyRing
from app.signing import issuer_identity
from app.transparency import log_repository
from app.transparency.signed_note import parse_vkey
from app.transparency.verified_log import VerifiedLog
from app.web.problems.problem_codes import problem_codes
from tests.transparency.helpers import disarm_certificates

WHOLE = bool(os.environ.get("MIK_TEST_WHOLE"))
"""Run at full size, as in `make test-long`."""


def refused(answer, status, code=None):
    """The problem document of an answer that had to be refused in just this way."""
    said = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code == status, said
    assert answer.headers["content-type"] == "application/problem+json", said
    document = answer.json()
    assert document["status"] == status, said
    assert document["code"] in problem_codes(), said
    assert document["type"].endswith(f"/problems/{document['code']}"), said
    assert document["title"] and document["detail"], said
    if code is not None:
        assert document["code"] == code, said
    return document


def rows(app, statement, **values):
    """What a statement finds in the tables, past the service."""
    with app.database.write_engine.connect() as connection:
        return connection.execute(sa.text(statement), values).all()


def count(app, table):
    return rows(app, f"SELECT count(*) FROM {table}")[0][0]


def execute(app, statement, **values):
    """Change the tables past the service; the guard of the signed columns of certificates is taken away first."""
    with app.database.write_engine.begin() as connection:
        if " certificates " in statement:
            disarm_certificates(connection)
        connection.execute(sa.text(statement), values)


def disable_webhooks(app):
    """Disable all webhooks, as if they had failed for days."""
    execute(
        app,
        "UPDATE webhook_endpoints SET state = 'disabled', disabled_at = created_at, disabled_because = 'failing'",
    )


def rewrite(app, statement, **values):
    """Change the tables past the service, their triggers and foreign keys, as the owner of the database can."""
    if app.database.is_sqlite:
        with closing(sqlite3.connect(app.database.url.removeprefix("sqlite:///"))) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(statement, values)
            connection.commit()
        return
    with app.database.write_engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(sa.text(statement), values)


def stored_id(app, text):
    """An id as the kind of database stores it, for statements in plain SQL."""
    return text.replace("-", "") if app.database.is_sqlite else text


def events(app, name):
    """Data of every event of this name, oldest first."""
    found = rows(app, "SELECT event, subject_id, data FROM audit_events ORDER BY seq")
    return [row for row in found if row.event == name]


def at_once(*calls):
    """The answers to calls that all start in the same moment."""
    start = Barrier(len(calls))

    def run(call):
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def pointers(document):
    return [error["pointer"] for error in document["errors"]]


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified_log(database):
    """The log of this database as a process verifies it, with the key that the log was begun with."""

    def verifier():
        with database.read_session() as session:
            return parse_vkey(log_repository.get_head(session).vkey)

    return VerifiedLog(database, verifier, None)


def supersede(app, number):
    """Let a newer certificate take the place of one, which no route does yet."""
    with app.database.session() as session:
        row = certificate_repository.by_number(session, number)
        decided = status_service._DecidedAct("0" * 64, "replaced")
        status_service._set_status(session, row, CertificateStatus.SUPERSEDED, None, decided, app.clock())
        row.version += 1
        projector.mark_dirty(session, row)
        session.commit()


def keyring_of(database):
    with database.read_session() as session:
        return KeyRing.from_keys(issuer_identity.load_keys(session, verified_log(database)).values())
