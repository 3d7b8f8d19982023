"""Staff and their roles, for the owners of the mark: two to give a right, one to take it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import EmailStr, Field

from app.auth import session_repository, staff_admin, user_repository
from app.auth.credentials import password_resets
from app.auth.model import AccessRequest, RequestKind, RequestState, User
from app.auth.permissions import require_second_factor
from app.core.actor import Actor, Role
from app.core.errors import NotFound
from app.notifications import notices
from app.web.dependencies import ActorDep, NowDep, ReplayDep, SealDep, SessionDep, VersionDep, allow, etag, parse_id
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CHANGES, CREATES, READS, refuses
from app.web.routes import OrderedRoute
from app.web.schema_types import Answer, Body, Name, Page

router = APIRouter(prefix="/v1", tags=["users"], route_class=OrderedRoute)

Reader = Annotated[Actor, allow(*staff_admin.READERS)]
Owner = Annotated[Actor, allow(Role.OWNER)]
StaffRole = Literal[Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.OWNER, Role.AUDITOR, Role.INSPECTOR]


class UserAnswer(Answer):
    id: UUID
    email: str
    full_name: str
    roles: list[Role]
    active: bool
    second_factor: bool = Field(description="whether an authenticator is in force")
    created_at: datetime


class RequestAnswer(Answer):
    id: UUID
    user_id: UUID
    kind: RequestKind
    role: Role | None
    state: RequestState
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    version: int


class NewUser(Body):
    email: EmailStr = Field(max_length=254, examples=["reviewer@azpromo.example"])
    full_name: Name = Field(examples=["Leyla Nümunə"])
    roles: list[StaffRole] = Field(default=[], max_length=6, description="asked for; another owner confirms each")


class ResetMailed(Answer):
    """A one-time token that sets a password was mailed to the account's own address. Nobody else sees it."""

    user_id: UUID
    expires_at: datetime


class NewUserAnswer(UserAnswer):
    requests: list[RequestAnswer]


class RoleBody(Body):
    role: StaffRole


def _users(session: SessionDep, rows: Sequence[User]) -> list[UserAnswer]:
    ids = [row.id for row in rows]
    roles, enrolled = user_repository.roles_of_all(session, ids), session_repository.with_second_factor(session, ids)
    return [
        UserAnswer(
            id=row.id,
            email=row.address,
            full_name=row.full_name,
            roles=sorted(roles.get(row.id, ())),
            active=row.active,
            second_factor=row.id in enrolled,
            created_at=row.created_at,
        )
        for row in rows
    ]


def _request(row: AccessRequest, response: Response | None = None) -> RequestAnswer:
    if response is not None:
        response.headers["ETag"] = etag(row.version)
    return RequestAnswer.model_validate(row, from_attributes=True)


@router.get("/users", summary="Staff", responses=refuses(*READS))
def list_users(_actor: Reader, session: SessionDep, page: PageDep) -> Page[UserAnswer]:
    rows = page.cut(user_repository.staff(session, page.after, page.fetch), lambda row: row.id)
    return Page[UserAnswer](items=_users(session, rows))


def _may_create(actor: Owner) -> Actor:
    require_second_factor(actor)
    return actor


@router.post("/users", status_code=201, summary="Create a member of staff", responses=refuses(*CREATES))
def create_user(
    body: NewUser,
    actor: Annotated[Actor, Depends(_may_create, scope="function")],
    session: SessionDep,
    seal: SealDep,
    now: NowDep,
    _retry: ReplayDep,
) -> NewUserAnswer:
    """Without a password: a token that sets it is mailed to the address. Without a role: another owner confirms the
    ones you ask for."""
    roles = [Role(role) for role in body.roles]
    row, reset, token = staff_admin.create(
        session, actor, email=str(body.email), full_name=body.full_name, roles=roles, now=now
    )
    notices.reset_issued(session, seal, row, reset, token, now=now)
    session.flush()
    asked = session_repository.requests(session, state=RequestState.OPEN, user_id=row.id, after=None, limit=len(Role))
    user = _users(session, [row])[0]
    return NewUserAnswer(**user.model_dump(), requests=[_request(each) for each in asked])


@router.get("/users/{user_id}", summary="One member of staff", responses=refuses(*READS))
def get_user(user_id: str, actor: Reader, session: SessionDep) -> UserAnswer:
    return _users(session, [staff_admin.member_of_staff(session, actor, parse_id(user_id, "member of staff"))])[0]


def _changeable(user_id: str, actor: Owner, session: SessionDep) -> UUID:
    """Refusals that do not depend on the body come before it is looked at (404, 403)."""
    return staff_admin.changeable(session, actor, parse_id(user_id, "member of staff")).id


