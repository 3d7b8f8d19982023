"""Attacks on a register, each with more or fewer rights, and what comes of them. `docs/trust.md` has the table.

An attack is a function of a `Stage`. It uses what its rights allow: rows in any case, keys where they are stolen.
"""

import json
import shutil
from contextlib import ExitStack, contextmanager, suppress
from uuid import UUID, uuid4

import sqlalchemy as sa
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.auth import role_log, user_repository
from app.auth.credentials import mfa, password_resets, staff_credentials
from app.auth.model import StaffCredential
from app.bootstrap import prepare
from app.certificates import log_events
from app.certificates.certificate_number import CertificateNumber
from app.certificates.model import Certificate
from app.certificates.read_model import snapshot_repository
from app.cli import app as mik
from app.core.actor import SYSTEM, Role
from app.core.crypto import jws
from app.core.crypto.row_macs import ROW_MACS, load_row_macs
from app.core.database import new_id
from app.core.errors import MikError
from app.main import create_asgi_app
from app.signing.log_signer import LogKeyFile
from app.transparency import appender, log_repository
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.witness.node import Witness, WitnessFolder
from app.verification.snapshot_setup import load_snapshot_key
from tests.factories import REASON, RunningApp, ok, running_app
from tests.transparency.helpers import attack
from tests.transparency.witnesses import request

RIGHTS = ("the database", "the service's role", "the certificate key", "all keys but the log's", "all keys")
FALSE = "Somebody Else Ltd"
STRAY = str(CertificateNumber("MIK", 2026, 777))
REFUSED = 503
PARTS = ("log", "audit", "status-lists", "decisions", "rights")


class Cannot(Exception):
    """The database refuses the attack."""


class Register:
    """A register with what attacks need: numbers, and rows as they were before."""

    def __init__(self, app):
        self.company = app.set_up_company()
        self.number, self.other = app.certify(self.company), app.certify(self.company)
        self.revoked = app.certify(self.company)
        rejected = self.company.apply()
        app.review(rejected)
        app.approver.act(f"/v1/applications/{rejected}/reject", REASON)
        app.clock.advance(minutes=1)
        self.person, self.taken = app.approver.id, app.second_owner.id
        with app.database.session() as session:
            mfa.activate_secret(
                session, SYSTEM, app.container.secret_box, UUID(self.person), mfa.generate_secret(), app.clock()
            )
            session.commit()
        self.before = self._rows(app)
        self.bits = self._one(
            app, "SELECT version, token_version, bits, token FROM status_lists WHERE purpose = 'revocation'"
        )
        self.head = self._one(app, "SELECT size, checkpoint FROM log_head")
        app.revoke(self.revoked, "false-documents")
        self._change_rights(app)
        self.clock = app.clock
        self.bodies = {n: app.http.get(f"/v1/verify/{n}").content for n in (self.number, self.other, self.revoked)}
        self.true = {number: json.loads(body) for number, body in self.bodies.items()}
        self.holder = self.true[self.number]["certificate"]["holder"]["name"]

    def open_witness(self, app, folder):
        """A witness that has seen the log as it is now."""
        with app.database.read_session() as session:
            self._signer = LogKeyFile(app.settings.log_key)(session)
        self._folder = WitnessFolder(folder, "w.example/1", [self._signer.verifier])
        self._witness = Witness(self._folder, [self._signer.verifier], app.clock)
        self._seen = 0
        assert not self.is_refused_by_witness(app)

    def close(self):
        self._folder.close()

    def is_refused_by_witness(self, app):
        """Whether the witness refuses what the log shows now, signed with its key."""
        with app.database.read_session() as session:
            entries = [bytes(row.entry) for row in log_repository.iterate_rows(session)]
        shown = request(entries, min(self._seen, len(entries)), self._signer)
        if self._witness.add_checkpoint(shown).status != 200:
            return True
        self._seen = len(entries)
        return False

    def _rows(self, app):
        with app.database.read_session() as session:
            found = {
                table: session.execute(sa.text(f"SELECT * FROM {table} WHERE {column} = :v"), {"v": value})
                .mappings()
                .one()
                for table, column, value in (
                    ("certificates", "number", self.revoked),
                    ("certificate_snapshots", "number", self.revoked),
                )
            }
            for table, column, user in (
                ("users", "id", self.person),
                ("totp_enrolments", "user_id", self.person),
                ("staff_roles", "user_id", self.taken),
            ):
                value = UUID(user).hex if app.database.is_sqlite else user
                query = sa.text(f"SELECT * FROM {table} WHERE {column} = :v")
                found[table] = session.execute(query, {"v": value}).mappings().one()
            return found

    @staticmethod
    def _one(app, query):
        with app.database.read_session() as session:
            return session.execute(sa.text(query)).mappings().one()

    def _change_rights(self, app):
        """A password and a second factor that were changed, and a role that was taken."""
        with app.database.session() as session:
            user = user_repository.find_user(session, UUID(self.person))
            _, token = password_resets.issue_reset_for(session, SYSTEM, user, app.clock())
            mfa.delete_enrolment(session, SYSTEM, user.id, app.clock())
            password_resets.redeem_reset(
                session,
                token,
                password_hash="a new one",
                code=None,
                secret_box=app.container.secret_box,
                now=app.clock(),
            )
            mfa.activate_secret(session, SYSTEM, app.container.secret_box, user.id, mfa.generate_secret(), app.clock())
            session.commit()
        ok(app.owner.delete(f"/v1/users/{self.taken}/roles/{Role.OWNER}"))


