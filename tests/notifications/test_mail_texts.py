"""Messages: their texts in every language, and headers that nobody can add to."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from uuid import UUID

import pytest
from babel.messages.pofile import read_po

from app.core import i18n
from app.core.crypto.pem_files import UnsafeKeyFile
from app.core.settings import Settings
from app.notifications.delivery import MAX_RETRY_DELAY, retry_delay
from app.notifications.model import MessageKind
from app.notifications.texts import MESSAGE_LANGUAGES, TEXTS, compose_mail, message_blocks, subject_of, to_plain
from app.notifications.transport import SmtpServer, create_transport, read_smtp_password
from tests.pages.strings import APP, placeholders

pytestmark = pytest.mark.pure

VALUES = {
    "service": "https://verify.example.az",
    "until": "2026-11-23 21:00",
    "token": "mikr_abc",
    "company": "“Nümunə” MMC {token}",
    "voen": "0010000101",
    "role": "reviewer",
    "numbers": "MIK-2026-000042-Y",
    "account": "reviewer@staff.example",
    "number": "MIK-2026-000042-Y",
    "subject": "7306",
    "name": "Telephone",
    "agent": "agent@numune.example",
    "from": "2026-11-22",
    "to": "2026-12-31",
}
MAIL = {
    "message_id": UUID(int=7),
    "created_at": datetime(2026, 11, 22, 17, 0, tzinfo=UTC),
    "sender": "Made in Karabakh <noreply@verify.example.az>",
    "host": "verify.example.az",
    "recipient": "member@numune.example",
    "subject": "E-poçt ünvanınızı təsdiqləyin",
    "body": "Kod:\n\nmikr_abc\n",
    "html": "<p>Kod:</p><p>mikr_abc</p>",
}


@pytest.mark.parametrize("language", ["az", "ru"])
def test_every_text_is_translated_and_nothing_else(language):
    with (APP / "locales" / language / "mail.po").open("rb") as file:
        there = {message.id: message.string for message in read_po(file) if message.id}
    wanted = {text for each in TEXTS.values() for text in (each.subject, *each.paragraphs)} - {"{token}", "{numbers}"}
    assert there.keys() == wanted
    for text, translated in there.items():
        assert translated.strip()
        assert sorted(re.findall(r"{\w+}", translated)) == sorted(re.findall(r"{\w+}", text)), text
        assert placeholders(text) == placeholders(translated)


@pytest.mark.parametrize("language", [*MESSAGE_LANGUAGES, None, "fa"])
@pytest.mark.parametrize("kind", TEXTS)
def test_each_message(kind, language):
    blocks = message_blocks(kind, language, VALUES)
    subject, body = subject_of(blocks), to_plain(blocks)
    assert len(subject) < 100
    assert ("mikr_abc" in body.splitlines()) == ("{token}" in TEXTS[kind].paragraphs)  # alone on its line
    in_az = i18n.load_catalogue("mail", "az").gettext(TEXTS[kind].subject)
    if language in MESSAGE_LANGUAGES:
        assert "-----" not in body
    else:
        assert subject == f"{in_az} / {TEXTS[kind].subject}"
        assert body.count("-" * 40) == 1


def test_a_request_is_no_message():
    for kind in (MessageKind.REGISTRATION_REQUESTED, MessageKind.RESET_REQUESTED):
        with pytest.raises(KeyError):
            message_blocks(kind, "az", VALUES)
    no_texts = {MessageKind.REGISTRATION_REQUESTED, MessageKind.RESET_REQUESTED, MessageKind.NOTICE}
    assert set(MessageKind) == {*TEXTS, *no_texts}


def test_it_arrives_as_it_was_written():
    mail = message_from_bytes(compose_mail(**MAIL).as_bytes(), policy=SMTP)
    plain, html = mail.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().replace("\r\n", "\n") == MAIL["body"]
    assert html.get_content().strip() == MAIL["html"]
    assert (mail["Subject"], mail["To"]) == (MAIL["subject"], MAIL["recipient"])
    assert mail["Message-ID"] == f"<{UUID(int=7)}@verify.example.az>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == MAIL["created_at"]
    assert mail.get_content_type() == "multipart/alternative"
    assert compose_mail(**MAIL).as_bytes() == compose_mail(**MAIL).as_bytes()


@pytest.mark.parametrize("name", ["recipient", "subject", "sender"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_nobody_adds_a_header(name, end):
    with pytest.raises((ValueError, IndexError)):
        compose_mail(**MAIL | {name: f"{MAIL[name]}{end}Bcc: all@numune.example"})


def test_nobody_adds_a_recipient():
    with pytest.raises((ValueError, IndexError)):
        compose_mail(**MAIL | {"recipient": "member@numune.example, all@numune.example"})


def test_pauses_grow():
    pauses = [retry_delay(attempts) for attempts in (1, 2, 3, 11, 1_000)]
    assert pauses == [
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=4),
        MAX_RETRY_DELAY,
        MAX_RETRY_DELAY,
    ]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.az", ("mail.example.az", 587, False, True, None, None)),
        ("smtps://u%40x:p%3A@mail.example.az", ("mail.example.az", 465, True, False, "u@x", "p:")),
        ("smtp://u@mail.example.az:25", ("mail.example.az", 25, False, True, "u", None)),
        ("smtp://localhost:2525", ("localhost", 2525, False, False, None, None)),
    ],
)
def test_which_server(url, server):
    assert SmtpServer.from_url(url, None) == SmtpServer(*server)


def test_the_password_from_a_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("of the file\n")
    settings = Settings(smtp_url="smtp://user@mail.example.az", smtp_password_file=str(file))
    file.chmod(0o644)
    with pytest.raises(UnsafeKeyFile, match="chmod 600"):
        create_transport(settings)
    file.chmod(0o600)
    assert read_smtp_password(settings) == "of the file"
    assert create_transport(settings)._server.password == "of the file"
