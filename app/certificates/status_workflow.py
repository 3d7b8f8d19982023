"""Define the status transitions of a certificate as one table. Pure.

Expiry is not a status: it follows from the dates.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from app.certificates.model import CertificateStatus as Status
from app.core.actor import Actor, Role
from app.core.errors import Forbidden, WrongState
from app.core.messages import Message, to_value_message
from app.transparency import logged_status


class CertificateAction(StrEnum):
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"
    SURRENDER = "surrender"


ACTION_ROLE: Mapping[CertificateAction, Role] = MappingProxyType(
    {
        CertificateAction.SUSPEND: Role.OWNER,
        CertificateAction.REINSTATE: Role.OWNER,
        CertificateAction.REVOKE: Role.OWNER,
        CertificateAction.SURRENDER: Role.APPLICANT,  # the holder
    }
)

SECOND_FACTOR_ACTIONS = frozenset({CertificateAction.SUSPEND, CertificateAction.REINSTATE, CertificateAction.REVOKE})
"""Actions of the owner on another company's certificate require a second factor."""

TRANSITIONS: Mapping[tuple[Status, CertificateAction], Status] = MappingProxyType(
    {
        (Status.ACTIVE, CertificateAction.SUSPEND): Status.SUSPENDED,
        (Status.SUSPENDED, CertificateAction.SUSPEND): Status.SUSPENDED,  # for a further cause
        (Status.SUSPENDED, CertificateAction.REINSTATE): Status.ACTIVE,  # once no cause is left
        (Status.ACTIVE, CertificateAction.REVOKE): Status.REVOKED,
        (Status.SUSPENDED, CertificateAction.REVOKE): Status.REVOKED,
        (Status.ACTIVE, CertificateAction.SURRENDER): Status.SURRENDERED,
        (Status.SUSPENDED, CertificateAction.SURRENDER): Status.SURRENDERED,
    }
)

FINAL_STATUSES = frozenset(map(Status, logged_status.FINAL_STATUSES))

TRANSITIONS_AFTER_SURRENDER: Mapping[tuple[Status, CertificateAction], Status] = MappingProxyType(
    {
        (Status.SURRENDERED, CertificateAction.REVOKE): Status.REVOKED,
        (
            Status.SURRENDERED,
            CertificateAction.REINSTATE,
        ): Status.SURRENDERED,  # a cause ends: the inquiry found nothing
    }
)
"""Owner actions on a certificate surrendered during an investigation: the inquiry continues."""


def require_role(action: CertificateAction, actor: Actor) -> None:
    if not actor.has_role(ACTION_ROLE[action]):
        raise Forbidden(
            Message(
                "“%(action)s” is for the role %(role)s.",
                action=to_value_message(action),
                role=to_value_message(ACTION_ROLE[action]),
            ),
            data={"role": ACTION_ROLE[action].value},
        )


def next_status(status: Status, action: CertificateAction, *, during_investigation: bool = False) -> Status:
    """Return the next status. Raises `WrongState` with the actions allowed now."""
    transitions = {**TRANSITIONS, **TRANSITIONS_AFTER_SURRENDER} if during_investigation else TRANSITIONS
    new_status = transitions.get((status, action))
    if new_status is None:
        allowed = [other.value for other in CertificateAction if (status, other) in transitions]
        raise WrongState("certificate", state=status, action=action, allowed=allowed)
    return new_status
