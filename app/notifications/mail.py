"""A message as an e-mail: headers that nobody can add to, plain text in UTF-8. Pure."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID


def compose(
    *, message_id: UUID, created_at: datetime, sender: str, host: str, recipient: str, subject: str, body: str
) -> EmailMessage:
    """The e-mail, the same at each attempt: date and Message-ID are those of the stored message.

    Raises ValueError for an address or a subject that would begin another header.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = subject
    mail["Date"] = created_at
    mail["Message-ID"] = f"<{message_id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
    mail.set_content(body, charset="utf-8")
    return mail
