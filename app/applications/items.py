"""Evidence rows as items: what the rules see of them, what the dossier is bound to, and what can be wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from app.applications.model import Evidence
from app.errors import Invalid
from app.registry.text import tidy, wrong_with
from app.schemes import canonical, facts
from app.schemes.evidence_kinds import LONGEST_NUMBER, EvidenceKind, Wrong, check, kinds
from app.schemes.evidence_kinds import as_facts as values_as_facts

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Details:
    """What a document says, as stated by whoever lays it before the house or confirms it."""

    issued_on: date | None = None
    valid_until: date | None = None  # last day, inclusive
    number: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def kind_of(code: str) -> EvidenceKind:
    """The kind of that code; Invalid where there is none."""
    kind = kinds().get(code)
    if kind is None:
        raise Invalid.at("/kind", f"There is no such kind of evidence. There are: {', '.join(kinds())}.")
    return kind


def checked(kind: EvidenceKind, details: Details, today: date, *, complete: bool) -> Details:
    """The details as they are kept. Errors: Invalid with every wrong place at once."""
    number = tidy(details.number) if details.number else None
    present = {
        "issued_on": details.issued_on is not None,
        "valid_until": details.valid_until is not None,
        "number": number is not None,
    }
    kept, wrong = check(kind, details.values, present, complete=complete)
    wrong += _wrong_days(details, today)
    if number is not None and (fault := wrong_with(number, LONGEST_NUMBER)):
        wrong.append({"pointer": "/number", "detail": fault})
    if wrong:
        raise Invalid("The evidence cannot be right as it is described.", wrong)
    return Details(details.issued_on, details.valid_until, number, kept)


def _wrong_days(details: Details, today: date) -> list[Wrong]:
    wrong = []
    if details.issued_on is not None and details.issued_on > today:
        wrong.append({"pointer": "/issued_on", "detail": "This day is still to come."})
    if details.issued_on and details.valid_until and details.valid_until < details.issued_on:
        wrong.append({"pointer": "/valid_until", "detail": "It would have ended before it was issued."})
    return wrong


def details_of(row: Evidence) -> Details:
    return Details(row.issued_on, row.valid_until, row.number, row.stated)


def as_facts(rows: Sequence[Evidence], product_id: UUID) -> facts.Evidence:
    """What may speak for this product: items about it, and those about no product in particular."""
    about = [row for row in rows if row.product_id in (None, product_id)]
    confirmed = sorted((row for row in about if row.confirmed_at), key=_age, reverse=True)
    return facts.Evidence(
        confirmed=tuple(_item(row) for row in confirmed),
        awaiting=frozenset(row.kind for row in about if row.confirmed_at is None),
    )


def _age(row: Evidence) -> tuple[date, datetime, UUID]:
    """Newest is what was issued last; among equals, what was confirmed last."""
    return row.issued_on or date.min, row.confirmed_at or LONG_AGO, row.id


def _item(row: Evidence) -> facts.Item:
    kind = kinds().get(row.kind)
    values = values_as_facts(kind, row.stated) if kind else {}
    return facts.Item(row.kind, row.issued_on, row.valid_until, row.number, values)


def hashed(row: Evidence) -> str:
    """What a recommendation is bound to: the file, what was read in it, and whether it was confirmed."""
    return canonical.canonical_json(
        [
            row.kind,
            row.sha256,
            str(row.product_id),
            None if row.issued_on is None else row.issued_on.isoformat(),
            None if row.valid_until is None else row.valid_until.isoformat(),
            row.number,
            row.stated,
            row.confirmed_at is not None,
        ]
    )
