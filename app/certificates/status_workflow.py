"""The life of a certificate as one table. Pure. Expiry is no state: it follows from the dates."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from app.certificates.model import CertificateStatus as Status
from app.core.actor import Actor, Role
from app.core.errors import Forbidden, WrongState
from app.core.messages import Message, word_of


class Deed(StrEnum):
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"
    SURRENDER = "surrender"


WHO_MAY: Mapping[Deed, Role] = MappingProxyType(
    {
        Deed.SUSPEND: Role.OWNER,
        Deed.REINSTATE: Role.OWNER,
        Deed.REVOKE: Role.OWNER,
        Deed.SURRENDER: Role.APPLICANT,  # the holder
    }
)

NEED_SECOND_FACTOR = frozenset({Deed.SUSPEND, Deed.REINSTATE, Deed.REVOKE})
"""What the owner does to the mark of somebody else takes more than a password."""

TRANSITIONS: Mapping[tuple[Status, Deed], Status] = MappingProxyType(
    {
        (Status.ACTIVE, Deed.SUSPEND): Status.SUSPENDED,
        (Status.SUSPENDED, Deed.SUSPEND): Status.SUSPENDED,  # for a further cause
        (Status.SUSPENDED, Deed.REINSTATE): Status.ACTIVE,  # once no cause is left
        (Status.ACTIVE, Deed.REVOKE): Status.REVOKED,
        (Status.SUSPENDED, Deed.REVOKE): Status.REVOKED,
        (Status.ACTIVE, Deed.SURRENDER): Status.SURRENDERED,
        (Status.SUSPENDED, Deed.SURRENDER): Status.SURRENDERED,
    }
)

FINAL = frozenset(Status) - {status for status, _ in TRANSITIONS}

AFTER_SURRENDER: Mapping[tuple[Status, Deed], Status] = MappingProxyType(
    {
        (Status.SURRENDERED, Deed.REVOKE): Status.REVOKED,
        (Status.SURRENDERED, Deed.REINSTATE): Status.SURRENDERED,  # a cause ends: the inquiry found nothing
    }
)
"""What the owner may still do to a certificate that was given back during an investigation: the inquiry goes on."""


def permit(deed: Deed, actor: Actor) -> None:
    if not actor.has(WHO_MAY[deed]):
        raise Forbidden(
            Message("“%(action)s” is for the role %(role)s.", action=word_of(deed), role=word_of(WHO_MAY[deed])),
            data={"role": WHO_MAY[deed].value},
        )


def step(status: Status, deed: Deed, *, during_investigation: bool = False) -> Status:
    """The next status, or a refusal that names the moves allowed now."""
    moves = {**TRANSITIONS, **AFTER_SURRENDER} if during_investigation else TRANSITIONS
    following = moves.get((status, deed))
    if following is None:
        allowed = [d.value for d in Deed if (status, d) in moves]
        raise WrongState("certificate", state=status, action=deed, allowed=allowed)
    return following
