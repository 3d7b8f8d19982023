"""Check the permissions of an actor: role, organisation, person and second factor. Every service calls these."""

from uuid import UUID

from app.core.actor import Actor, ActorKind, Role
from app.core.errors import AdministratorRequired, Forbidden, SecondFactorRequired
from app.core.messages import Message, join_alternatives, to_value_message


def require_role(actor: Actor, *roles: Role) -> None:
    """Require one of these roles. Services check it as well as routes. Raises `Forbidden`."""
    if not actor.has_role(*roles):
        names = [role.value for role in roles if role is not Role.SYSTEM] or [Role.SYSTEM.value]
        raise Forbidden(
            Message(
                "This is for the role %(roles)s.", roles=join_alternatives([to_value_message(name) for name in names])
            ),
            data={"roles": names},
        )


def require_staff(actor: Actor) -> None:
    """Require a staff role. Raises `Forbidden`."""
    if not actor.is_staff:
        raise Forbidden("This is for the staff of the mark.")


def require_organisation_id(actor: Actor) -> UUID:
    """Return the company that the actor acts for. Raises `Forbidden` for an actor without one."""
    if actor.organisation_id is None or not actor.has_role(Role.APPLICANT):
        raise Forbidden("This is for those who act for a company.", data={"roles": [Role.APPLICANT.value]})
    return actor.organisation_id


def require_person(actor: Actor) -> None:
    """Require a person: an API client must not create or end clients, or a stolen secret could prolong its access."""
    if actor.kind is not ActorKind.USER:
        raise Forbidden("API clients are made and revoked by a person of the company.")


def require_user_id(actor: Actor) -> UUID:
    """Return the user id of the actor. API clients never act on users and their permissions. Raises `Forbidden`."""
    if actor.kind is not ActorKind.USER or actor.id is None:
        raise Forbidden("This is done by a person, not by an API client.")
    return actor.id


def require_administrator(actor: Actor) -> UUID:
    """Return the user id of an administrator of a company. Raises `AdministratorRequired`."""
    user_id = require_user_id(actor)
    if not actor.is_administrator:
        raise AdministratorRequired("This is for administrators of your company; ask one of them.")
    return user_id


def require_second_factor(actor: Actor) -> None:
    """Require a recent authenticator code in this session, unless the actor is the system."""
    if actor.second_factor_at is None and not actor.has_role(Role.SYSTEM):
        raise SecondFactorRequired(
            "This needs a recent code of your authenticator: send it as `otp` to POST /v1/auth/step-up, or sign in "
            "with `otp`. Without an authenticator yet: POST /v1/me/second-factor."
        )


def can_read_organisation(actor: Actor, organisation_id: UUID) -> bool:
    """Whether the actor may read this company: staff read every company, others their own."""
    return actor.is_staff or actor.organisation_id == organisation_id
