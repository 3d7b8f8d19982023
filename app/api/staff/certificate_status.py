"""For the owner of the mark and the holder: what happens to a certificate after the grant."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.api.shared.certificate_schemas import CertificateAnswer, public_face
from app.certificates import status_service
from app.certificates.certificate_number import parse
from app.certificates.model import Certificate, RevocationReason, SuspensionCause
from app.certificates.status_workflow import Deed
from app.core.errors import NotFound
from app.web.dependencies import ActorDep, NowDep, SessionDep, VersionDep, etag
from app.web.problems.openapi_responses import CHANGES, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Body, Prose

router = APIRouter(prefix="/v1/certificates", tags=["certificate status"], route_class=OrderedRoute)


def _number(text: str) -> str:
    parsed = parse(text)
    if parsed is None:
        raise NotFound.of("certificate")
    return str(parsed)


def _admitted(deed: Deed) -> object:
    """Refusals that do not depend on the body come before it is looked at (404, 403, 428, 412, 409)."""

    def admitted(number: str, actor: ActorDep, session: SessionDep, version: VersionDep) -> str:
        return status_service.guard(session, actor, _number(number), deed, version).number

    return Depends(admitted, scope="function")


def _answer(row: Certificate, response: Response) -> CertificateAnswer:
    response.headers["ETag"] = etag(row.version)
    return CertificateAnswer.model_validate(public_face(row))


class SuspendBody(Body):
    cause: SuspensionCause = Field(examples=["hearing"])
    note: Prose | None = Field(None, description="for the file; not shown to the public")


class ReinstateBody(Body):
    cause: SuspensionCause


class RevokeBody(Body):
    reason: RevocationReason = Field(examples=["false-documents"])


@router.post("/{number}/suspend", summary="Suspend", response_model_exclude_unset=True, responses=refuses(*CHANGES))
def suspend(
    number: Annotated[str, _admitted(Deed.SUSPEND)],
    body: SuspendBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateAnswer:
    """For one cause. A certificate may be suspended for several; it is good again when all have ended."""
    row = status_service.suspend_by_owner(
        session, actor, number, cause=body.cause, note=body.note, version=version, now=now
    )
    return _answer(row, response)


@router.post(
    "/{number}/reinstate",
    summary="Lift a cause of suspension",
    response_model_exclude_unset=True,
    responses=refuses(*CHANGES),
)
def reinstate(
    number: Annotated[str, _admitted(Deed.REINSTATE)],
    body: ReinstateBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateAnswer:
    """The last cause to end makes it good again. Of a certificate given back during an investigation only the cause
    ends: the inquiry found nothing."""
    row = status_service.reinstate_by_owner(session, actor, number, cause=body.cause, version=version, now=now)
    return _answer(row, response)


@router.post("/{number}/revoke", summary="Revoke", response_model_exclude_unset=True, responses=refuses(*CHANGES))
def revoke(
    number: Annotated[str, _admitted(Deed.REVOKE)],
    body: RevokeBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateAnswer:
    """Final, with a reason from the closed list; the public reads it.

    Also of a certificate that was given back during an investigation: the inquiry may still find a reason.
    """
    row = status_service.revoke(session, actor, number, reason=body.reason, version=version, now=now)
    return _answer(row, response)


@router.post(
    "/{number}/surrender",
    summary="Surrender a certificate",
    response_model_exclude_unset=True,
    responses=refuses(*CHANGES),
)
def surrender(
    number: str,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    version: VersionDep,
    now: NowDep,
) -> CertificateAnswer:
    """By the holder, at any time; final. While the certificate is suspended for cause, or a matter about it is open,
    it is recorded as given back during an investigation (`during_investigation`): the inquiry goes on."""
    row = status_service.surrender(session, actor, _number(number), version=version, now=now)
    return _answer(row, response)