class Stage:
    """A running copy of the register, and somebody with these rights."""

    def __init__(self, app, register, rights, role_url=None):
        self.app, self.register, self.rights, self._role_url = app, register, rights, role_url
        self.has_certificate_key = RIGHTS.index(rights) >= 2
        self.has_most = RIGHTS.index(rights) >= 3
        self.has_all = RIGHTS.index(rights) == 4
        self.restarts = False
        self.token = None  # that the thief has signed

    def sql(self, *statements, **values):
        """Change rows: with triggers taken away, or as the role of the service."""
        if self._role_url is None:
            attack(self.app.database, *statements, **values)
            return
        engine = sa.create_engine(self._role_url)
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.execute(sa.text(statement), values)
        except sa.exc.ProgrammingError as why:
            raise Cannot(str(why.orig)) from why
        finally:
            engine.dispose()

    def put(self, table, row, key, *columns):
        """Put columns of an old row back into the one of the same key; all columns of a row that is gone."""
        names = columns or [name for name in row if name != key]
        self.sql(
            f"UPDATE {table} SET " + ", ".join(f'"{n}" = :{n}' for n in names) + f" WHERE {key} = :{key}",
            **{n: row[n] for n in (*names, key)},
        )

    def insert(self, table, row):
        names = list(row)
        self.sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})", **row)

    @contextmanager
    def writing(self, *, log=False):
        """A session of the thief's own program, with stolen keys: rows get right codes, the log entries if it is."""
        settings, database = self.app.settings, self.app.database
        info = {ROW_MACS: load_row_macs(settings.row_key)} | (
            {appender.SIGNER_KEY: LogKeyFile(settings.log_key)} if log else {}
        )
        with database.session() as session:
            session.info.clear()
            session.info.update(info)
            yield session
            session.commit()

    def user_id(self, text):
        return UUID(text).hex if self.app.database.is_sqlite else text

    def write_snapshot(self, number, **changed):
        """Write an answer, with its code where its key is stolen."""
        with self.app.database.read_session() as session:
            held = snapshot_repository.by_number(session, [self.register.number])[self.register.number]
        held = held._replace(number=number, **changed)
        if self.has_most:
            held = load_snapshot_key(self.app.settings).sign(held)
        columns = ", ".join(held._fields)
        self.sql(
            "DELETE FROM certificate_snapshots WHERE number = :number",
            f"INSERT INTO certificate_snapshots ({columns}) VALUES ({', '.join(':' + n for n in held._fields)})",
            **held._asdict(),
        )


