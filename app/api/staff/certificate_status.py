"""Suspend and reinstate a certificate as an owner, propose to revoke it; surrender it as its holder."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.api.shared.certificate_schemas import CertificateResponse, certificate_fields
from app.api.staff.proposals import ProposalResponse, proposal_response
from app.certificates import status_service
from app.certificates.certificate_number import parse_number
from app.certificates.model import Certificate, RevocationReason, SuspensionCause
from app.certificates.status_workflow import CertificateAction
from app.core.errors import NotFound
from app.web.dependencies import CONFIRMED, ActorDep, NowDep, ProposalsDep, SessionDep, VersionDep, format_etag
from app.web.problems.openapi_responses import UPDATE_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, Text4000

router = APIRouter(prefix="/v1/certificates", tags=["certificate status"], route_class=GuardedRoute)


def _number(text: str) -> str:
    parsed = parse_number(text)
    if parsed is None:
        raise NotFound.of("certificate")
    return str(parsed)


def _load_for_action(action: CertificateAction) -> object:
    """Return a dependency that rejects (404, 403, 428, 412, 409) before the body is validated."""

    def load(number: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> str:
        return status_service.load_for_action(session, actor, _number(number), action, version).number

    return Depends(load, scope="function")


def _certificate_response(row: Certificate, response: Response) -> CertificateResponse:
    response.headers["ETag"] = format_etag(row.version)
    return CertificateResponse.model_validate(certificate_fields(row))


class SuspendRequest(RequestModel):
    cause: SuspensionCause = Field(examples=["hearing"])
    note: Text4000 | None = Field(None, description="internal note; not shown to the public")


class ReinstateRequest(RequestModel):
    cause: SuspensionCause


class RevokeRequest(RequestModel):
    reason: RevocationReason = Field(examples=["false-documents"])


@router.post(
    "/{number}/suspend",
    summary="Suspend a certificate",
    response_model_exclude_unset=True,
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[CONFIRMED],
)
def suspend_certificate(
    number: Annotated[str, _load_for_action(CertificateAction.SUSPEND)],
    body: SuspendRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateResponse:
    """For owners, with one cause. A certificate can have several causes; it is active again when all have ended."""
    row = status_service.suspend_by_owner(
        session, actor, number, cause=body.cause, note=body.note, version=version, now=now
    )
    return _certificate_response(row, response)


@router.post(
    "/{number}/reinstate",
    summary="Lift a cause of suspension",
    response_model_exclude_unset=True,
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[CONFIRMED],
)
def reinstate_certificate(
    number: Annotated[str, _load_for_action(CertificateAction.REINSTATE)],
    body: ReinstateRequest,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateResponse:
    """For owners. The certificate is active again when its last cause ends. A certificate surrendered during an
    investigation stays surrendered; only the cause ends."""
    row = status_service.reinstate_by_owner(session, actor, number, cause=body.cause, version=version, now=now)
    return _certificate_response(row, response)


@router.post(
    "/{number}/revoke",
    status_code=201,
    summary="Propose to revoke a certificate",
    responses=error_responses(*UPDATE_ERRORS),
    dependencies=[CONFIRMED],
)
def revoke_certificate(
    number: Annotated[str, _load_for_action(CertificateAction.REVOKE)],
    body: RevokeRequest,
    actor: ActorDep,
    session: SessionDep,
    service: ProposalsDep,
    response: Response,
    now: NowDep,
) -> ProposalResponse:
    """For owners, against the version of the certificate. Makes a proposal of the kind `revocation`; the certificate is
    revoked when another owner confirms it (`POST /v1/proposals/{id}/confirm`). Until then it may be suspended.

    Final, with a reason from the closed list, which is public. Also possible for a certificate that was surrendered
    during an investigation.
    """
    content = {"number": number, "reason": body.reason.value}
    return proposal_response(service.propose(session, actor, "revocation", content, now), now, response)


@router.post(
    "/{number}/surrender",
    summary="Surrender a certificate",
    response_model_exclude_unset=True,
    responses=error_responses(*UPDATE_ERRORS),
)
def surrender_certificate(
    number: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateResponse:
    """For the holder, at any time; final. While the certificate is suspended for cause, or a matter about it is open,
    it is recorded as surrendered during an investigation (`during_investigation`), which continues.
    """
    row = status_service.surrender(session, actor, _number(number), version=version, now=now)
    return _certificate_response(row, response)
