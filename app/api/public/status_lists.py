"""Serve the status lists that tell verifiers whether a certificate is revoked or suspended."""

from typing import Annotated, Final

from fastapi import Path, Request
from fastapi.responses import Response

from app.api.shared.certificate_schemas import VC_JWT
from app.certificates.status_list import TTL
from app.web.dependencies import DatabaseDep, get_container
from app.web.headers import conditional_response, negotiate_media_type
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(route_class=GuardedRoute)

MAX_AGE_S: Final = int(TTL.total_seconds())


@router.get(
    "/v1/status-lists/{list}",
    tags=["public register"],
    summary="Get a status list (W3C Bitstring Status List)",
    response_class=Response,
    responses={
        200: {"content": {VC_JWT: {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(404, 406, 503),
    },
)
def get_status_list(
    name: Annotated[str, Path(alias="list", description="name of the list", examples=["revocation-1"])],
    request: Request,
    _database: DatabaseDep,
) -> Response:
    """`revocation-1`, `suspension-1` and so on, as signed `application/vc+jwt`. Certificates name their lists.

    Bit `statusListIndex` is set if the certificate was revoked, surrendered or replaced, or while it is suspended. A
    change is in the list at once; clients may cache the list for half a minute.
    """
    negotiate_media_type(request.headers.get("accept"), (VC_JWT,))
    headers = {"Vary": "Accept", "Cache-Control": f"public, max-age={MAX_AGE_S}"}
    token = get_container(request).status_lists.get_token(name)
    return conditional_response(request, token.encode(), headers, VC_JWT)
