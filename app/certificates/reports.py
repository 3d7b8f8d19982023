"""Receive reports of misuse from anyone, without an account.

A report names a certificate number or a web address that is not the service's. One about a certificate in force opens a
matter of kind `report`; any other one is stored for staff to read. It changes nothing by itself. E-mail address and
photo are stored only in the report's row; neither they nor the text enter the audit chain.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth import login_throttle
from app.auth.permissions import require_role
from app.certificates import certificate_number, certificate_repository, matter_repository, matters
from app.certificates.model import MatterCause, MatterKind, MisuseReport
from app.core.actor import SYSTEM, Actor
from app.core.database import new_id
from app.core.errors import Invalid, NotFound
from app.core.messages import Message

READERS = matters.READERS
MAX_PHOTO_BYTES: Final = 5_242_880
MAX_OPEN_REPORTS: Final = 20
"""Maximum open matters of this kind per certificate; further reports are stored without one."""

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without characters that look alike
_RECEIPT_CHARS: Final = 10


def new_receipt_number(choose: Callable[[str], str]) -> str:
    """Return a receipt number such as `R-7KQ2M-X4PVA`.

    `choose` picks a random character of a text.
    """
    characters = "".join(choose(_ALPHABET) for _ in range(_RECEIPT_CHARS))
    return f"R-{characters[:5]}-{characters[5:]}"


def decode_photo(text: str) -> tuple[bytes, str]:
    """Decode a base64 photo and return content and media type. Raises `Invalid`."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.at("/photo", Message("Send the photo in base64.", code="wrong-format")) from None
    return content, sniff_image_type(content)


def sniff_image_type(content: bytes) -> str:
    """Detect the media type of an image from its content. Raises `Invalid`."""
    if len(content) > MAX_PHOTO_BYTES:
        raise Invalid.at(
            "/photo", Message("A photo may have at most %(limit)s bytes.", code="too-long", limit=MAX_PHOTO_BYTES)
        )
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise Invalid.at(
        "/photo",
        Message("Only JPEG, PNG and WebP are accepted; the content decides, not the file name.", code="wrong-format"),
    )


def submit_report(
    session: Session,
    *,
    number: str | None,
    address: str | None,
    text: str | None,
    email: str | None,
    photo: tuple[bytes, str] | None,
    sender: str,
    receipt: str,
    now: datetime,
) -> MisuseReport:
    """Store a report; `sender` is its network address, which is counted but not stored.

    Raises `Invalid` without number and address, `TooManyAttempts`.
    """
    if number is None and address is None:
        raise Invalid.at(
            "/number",
            Message("Name the number of the certificate, or the address that the code leads to.", code="required"),
        )
    login_throttle.count_report(session, sender, now)
    parsed = certificate_number.parse_number(number) if number else None
    certificate = certificate_repository.by_number(session, str(parsed), lock=True) if parsed else None
    report = MisuseReport(
        id=new_id(),
        receipt=receipt,
        received_at=now,
        number=str(parsed) if parsed else number,
        certificate_id=certificate.id if certificate else None,
        address=address,
        text=text,
        email=email,
        photo=photo[0] if photo else None,
        photo_type=photo[1] if photo else None,
    )
    if (
        certificate
        and matter_repository.count_open_matters(session, certificate.id, MatterKind.REPORT) < MAX_OPEN_REPORTS
    ):
        matter = matters.open_matter(
            session,
            SYSTEM,
            certificate,
            MatterCause.OTHER,
            kind=MatterKind.REPORT,
            subject=f"report:{report.id}",
            text=text,
            details={"receipt": receipt, **({"address": address} if address else {})},
            now=now,
        )
        report.matter_id = matter.id if matter else None
    session.add(report)
    session.flush()
    about = ("certificate", certificate.number) if certificate else ("report", report.id)
    recorder.record(session, SYSTEM, "report.received", about, now, report=str(report.id))
    return report


def list_reports(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Sequence[MisuseReport]:
    require_role(actor, *READERS)
    return matter_repository.list_reports(session, after=after, limit=limit)


def get_photo(session: Session, actor: Actor, report_id: UUID) -> tuple[bytes, str]:
    """Return the photo of a report. Raises `Forbidden`; `NotFound`, also where it has none."""
    require_role(actor, *READERS)
    report = matter_repository.get_report(session, report_id)
    if report is None or report.photo is None or report.photo_type is None:
        raise NotFound.of("photo")
    return report.photo, report.photo_type
