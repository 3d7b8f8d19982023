"""List, invite and remove the members of a company; accept an invitation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import EmailStr, Field, StringConstraints
from sqlalchemy.orm import Session

from app.api.company.me import LanguageCode, NewPasswordText
from app.auth import user_repository
from app.auth.model import User
from app.auth.permissions import require_administrator, require_organisation_id, require_user_id
from app.core.actor import Actor, Role
from app.notifications import notices
from app.organisations import members, organisation_repository
from app.web.dependencies import (
    ActorDep,
    AnonymousIdempotentReplayDep,
    DatabaseDep,
    IdempotentReplayDep,
    NowDep,
    PasswordsDep,
    ReplayHookDep,
    SecretBoxDep,
    SessionDep,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, RequestModel, ResponseModel, Text250

router = APIRouter(prefix="/v1", tags=["members"], route_class=GuardedRoute)


def _require_person(actor: Annotated[Actor, require_role(Role.APPLICANT)]) -> Actor:
    require_user_id(actor)
    require_organisation_id(actor)
    return actor


def _require_administrator(actor: Annotated[Actor, require_role(Role.APPLICANT)]) -> Actor:
    require_administrator(actor)
    return actor


MemberActor = Annotated[Actor, Depends(_require_person, scope="function")]
AdministratorActor = Annotated[Actor, Depends(_require_administrator, scope="function")]


class MemberResponse(ResponseModel):
    id: UUID
    full_name: str
    email: str
    administrator: bool = Field(
        validation_alias="is_administrator", description="invites and removes members, manages API clients"
    )
    created_at: datetime


class InvitationRequest(RequestModel):
    email: EmailStr = Field(max_length=254, examples=["sales@numune.example"])
    language: LanguageCode | None = Field(None, description="language of messages to this person")


class InvitationResponse(ResponseModel):
    id: UUID
    email: str
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class InvitationAcceptRequest(RequestModel):
    token: Annotated[str, StringConstraints(max_length=200)] = Field(description="from the message that was mailed")
    full_name: Text250 = Field(examples=["Kənan Nümunə"])
    password: NewPasswordText
    language: LanguageCode | None = Field(None, description="language of messages to you")


class InvitationAcceptResponse(ResponseModel):
    user_id: UUID
    organisation_id: UUID


class MemberRemovalResponse(ResponseModel):
    id: UUID
    api_clients: list[UUID] = Field(
        description="active API clients that this person created: revoke them, as the person may know their secrets"
    )


@router.get("/members", summary="List members of your company", responses=error_responses(*READ_ERRORS))
def list_members(actor: MemberActor, session: SessionDep, page: PageDep) -> Page[MemberResponse]:
    """Oldest first. For members of a company, not for API clients."""
    rows = members.list_members(session, actor, after=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return Page[MemberResponse](items=[MemberResponse.model_validate(row, from_attributes=True) for row in shown])


def _require_removable(member_id: str, actor: ActorDep, session: SessionDep, ask_first: ReplayHookDep) -> UUID:
    require_user_id(actor)
    ask_first()  # a removed member is not found again: replay the stored response of a retry before the 404
    return members.load_removable(session, actor, parse_id(member_id, "member")).id


@router.delete(
    "/members/{member_id}", summary="Remove a member or leave the company", responses=error_responses(*CREATE_ERRORS)
)
def remove_member(
    member_id: Annotated[UUID, Depends(_require_removable, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
) -> MemberRemovalResponse:
    """Administrators remove members; every member may leave. Sessions and tokens end at once, and a removed member is
    informed by mail. The last administrator cannot be removed (409 `last-administrator`)."""
    parted = members.remove_member(session, actor, member_id, now)
    if actor.id != member_id:
        notices.notify_member_removed(session, parted.user, _company_name_of(session, parted.user), now=now)
    return MemberRemovalResponse(id=parted.user.id, api_clients=[client.id for client in parted.clients])


def _company_name_of(session: Session, user: User) -> str:
    company = organisation_repository.find_organisation(session, user.organisation_id) if user.organisation_id else None
    return company.legal_name_az if company else ""


def _require_administrable(member_id: str, actor: ActorDep, session: SessionDep, ask_first: ReplayHookDep) -> UUID:
    found = members.load_administrable(session, actor, parse_id(member_id, "member"))
    ask_first()
    return found.id


AdministrableMemberId = Annotated[UUID, Depends(_require_administrable, scope="function")]


def _set_administrator(
    session: Session, actor: Actor, member_id: UUID, *, wanted: bool, now: datetime
) -> MemberResponse:
    changed = members.set_administrator(session, actor, member_id, is_administrator=wanted, now=now)
    user = user_repository.find_user(session, member_id)
    assert user is not None  # changed just now
    if changed and actor.id != member_id:
        notices.notify_administrator_changed(session, user, _company_name_of(session, user), now=now)
    return MemberResponse.model_validate(user, from_attributes=True)


@router.put(
    "/members/{member_id}/administrator",
    summary="Grant administrator rights to a member",
    responses=error_responses(*CREATE_ERRORS),
)
def grant_administrator(
    member_id: AdministrableMemberId, actor: ActorDep, session: SessionDep, now: NowDep
) -> MemberResponse:
    """For administrators of the company, and for registrars with a recent second factor if the company has no
    administrator. The member is informed by mail."""
    return _set_administrator(session, actor, member_id, wanted=True, now=now)


@router.delete(
    "/members/{member_id}/administrator",
    summary="Revoke administrator rights of a member",
    responses=error_responses(*CREATE_ERRORS),
)
def revoke_administrator(
    member_id: AdministrableMemberId, actor: ActorDep, session: SessionDep, now: NowDep
) -> MemberResponse:
    """For administrators, also for themselves, and for registrars. The user stays a member. The last administrator
    cannot lose these rights (409 `last-administrator`).
    """
    return _set_administrator(session, actor, member_id, wanted=False, now=now)


@router.get("/invitations", summary="List open invitations of your company", responses=error_responses(*READ_ERRORS))
def list_invitations(actor: MemberActor, session: SessionDep, page: PageDep, now: NowDep) -> Page[InvitationResponse]:
    """Invitations that are neither accepted, withdrawn nor expired."""
    rows = members.list_open_invitations(session, actor, now, after=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return Page[InvitationResponse](
        items=[InvitationResponse.model_validate(row, from_attributes=True) for row in shown]
    )


@router.post("/invitations", status_code=201, summary="Invite a member", responses=error_responses(*CREATE_ERRORS))
def create_invitation(
    body: InvitationRequest,
    actor: AdministratorActor,
    session: SessionDep,
    secret_box: SecretBoxDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> InvitationResponse:
    """For administrators of a confirmed company. A token is mailed to the invited address; it can be used once, within
    a week.
    """
    row, token = members.invite_member(session, actor, email=str(body.email), now=now)
    company = organisation_repository.find_organisation(session, row.organisation_id)
    assert company is not None  # a foreign key
    notices.notify_invited(session, secret_box, row, token, company.legal_name_az, language=body.language, now=now)
    return InvitationResponse.model_validate(row, from_attributes=True)


@router.delete(
    "/invitations/{invitation_id}", summary="Withdraw an invitation", responses=error_responses(*CREATE_ERRORS)
)
def withdraw_invitation(
    invitation_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> InvitationResponse:
    """For administrators of the company. The mailed token can no longer be used."""
    row = members.withdraw_invitation(session, actor, parse_id(invitation_id, "invitation"), now)
    return InvitationResponse.model_validate(row, from_attributes=True)


@router.post(
    "/invitations/accept",
    status_code=201,
    summary="Accept an invitation",
    responses=error_responses(400, 404, 409, 413, 415, 422, 503),
)
def accept_invitation(
    body: InvitationAcceptRequest,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    now: NowDep,
    _retry: AnonymousIdempotentReplayDep,
) -> InvitationAcceptResponse:
    """No account is needed: this creates it, with the invited address. Then sign in."""
    with database.read_session() as reading:
        members.validate_invitation(reading, body.token, now)
    password_hash = passwords.hash(body.password)
    user = members.accept_invitation(
        session, body.token, full_name=body.full_name, password_hash=password_hash, language=body.language, now=now
    )
    assert user.organisation_id is not None  # a member of the company that invited
    return InvitationAcceptResponse(user_id=user.id, organisation_id=user.organisation_id)
