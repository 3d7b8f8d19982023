"""Which evidence document counts where several could. Pure.

Of the confirmed documents in scope that hold on the day, the one that holds longest counts, an open end before any day;
of equals the newest. Where none holds, the one that ended last is named. Documents on a state of things
(`newest_counts` of lists.toml) are different: the newest counts, whatever an older one said (`domain.md` §5.3).
"""

from collections.abc import Mapping
from datetime import date

from app.schemes.closed_lists import load_lists
from app.schemes.facts import Evidence, EvidenceItem

RequiredWords = Mapping[str, tuple[str, ...]]
"""Value of a document → words of which it bears one."""
NO_REQUIRED_WORDS: RequiredWords = {}


def confirmed_documents(
    evidence: Evidence | None, kind: str, where: RequiredWords = NO_REQUIRED_WORDS
) -> tuple[EvidenceItem, ...]:
    """Confirmed documents of the kind that name what they speak for and bear these words, newest first."""
    items = _newest_first(evidence, kind, confirmed=True)
    if not where:
        return items
    return tuple(item for item in items if all(item.values.get(name) in words for name, words in where.items()))


def unconfirmed_documents(evidence: Evidence | None, kind: str) -> tuple[EvidenceItem, ...]:
    """Documents of the kind that nobody has confirmed yet, newest first."""
    return _newest_first(evidence, kind, confirmed=False)


def _newest_first(evidence: Evidence | None, kind: str, *, confirmed: bool) -> tuple[EvidenceItem, ...]:
    items = evidence.of_kind(kind) if evidence else ()
    speaking = [item for item in items if item.confirmed is confirmed and item.subject is not None]
    return tuple(sorted(speaking, key=_issue_key, reverse=True))


def has_document_without_subject(evidence: Evidence | None, kind: str) -> bool:
    """Whether a document of the kind is here that speaks for nothing, because it names no product or site."""
    return any(item.subject is None for item in (evidence.of_kind(kind) if evidence else ()))


def choose_document(
    evidence: Evidence | None, kind: str, day: date, where: RequiredWords = NO_REQUIRED_WORDS
) -> EvidenceItem | None:
    """The confirmed document that counts on the day: one that holds, else the one that ended last or begins first."""
    items = confirmed_documents(evidence, kind, where)
    if kind in load_lists().newest_counts:
        return next(iter(items), None)
    if holding := [item for item in items if is_in_force(item, day)]:
        return max(holding, key=_end_key)
    begun = [item for item in items if item.issued_on is None or item.issued_on <= day]
    return max(begun or items, key=_end_key, default=None)


def find_document_in_force(evidence: Evidence | None, kind: str, day: date) -> EvidenceItem | None:
    """The confirmed document that counts on the day, if it holds: what an ended document says is not known any more."""
    item = choose_document(evidence, kind, day)
    return item if item is not None and is_in_force(item, day) else None


def is_in_force(item: EvidenceItem, day: date) -> bool:
    """Whether the document is in force on the day: issued by then, and not yet ended."""
    begun = item.issued_on is None or item.issued_on <= day
    return begun and (item.valid_until is None or item.valid_until >= day)


def _issue_key(item: EvidenceItem) -> tuple[date, str]:
    return item.issued_on or date.min, item.id


def _end_key(item: EvidenceItem) -> tuple[date, date, str]:
    return item.valid_until or date.max, item.issued_on or date.min, item.id
