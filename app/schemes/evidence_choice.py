"""Choose which evidence document counts where several could. Pure.

Of the confirmed documents in scope that are in force on the day, the one that ends last counts; an open end is later
than any day, and of equals the newest counts. Where none is in force, the one that ended last is named. For the kinds
in `newest_counts` of lists.toml, which describe a current state, the newest document counts.
"""

from collections.abc import Mapping
from datetime import date

from app.schemes.closed_lists import load_lists
from app.schemes.facts import Evidence, EvidenceItem

RequiredWords = Mapping[str, tuple[str, ...]]
"""Value of a document → words, one of which it must have."""
NO_REQUIRED_WORDS: RequiredWords = {}


def confirmed_documents(
    evidence: Evidence | None, kind: str, required: RequiredWords = NO_REQUIRED_WORDS
) -> tuple[EvidenceItem, ...]:
    """Return confirmed documents of a kind with a subject and the required words, newest first."""
    items = _newest_first(evidence, kind, confirmed=True)
    if not required:
        return items
    return tuple(item for item in items if all(item.values.get(name) in words for name, words in required.items()))


def unconfirmed_documents(evidence: Evidence | None, kind: str) -> tuple[EvidenceItem, ...]:
    """Return documents of a kind that await confirmation, newest first."""
    return _newest_first(evidence, kind, confirmed=False)


def _newest_first(evidence: Evidence | None, kind: str, *, confirmed: bool) -> tuple[EvidenceItem, ...]:
    items = evidence.of_kind(kind) if evidence else ()
    with_subject = [item for item in items if item.confirmed is confirmed and item.subject is not None]
    return tuple(sorted(with_subject, key=_issue_key, reverse=True))


def has_document_without_subject(evidence: Evidence | None, kind: str) -> bool:
    """Check for a document of a kind that counts for nothing, because it has no subject."""
    return any(item.subject is None for item in (evidence.of_kind(kind) if evidence else ()))


def choose_document(
    evidence: Evidence | None, kind: str, day: date, required: RequiredWords = NO_REQUIRED_WORDS
) -> EvidenceItem | None:
    """Choose the confirmed document that counts on a day.

    One in force takes precedence; otherwise the one that ended last, or begins first.
    """
    items = confirmed_documents(evidence, kind, required)
    if kind in load_lists().newest_counts:
        return next(iter(items), None)
    if in_force := [item for item in items if is_in_force(item, day)]:
        return max(in_force, key=_end_key)
    started = [item for item in items if item.issued_on is None or item.issued_on <= day]
    return max(started or items, key=_end_key, default=None)


def find_document_in_force(evidence: Evidence | None, kind: str, day: date) -> EvidenceItem | None:
    """Return the confirmed document that counts on a day if it is in force, else None.

    The values of an ended document are no longer facts.
    """
    item = choose_document(evidence, kind, day)
    return item if item is not None and is_in_force(item, day) else None


def is_in_force(item: EvidenceItem, day: date) -> bool:
    """Check that a document was issued by the day and has not ended."""
    started = item.issued_on is None or item.issued_on <= day
    return started and (item.valid_until is None or item.valid_until >= day)


def _issue_key(item: EvidenceItem) -> tuple[date, str]:
    return item.issued_on or date.min, item.id


def _end_key(item: EvidenceItem) -> tuple[date, date, str]:
    return item.valid_until or date.max, item.issued_on or date.min, item.id
