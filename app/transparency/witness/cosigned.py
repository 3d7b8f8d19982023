"""Read the checkpoint with the signatures of its witnesses, and choose the checkpoint of a proof.

The newest checkpoint is served whether witnesses have seen it or not; a proof leads to the newest checkpoint that has
the quorum of the policy, if that contains the entry. Stored lines are verified before they are served: a row that a
witness or the log did not sign changes no answer. `log` is the key of the log from its key file, never from a row.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.messages import Message
from app.transparency import log_repository, reader
from app.transparency.appender import LogDamaged
from app.transparency.checkpoint import Proof, verify_checkpoint, verify_proof
from app.transparency.model import LogCosignature
from app.transparency.signed_note import NoteRejected, Verifier, parse_signature_lines
from app.transparency.witness import repository
from app.transparency.witness_policy import WitnessJudgement, WitnessPolicy, WitnessReport, evaluate_note, judge

MAX_ROWS = 500
"""Rows that are looked through for a checkpoint with a quorum."""


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint with the lines of its witnesses behind that of the log. `report` is None without a policy."""

    size: int
    note: str
    report: WitnessReport | None = None

    @property
    def has_quorum(self) -> bool:
        return self.report is not None and self.report.quorum_at is not None


def get_newest(session: Session, policy: WitnessPolicy | None, now: datetime) -> CosignedCheckpoint:
    """Return the last signed checkpoint with the lines that it has. Errors: NotFound before the first entry."""
    size, signed = reader.get_signed_head(session)
    if policy is None:
        return CosignedCheckpoint(size, signed)
    rows = [row for row in repository.list_cosignatures_of(session, size) if row.checkpoint == signed]
    return _cosigned(size, signed, rows, policy, now)


def find_witnessed(
    session: Session, policy: WitnessPolicy | None, log: Verifier, now: datetime
) -> CosignedCheckpoint | None:
    """Return the newest checkpoint of this log with the quorum of the policy; None without a policy or a quorum."""
    if policy is None or not policy.threshold:
        return None
    rows = repository.list_cosignatures(session, 0, MAX_ROWS)
    for size, of_size in itertools.groupby(rows, lambda row: row.size):
        for signed, of_note in itertools.groupby(
            sorted(of_size, key=lambda row: row.checkpoint), lambda row: row.checkpoint
        ):
            found = _cosigned(size, signed, list(of_note), policy, now)
            if found.has_quorum and _is_ours(session, log, size, signed):
                return found
    return None


def require_witnessed(
    session: Session, policy: WitnessPolicy | None, log: Verifier, now: datetime
) -> CosignedCheckpoint:
    """The same. Errors: NotFound."""
    found = find_witnessed(session, policy, log, now)
    if found is None:
        raise NotFound(Message("No checkpoint of the log has been seen by enough witnesses yet."))
    return found


def inclusion_proof(
    session: Session, number: str, newest: CosignedCheckpoint, witnessed: CosignedCheckpoint | None
) -> tuple[Proof, CosignedCheckpoint]:
    """Prove the newest token of a certificate, by the witnessed checkpoint if that contains it. Errors: NotFound."""
    row = log_repository.find_token_entry(session, number)
    chosen = witnessed if witnessed is not None and row is not None and row.seq < witnessed.size else newest
    return reader.inclusion_proof(session, number, (chosen.size, chosen.note)), chosen


def judge_issue(
    session: Session, number: str, policy: WitnessPolicy | None, log: Verifier, now: datetime
) -> tuple[Proof, WitnessJudgement | None]:
    """Prove the issue of a certificate, and judge who has seen it. Errors: NotFound, LogDamaged."""
    newest, witnessed = get_newest(session, policy, now), find_witnessed(session, policy, log, now)
    proof, chosen = inclusion_proof(session, number, newest, witnessed)
    return proof, judge_entry(session, proof.index, chosen, log, now)


def judge_entry(
    session: Session, seq: int, checkpoint: CosignedCheckpoint, log: Verifier, now: datetime
) -> WitnessJudgement | None:
    """Judge an entry of a checkpoint by its own moment, as it is proven; None without a policy. Errors: LogDamaged."""
    if checkpoint.report is None:
        return None
    proof = reader.prove_entry(session, seq, (checkpoint.size, checkpoint.note))
    try:
        (entry,) = log_repository.list_entries(session, seq, seq + 1)
        verify_proof(entry, proof, log)
        logged_at = datetime.fromisoformat(json.loads(entry)["at"])
    except (NoteRejected, ValueError, KeyError) as why:
        raise LogDamaged("an entry is not as it was signed.") from why
    return judge(checkpoint.report, logged_at, now)


def _cosigned(
    size: int, signed: str, rows: Sequence[LogCosignature], policy: WitnessPolicy, now: datetime
) -> CosignedCheckpoint:
    """Attach the lines that are cosignatures of the policy's witnesses."""
    lines = "".join(sorted({row.line for row in rows if _is_line_of(policy, row.line)}))
    try:
        report = evaluate_note(policy, signed + lines, now)
    except NoteRejected:  # a stored checkpoint that is no note
        report = WitnessReport(policy, {})
    return CosignedCheckpoint(size, signed + "".join(line.text for line in report.lines), report)


def _is_line_of(policy: WitnessPolicy, text: str) -> bool:
    """Whether the text is one whole line of a witness of the policy; its signature is not verified."""
    try:
        lines = parse_signature_lines(text)
    except NoteRejected:
        return False
    is_whole = len(lines) == 1 and text == lines[0].text
    return is_whole and any(each.verifier.has_signed(lines[0]) for each in policy.witnesses)


def _is_ours(session: Session, log: Verifier, size: int, signed: str) -> bool:
    """Whether the log signed this note, and the log as it stands begins with it."""
    if size > reader.get_signed_head(session)[0]:
        return False
    try:
        found = verify_checkpoint(signed, log)
    except NoteRejected:
        return False
    return found.size == size and found.root == reader.root_at(session, size)
