"""Ask to be told by mail what happens to certificates, and end it with the token of a mail."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import EmailStr, Field

from app.events.watched import WatchKind
from app.watches import watches
from app.web.dependencies import (
    AnonymousIdempotentReplayDep,
    ClientAddressDep,
    NowDep,
    SecretBoxDep,
    SessionDep,
)
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import RequestModel, ResponseModel, Text100

router = APIRouter(prefix="/v1/watches", tags=["public register"], route_class=GuardedRoute)

ASKED: Final = "A message is on its way. It has a link that confirms the address; nothing is sent before."
ENDED: Final = "You get no more of these messages."


class WatchRequest(RequestModel):
    kind: WatchKind
    value: Text100 = Field(
        description="number of the certificate, id of the holder (in the address of its page), or 2, 4 or 6 digits of "
        "an HS code",
        examples=["MIK-2026-000042-Y"],
    )
    email: EmailStr = Field(max_length=254, examples=["buyer@sample.example"])
    language: Literal["az", "en", "ru"] | None = Field(None, description="of the messages: az, en or ru")


class WatchMessageResponse(ResponseModel):
    """The same for every address."""

    message: str = Field(examples=[ASKED])


@router.post(
    "",
    status_code=202,
    summary="Follow certificates by mail",
    responses=error_responses(400, 409, 413, 415, 422, 429, 503),
)
def request_watch(
    body: WatchRequest,
    session: SessionDep,
    secret_box: SecretBoxDep,
    address: ClientAddressDep,
    now: NowDep,
    _retry: AnonymousIdempotentReplayDep,
) -> WatchMessageResponse:
    """Without an account: you are mailed within a minute of every change. Confirm the address by the link that is sent
    to it; every message has a link that ends it. Limit: 20 requests from one network in 15 minutes.
    """
    watches.request_watch(
        session,
        secret_box,
        kind=body.kind,
        value=body.value,
        email=str(body.email),
        language=body.language,
        address=address,
        now=now,
    )
    return WatchMessageResponse(message=ASKED)


@router.post(
    "/unsubscribe",
    summary="End messages",
    responses=error_responses(409, 413, 422, 503),
)
def end_watch(
    token: Annotated[str, Query(max_length=200, description="from the link in a message")], session: SessionDep
) -> WatchMessageResponse:
    """One click of mail programs (RFC 8058). A token that is over is no error."""
    watches.end_watch(session, token)
    return WatchMessageResponse(message=ENDED)
