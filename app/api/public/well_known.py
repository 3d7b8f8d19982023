"""Serve the public keys as JWKS (RFC 7517) and as DID document of the issuer (W3C DID 1.0, did:web).

Both are built once for each change of the keys (`app/signing/key_documents.py`).
"""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.core.crypto.keyring import KeyRing
from app.signing.key_documents import did_document
from app.web.dependencies import IssuerContextDep, get_container
from app.web.headers import CACHE_ONE_HOUR, conditional_response
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(tags=["keys"], route_class=GuardedRoute)

JWK_SET = "application/jwk-set+json"
DID_JSON = "application/did+json"


def _response_docs(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"content": {media_type: {"schema": {"type": "object"}}}},
        **NOT_MODIFIED_DOCS,
    }


@router.get(
    "/.well-known/jwks.json",
    summary="Get the public keys (RFC 7517)",
    response_class=Response,
    responses=_response_docs(JWK_SET),
)
async def get_jwks(request: Request) -> Response:
    """The keys that verify signatures of certificates offline."""
    return _document_response(request, JWK_SET, KeyRing.jwks)


@router.get(
    "/.well-known/did.json",
    summary="Get the DID document of the issuer",
    response_class=Response,
    responses={**_response_docs(DID_JSON), **error_responses(503)},
)
async def get_did_document(request: Request, issuance: IssuerContextDep) -> Response:
    """The keys as JsonWebKey. A compromised key stays listed, but not in `assertionMethod`."""
    return _document_response(request, DID_JSON, lambda ring: did_document(issuance.issuer, ring))


def _document_response(request: Request, media_type: str, members: Callable[[KeyRing], Any]) -> Response:
    container = get_container(request)
    body = container.key_documents.get(container.keys.keyring(), media_type, members)
    return conditional_response(request, body, {"Cache-Control": CACHE_ONE_HOUR}, media_type)
