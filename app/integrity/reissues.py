"""Say what must not be signed anew after a compromise.

The compromised key, and perhaps the key of the log, made the certificates in question. So their tokens and entries
prove nothing by themselves: each must rest on an approved decision, which a person signed with a key of their own.
The audit trail and the log are taken as they are: whoever calls this has verified both.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.model import Decision
from app.certificates.model import Certificate
from app.core.crypto.jws import PublicKey
from app.integrity.application_decisions import APPROVED
from app.integrity.certificates import row_errors
from app.integrity.decisions import certificate_errors, decision_errors
from app.integrity.signatures import confirming_key
from app.transparency import log_repository
from app.transparency.log_entry import LogEvent, parse_entry
from app.transparency.verified_log import VerifiedLog


@dataclass(frozen=True, slots=True)
class LogSurvey:
    """How often each decision was used for an issue, and the first entry at or after the moment of a compromise."""

    issues: Mapping[str, int]
    boundary: int


def survey_log(session: Session, since: datetime) -> LogSurvey:
    """Read the whole log once. Declarations of compromises are no boundary: they state an earlier moment."""
    issues: Counter[str] = Counter()
    boundary, seq = None, -1
    for row in log_repository.iterate_rows(session):
        seq = row.seq
        try:
            entry = parse_entry(row.entry)
        except ValueError:
            continue  # of a later version
        if entry.event is LogEvent.CERTIFICATE_ISSUED and entry.decision:
            issues[entry.decision] += 1
        if boundary is None and entry.at >= since and entry.event is not LogEvent.KEY_COMPROMISED:
            boundary = row.seq
    return LogSurvey(issues, seq + 1 if boundary is None else boundary)


@dataclass(frozen=True, slots=True)
class ReissueCheck:
    """Name the certificates that must not be signed anew (`batches.FindFaults`).

    `keys` are all public keys by `kid`. `is_log_key_safe`: the key of the log was not stolen with the other, so that
    what the log contains was logged by the service; decisions then need no signature from before the compromise.
    """

    log: VerifiedLog
    keys: Mapping[str, PublicKey]
    survey: LogSurvey
    is_log_key_safe: bool

    def __call__(self, session: Session, certificates: Sequence[Certificate]) -> Mapping[str, Sequence[str]]:
        numbers = [each.number for each in certificates]
        rows = row_errors(session, certificates, self.keys)
        bound = certificate_errors(session, certificates)
        decisions = application_repository.decisions_by_id(session, list({each.decision_id for each in certificates}))
        granted = decision_errors(session, list(decisions.values()))
        found = {}
        for number, each in zip(numbers, certificates, strict=True):
            faults = [*rows.get(number, ()), *bound.get(number, ())]
            decision = decisions.get(each.decision_id)
            if decision is not None:
                faults += [*granted.get(decision.id, ()), *self._origin_errors(decision)]
            if faults:
                found[number] = faults
        return found

    def _origin_errors(self, decision: Decision) -> Iterator[str]:
        """Yield why a decision may have been made up, or been used a second time, by somebody with all keys."""
        approved = sum(each["outcome"] == APPROVED for each in decision.products)
        if self.survey.issues.get(decision.sha256, 0) > approved:
            yield f"The log names its decision for more certificates than the {approved} that it approved."
        if self.is_log_key_safe:
            return
        sha256 = confirming_key(decision.confirmation, decision.document, decision.decided_by)
        if sha256 is None:
            yield "Nobody signed its decision, so that whoever has the key of the log could have made it up."
        elif not any(entry.seq < self.survey.boundary for entry in self.log.entries_about("credential", sha256)):
            yield "The key that signed its decision was registered after the compromise began."
