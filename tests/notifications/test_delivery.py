"""Messages reach a mail server once, whatever becomes of the server, of requests and of workers."""

import asyncio
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from app.auth.model import AddressConfirmation
from app.cli import app as mik
from app.cli.admin import sweep
from app.cli.admin.mail import code_in
from app.core.crypto.secret_box import SecretBox
from app.core.database import Database
from app.notifications import outbox, transport
from app.notifications.delivery import LEASE, MailDelivery
from app.notifications.model import MessageKind, OutgoingMessage
from app.notifications.transport import SmtpServer, SmtpTransport
from tests.factories import NOW, Clock, running_app
from tests.live import free_port
from tests.notifications.test_mail_texts import VALUES

TOKEN = "mikp_a-token-that-nobody-guesses"


class Inbox:
    """What the server took; `answer` refuses it, `delay` makes it slow."""

    def __init__(self):
        self.taken, self.answer, self.delay = [], "250 OK", 0

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 (aiosmtpd's own name)
        await asyncio.sleep(self.delay)
        if self.answer.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content, policy=SMTP))
        return self.answer


@contextmanager
def mail_server(port, **more):
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def inbox(port):
    with mail_server(port) as inbox:
        yield inbox


@pytest.fixture
def seal(tmp_path):
    return SecretBox.from_folder(tmp_path / "keys")


@pytest.fixture
def clock():
    return Clock()


def delivery_to(database, seal, clock, port):
    out = SmtpTransport(SmtpServer("127.0.0.1", port, False, False, None, None))
    return MailDelivery(
        database, out, seal, sender="noreply@numune.example", base_url="http://localhost:8000", clock=clock
    )


@pytest.fixture
def delivery(database, seal, clock, port):
    return delivery_to(database, seal, clock, port)


def write(database, seal, *, kind=MessageKind.RESET_PASSWORD, count=1, commit=True, recipient="member@numune.example"):
    with database.session() as session:
        for _ in range(count):
            message = outbox.add_message(
                session,
                kind,
                recipient,
                now=NOW,
                values={"company": "Nümunə", "role": "reviewer", "account": "x@y.example"},
            )
            if kind is MessageKind.RESET_PASSWORD:
                outbox.set_token(message, seal, TOKEN, NOW + timedelta(hours=24))
        if commit:
            session.commit()


def send(delivery):
    result = asyncio.run(delivery.send_due())
    return result.sent, result.failed


def stored(database):
    with database.read_session() as session:
        return session.scalars(sa.select(OutgoingMessage).order_by(OutgoingMessage.id)).all()


def test_each_kind_arrives_once(database, seal, delivery, inbox):
    values = {name: value for name, value in VALUES.items() if name not in {"service", "until", "token"}}
    kinds = [kind for kind in MessageKind if not kind.endswith("-requested") and kind is not MessageKind.NOTICE]
    with database.session() as session:
        for kind in kinds:
            message = outbox.add_message(session, kind, f"{kind}@numune.example", now=NOW, language="ru", values=values)
            outbox.set_token(message, seal, TOKEN, NOW + timedelta(hours=24))
        session.commit()
    assert send(delivery) == (len(kinds), 0)
    assert send(delivery) == (0, 0)
    assert sorted(mail["To"] for mail in inbox.taken) == sorted(f"{kind}@numune.example" for kind in kinds)
    assert len({mail["Message-ID"] for mail in inbox.taken}) == len(kinds)


def test_nothing_is_sent_about_what_was_rolled_back(database, seal, delivery, inbox):
    write(database, seal, commit=False)
    assert send(delivery) == (0, 0)
    assert inbox.taken == []


def test_the_token_is_nowhere_in_clear_and_erased_once_delivered(database, seal, delivery, inbox):
    write(database, seal)
    (before,) = stored(database)
    assert before.encrypted_token
    assert TOKEN not in str(vars(before))
    assert send(delivery) == (1, 0)
    (after,) = stored(database)
    assert (after.encrypted_token, after.next_attempt_at, after.delivered_at) == (None, None, NOW)
    assert all(TOKEN in part.get_content() for part in inbox.taken[0].iter_parts())


