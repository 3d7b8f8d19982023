"""Reporting misuse, for people: one click on a verdict, or the form. The same service as `POST /v1/reports`."""

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
from app.core.text.normalize import tidy, wrong_with
from app.pages.i18n import _
from app.pages.rendering import render
from app.web.dependencies import AddressDep, NowDep, SessionDep
from app.web.routes import FORM_OVERHEAD, OrderedRoute

LONGEST: Final[Mapping[str, int]] = {"number": 200, "address": 2_000, "text": 4_000, "email": 254}
WRONG: Final = _("This cannot be read. Check it.")
MISSING: Final = _("Enter the number or the address.")
NO_PHOTO: Final = _("Only JPEG, PNG and WebP up to 5 MB are accepted.")


class PhotoRoute(OrderedRoute):
    def most_bytes(self, _settings: Settings) -> int:
        return reports.MOST_PHOTO_BYTES + FORM_OVERHEAD


router = APIRouter(route_class=PhotoRoute, include_in_schema=False)


@router.get("/report")
def ask(request: Request) -> Response:
    """`?number=&address=`: what is known already."""
    given = {name: request.query_params.get(name, "")[:most] for name, most in LONGEST.items()}
    return _form(request, given)


@router.post("/report")
def send(
    request: Request,
    session: SessionDep,
    sender: AddressDep,
    now: NowDep,
    number: Annotated[str, Form()] = "",
    address: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    given = {"number": number.strip(), "address": address.strip(), "text": text.strip(), "email": email.strip()}
    wrong = dict(_wrong_with(given))
    picture = photo.file.read(reports.MOST_PHOTO_BYTES + 1) if photo else b""
    media_type = ""
    if picture:
        try:
            media_type = reports.media_type_of(picture)
        except Invalid:
            wrong["photo"] = NO_PHOTO
    if wrong or not (given["number"] or given["address"]):
        return _form(request, given, wrong or {"number": MISSING}, status=422)
    found = reports.receive(
        session,
        number=given["number"] or None,
        address=given["address"] or None,
        text=tidy(given["text"]) or None,
        email=given["email"] or None,
        photo=(picture, media_type) if picture else None,
        sender=sender,
        receipt=reports.receipt_from(secrets.choice),
        now=now,
    )
    return render(request, "report_sent.html", receipt=found.receipt, headers={"Cache-Control": "no-store"})


def _wrong_with(given: Mapping[str, str]) -> Any:
    for name, most in LONGEST.items():
        if given[name] and wrong_with(given[name], most, lines=name == "text"):
            yield name, WRONG
    if given["email"]:
        try:
            validate_email(given["email"])
        except PydanticCustomError:
            yield "email", WRONG


def _form(
    request: Request, given: Mapping[str, str], wrong: Mapping[str, str] | None = None, *, status: int = 200
) -> Response:
    return render(request, "report.html", status=status, given=given, wrong=wrong or {})
