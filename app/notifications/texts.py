"""Render messages in az, en and ru as a subject and plain paragraphs, and build the e-mail. Pure.

English is the language of the keys; translations are in `app/locales/<language>/mail.po`. Notices of events have their
texts in `notice_texts.toml`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.core import i18n
from app.notifications.model import MessageKind
from app.notifications.notice_texts import MARK_NAME, SETTINGS_PATH, render_frame, render_notice

MESSAGE_LANGUAGES = ("az", "en", "ru")
FALLBACK_LANGUAGES = ("az", "en")
"""Languages of the whole message, one after the other, when the recipient's language is unknown."""
TOKEN_LINE = "{token}"  # noqa: S105 (a placeholder)
CODE_LINES = frozenset({TOKEN_LINE, "{numbers}"})
"""Lines that are no text: they are not translated."""
LANGUAGE_SEPARATOR = "\n\n" + "-" * 40 + "\n\n"


@dataclass(frozen=True, slots=True)
class MessageText:
    """Every kind can use `{token}`, `{service}` (the address of the service) and `{until}`; others depend on it."""

    subject: str
    paragraphs: tuple[str, ...]


def _message_text(subject: str, *paragraphs: str) -> MessageText:
    return MessageText(subject, paragraphs)


_IF_NOT_YOU = "If this was not you, do nothing."
_ASK_COMPANY = "If this surprises you, ask the company."
_REFUSE_IT = "If this surprises you, ask {account} in person, and refuse the proposal."
_REMOVE_IT = "If this surprises you, ask {account} in person, and have it removed at once."
_ASK_OWNER = "If this surprises you, ask an owner of the mark."

_TELL_US = "If this was not you, set a new password at once, which ends all your sessions, and tell the operator."