Changeable = Annotated[UUID, Depends(_changeable, scope="function")]


@router.delete("/users/{user_id}", summary="Remove a member of staff", responses=refuses(*CREATES))
def deactivate(user_id: Changeable, actor: ActorDep, session: SessionDep, now: NowDep, _retry: ReplayDep) -> UserAnswer:
    """At once, by one owner; sessions end. The last owner cannot be removed."""
    row = staff_admin.deactivate(session, actor, user_id, now)
    notices.account_closed(session, row, now=now)
    session.flush()
    return _users(session, [row])[0]


@router.post("/users/{user_id}/role-requests", status_code=201, summary="Request a role", responses=refuses(*CREATES))
def ask_for_role(
    user_id: Changeable,
    body: RoleBody,
    actor: ActorDep,
    session: SessionDep,
    response: Response,
    now: NowDep,
    _retry: ReplayDep,
) -> RequestAnswer:
    """Another owner confirms it; nobody confirms what is for himself."""
    return _request(staff_admin.ask_for_role(session, actor, user_id, Role(body.role), now), response)


@router.delete("/users/{user_id}/roles/{role}", summary="Revoke a role", responses=refuses(*CREATES))
def take_role(
    user_id: Changeable, role: str, actor: ActorDep, session: SessionDep, now: NowDep, _retry: ReplayDep
) -> UserAnswer:
    """At once, by one owner. The last owner stays."""
    try:
        taken = Role(role)
    except ValueError:
        raise NotFound.of("role") from None
    row = staff_admin.take_role(session, actor, user_id, taken, now)
    notices.role_taken(session, row, taken, now=now)
    session.flush()
    return _users(session, [row])[0]


@router.post(
    "/users/{user_id}/second-factor-requests",
    status_code=201,
    summary="Request the reset of a lost authenticator",
    responses=refuses(*CREATES),
)
def ask_for_reset(
    user_id: Changeable, actor: ActorDep, session: SessionDep, response: Response, now: NowDep, _retry: ReplayDep
) -> RequestAnswer:
    """Another owner confirms it: with a reset of the password it opens an account, and nobody alone becomes another."""
    return _request(staff_admin.ask_for_second_factor_reset(session, actor, user_id, now), response)


@router.post(
    "/users/{user_id}/password-resets",
    status_code=201,
    summary="Mail a password-reset token",
    responses=refuses(*CREATES),
)
def issue_reset(
    user_id: str,
    actor: Annotated[Actor, allow(Role.REGISTRAR, Role.OWNER)],
    session: SessionDep,
    seal: SealDep,
    now: NowDep,
    _retry: ReplayDep,
) -> ResetMailed:
    """For members of companies by the registrar, for staff by an owner. The token goes to the account's own address; it
    is good once, for a day, and an earlier one ends."""
    user, row, token = password_resets.issue(session, actor, parse_id(user_id, "user"), now)
    notices.reset_issued(session, seal, user, row, token, now=now)
    return ResetMailed(user_id=row.user_id, expires_at=row.expires_at)


@router.get("/access-requests", summary="List access requests", responses=refuses(*READS))
def list_requests(
    _actor: Reader, session: SessionDep, page: PageDep, state: RequestState | None = None
) -> Page[RequestAnswer]:
    rows = session_repository.requests(session, state=state, after=page.after, limit=page.fetch)
    return Page[RequestAnswer](items=[_request(row) for row in page.cut(rows, lambda row: row.id)])


@router.get("/access-requests/{request_id}", summary="One access request", responses=refuses(*READS))
def get_request(request_id: str, actor: Reader, session: SessionDep, response: Response) -> RequestAnswer:
    return _request(staff_admin.request_of(session, actor, parse_id(request_id, "request")), response)


@router.post("/access-requests/{request_id}/confirm", summary="Approve an access request", responses=refuses(*CHANGES))
def confirm(
    request_id: str, actor: Owner, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> RequestAnswer:
    """By another owner than the one who asked, and never by the one it is for."""
    row = staff_admin.confirm(session, actor, parse_id(request_id, "request"), version, now)
    if row.role is not None and (user := user_repository.user(session, row.user_id)) is not None:
        notices.role_granted(session, user, Role(row.role), now=now)
    return _request(row, response)


@router.post(
    "/access-requests/{request_id}/refuse", summary="Reject or withdraw an access request", responses=refuses(*CHANGES)
)
def refuse(
    request_id: str, actor: Owner, session: SessionDep, response: Response, version: VersionDep, now: NowDep
) -> RequestAnswer:
    """By any owner; by the one who asked it is taken back."""
    return _request(staff_admin.refuse(session, actor, parse_id(request_id, "request"), version, now), response)
