"""The people of a company, for themselves; and the way in for whoever holds an invitation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import EmailStr, Field, StringConstraints

from app.access.rights import own_organisation, person
from app.actor import Actor, Role
from app.api.account import NewPassword
from app.registry import members
from app.web.deps import (
    ActorDep,
    AnonymousReplayDep,
    AskFirstDep,
    DatabaseDep,
    NowDep,
    PasswordsDep,
    ReplayDep,
    SessionDep,
    allow,
    parse_id,
)
from app.web.fields import SHOWN_ONCE, Answer, Body, Name
from app.web.paging import PageDep
from app.web.refusals import CREATES, READS, refuses
from app.web.routing import OrderedRoute

router = APIRouter(prefix="/v1", tags=["members"], route_class=OrderedRoute)


def _person(actor: Annotated[Actor, allow(Role.APPLICANT)]) -> Actor:
    person(actor)
    own_organisation(actor)
    return actor


Member = Annotated[Actor, Depends(_person, scope="function")]


class MemberAnswer(Answer):
    id: UUID
    full_name: str
    email: str
    created_at: datetime


class NewInvitation(Body):
    email: EmailStr = Field(max_length=254, examples=["sales@numune.example"])


class InvitationAnswer(Answer):
    id: UUID
    email: str
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class InvitationWithToken(InvitationAnswer):
    token: str | None = Field(description=f"for the invited person; {SHOWN_ONCE}")


class Acceptance(Body):
    token: Annotated[str, StringConstraints(max_length=200)]
    full_name: Name = Field(examples=["Kənan Nümunə"])
    password: NewPassword


class Joined(Answer):
    user_id: UUID
    organisation_id: UUID


class PartedAnswer(Answer):
    id: UUID
    api_clients: list[UUID] = Field(
        description="programs that this person made and that still run: who knows a secret keeps it, so revoke them"
    )


@router.get("/members", summary="Members of your company", responses=refuses(*READS))
def list_members(actor: Member, session: SessionDep, page: PageDep) -> dict[str, list[MemberAnswer]]:
    rows = members.list_members(session, actor, after=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return {"items": [MemberAnswer.model_validate(row, from_attributes=True) for row in shown]}


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
    """Sessions and tokens end at once. The last member cannot go: nobody could act for the company any more."""
    parted = members.remove(session, actor, member_id, now)
    return PartedAnswer(id=parted.user.id, api_clients=[client.id for client in parted.clients])


@router.get("/invitations", summary="Open invitations of your company", responses=refuses(*READS))
def list_invitations(
    actor: Member, session: SessionDep, page: PageDep, now: NowDep
) -> dict[str, list[InvitationAnswer]]:
    rows = members.open_invitations(session, actor, now, after=page.after, limit=page.fetch)
    shown = page.cut(rows, lambda row: row.id)
    return {"items": [InvitationAnswer.model_validate(row, from_attributes=True) for row in shown]}


@router.post("/invitations", status_code=201, summary="Invite a member", responses=refuses(*CREATES))
def invite(
    body: NewInvitation, actor: Member, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> InvitationWithToken:
    """Hand the token over yourself; it is good once, for a week. Your company must be confirmed."""
    row, token = members.invite(session, actor, email=str(body.email), now=now)
    shown = InvitationAnswer.model_validate(row, from_attributes=True)
    return InvitationWithToken(**shown.model_dump(), token=token)


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
    """No account is needed: this makes it. The address is the one that was invited; then sign in."""
    with database.read_session() as reading:
        members.look(reading, body.token, now)
    password_hash = passwords.hash(body.password)
    user = members.accept(session, body.token, full_name=body.full_name, password_hash=password_hash, now=now)
    assert user.organisation_id is not None  # a member of the company that invited
    return Joined(user_id=user.id, organisation_id=user.organisation_id)
