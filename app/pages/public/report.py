"""Serve the form to report misuse, which verdict pages link to. It uses the service of `POST /v1/reports`."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from pydantic import validate_email
from pydantic_core import PydanticCustomError

from app.certificates import reports
from app.core.errors import Invalid
from app.core.settings import Settings
from app.core.text.normalize import normalize, text_error
from app.pages.i18n import _
from app.pages.rendering import render
from app.web.dependencies import ClientAddressDep, NowDep, SessionDep
from app.web.routes import FORM_OVERHEAD, GuardedRoute

MAX_CHARS: Final[Mapping[str, int]] = {"number": 200, "address": 2_000, "text": 4_000, "email": 254}
UNREADABLE: Final = _("This cannot be read. Check it.")
MISSING: Final = _("Enter the number or the address.")
INVALID_PHOTO: Final = _("Only JPEG, PNG and WebP up to 5 MB are accepted.")


class PhotoFormRoute(GuardedRoute):
    def max_body_bytes(self, _settings: Settings) -> int:
        return reports.MAX_PHOTO_BYTES + FORM_OVERHEAD


router = APIRouter(route_class=PhotoFormRoute, include_in_schema=False)


@router.get("/report")
def show_form(request: Request) -> Response:
    """Show the form, prefilled from the query (`?number=&address=`)."""
    given = {name: request.query_params.get(name, "")[:max_chars] for name, max_chars in MAX_CHARS.items()}
    return _form_response(request, given)


@router.post("/report")
def submit_form(
    request: Request,
    session: SessionDep,
    sender: ClientAddressDep,
    now: NowDep,
    number: Annotated[str, Form()] = "",
    address: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    given = {"number": number.strip(), "address": address.strip(), "text": text.strip(), "email": email.strip()}
    wrong = dict(_form_error(given))
    picture = photo.file.read(reports.MAX_PHOTO_BYTES + 1) if photo else b""
    media_type = ""
    if picture:
        try:
            media_type = reports.sniff_image_type(picture)
        except Invalid:
            wrong["photo"] = INVALID_PHOTO
    if wrong or not (given["number"] or given["address"]):
        return _form_response(request, given, wrong or {"number": MISSING}, status=422)
    found = reports.submit_report(
        session,
        number=given["number"] or None,
        address=given["address"] or None,
        text=normalize(given["text"]) or None,
        email=given["email"] or None,
        photo=(picture, media_type) if picture else None,
        sender=sender,
        receipt=reports.new_receipt_number(secrets.choice),
        now=now,
    )
    return render(request, "report_sent.html", receipt=found.receipt, headers={"Cache-Control": "no-store"})


def _form_error(given: Mapping[str, str]) -> Any:
    for name, max_chars in MAX_CHARS.items():
        if given[name] and text_error(given[name], max_chars, lines=name == "text"):
            yield name, UNREADABLE
    if given["email"]:
        try:
            validate_email(given["email"])
        except PydanticCustomError:
            yield "email", UNREADABLE


def _form_response(
    request: Request, given: Mapping[str, str], wrong: Mapping[str, str] | None = None, *, status: int = 200
) -> Response:
    return render(request, "report.html", status=status, given=given, wrong=wrong or {})
