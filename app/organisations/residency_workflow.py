"""Define the states of a residency as a table: state, action → next state. Pure.

The state is not stored but derived from two dates, so that no row can be open and have an end. All actions belong to
the registrar, directly or by an import of the register.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from app.core.errors import WrongState


class ResidencyState(StrEnum):
    OPEN = "open"
    ENDED = "ended"  # expired or given up; `ends_on` is its last day
    CANCELLED = "cancelled"  # withdrawn by the park


class ResidencyAction(StrEnum):
    END = "end"
    CANCEL = "cancel"
    RESTORE = "restore"
    UPDATE = "update"  # stage and other particulars


RESIDENCY_TRANSITIONS: Mapping[tuple[ResidencyState, ResidencyAction], ResidencyState] = MappingProxyType(
    {
        (ResidencyState.OPEN, ResidencyAction.END): ResidencyState.ENDED,
        (ResidencyState.OPEN, ResidencyAction.CANCEL): ResidencyState.CANCELLED,
        (ResidencyState.OPEN, ResidencyAction.UPDATE): ResidencyState.OPEN,
        (ResidencyState.ENDED, ResidencyAction.RESTORE): ResidencyState.OPEN,
        (ResidencyState.CANCELLED, ResidencyAction.RESTORE): ResidencyState.OPEN,
    }
)


def state_of(ends_on: date | None, cancelled_on: date | None) -> ResidencyState:
    if cancelled_on is not None:
        return ResidencyState.CANCELLED
    return ResidencyState.OPEN if ends_on is None else ResidencyState.ENDED


def next_state(state: ResidencyState, action: ResidencyAction) -> ResidencyState:
    """Return the next state. Raises `WrongState`, which names the actions possible now."""
    following = RESIDENCY_TRANSITIONS.get((state, action))
    if following is None:
        allowed = [m.value for s, m in RESIDENCY_TRANSITIONS if s is state]
        raise WrongState("residency", state=state, action=action, allowed=allowed)
    return following
