"""Serve the page on which staff confirm decisions with the authenticator of their browser.

The page itself is the same for everybody. Its script signs in, asks the API for the document of a decision, shows it
and sends the signature; nothing of it is stored in the browser.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.pages.i18n import _
from app.pages.rendering import render
from app.web.routes import GuardedRoute

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

DECISIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "approve": _("Approve an application"),
        "reject": _("Reject an application"),
        "suspend": _("Suspend a certificate"),
        "reinstate": _("Reinstate a certificate"),
        "revoke": _("Propose to revoke a certificate"),
        "confirm": _("Confirm a proposal"),
    }
)
MAX_CHARS: Final = 100


@router.get("/confirm")
def show_confirm(request: Request) -> Response:
    """Show the page, prefilled from the query (`?decision=approve&subject=…`)."""
    given = {name: request.query_params.get(name, "")[:MAX_CHARS] for name in ("decision", "subject")}
    return render(request, "confirm.html", decisions=DECISIONS, given=given)
