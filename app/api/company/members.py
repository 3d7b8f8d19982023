"""The people of a company, for themselves; and the way in for whoever holds an invitation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import EmailStr, Field, StringConstraints
from sqlalchemy.orm import Session

from app.api.company.me import Language, NewPassword
from app.auth import user_repository
from app.auth.model import User
from app.auth.permissions import own_organisation, person, require_administrator
from app.core.actor import Actor, Role
from app.notifications import notices
from app.organisations import members, organisation_repository
from app.web.dependencies import (
    ActorDep,
    AnonymousReplayDep,
    AskFirstDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    ReplayDep,
    SealDep,
    SessionDep,
    allow,
    parse_id,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATES, READS, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Answer, Body, Name, Page

router = APIRouter(prefix="/v1", tags=["members"], route_class=OrderedRoute)


def _person(actor: Annotated[Actor, allow(Role.APPLICANT)]) -> Actor:
    person(actor)
    own_organisation(actor)
    return actor


def _administrator(actor: Annotated[Actor, allow(Role.APPLICANT)]) -> Actor:
    require_administrator(actor)
    return actor


Member = Annotated[Actor, Depends(_person, scope="function")]
Administrator = Annotated[Actor, Depends(_administrator, scope="function")]


class MemberAnswer(Answer):
    id: UUID
    full_name: str
    email: str
    administrator: bool = Field(
        validation_alias="is_administrator", description="invites and removes members, manages API clients"
    )
    created_at: datetime


class NewInvitation(Body):
    email: EmailStr = Field(max_length=254, examples=["sales@numune.example"])
    language: Language | None = Field(None, description="of messages to this person")


class InvitationAnswer(Answer):
    id: UUID
    email: str
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class Acceptance(Body):
    token: Annotated[str, StringConstraints(max_length=200)] = Field(description="from the message")
    full_name: Name = Field(examples=["Kənan Nümunə"])
    password: NewPassword
    language: Language | None = Field(None, description="of messages to you")


class Joined(Answer):
    user_id: UUID
    organisation_id: UUID


class PartedAnswer(Answer):
    id: UUID
    api_clients: list[UUID] = Field(
        description="programs that this person made and that still run: who knows a secret keeps it, so revoke them"
    )


@router.get("/members", summary="Members of your company", responses=refuses(*READS))
def list_members(actor: Member, session: SessionDep, page: PageDep) -> Page[MemberAnswer]:
    rows = members.list_members(session, actor, after=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return Page[MemberAnswer](items=[MemberAnswer.model_validate(row, from_attributes=True) for row in shown])


def _present(member_id: str, actor: ActorDep, session: SessionDep, ask_first: AskFirstDep) -> UUID:
    person(actor)
    ask_first()  # who is removed is gone: a retry finds the kept answer of its own first request, not a 404
    return members.guard(session, actor, parse_id(member_id, "member")).id


@router.delete("/members/{member_id}", summary="Remove a member, or leave", responses=refuses(*CREATES))
def remove_member(
    member_id: Annotated[UUID, Depends(_present, scope="function")],
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
) -> PartedAnswer:
    """By an administrator of the company; anybody may leave. Sessions and tokens end at once, and who was removed is
    told by mail. The last administrator cannot go: nobody could act for the company any more."""
    parted = members.remove(session, actor, member_id, now)
    if actor.id != member_id:
        notices.member_removed(session, parted.user, _company_of(session, parted.user), now=now)
    return PartedAnswer(id=parted.user.id, api_clients=[client.id for client in parted.clients])


def _company_of(session: Session, user: User) -> str:
    company = organisation_repository.organisation(session, user.organisation_id) if user.organisation_id else None
    return company.legal_name_az if company else ""


def _administrable(member_id: str, actor: ActorDep, session: SessionDep, ask_first: AskFirstDep) -> UUID:
    found = members.administrable(session, actor, parse_id(member_id, "member"))
    ask_first()
    return found.id


Administrable = Annotated[UUID, Depends(_administrable, scope="function")]


def _set_administrator(session: Session, actor: Actor, member_id: UUID, *, wanted: bool, now: datetime) -> MemberAnswer:
    changed = members.set_administrator(session, actor, member_id, wanted=wanted, now=now)
    user = user_repository.user(session, member_id)
    assert user is not None  # changed just now
    if changed and actor.id != member_id:
        notices.administrator_changed(session, user, _company_of(session, user), now=now)
    return MemberAnswer.model_validate(user, from_attributes=True)


@router.put("/members/{member_id}/administrator", summary="Make an administrator", responses=refuses(*CREATES))
def make_administrator(member_id: Administrable, actor: ActorDep, session: SessionDep, now: NowDep) -> MemberAnswer:
    """By an administrator of the company, or by a registrar with a recent second factor where a company has nobody left
    who could. The member is told by mail."""
    return _set_administrator(session, actor, member_id, wanted=True, now=now)


@router.delete(
    "/members/{member_id}/administrator", summary="Take the rights of an administrator", responses=refuses(*CREATES)
)
def take_administrator(member_id: Administrable, actor: ActorDep, session: SessionDep, now: NowDep) -> MemberAnswer:
    """By another administrator, by oneself, or by a registrar. They stay a member. Not of the last administrator: 409
    `last-administrator`."""
    return _set_administrator(session, actor, member_id, wanted=False, now=now)


@router.get("/invitations", summary="Open invitations of your company", responses=refuses(*READS))
def list_invitations(actor: Member, session: SessionDep, page: PageDep, now: NowDep) -> Page[InvitationAnswer]:
    rows = members.open_invitations(session, actor, now, after=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return Page[InvitationAnswer](items=[InvitationAnswer.model_validate(row, from_attributes=True) for row in shown])


@router.post("/invitations", status_code=201, summary="Invite a member", responses=refuses(*CREATES))
def invite(
    body: NewInvitation, actor: Administrator, session: SessionDep, seal: SealDep, now: NowDep, _retry: ReplayDep
) -> InvitationAnswer:
    """By an administrator of the company, which must be confirmed. The token is mailed to the invited address; it is
    good once, for a week."""
    row, token = members.invite(session, actor, email=str(body.email), now=now)
    company = organisation_repository.organisation(session, row.organisation_id)
    assert company is not None  # it invites
    notices.invited(session, seal, row, token, company.legal_name_az, language=body.language, now=now)
    return InvitationAnswer.model_validate(row, from_attributes=True)


@router.delete("/invitations/{invitation_id}", summary="Withdraw an invitation", responses=refuses(*CREATES))
def withdraw(
    invitation_id: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> InvitationAnswer:
    row = members.withdraw(session, actor, parse_id(invitation_id, "invitation"), now)
    return InvitationAnswer.model_validate(row, from_attributes=True)


@router.post(
    "/invitations/accept",
    status_code=201,
    summary="Accept an invitation",
    responses=refuses(400, 404, 409, 413, 415, 422, 503),
)
def accept(
    body: Acceptance,
    session: SessionDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    now: NowDep,
    _retry: AnonymousReplayDep,
) -> Joined:
    """No account is needed: this makes it. The address is the one that was invited, which alone got the token; then
    sign in."""
    with database.read_session() as reading:
        members.look(reading, body.token, now)
    password_hash = passwords.hash(body.password)
    user = members.accept(
        session, body.token, full_name=body.full_name, password_hash=password_hash, language=body.language, now=now
    )
    assert user.organisation_id is not None  # a member of the company that invited
    return Joined(user_id=user.id, organisation_id=user.organisation_id)
