"""Places in the status lists for certificates about to be issued."""

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from app.certificates import status_list, status_list_store, store

LIST_IS_FULL = status_list.ENTRIES * 3 // 4
"""Beyond three quarters a random draw meets too many taken places: the next list is opened."""


def reserve(session: Session, draw: Callable[[int], int], many: int) -> list[tuple[int, int]]:
    """Number of the list and index in it, for so many certificates: random places in the present list, never used
    before. `draw(n)` gives a random whole number in 0..n-1. The counter's lock makes two issuers take turns."""
    used = store.next_numbers(session, "status-index", many)
    wanted = Counter((each - 1) // LIST_IS_FULL + 1 for each in used)
    reserved = []
    for list_id, count in wanted.items():
        status_list_store.open_list(session, list_id)
        reserved += [(list_id, index) for index in _free(session, draw, list_id, count)]
    return reserved


def _free(session: Session, draw: Callable[[int], int], list_id: int, many: int) -> Sequence[int]:
    """In the order of the draw: a sorted one would tell which certificates were issued together."""
    free: dict[int, None] = {}
    while len(free) < many:
        drawn = dict.fromkeys(draw(status_list.ENTRIES) for _ in range(many - len(free)))
        taken = store.taken(session, list_id, list(drawn))
        free |= {index: None for index in drawn if index not in taken}
    return list(free)
