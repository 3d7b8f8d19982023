"""What a signature is checked against: the issuer's DID document (W3C DID 1.0, did:web) beside the JWKS."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.keys import KeyRing
from app.ledger.did import did_document
from app.web.deps import IssuanceDep
from app.web.refusals import refuses
from app.web.routing import OrderedRoute

router = APIRouter(tags=["keys"], route_class=OrderedRoute)


class DidDocument(JSONResponse):
    media_type = "application/did+json"


@router.get(
    "/.well-known/did.json",
    summary="The issuer's DID document",
    response_class=DidDocument,
    responses=refuses(503),
)
def did(request: Request, issuance: IssuanceDep) -> DidDocument:
    """Its keys as JsonWebKey. A compromised key stays named, but vouches for nothing any more (`assertionMethod`)."""
    ring: KeyRing = request.app.state.keys()

    headers = {"Cache-Control": "public, max-age=3600, stale-if-error=86400"}
    return DidDocument(did_document(issuance.issuer, ring), headers=headers)