def new_number(stage):
    """A certificate copied from a genuine one, on a decision that there is not."""
    _add_certificate(stage, "SELECT * FROM decisions WHERE outcome = 'approved' LIMIT 1", "0" * 64)


def certified_rejection(stage):
    """A certificate on a decision that rejected its product; the log names that very decision."""
    _add_certificate(stage, "SELECT * FROM decisions WHERE outcome = 'rejected' LIMIT 1")


def _add_certificate(stage, decision, sha256=None):
    """With the key of snapshots its answer as well, with the key of the log an entry."""
    genuine = stage.register.number
    with stage.app.database.read_session() as session:
        chosen = session.execute(sa.text(decision)).mappings().one()
        row = session.execute(sa.text("SELECT * FROM certificates WHERE number = :n"), {"n": genuine}).mappings().one()
    own = ("id", "number", "serial", "status_index", "product_id", "application_id", "decision_id")
    copied = ", ".join(name for name in row if name not in own)
    stage.sql(
        f"INSERT INTO certificates ({', '.join(own)}, {copied}) SELECT :id, :new, 777, 99, "
        "(SELECT product_id FROM decided_products WHERE outcome = 'rejected' LIMIT 1), "
        f":application, :decision, {copied} FROM certificates WHERE number = :n",
        id=stage.user_id(str(uuid4())), new=STRAY, n=genuine,
        application=chosen["application_id"], decision=chosen["id"],
    )  # fmt: skip
    body = stage.register.bodies[genuine].replace(genuine.encode(), STRAY.encode())
    stage.write_snapshot(STRAY, body=body, signed_hash=b"x" * 32)
    if stage.has_all:
        with stage.writing(log=True) as session:
            added = session.scalars(sa.select(Certificate).where(Certificate.number == STRAY)).one()
            log_events.log_issued(session, added, stage.app.clock(), decision=sha256 or chosen["sha256"])


def token_signed_offline(stage):
    """A token with another number and holder, signed with the stolen key; nothing is changed in the database."""
    if not stage.has_certificate_key:
        raise Cannot
    keys = stage.app.container.keys
    payload = jws.verify(
        stage.app.token(stage.register.number), typ=jws.TYP_CREDENTIAL, keys=keys.keyring().all_public
    ).payload
    text = json.dumps(payload).replace(stage.register.number, STRAY).replace(stage.register.holder, FALSE)
    stage.token = keys.active_signer().sign(text.encode(), typ=jws.TYP_CREDENTIAL)


def renamed_holder(stage):
    if stage.has_most:
        body = stage.register.bodies[stage.register.number].replace(stage.register.holder.encode(), FALSE.encode())
        stage.write_snapshot(stage.register.number, body=body)
    stage.sql("UPDATE certificates SET holder_name = :f WHERE number = :n", f=FALSE, n=stage.register.number)


def undone_revocation(stage):
    before = stage.register.before
    stage.put("certificates", before["certificates"], "number", "status", "status_since", "status_reason", "version")
    stage.put("certificate_snapshots", before["certificate_snapshots"], "number")
    bits = stage.register.bits
    stage.put("status_lists", {**bits, "purpose": "revocation"}, "purpose", *bits)


def rollback(stage):
    """Log, head and certificate as they were; with all keys the file of the checkpoint is removed as well."""
    undone_revocation(stage)
    head = stage.register.head
    stage.sql(
        "DELETE FROM log_entries WHERE seq >= :size",
        "UPDATE log_head SET size = :size, checkpoint = :checkpoint",
        **head,
    )
    if stage.has_all:
        stage.app.settings.verified_checkpoint.unlink(missing_ok=True)
        stage.restarts = True


