"""Serve the form to follow certificates by mail, and the page that the links of its mails lead to."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import validate_email
from pydantic_core import PydanticCustomError

from app.core.errors import Invalid, NotFound
from app.events.watched import WatchKind, normalize_watched
from app.notifications.texts import MESSAGE_LANGUAGES
from app.pages.i18n import _
from app.pages.rendering import language_of, render
from app.watches import watches
from app.web.dependencies import ClientAddressDep, NowDep, SecretBoxDep, SessionDep
from app.web.routes import GuardedRoute

KINDS: Final[Mapping[WatchKind, str]] = MappingProxyType(
    {
        WatchKind.CERTIFICATE: _("One certificate, by its number"),
        WatchKind.HOLDER: _("All certificates of a holder, by the holder's id"),
        WatchKind.HEADING: _("All certificates of a kind of goods, by HS code"),
    }
)
UNREADABLE: Final = _("This cannot be read. Check it.")
MAX_CHARS: Final = 254
NO_STORE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/watch")
def show_watch_form(request: Request) -> Response:
    """Show the form, prefilled from the query (`?kind=certificate&value=…`)."""
    given = {name: request.query_params.get(name, "")[:MAX_CHARS] for name in ("kind", "value", "email")}
    return render(request, "watch.html", kinds=KINDS, given=given, wrong={})


@router.post("/watch")
def submit_watch_form(
    request: Request,
    session: SessionDep,
    secret_box: SecretBoxDep,
    sender: ClientAddressDep,
    now: NowDep,
    kind: Annotated[str, Form()] = "",
    value: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
) -> Response:
    given = {"kind": kind, "value": value.strip()[:MAX_CHARS], "email": email.strip()[:MAX_CHARS]}
    wrong = {}
    try:
        chosen = WatchKind(kind)
        normalize_watched(chosen, given["value"])
    except (ValueError, Invalid):
        wrong["value"] = UNREADABLE
    try:
        validate_email(given["email"])
    except PydanticCustomError:
        wrong["email"] = UNREADABLE
    if wrong:
        return render(request, "watch.html", status=422, kinds=KINDS, given=given, wrong=wrong)
    language = language_of(request).language
    watches.request_watch(
        session,
        secret_box,
        kind=chosen,
        value=given["value"],
        email=given["email"],
        language=language if language in MESSAGE_LANGUAGES else "en",
        address=sender,
        now=now,
    )
    return render(request, "watch_done.html", state="asked", headers=NO_STORE)


@router.get("/watch/{token}")
def show_watch(token: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    """Ask whether to begin or to end: programs that read mails follow links, so that a link alone changes nothing."""
    try:
        watch = watches.find_watch(session, token, now)
    except NotFound:
        return render(request, "watch_done.html", state="over")
    return render(
        request,
        "watch_link.html",
        subject=watch.value,
        token=token,
        is_confirmed=watch.confirmed_at is not None,
        headers=NO_STORE,
    )


@router.post("/watch/{token}")
def submit_watch(
    token: str, request: Request, session: SessionDep, now: NowDep, action: Annotated[str, Form()] = ""
) -> Response:
    if action == "end":
        watches.end_watch(session, token)
        return render(request, "watch_done.html", state="ended", headers=NO_STORE)
    try:
        watches.confirm_watch(session, token, now)
    except NotFound:
        return render(request, "watch_done.html", state="over", status=404, headers=NO_STORE)
    except Invalid:
        return render(request, "watch_done.html", state="full", status=422, headers=NO_STORE)
    return render(request, "watch_done.html", state="confirmed", headers=NO_STORE)