def test_a_server_that_is_down(database, seal, delivery, clock, port):
    """Everything is kept, one attempt is made and not one for each message; later each arrives once."""
    write(database, seal, count=3)
    assert send(delivery) == (0, 1)
    assert [each.attempts for each in stored(database)] == [1, 0, 0]
    assert "SMTPConnectError" in stored(database)[0].last_error
    clock.advance(minutes=1)
    with mail_server(port) as inbox:
        assert send(delivery) == (3, 0)
        assert send(delivery) == (0, 0)
        assert len({mail["Message-ID"] for mail in inbox.taken}) == len(inbox.taken) == 3


def test_a_server_that_refuses(database, seal, delivery, clock, inbox):
    """The others go out all the same; the pauses grow, and the message is the same at each attempt."""
    write(database, seal)
    inbox.answer = "550 No such mailbox"
    waited = []
    for attempt in range(1, 5):
        assert send(delivery) == (0, 1)
        (message,) = stored(database)
        assert (message.attempts, message.last_error) == (attempt, "550 No such mailbox")
        waited.append((message.next_attempt_at - clock()).total_seconds() / 60)
        assert send(delivery) == (0, 0)
        clock.now = message.next_attempt_at
    assert waited == [1, 2, 4, 8]
    inbox.answer = "250 OK"
    assert send(delivery) == (1, 0)
    (mail,) = inbox.taken
    assert (mail["Date"].datetime, mail["Message-ID"]) == (NOW, f"<{message.id}@localhost>")


def test_a_server_that_is_slow(database, seal, delivery, inbox, monkeypatch):
    write(database, seal)
    monkeypatch.setattr(transport, "TIMEOUT_S", 0.3)
    inbox.delay = 2
    assert send(delivery) == (0, 1)
    assert "Timeout" in stored(database)[0].last_error


def test_void_messages_are_not_sent(database, seal, delivery, clock, inbox):
    """After the end of its token a message would only mislead."""
    write(database, seal)
    clock.advance(hours=24)
    assert send(delivery) == (0, 0)
    (message,) = stored(database)
    assert (inbox.taken, message.encrypted_token, message.next_attempt_at, message.delivered_at) == (
        [],
        None,
        None,
        None,
    )


def test_one_that_cannot_be_written_does_not_stop_the_others(database, seal, delivery, inbox):
    write(database, seal, recipient="no address")
    write(database, seal)
    assert send(delivery) == (1, 1)
    assert [bool(each.last_error) for each in stored(database)] == [True, False]


def test_two_workers_send_each_once(database_url, database, seal, clock, port, inbox):
    write(database, seal, count=12)
    others = [Database(database_url) for _ in range(3)]
    workers = [delivery_to(each, seal, clock, port) for each in others]
    inbox.delay = 0.02
    results = []
    threads = [threading.Thread(target=lambda w=w: results.append(send(w))) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent for sent, _ in results) == 12
    assert len({mail["Message-ID"] for mail in inbox.taken}) == len(inbox.taken) == 12
    for each in others:
        each.dispose()


def test_a_worker_that_was_killed_leaves_it_to_another(database, seal, delivery, clock, inbox):
    write(database, seal)
    assert delivery._take_next() is not None  # and then it was gone
    assert send(delivery) == (0, 0)
    clock.advance(seconds=LEASE.total_seconds())
    assert send(delivery) == (1, 0)
    assert len(inbox.taken) == 1


# TLS


@pytest.fixture
def certificate(tmp_path):
    """A server's certificate for `localhost`, as a context and a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem, key_pem = tmp_path / "server.pem", tmp_path / "server.key"
    pem.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    return context, pem


def say_hello(controller):
    """The controller's own first connection, which trusts whatever certificate the server shows."""
    context = ssl._create_unverified_context()
    with socket.create_connection((controller.hostname, controller.port), 5) as plain, context.wrap_socket(plain) as it:
        it.recv(1_024)


