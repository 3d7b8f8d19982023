"""Prove and evaluate numbers and tokens, where no snapshot may be used and on the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.certificates import certificate_number
from app.certificates.read_model import proven_records
from app.certificates.read_model.proven_records import RecordDamaged
from app.certificates.read_model.record import CertificateRecord
from app.core.crypto.keyring import KeyRing
from app.core.database import Database
from app.transparency.verified_log import VerifiedLog
from app.verification.request_parser import VerifyItem
from app.verification.stores.base import DatabaseUnavailable
from app.verification.verdict import (
    MISTYPED,
    TokenLookup,
    VerificationResult,
    evaluate_number,
    evaluate_token,
    verify_token,
)


class RecordProver(Protocol):
    def load(
        self, session: Session, numbers: Sequence[str], keys: KeyRing, now: datetime
    ) -> dict[str, CertificateRecord]:
        """Return the records of these numbers. Raises `RecordDamaged`, `LogDamaged`."""

    def find(
        self, numbers: Sequence[str], tokens: Sequence[TokenLookup], keys: KeyRing, now: datetime
    ) -> tuple[dict[str, CertificateRecord], dict[str, CertificateRecord]]:
        """Return records by number, and those of tokens by signed hash. Raises `DatabaseUnavailable` too."""


@dataclass(frozen=True, slots=True)
class ProvenRecords:
    """The records of this installation, as its verified log proves them."""

    database: Database
    log: VerifiedLog

    def load(
        self, session: Session, numbers: Sequence[str], keys: KeyRing, now: datetime
    ) -> dict[str, CertificateRecord]:
        return proven_records.load_records(session, self.log, keys, numbers, now)

    def find(
        self, numbers: Sequence[str], tokens: Sequence[TokenLookup], keys: KeyRing, now: datetime
    ) -> tuple[dict[str, CertificateRecord], dict[str, CertificateRecord]]:
        try:
            with self.database.read_session() as session:
                by_token = {}
                others = []
                for each in tokens:
                    assert each.verified is not None
                    number = str(each.number)
                    record = proven_records.load_record_of_token(session, self.log, keys, each.verified, number, now)
                    if record is None:
                        others.append((each.verified.signed_hash, number))
                    else:
                        by_token[each.verified.signed_hash] = record
                found = (
                    self.load(session, [*numbers, *(number for _, number in others)], keys, now)
                    if numbers or others
                    else {}
                )
                by_token |= {signed: found[number] for signed, number in others if number in found}
                return {number: found[number] for number in numbers if number in found}, by_token
        except SQLAlchemyError as error:
            raise DatabaseUnavailable from error


def evaluate_items(
    source: RecordProver,
    items: Sequence[VerifyItem],
    keys: KeyRing,
    now: datetime,
    reload_keys: Callable[[], KeyRing] | None = None,
) -> list[VerificationResult]:
    """Evaluate items in order. Where a key became active a moment ago, the keys are reloaded and all is done again."""
    try:
        results, is_final = _evaluate(source, items, keys, now)
    except RecordDamaged:
        if reload_keys is None or (current := reload_keys()) is keys:
            raise
        return _evaluate(source, items, current, now)[0]
    if is_final or reload_keys is None:
        return results
    return _evaluate(source, items, reload_keys(), now)[0]


def _evaluate(
    source: RecordProver, items: Sequence[VerifyItem], keys: KeyRing, now: datetime
) -> tuple[list[VerificationResult], bool]:
    """Return the results, and whether newer keys can change none of them."""
    parsed = [
        certificate_number.to_display_form(item.text) if item.kind == "number" else verify_token(item.text, keys)
        for item in items
    ]
    numbers = list(dict.fromkeys(each for each in parsed if isinstance(each, str)))
    tokens = [each for each in parsed if isinstance(each, TokenLookup)]
    records, by_token = source.find(numbers, [each for each in tokens if each.verified and each.number], keys, now)
    is_final = not any(each.signed_with_next_key for each in tokens) and all(
        record.kid in keys.may_have_signed for record in (*records.values(), *by_token.values())
    )
    results = []
    for lookup in parsed:
        if lookup is None:
            results.append(MISTYPED)
        elif isinstance(lookup, TokenLookup):
            record = by_token.get(lookup.verified.signed_hash) if lookup.verified else None
            results.append(evaluate_token(lookup, record, keys, now))
        else:
            results.append(evaluate_number(records.get(lookup), keys, now))
    return results, is_final