def fork(stage):
    """Another history after the same beginning, signed with the key of the log."""
    undone_revocation(stage)
    stage.sql(
        "DELETE FROM log_entries WHERE seq >= :size",
        "UPDATE log_head SET size = :size, checkpoint = :checkpoint",
        **stage.register.head,
    )
    if stage.has_all:
        stage.app.settings.verified_checkpoint.unlink(missing_ok=True)
        stage.restarts = True
        with stage.writing(log=True) as session:
            for _ in range(40):
                appender.add_entry(session, Entry(LogEvent.ROLE_TAKEN, stage.app.clock(), "0" * 64))


def backdating(stage):
    stage.sql(
        "UPDATE certificates SET issued_at = '2020-01-01 00:00:00', valid_until = '2039-01-01' WHERE number = :n",
        n=stage.register.number,
    )


def swapped_decision(stage):
    stage.sql(
        "UPDATE certificates SET decision_id = (SELECT c.decision_id FROM certificates AS c WHERE c.number = :o) "
        "WHERE number = :n",
        n=stage.register.number, o=stage.register.other,
    )  # fmt: skip


def rewritten_reason(stage):
    stage.sql("UPDATE certificates SET status_reason = 'bankruptcy' WHERE number = :n", n=stage.register.revoked)


def replaced_password(stage):
    """A password of the thief's own, with its code where the key of rows is stolen."""
    if stage.has_most:
        with stage.writing() as session:
            user_repository.find_user(session, UUID(stage.register.person)).password_hash = "of the thief"
    else:
        stage.sql("UPDATE users SET password_hash = 'x' WHERE id = :i", i=stage.user_id(stage.register.person))


def old_password(stage):
    stage.put("users", stage.register.before["users"], "id", "password_hash", "mac")


def replaced_factor(stage):
    if stage.has_most:
        with stage.writing() as session:
            factor = session.get(mfa.TotpEnrolment, UUID(stage.register.person))
            factor.encrypted_secret = "of the thief"
    else:
        changed = "UPDATE totp_enrolments SET encrypted_secret = 'x' WHERE user_id = :i"
        stage.sql(changed, i=stage.user_id(stage.register.person))


def deleted_factor(stage):
    stage.sql("DELETE FROM totp_enrolments WHERE user_id = :i", i=stage.user_id(stage.register.person))


def added_credential(stage):
    """An authenticator of the thief for the approver; the log has no entry of it."""
    values = {
        "id": new_id(), "credential_id": "Zm9yZ2Vk", "public_key": "Zm9yZ2Vk", "user_id": UUID(stage.register.person),
        "name": "Key", "sign_count": 0, "sha256": "0" * 64, "registered_at": stage.app.clock(), "removed_at": None,
    }  # fmt: skip
    if stage.has_most:
        with stage.writing(log=stage.has_all) as session:
            session.add(row := StaffCredential(**values))
            if stage.has_all:
                sha256 = staff_credentials.credential_sha256(row.credential_id, row.public_key, row.user_id)
                entry = Entry(LogEvent.CREDENTIAL_REGISTERED, stage.app.clock(), sha256, user=str(row.user_id))
                appender.add_entry(session, entry)
    else:
        for name in ("id", "user_id"):
            values[name] = stage.user_id(str(values[name]))
        values["removed_at"] = None
        stage.insert("staff_credentials", values | {"mac": b"x" * 32})


def added_role(stage):
    user_id = UUID(stage.register.person)
    if stage.has_most:
        with stage.writing(log=stage.has_all) as session:
            user_repository.add_role(session, user_id, Role.OWNER)
            if stage.has_all:
                role_log.log_granted(session, user_id, Role.OWNER, stage.app.clock())
    else:
        row = {"user_id": stage.user_id(str(user_id)), "role": "owner", "is_staff": True, "mac": b"x" * 32}
        stage.insert("staff_roles", row)


def taken_role(stage):
    """The row of a role that was taken, put back with its own code."""
    stage.insert("staff_roles", stage.register.before["staff_roles"])