TEXTS: Mapping[MessageKind, MessageText] = MappingProxyType(
    {
        MessageKind.CONFIRM_ADDRESS: _message_text(
            "Confirm your e-mail address",
            "Someone, probably you, wants to register a company at {service}. To go on, use this code until "
            "{until} (Baku time). It can be used once:",
            "{token}",
            "Programs send it to {service}/v1/registrations/confirm, together with your name, a password and the "
            "names and the VÖEN of the company.",
            _IF_NOT_YOU,
        ),
        MessageKind.ADDRESS_TAKEN: _message_text(
            "You have an account already",
            "Someone wants to register a company at {service} with your e-mail address. The address has an account "
            "already, so nothing was created.",
            "If it was you: sign in with your password. If you have forgotten it, ask for a new one: "
            "{service}/v1/auth/password-resets",
            _IF_NOT_YOU,
        ),
        MessageKind.RESET_PASSWORD: _message_text(
            "Set a new password",
            "A new password for your account at {service} was asked for. To set it, use this code until {until} "
            "(Baku time). It can be used once:",
            "{token}",
            "Programs send it to {service}/v1/auth/password-reset, together with the new password. All your "
            "sessions end then.",
            "If you did not ask for it, do nothing: your password stays as it is. Do not give the code "
            "to anyone, not even to staff.",
        ),
        MessageKind.FIRST_PASSWORD: _message_text(
            "Your account",
            "An account of a member of staff was made for you at {service}. To set your password, use this code "
            "until {until} (Baku time). It can be used once:",
            "{token}",
            "Programs send it to {service}/v1/auth/password-reset, together with the password.",
            "Do not give the code to anyone, not even to staff.",
        ),
        MessageKind.INVITATION: _message_text(
            "Invitation",
            "You are invited to act for the company {company} at {service}. To accept, use this code until {until} "
            "(Baku time). It can be used once:",
            "{token}",
            "Programs send it to {service}/v1/invitations/accept, together with your name and a password.",
            "If you do not know this company, do nothing.",
        ),
        MessageKind.CLAIM_CONFIRMED: _message_text(
            "You act for the company",
            "The registrar has confirmed that you act for the company {company} (VÖEN {voen}) at {service}.",
        ),
        MessageKind.CLAIM_REFUSED: _message_text(
            "The claim was refused",
            "You were not shown to act for the company {company} (VÖEN {voen}) at {service}. What you entered is "
            "closed.",
            "With new evidence you can claim it again: {service}/v1/claims",
        ),
        MessageKind.CLAIM_DISPUTED: _message_text(
            "Another person claims your company",
            "Another person claims to act for the company {company} (VÖEN {voen}) at {service}. They see nothing of "
            "your company and change nothing.",
            "If you know of this, or object to it, tell the registrar within 10 days.",
        ),
        MessageKind.MEMBER_REMOVED: _message_text(
            "You were removed from the company",
            "You no longer act for the company {company} at {service}. Your account was closed and your sessions "
            "have ended.",
            _ASK_COMPANY,
        ),
        MessageKind.ACCOUNT_CLOSED: _message_text(
            "Your account was closed",
            "Your account of a member of staff at {service} was closed, with all its roles.",
            _ASK_OWNER,
        ),
        MessageKind.ROLE_GRANTED: _message_text(
            "Your rights have changed",
            "You now have the role {role} at {service}.",
            _ASK_OWNER,
        ),
        MessageKind.ROLE_TAKEN: _message_text(
            "Your rights have changed",
            "You no longer have the role {role} at {service}.",
            _ASK_OWNER,
        ),
        MessageKind.ADMINISTRATOR_GIVEN: _message_text(
            "Your rights have changed",
            "You are now an administrator of the company {company} at {service}: you may invite and remove members "
            "and manage API clients.",
            _ASK_COMPANY,
        ),
        MessageKind.ADMINISTRATOR_TAKEN: _message_text(
            "Your rights have changed",
            "You are no longer an administrator of the company {company} at {service}. You still act for it.",
            _ASK_COMPANY,
        ),
        MessageKind.CERTIFICATES_REISSUED: _message_text(
            "Your certificates were signed anew",
            "Certificates of the company {company} were signed anew with another key, because others may have had the "
            "earlier one. Numbers and dates stay the same:",
            "{numbers}",
            "Fetch credentials, PDF files, codes and labels again at {service}, and replace those that you printed or "
            "gave to others: the earlier ones no longer count.",
        ),
        MessageKind.AUTHENTICATOR_PROPOSED: _message_text(
            "An authenticator was proposed",
            "An authenticator was proposed with which {account} would confirm decisions at {service}. It counts once "
            "an owner of the mark, who is another person, has confirmed it.",
            _REFUSE_IT,
        ),
        MessageKind.AUTHENTICATOR_REGISTERED: _message_text(
            "An authenticator was registered",
            "A new authenticator was registered, with which {account} confirms decisions at {service} from now on.",
            _REMOVE_IT,
        ),
        MessageKind.AUTHENTICATOR_REMOVED: _message_text(
            "An authenticator was removed",
            "An authenticator with which {account} confirmed decisions at {service} was removed. It confirms nothing "
            "any more.",
            _ASK_OWNER,
        ),
        MessageKind.CONFIRM_WATCH: _message_text(
            "Confirm that you want to follow certificates",
            "Someone, probably you, wants to be told by e-mail what happens at {service} to: {subject}",
            "To confirm it, open this link until {until} (Baku time): {service}/watch/{token}",
            _IF_NOT_YOU,
        ),
        MessageKind.WATCHED_CHANGE: _message_text(
            "News about a certificate that you follow",
            "There is news about the certificate {number}. Its page shows what is true now: {service}/v/{number}",
            "You get this message because you follow: {subject}. To get no more of them: {service}/watch/{token}",
        ),
        MessageKind.SIGN_IN_ADDED: _message_text(
            "A new way to sign in",
            "From now on your account at {service} can be signed in to with “{name}”.",
            _TELL_US,
        ),
        MessageKind.SIGN_IN_REMOVED: _message_text(
            "A way to sign in was removed",
            "Your account at {service} can no longer be signed in to with “{name}”.",
            _TELL_US,
        ),
        MessageKind.AUTHORITY_OFFERED: _message_text(
            "A company offers you an authority",
            "The company {company} offers you the authority to act for it at {service} from {from} to {to}. Sign in "
            "and accept it, or do nothing.",
            _ASK_COMPANY,
        ),
        MessageKind.AUTHORITY_ACCEPTED: _message_text(
            "An authority was accepted",
            "{agent} accepted the authority to act for the company {company} at {service} from {from} to {to}.",
            "If this surprises you, revoke it at once.",
        ),
        MessageKind.AUTHORITY_ENDED: _message_text(
            "An authority has ended",
            "{agent} no longer acts for the company {company} at {service}.",
            _ASK_COMPANY,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`is_code`: a token or numbers, to be shown as they are, on lines of their own."""

    text: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class MailBlock:
    """A message in one language; a mail has one, or several where the recipient's language is unknown."""

    language: str
    subject: str
    paragraphs: tuple[Paragraph, ...]
    action: tuple[str, str] | None = None
    """Label and address of the one link."""
    footer: tuple[str, ...] = ()


def message_blocks(kind: MessageKind, language: str | None, values: Mapping[str, str]) -> tuple[MailBlock, ...]:
    """Render a message in the recipient's language or, if unknown, in several.

    Raises KeyError for a kind that is never sent itself, and when the text names a missing value.
    """
    text = TEXTS[kind]
    blocks = []
    for each in _languages(language):
        translate = i18n.load_catalogue("mail", each).gettext
        paragraphs = tuple(
            Paragraph(translate(line).format_map(values), is_code=line in CODE_LINES) for line in text.paragraphs
        )
        blocks.append(MailBlock(each, translate(text.subject), paragraphs))
    return tuple(blocks)


def notice_blocks(
    event: Mapping[str, Any], language: str | None, values: Mapping[str, str], *, is_always: bool
) -> tuple[MailBlock, ...]:
    """Render the mail of an event, as `PublicEvent.to_dict` gives it.

    `values`: `audience`, `company`, and `service`, the address of the service. `is_always`: the mail cannot be
    switched off.
    """
    service = values["service"]
    blocks = []
    for each in _languages(language):
        notice = render_notice(event, each)
        footer = render_frame(
            values["audience"], values["company"], f"{service}{SETTINGS_PATH}", each, is_always=is_always
        )
        paragraphs = tuple(map(Paragraph, notice.sentences))
        blocks.append(MailBlock(each, notice.subject, paragraphs, (notice.action, f"{service}{notice.path}"), footer))
    return tuple(blocks)


def _languages(language: str | None) -> tuple[str, ...]:
    return (language,) if language in MESSAGE_LANGUAGES else FALLBACK_LANGUAGES


def subject_of(blocks: Sequence[MailBlock]) -> str:
    return " / ".join(block.subject for block in blocks)


def to_plain(blocks: Sequence[MailBlock]) -> str:
    """Return the plain part of a mail."""
    return LANGUAGE_SEPARATOR.join(map(_plain_block, blocks)) + "\n"


def _plain_block(block: MailBlock) -> str:
    lines = [paragraph.text for paragraph in block.paragraphs]
    if block.action is not None:
        label, address = block.action
        lines.append(f"{label}: {address}")
    if block.footer:
        lines.append("\n".join((f"{MARK_NAME}", *block.footer)))
    return "\n\n".join(lines)


def compose_mail(
    *,
    message_id: UUID,
    created_at: datetime,
    sender: str,
    host: str,
    recipient: str,
    subject: str,
    body: str,
    html: str,
) -> EmailMessage:
    """Build the e-mail, identical at each attempt: date, Message-ID and boundary follow from the stored message.

    Raises ValueError for an address or a subject that would start another header.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = subject
    mail["Date"] = created_at
    mail["Message-ID"] = f"<{message_id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: suppresses automatic replies
    mail.set_content(body, charset="utf-8")
    mail.add_alternative(html, subtype="html", charset="utf-8")
    mail.set_boundary(f"=_{message_id.hex}")
    return mail
