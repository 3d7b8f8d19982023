"""Which evidence document counts where several could. Pure.

Of the confirmed documents in scope that hold on the day, the one that holds longest counts, an open end before any day;
of equals the newest. Where none holds, the one that ended last is named. Documents on a state of things
(`newest_counts` of lists.toml) are different: the newest counts, whatever an older one said (`domain.md` §5.3).
"""

from collections.abc import Mapping
from datetime import date

from app.schemes.closed_lists import lists
from app.schemes.facts import Evidence, Item

Words = Mapping[str, tuple[str, ...]]
"""Value of a document → words of which it bears one."""
NO_WORDS: Words = {}


def confirmed(evidence: Evidence | None, kind: str, where: Words = NO_WORDS) -> tuple[Item, ...]:
    """Confirmed documents of the kind that name what they speak for and bear these words, newest first."""
    items = _newest_first(evidence, kind, confirmed=True)
    if not where:
        return items
    return tuple(item for item in items if all(item.values.get(name) in words for name, words in where.items()))


def awaiting(evidence: Evidence | None, kind: str) -> tuple[Item, ...]:
    """Documents of the kind that nobody has confirmed yet, newest first."""
    return _newest_first(evidence, kind, confirmed=False)


def _newest_first(evidence: Evidence | None, kind: str, *, confirmed: bool) -> tuple[Item, ...]:
    items = evidence.of_kind(kind) if evidence else ()
    speaking = [item for item in items if item.confirmed is confirmed and item.subject is not None]
    return tuple(sorted(speaking, key=_age, reverse=True))


def without_subject(evidence: Evidence | None, kind: str) -> bool:
    """Whether a document of the kind is here that speaks for nothing, because it names no product or site."""
    return any(item.subject is None for item in (evidence.of_kind(kind) if evidence else ()))


def choose(evidence: Evidence | None, kind: str, day: date, where: Words = NO_WORDS) -> Item | None:
    """The confirmed document that counts on the day: one that holds, else the one that ended last or begins first."""
    items = confirmed(evidence, kind, where)
    if kind in lists().newest_counts:
        return next(iter(items), None)
    if holding := [item for item in items if holds(item, day)]:
        return max(holding, key=_end_then_age)
    begun = [item for item in items if item.issued_on is None or item.issued_on <= day]
    return max(begun or items, key=_end_then_age, default=None)


def in_force(evidence: Evidence | None, kind: str, day: date) -> Item | None:
    """The confirmed document that counts on the day, if it holds: what an ended document says is not known any more."""
    item = choose(evidence, kind, day)
    return item if item is not None and holds(item, day) else None


def holds(item: Item, day: date) -> bool:
    """Whether the document is in force on the day: issued by then, and not yet ended."""
    begun = item.issued_on is None or item.issued_on <= day
    return begun and (item.valid_until is None or item.valid_until >= day)


def _age(item: Item) -> tuple[date, str]:
    return item.issued_on or date.min, item.id


def _end_then_age(item: Item) -> tuple[date, date, str]:
    return item.valid_until or date.max, item.issued_on or date.min, item.id
