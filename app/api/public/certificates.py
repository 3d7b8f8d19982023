"""Search the public register and return single certificates, as JSON or as signed credentials."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response

from app.api.shared.application_schemas import storable_text
from app.api.shared.certificate_schemas import JSON, VC_JWT, CertificateResponse
from app.certificates import certificate_repository
from app.certificates.certificate_number import parse_number
from app.certificates.read_model import search_repository
from app.certificates.read_model.proven_records import require_not_issued, require_token
from app.certificates.read_model.record import public_fields
from app.certificates.read_model.search import EffectiveStatus, RegisterSearch, fits
from app.core.dates import baku_day
from app.core.errors import Conflict, NotFound
from app.verification.verdict import Verdict, VerificationResult
from app.web.dependencies import NowDep, SessionDep, get_container
from app.web.headers import conditional_response, negotiate_media_type, not_modified
from app.web.pagination import PageDep
from app.web.parameters import UpdatedSince, changed_from
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter
from app.web.schema_types import Page

router = PublicRouter(route_class=GuardedRoute)


class CredentialVoided(Conflict):
    """Reject to give a credential that others may have signed: nothing in it tells that it does not count."""

    code = "key-compromised"

    def __init__(self) -> None:
        super().__init__(
            "Others may have had the key that signed this credential. It is given again once it is signed anew."
        )


def require_no_compromise(result: VerificationResult) -> None:
    """Raise `CredentialVoided` where the key was compromised before the credential was logged."""
    if result.verdict is Verdict.KEY_COMPROMISED:
        raise CredentialVoided


@router.get(
    "/v1/certificates",
    tags=["public register"],
    summary="Search the public register",
    response_model_exclude_unset=True,  # `during_investigation` is present only if it is true
    responses=error_responses(422, 503),
)
def search_certificates(
    request: Request,
    session: SessionDep,
    page: PageDep,
    now: NowDep,
    q: Annotated[
        str | None, Query(max_length=200, description="words of number, holder, product, HS code or place, or a VÖEN")
    ] = None,
    scheme: Annotated[str | None, Query(max_length=8, description="code of a scheme", examples=["MIK"])] = None,
    status: Annotated[
        EffectiveStatus | None, Query(description="status as of today: `active` does not include `expired`")
    ] = None,
    hs6: Annotated[str | None, Query(pattern=r"^[0-9]{2,6}$", description="chapter, heading or subheading")] = None,
    holder: Annotated[str | None, Query(max_length=200, description="words of the holder's names, or its VÖEN")] = None,
    product: Annotated[str | None, Query(max_length=200, description="words of the product's names")] = None,
    park: Annotated[str | None, Query(max_length=40, description="code of a park", examples=["AGDAM-SP"])] = None,
    updated_since: UpdatedSince = None,
) -> Page[CertificateResponse]:
    """Newest first; filters are combined. Words match by prefix and in all spellings: “Ağdam”, “Agdam”, “Aghdam” and
    “Агдам” are equal, as are dotted and dotless i; accents are ignored. A VÖEN finds the certificates of a legal
    person; the VÖEN of a natural person finds nothing. `updated_since` finds what was issued or got another status; the
    end of a term is no such change.
    """
    wanted = RegisterSearch(
        q=storable_text(q),
        holder=storable_text(holder),
        product=storable_text(product),
        scheme=storable_text(scheme),
        status=status,
        hs6=hs6,
        park=storable_text(park),
        changed_from=changed_from(updated_since),
    )
    today = baku_day(now)
    rows = search_repository.search_certificates(session, wanted, today, before=page.after, limit=page.fetch)
    found = page.cut(rows, lambda row: row.id)
    shown = get_container(request).verification.read_many(session, [row.number for row in found], now)
    return Page[CertificateResponse](
        items=[
            CertificateResponse.model_validate(public_fields(each.record))
            for each in shown.values()
            if fits(wanted, each.record, today)
        ]
    )


@router.get(
    "/v1/certificates/{number}",
    tags=["public register"],
    summary="Get a certificate",
    response_model=CertificateResponse,
    responses={
        200: {"content": {VC_JWT: {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(404, 406, 409, 503),
    },
)
def get_certificate(number: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    """JSON, or the signed credential with `Accept: application/vc+jwt`.

    The `ETag` of the JSON is the version to send in `If-Match` to suspend, reinstate, revoke or surrender.
    """
    media_type = negotiate_media_type(request.headers.get("accept"), (JSON, VC_JWT))
    parsed = parse_number(number)
    row = certificate_repository.by_number(session, str(parsed)) if parsed else None
    container = get_container(request)
    if row is None:
        require_not_issued(container.log, str(parsed) if parsed else None)
    shown = container.verification.read_many(session, [row.number], now) if row else {}
    if row is None or not shown:
        raise NotFound.of("certificate")
    record, result = shown[row.number]
    # The tag depends on media type, expiry and compromise: a 304 must not hide that a certificate has expired.
    expired = record.valid_until < baku_day(now)
    tag = f'"{row.version}"' if media_type == JSON and not expired else f'"{row.version}-{media_type[-3:]}-{expired}"'
    if media_type == VC_JWT:
        tag = f'"{row.version}-{record.token_sha256[:16]}-{expired}"'
        require_no_compromise(result)
    elif result.verdict is Verdict.KEY_COMPROMISED:
        tag = f'"{row.version}-voided"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if unchanged := not_modified(request, headers):
        return unchanged
    if media_type == VC_JWT:
        return Response(
            require_token(session, row, record, container.keys.keyring()), media_type=VC_JWT, headers=headers
        )
    return JSONResponse(public_fields(record), headers=headers)


@router.get(
    "/v1/certificates/{number}/credential.jwt",
    tags=["public register"],
    summary="Get the signed credential of a certificate",
    response_class=Response,
    responses={
        200: {"content": {VC_JWT: {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(404, 409, 503),
    },
)
def get_credential(number: str, request: Request, session: SessionDep, now: NowDep) -> Response:
    """The signed credential, whatever `Accept` says: for links that name its media type. It changes only if it is
    signed anew after its key was compromised; its status lists and `/v1/verify` say whether it is valid today."""
    parsed = parse_number(number)
    row = certificate_repository.by_number(session, str(parsed)) if parsed else None
    container = get_container(request)
    if row is None:
        require_not_issued(container.log, str(parsed) if parsed else None)
    shown = container.verification.read_many(session, [row.number], now) if row else {}
    if row is None or not shown:
        raise NotFound.of("certificate")
    record, result = shown[row.number]
    require_no_compromise(result)
    token = require_token(session, row, record, container.keys.keyring())
    return conditional_response(request, token.encode(), {"Cache-Control": "no-cache"}, VC_JWT)