def inserted_reset(stage):
    """A token of the thief to set the password of the approver."""
    with stage.app.database.read_session() as session:
        now, user_id = stage.app.clock(), UUID(stage.register.person)
        email = user_repository.find_user(session, user_id).email
    assert email
    if stage.has_most:
        with stage.writing() as session:
            password_resets.issue_reset_for(session, SYSTEM, user_repository.find_user(session, user_id), now)
    else:
        row = {
            "id": stage.user_id(str(uuid4())), "user_id": stage.user_id(str(user_id)), "token_hash": "x",
            "created_at": "2026-11-22 17:00:00", "expires_at": "2026-12-22 17:00:00", "mac": b"x" * 32,
        }  # fmt: skip
        stage.insert("password_resets", row)


ATTACKS = {
    "new number": new_number,
    "rejected decision certified": certified_rejection,
    "token signed offline": token_signed_offline,
    "renamed holder": renamed_holder,
    "undone revocation": undone_revocation,
    "log put back (rollback)": rollback,
    "second history (fork)": fork,
    "backdated certificate": backdating,
    "swapped decision": swapped_decision,
    "rewritten reason": rewritten_reason,
    "replaced password": replaced_password,
    "old password put back": old_password,
    "replaced second factor": replaced_factor,
    "deleted second factor": deleted_factor,
    "added authenticator": added_credential,
    "added role": added_role,
    "role that was taken, put back": taken_role,
    "inserted password reset": inserted_reset,
}
OF_THE_LOG = {"log put back (rollback)", "second history (fork)"}
"""Attacks that are shown to a witness as well."""


def outcome_of(stage):
    """What the public gets, `true`, `refused` (503 for something, nothing false) or `false`; and whether the process
    that answers calls the log damaged.
    """
    http, log = stage.app.http, stage.app.container.log
    with ExitStack() as stack:
        if stage.restarts:
            try:
                prepare(stage.app.settings, stage.app.clock())
                asgi = create_asgi_app(stage.app.settings, stage.app.clock)
                http = stack.enter_context(
                    TestClient(asgi, base_url=stage.app.settings.base_url, raise_server_exceptions=False)
                )
                log = RunningApp(asgi, http, stage.app.clock).container.log
            except MikError:
                return "refused", True
        found = set()
        for number, true in (*stage.register.true.items(), (STRAY, None)):
            answer = http.get(f"/v1/verify/{number}")
            if answer.status_code == REFUSED:
                found.add("refused")
            elif true is None:
                found.add("false" if answer.json()["verdict"] == "valid" else "true")
            else:
                same = all(answer.json()[name] == true[name] for name in ("verdict", "certificate"))
                found.add("true" if same else "false")
        if stage.token:
            verdict = http.post("/v1/verify", json={"token": stage.token}).json()["verdict"]
            found.add("false" if verdict == "valid" else "true")
        return next(word for word in ("false", "refused", "true") if word in found), not log.is_intact


def noticed_by(name, stage, monkeypatch):
    """Parts of `mik doctor` that name something, and `witness`."""
    monkeypatch.setenv("MIK_DATABASE_URL", stage.app.settings.database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(stage.app.settings.data_dir))
    words = [word for part in PARTS for word in ("--only", part)]
    done = CliRunner().invoke(mik, ["doctor", "--json", *words])
    parts = json.loads(done.stdout)
    found = [part for part in PARTS if parts[part]["result"] == "wrong"]
    if name in OF_THE_LOG and stage.register.is_refused_by_witness(stage.app):
        found.append("witness")
    return found


@contextmanager
def staged(url, data_dir, folder, register, rights, role_url=None):
    shutil.copytree(data_dir, folder / "data")
    with running_app(url, folder, register.clock, is_prepared=True) as app:
        yield Stage(app, register, rights, role_url)


def run(name, stage, monkeypatch):
    """The cell of the table: what the public gets, and who notices."""
    with suppress(Cannot):
        ATTACKS[name](stage)
        outcome, is_noticed = outcome_of(stage)
        found = ["service"] * is_noticed + noticed_by(name, stage, monkeypatch)
        return f"{outcome}; {', '.join(found) or 'nobody'}"
    return "cannot"
