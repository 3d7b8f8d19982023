"""Deliver messages to a mail server or, in the demo profile, to files of the data folder."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.core.crypto import pem_files
from app.core.files import replace_file
from app.core.settings import Settings

TIMEOUT_S = 60.0
"""For one whole delivery, however slowly the server responds."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Transport(Protocol):
    async def send(self, mail: EmailMessage) -> None:
        """Deliver the mail. Raises `DeliveryFailed`."""


class DeliveryFailed(Exception):
    """The mail was not accepted; `is_server_down` when no other mail would be accepted either."""

    def __init__(self, message: str, *, is_server_down: bool = False) -> None:
        super().__init__(message)
        self.is_server_down = is_server_down


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server: `smtps://` uses TLS from the first byte, `smtp://` requires STARTTLS.

    A server on this machine is used without encryption.
    """

    host: str
    port: int
    use_tls: bool
    start_tls: bool
    username: str | None
    password: str | None

    @classmethod
    def from_url(cls, url: str, password: str | None) -> "SmtpServer":
        parts = urlsplit(url)
        use_tls = parts.scheme == "smtps"
        host = parts.hostname or ""
        return cls(
            host=host,
            port=parts.port or (465 if use_tls else 587),
            use_tls=use_tls,
            start_tls=not use_tls and host not in LOOPBACK,
            username=unquote(parts.username) if parts.username else None,
            password=password or (unquote(parts.password) if parts.password else None),
        )


class SmtpTransport:
    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def send(self, mail: EmailMessage) -> None:
        server = self._server
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await aiosmtplib.send(
                    mail,
                    recipients=[cast("str", mail["To"].addresses[0].addr_spec)],
                    hostname=server.host,
                    port=server.port,
                    username=server.username,
                    password=server.password,
                    use_tls=server.use_tls,
                    start_tls=server.start_tls,
                    tls_context=ssl.create_default_context() if server.use_tls or server.start_tls else None,
                    timeout=TIMEOUT_S,
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as why:
            raise DeliveryFailed(_describe_failure(why), is_server_down=isinstance(why, _SERVER_ERRORS)) from why


_SERVER_ERRORS = (OSError, aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPHeloError)
"""Errors that affect every mail; timeouts and broken connections are OSErrors."""


def _describe_failure(why: Exception) -> str:
    """Return the code and the text of the mail server, or what went wrong before it answered."""
    if isinstance(why, aiosmtplib.SMTPRecipientsRefused) and why.recipients:
        why = why.recipients[0]
    if isinstance(why, aiosmtplib.SMTPResponseException):
        return _storable(f"{why.code} {why.message}")
    return _storable(f"{type(why).__name__}: {why}")


def _storable(text: str) -> str:
    """Return one line of what the server wrote, without what PostgreSQL cannot store."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:300].encode(errors="replace").decode()


class FolderTransport:
    """Write files that `mik admin mail` lists and displays. Their names sort by the time of the message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: EmailMessage) -> None:
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as why:
            raise DeliveryFailed(_describe_failure(why), is_server_down=True) from why

    def _write(self, mail: EmailMessage) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ident = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        path = self._folder / f"{mail['Date'].datetime:%Y%m%dT%H%M%S}-{ident}.eml"
        replace_file(path, mail.as_bytes())  # replaces the file of an earlier attempt


@dataclass(frozen=True, slots=True)
class MailFile:
    name: str
    sent_at: str
    recipient: str
    subject: str
    body: str


def list_mail_files(folder: Path) -> Sequence[MailFile]:
    """List the messages that were written to files, oldest first."""
    return [read_mail_file(path) for path in sorted(folder.glob("*.eml"))]


def read_mail_file(path: Path) -> MailFile:
    mail = message_from_bytes(path.read_bytes(), policy=SMTP)
    part = mail.get_body(("plain",))
    body = part.get_content().replace("\r\n", "\n") if part is not None else ""
    return MailFile(path.stem, str(mail["Date"]), parseaddr(str(mail["To"]))[1], str(mail["Subject"]), body)


def read_smtp_password(settings: Settings) -> str | None:
    """Read the password file, if the settings name one. Raises `UnsafeKeyFile` when others may read it."""
    if not settings.smtp_password_file:
        return None
    path = Path(settings.smtp_password_file)
    try:
        return pem_files.read_private_file(path).decode("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError) as why:
        raise pem_files.UnsafeKeyFile(f"The file {path} with the password of the mail server cannot be read.") from why


def create_transport(settings: Settings) -> Transport:
    """Create a mail server transport if the settings name one; else files, which only the demo profile allows."""
    if settings.smtp_url:
        return SmtpTransport(SmtpServer.from_url(settings.smtp_url, read_smtp_password(settings)))
    return FolderTransport(settings.mail_dir)
