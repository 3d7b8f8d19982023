"""The life of a certificate as one table. Pure. Expiry is no state: it follows from the dates."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from app.certificates.model import CertificateStatus as Status
from app.core.actor import Actor, Role
from app.core.errors import Forbidden, WrongState
from app.core.messages import Message, to_value_message


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
"""What the owner does to the mark of somebody else takes more than a password."""

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

FINAL_STATUSES = frozenset(Status) - {status for status, _ in TRANSITIONS}

TRANSITIONS_AFTER_SURRENDER: Mapping[tuple[Status, CertificateAction], Status] = MappingProxyType(
    {
        (Status.SURRENDERED, CertificateAction.REVOKE): Status.REVOKED,
        (
            Status.SURRENDERED,
            CertificateAction.REINSTATE,
        ): Status.SURRENDERED,  # a cause ends: the inquiry found nothing
    }
)
"""What the owner may still do to a certificate that was given back during an investigation: the inquiry goes on."""


def require_role(deed: CertificateAction, actor: Actor) -> None:
    if not actor.has_role(ACTION_ROLE[deed]):
        raise Forbidden(
            Message(
                "“%(action)s” is for the role %(role)s.",
                action=to_value_message(deed),
                role=to_value_message(ACTION_ROLE[deed]),
            ),
            data={"role": ACTION_ROLE[deed].value},
        )


def next_status(status: Status, deed: CertificateAction, *, during_investigation: bool = False) -> Status:
    """The next status, or a refusal that names the moves allowed now."""
    moves = {**TRANSITIONS, **TRANSITIONS_AFTER_SURRENDER} if during_investigation else TRANSITIONS
    following = moves.get((status, deed))
    if following is None:
        allowed = [d.value for d in CertificateAction if (status, d) in moves]
        raise WrongState("certificate", state=status, action=deed, allowed=allowed)
    return following
