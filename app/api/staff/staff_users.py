"""Manage staff users and their roles: one owner creates them and revokes a role; two grant one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import EmailStr, Field

from app.api.staff.proposals import ProposalResponse, proposal_response
from app.auth import session_repository, staff_admin, user_repository
from app.auth.credentials import password_resets
from app.auth.model import User
from app.auth.permissions import require_second_factor
from app.core.actor import Actor, Role
from app.core.errors import NotFound
from app.notifications import notices
from app.web.dependencies import (
    ActorDep,
    IdempotentReplayDep,
    NowDep,
    ProposalsDep,
    SecretBoxDep,
    SessionDep,
    parse_id,
    require_role,
)
from app.web.pagination import PageDep
from app.web.problems.openapi_responses import CREATE_ERRORS, READ_ERRORS, error_responses
from app.web.routes import GuardedRoute
from app.web.schema_types import Page, RequestModel, ResponseModel, Text250

router = APIRouter(prefix="/v1", tags=["users"], route_class=GuardedRoute)

Reader = Annotated[Actor, require_role(*staff_admin.READER_ROLES)]
Owner = Annotated[Actor, require_role(Role.OWNER)]
StaffRole = Literal[Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.OWNER, Role.AUDITOR, Role.INSPECTOR]


class UserResponse(ResponseModel):
    id: UUID
    email: str
    full_name: str
    roles: list[Role]
    active: bool
    second_factor: bool = Field(description="whether an authenticator is active")
    created_at: datetime


class UserCreateRequest(RequestModel):
    email: EmailStr = Field(max_length=254, examples=["reviewer@azpromo.example"])
    full_name: Text250 = Field(examples=["Leyla Nümunə"])
    roles: list[StaffRole] = Field(default=[], max_length=6, description="proposed roles; another owner confirms each")


class PasswordResetMailedResponse(ResponseModel):
    """A one-time token to set a password was mailed to the address of the account."""

    user_id: UUID
    expires_at: datetime


class UserCreateResponse(UserResponse):
    proposals: list[ProposalResponse]


def _user_responses(session: SessionDep, rows: Sequence[User]) -> list[UserResponse]:
    ids = [row.id for row in rows]
    roles, enrolled = (
        user_repository.get_roles_of_users(session, ids),
        session_repository.find_enrolled_user_ids(session, ids),
    )
    return [
        UserResponse(
            id=row.id,
            email=row.current_or_former_email,
            full_name=row.full_name,
            roles=sorted(roles.get(row.id, ())),
            active=row.active,
            second_factor=row.id in enrolled,
            created_at=row.created_at,
        )
        for row in rows
    ]


@router.get("/users", summary="List staff users", responses=error_responses(*READ_ERRORS))
def list_users(_actor: Reader, session: SessionDep, page: PageDep) -> Page[UserResponse]:
    """Oldest first. Members of companies are not listed."""
    rows = page.cut(user_repository.list_staff(session, page.after, page.fetch), lambda row: row.id)
    return Page[UserResponse](items=_user_responses(session, rows))


def _require_can_create(actor: Owner) -> Actor:
    require_second_factor(actor)
    return actor


@router.post("/users", status_code=201, summary="Create a staff user", responses=error_responses(*CREATE_ERRORS))
def create_user(
    body: UserCreateRequest,
    actor: Annotated[Actor, Depends(_require_can_create, scope="function")],
    session: SessionDep,
    secret_box: SecretBoxDep,
    service: ProposalsDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> UserCreateResponse:
    """For owners with a second factor. A token to set a password is mailed to the address. The user has no role until
    another owner confirms the requested ones."""
    row, reset, token = staff_admin.create_staff_user(
        session, actor, email=str(body.email), full_name=body.full_name, now=now
    )
    made = [
        service.propose(session, actor, "role", {"user_id": row.id, "role": role}, now)
        for role in sorted(set(body.roles))
    ]
    notices.notify_reset_issued(session, secret_box, row, reset, token, now=now)
    session.flush()
    user = _user_responses(session, [row])[0]
    return UserCreateResponse(**user.model_dump(), proposals=[proposal_response(each, now) for each in made])


@router.get("/users/{user_id}", summary="Get a staff user", responses=error_responses(*READ_ERRORS))
def get_user(user_id: str, actor: Reader, session: SessionDep) -> UserResponse:
    """For owners and auditors. Members of companies are not found."""
    return _user_responses(session, [staff_admin.get_staff_user(session, actor, parse_id(user_id, "member of staff"))])[
        0
    ]


def _require_changeable(user_id: str, actor: Owner, session: SessionDep) -> UUID:
    """Load the user before the body is validated, so that 404 and 403 come first."""
    return staff_admin.load_changeable(session, actor, parse_id(user_id, "member of staff")).id


ChangeableUserId = Annotated[UUID, Depends(_require_changeable, scope="function")]


@router.delete("/users/{user_id}", summary="Deactivate a staff user", responses=error_responses(*CREATE_ERRORS))
def deactivate_user(
    user_id: ChangeableUserId, actor: ActorDep, session: SessionDep, now: NowDep, _retry: IdempotentReplayDep
) -> UserResponse:
    """For owners; takes effect at once, and sessions end. The last owner cannot be deactivated."""
    row = staff_admin.deactivate_staff_user(session, actor, user_id, now)
    notices.notify_account_closed(session, row, now=now)
    session.flush()
    return _user_responses(session, [row])[0]


RoleName = Annotated[
    str, Path(description="name of the role", json_schema_extra={"enum": [role.value for role in get_args(StaffRole)]})
]


@router.delete("/users/{user_id}/roles/{role}", summary="Revoke a role", responses=error_responses(*CREATE_ERRORS))
def revoke_role(
    user_id: ChangeableUserId,
    role: RoleName,
    actor: ActorDep,
    session: SessionDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> UserResponse:
    """For owners; takes effect at once. The role of the last owner cannot be revoked."""
    try:
        revoked = Role(role)
    except ValueError:
        raise NotFound.of("role") from None
    row = staff_admin.revoke_role(session, actor, user_id, revoked, now)
    notices.notify_role_revoked(session, row, revoked, now=now)
    session.flush()
    return _user_responses(session, [row])[0]


@router.post(
    "/users/{user_id}/password-resets",
    status_code=201,
    summary="Mail a password-reset token",
    responses=error_responses(*CREATE_ERRORS),
)
def issue_password_reset(
    user_id: str,
    actor: Annotated[Actor, require_role(Role.REGISTRAR, Role.OWNER)],
    session: SessionDep,
    secret_box: SecretBoxDep,
    now: NowDep,
    _retry: IdempotentReplayDep,
) -> PasswordResetMailedResponse:
    """Registrars reset passwords of company members, owners those of staff. The token is mailed to the address of the
    account; it can be used once, within a day. Earlier tokens become invalid."""
    user, row, token = password_resets.issue_reset(session, actor, parse_id(user_id, "user"), now)
    notices.notify_reset_issued(session, secret_box, user, row, token, now=now)
    return PasswordResetMailedResponse(user_id=row.user_id, expires_at=row.expires_at)