@pytest.mark.parametrize("use_tls", [True, False], ids=["smtps", "starttls"])
def test_over_tls(database, seal, clock, port, certificate, monkeypatch, use_tls):
    write(database, seal)
    context, pem = certificate
    over = {"tls_context": context, "require_starttls": True}
    if use_tls:
        over = {"ssl_context": context}
        monkeypatch.setattr(Controller, "_trigger_server", say_hello)
    server = SmtpServer("localhost", port, use_tls, not use_tls, None, None)
    delivery = MailDelivery(
        database, SmtpTransport(server), seal, sender="a@numune.example", base_url="http://x", clock=clock
    )
    with mail_server(port, **over) as inbox:
        assert send(delivery) == (0, 1)  # a certificate that nobody vouches for
        assert "certificate" in stored(database)[0].last_error.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        clock.advance(minutes=1)
        assert send(delivery) == (1, 0)
        assert len(inbox.taken) == 1


def test_nothing_is_sent_where_the_server_speaks_no_tls(database, seal, clock, port, inbox):
    write(database, seal)
    out = SmtpTransport(SmtpServer("127.0.0.1", port, False, True, "user", "secret"))
    delivery = MailDelivery(database, out, seal, sender="a@numune.example", base_url="http://x", clock=clock)
    assert send(delivery) == (0, 1)
    assert inbox.taken == []
    assert "secret" not in stored(database)[0].last_error


# The whole service


def test_a_request_succeeds_though_the_mail_server_is_down_and_the_worker_sends_it_later(database_url, tmp_path, port):
    settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_seconds": 1}
    clock = Clock()
    with running_app(database_url, tmp_path, clock, **settings) as app:
        company = app.register()
        answer = app.anonymous.post("/v1/auth/password-resets", json={"email": f"member@{company.voen}.example"})
        assert answer.status_code == 202
        wait_until(lambda: any(each.last_error for each in stored(app.database)))
        with mail_server(port) as inbox:
            clock.advance(minutes=5)
            wait_until(lambda: inbox.taken)
            wait_until(lambda: all(each.delivered_at for each in stored(app.database)))
            assert [mail["To"] for mail in inbox.taken].count(f"member@{company.voen}.example") == 1


def test_addresses_are_not_kept(app):
    """What was delivered, and what was confirmed, is forgotten after a month; what waits stays."""
    app.anonymous.post("/v1/registrations", json={"email": "first@numune.example"})
    assert len(app.mail()) == 1
    app.clock.advance(days=32)
    app.anonymous.post("/v1/registrations", json={"email": "second@numune.example"})
    sweep.run(app.database, app.clock(), dry_run=False, report=lambda _: None)
    assert [message.recipient for message in stored(app.database)] == ["second@numune.example"]
    with app.database.read_session() as session:
        assert session.scalars(sa.select(AddressConfirmation)).all() == []


def wait_until(is_so):
    until = threading.Event()
    for _ in range(200):
        if is_so():
            return
        until.wait(0.05)
    raise AssertionError("It never came.")


def test_files_of_the_demo(app, monkeypatch):
    company = app.register()
    email = f"member@{company.voen}.example"
    app.anonymous.post("/v1/auth/password-resets", json={"email": email, "language": "en"})
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.database_url)
    run = CliRunner()
    assert f"{email}  reset-requested" in run.invoke(mik, ["admin", "mail", "list"]).output
    (mail,) = app.mail(email)
    listed = run.invoke(mik, ["admin", "mail", "list"]).output
    assert listed.splitlines()[-1].split("  ") == [mail.name, email, "Set a new password"]
    shown = run.invoke(mik, ["admin", "mail", "show", email]).output
    assert f"To: {email}\n" in shown
    assert run.invoke(mik, ["admin", "mail", "show", mail.name, "--code"]).output.strip() == code_in(mail)
    assert run.invoke(mik, ["admin", "mail", "show", "nobody@numune.example"]).exit_code == 2
    assert run.invoke(mik, ["admin", "mail", "send"]).output == "0 sent, 0 not delivered.\n"
    (path,) = app.settings.mail_dir.glob(f"{mail.name}.eml")
    assert path.stat().st_mode & 0o777 == 0o600
