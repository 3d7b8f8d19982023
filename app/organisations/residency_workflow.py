"""The life of a residency as one table: state, move → next state. Pure.

The state is not stored; it follows from two dates, so that no row can say “open” and carry an end. All moves belong to
the registrar, by hand or by an import of the register.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from app.core.errors import WrongState


class PeriodState(StrEnum):
    OPEN = "open"
    ENDED = "ended"  # ran out or was given up; `ends_on` is its last day
    CANCELLED = "cancelled"  # taken back by the park


class Move(StrEnum):
    END = "end"
    CANCEL = "cancel"
    RESTORE = "restore"
    UPDATE = "update"  # stage and other particulars


MOVES: Mapping[tuple[PeriodState, Move], PeriodState] = MappingProxyType(
    {
        (PeriodState.OPEN, Move.END): PeriodState.ENDED,
        (PeriodState.OPEN, Move.CANCEL): PeriodState.CANCELLED,
        (PeriodState.OPEN, Move.UPDATE): PeriodState.OPEN,
        (PeriodState.ENDED, Move.RESTORE): PeriodState.OPEN,
        (PeriodState.CANCELLED, Move.RESTORE): PeriodState.OPEN,
    }
)


def state_of(ends_on: date | None, cancelled_on: date | None) -> PeriodState:
    if cancelled_on is not None:
        return PeriodState.CANCELLED
    return PeriodState.OPEN if ends_on is None else PeriodState.ENDED


def step(state: PeriodState, move: Move) -> PeriodState:
    """The next state, or a refusal that names the moves possible now."""
    following = MOVES.get((state, move))
    if following is None:
        allowed = [m.value for s, m in MOVES if s is state]
        raise WrongState("residency", state=state, action=move, allowed=allowed)
    return following
