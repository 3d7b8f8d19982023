"""Published status lists: what a verifier fetches to know whether a certificate was revoked or suspended."""

import hashlib
from typing import Annotated, Final

from fastapi import Path, Request
from fastapi.responses import Response

from app.api.public import VC_JWT
from app.certificates.status_list import TTL
from app.web.conditions import matches
from app.web.deps import DatabaseDep, get_container
from app.web.negotiation import best
from app.web.refusals import refuses
from app.web.routing import OrderedRoute, PublicRouter

router = PublicRouter(route_class=OrderedRoute)

MAX_AGE: Final = int(TTL.total_seconds())


@router.get(
    "/v1/status-lists/{list}",
    tags=["public"],
    summary="A status list (W3C Bitstring Status List)",
    response_class=Response,
    responses={
        200: {"content": {VC_JWT: {"schema": {"type": "string"}}}},
        304: {"description": "Unchanged (`If-None-Match`)."},
        **refuses(404, 406, 503),
    },
)
def get_status_list(name: Annotated[str, Path(alias="list")], request: Request, _database: DatabaseDep) -> Response:
    """`revocation-1`, `suspension-1` and so on, always as signed `application/vc+jwt`. Certificates name their list.

    Bit `statusListIndex` is set where the certificate was revoked, given back or replaced, or while it is suspended. A
    change is in the list at once; it may be kept for half a minute.
    """
    best(request.headers.get("accept"), (VC_JWT,))
    token = get_container(request).status_lists.published(name)
    tag = f'"{hashlib.sha256(token.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": f"public, max-age={MAX_AGE}"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(token, media_type=VC_JWT, headers=headers)
