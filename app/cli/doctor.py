"""Implement `mik doctor`: check configuration, public log, audit chain, status lists, decisions, rights and jobs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import database_rights, startup_checks
from app.cli.common import error_text, fail, open_database, read_settings
from app.core.crypto import row_macs
from app.core.crypto.jws import PublicKey
from app.core.dates import format_age, format_utc, utc_now
from app.core.errors import Invalid, MikError, UnsafeToStart
from app.core.settings import Profile, Settings
from app.database_rights import RoleReport
from app.integrity import audit_chain, certificates, decisions, rights, rulesets, status_lists, transparency_log
from app.integrity.transparency_log import IntegrityFinding
from app.jobs import job_repository
from app.signing import issuer_identity, log_signer
from app.startup_checks import UncheckedSettings
from app.transparency import log_repository
from app.transparency.checkpoint import Checkpoint, verify_checkpoint
from app.transparency.signed_note import NoteRejected, Verifier, parse_vkey
from app.verification.snapshot_setup import find_snapshot_key

MAX_CHECKPOINT_BYTES = 65_536
MAX_NAMED_ROWS = 20
LATE = timedelta(minutes=15)
"""A job that is due for longer is not run by anybody."""


class Part(StrEnum):
    CONFIG = "config"
    LOG = "log"
    AUDIT = "audit"
    STATUS_LISTS = "status-lists"
    DECISIONS = "decisions"
    RIGHTS = "rights"
    JOBS = "jobs"


class PartState(StrEnum):
    PASSED = "passed"
    WRONG = "wrong"
    REFUSED = "refused"  # the service would not start
    NOT_CHECKED = "not-checked"


EXIT_CODES = {PartState.PASSED: 0, PartState.WRONG: 1, PartState.REFUSED: 2, PartState.NOT_CHECKED: 2}


@dataclass(frozen=True, slots=True)
class PartResult:
    """Hold the result of one part: `lines` for people, `data` for programs."""

    state: PartState
    lines: tuple[str, ...]
    data: Mapping[str, Any]


def doctor(
    only: Annotated[list[Part] | None, typer.Option(help="Check this part alone; may be given more than once.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="For config: the number you would give to `mik serve`.")
    ] = 1,
    against: Annotated[
        Path | None,
        typer.Option(help="For log: a checkpoint kept elsewhere, e.g. by curl from /log/checkpoint."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with a member for each part.")] = False,
) -> None:
    """Check configuration, public log, audit chain, status lists, decisions, rights and jobs.

    - config: would the service start in production with these settings, folders, keys, database and clock?
    - log: recompute the public log, and compare certificates, keys, rules and audit chain with it.
    - audit: recompute the whole audit chain.
    - status-lists: compare every bit of the published status lists with its certificate.
    - decisions: compare every certificate with its decision, recommendation, audit events and log entries; names all
      that differ.
    - rights: verify every row that gives rights, compare roles, authenticators, passwords and second factors with
      log and audit trail, and the database role with `mik admin rights`.
    - jobs: are background jobs run in time, and is none parked or failing?

    Changes nothing. Ends with 0 if all parts pass; with 1, and the first wrong row of each part, if log, audit chain, a
    status list, a decision or a row with rights is wrong, or if a job is late, parked or failing; otherwise with 2 if
    the service would not start or a part could not be checked.
    """
    parts = [part for part in Part if part in (only or Part)]
    if against is not None and Part.LOG not in parts:
        fail("--against belongs to the part log: leave it out, or give --only log.")
    checks = _Checks(parts, workers, against)
    results = {part: checks.run(part) for part in parts}
    if as_json:
        typer.echo(json.dumps({part: {"result": each.state, **each.data} for part, each in results.items()}))
    else:
        for part, each in results.items():
            lines = "\n".join(each.lines).replace("\n", "\n  ")
            typer.echo(f"{part}: {each.state.replace('-', ' ')}\n  {lines}")
    codes = {EXIT_CODES[each.state] for each in results.values()}
    if code := next((code for code in (1, 2) if code in codes), 0):
        raise typer.Exit(code)


class _Checks:
    """Run each part separately: a part that cannot be checked does not stop the others."""

    def __init__(self, parts: Sequence[Part], workers: int, against: Path | None) -> None:
        self._parts = parts
        self._workers = workers
        self._against = against
        self._history: audit_chain.ChainReport | None = None
        self._proven: tuple[IntegrityFinding, ...] | None = None  # what is wrong of log and audit trail
        self._by_part: dict[Part, Callable[[], PartResult]] = {
            Part.CONFIG: self._config,
            Part.LOG: self._log,
            Part.AUDIT: self._audit,
            Part.STATUS_LISTS: self._status_lists,
            Part.DECISIONS: self._decisions,
            Part.RIGHTS: self._rights,
            Part.JOBS: self._jobs,
        }

    def run(self, part: Part) -> PartResult:
        try:
            return self._by_part[part]()
        except (MikError, OperationalError) as why:
            return PartResult(PartState.NOT_CHECKED, (error_text(why),), {"error": error_text(why)})

    def _settings(self) -> Settings:
        try:
            return read_settings()
        except UnsafeToStart as why:
            if Part.CONFIG in self._parts:
                raise UnsafeToStart("The settings are refused: see config.") from why
            raise

    def _config(self) -> PartResult:
        settings = read_settings(UncheckedSettings)
        found = startup_checks.find_start_errors(settings, utc_now(), workers=self._workers)
        data = {"profile": settings.profile, "errors": found}
        listed = [f"- {line}" for line in found]
        if settings.profile is not Profile.PRODUCTION:
            head = "The demo profile starts in any case."
            if found:
                head += " With MIK_PROFILE=production these would be configuration errors:"
            return PartResult(PartState.PASSED, (head, *listed), data)
        if found:
            return PartResult(PartState.REFUSED, ("Configuration errors:", *listed), data)
        return PartResult(PartState.PASSED, ("`mik serve` may start.",), data)

    def _log(self) -> PartResult:
        settings = self._settings()
        remembered = _read_if_present(settings.verified_checkpoint)  # first, so that it is not newer than the snapshot
        with open_database(settings) as database, database.read_session() as session:
            # The chain first: on PostgreSQL it begins the snapshot that all parts read.
            history = self._history = audit_chain.check_audit_chain(session)
            verifier = _verifier(session, settings)
            kept = _kept_checkpoint(self._against, verifier) if self._against else _verified(remembered, verifier)
            derived = transparency_log.recompute_log(session, verifier, kept)
            valid_count, wrong_certificate = certificates.check_certificates(
                session, _public_keys(session), find_snapshot_key(settings)
            )
            broken = history.first_break
            found = (
                derived.finding,
                derived.backdated,
                wrong_certificate,
                transparency_log.check_keys(session),
                rulesets.check_rulesets(session),
                IntegrityFinding(f"audit event {broken.seq}", broken.detail) if broken else None,
                transparency_log.check_audit_heads(session, derived.audit_heads),
            )
        self._proven = _without_none(found[0], *found[-2:])
        wrong = list(dict.fromkeys(_without_none(*found)))
        verb = "hold before the first wrong row of each" if wrong else "hold"
        return PartResult(
            PartState.WRONG if wrong else PartState.PASSED,
            (
                *(f"Wrong: {each.row}: {each.detail}" for each in wrong),
                f"{derived.size} entries, {valid_count} certificates and {history.events} events {verb}.",
            ),
            {
                "entries": derived.size,
                "certificates": valid_count,
                "events": history.events,
                "root": derived.root.hex(),
                "wrong": [{"row": each.row, "detail": each.detail} for each in wrong],
            },
        )

    def _audit(self) -> PartResult:
        report = self._history
        if report is None:
            with open_database(self._settings()) as database, database.read_session() as session:
                report = audit_chain.check_audit_chain(session)
        broken = report.first_break
        data = {
            "events": report.events,
            "head": report.head_hash,
            "broken": {"seq": broken.seq, "fault": broken.fault, "detail": broken.detail} if broken else None,
        }
        if broken is None:
            return PartResult(PartState.PASSED, (f"{report.events} events hold. Head: {report.head_hash}",), data)
        return PartResult(
            PartState.WRONG,
            (
                f"Broken at event {broken.seq} ({broken.fault}): {broken.detail}",
                f"{report.events} events before it hold; the last valid hash is {report.head_hash}.",
            ),
            data,
        )

    def _status_lists(self) -> PartResult:
        with open_database(self._settings()) as database, database.read_session() as session:
            report = status_lists.check_status_lists(session, _public_keys(session))
        data = {"lists": report.lists, "certificates": report.certificates, "wrong": report.error}
        if report.error:
            return PartResult(PartState.WRONG, (f"Wrong: {report.error}",), data)
        return PartResult(PartState.PASSED, (f"{report.lists} lists agree with all certificates.",), data)

    def _decisions(self) -> PartResult:
        """Compare the decisions with log and audit trail, which are verified first: otherwise they prove nothing."""
        if self._proven is None:
            self._log()
        with open_database(self._settings()) as database, database.read_session() as session:
            audit_chain.begin_snapshot(session)
            report = decisions.check_decisions(session)
        wrong = [*dict.fromkeys(self._proven or ()), *report.findings]
        more = (f"{report.more} more are not named.",) if report.more else ()
        certificates = report.certificates
        verb = "were compared" if wrong else "agree with recommendations, audit events and log"
        return PartResult(
            PartState.WRONG if wrong else PartState.PASSED,
            (
                *(f"Wrong: {each.row}: {each.detail}" for each in wrong),
                *more,
                f"{report.decisions} decisions, {certificates} certificates, {report.proposals} proposals {verb}.",
            ),
            {
                "decisions": report.decisions,
                "proposals": report.proposals,
                "certificates": report.certificates,
                "wrong": [{"row": each.row, "detail": each.detail} for each in wrong],
                "more": report.more,
            },
        )

    def _rights(self) -> PartResult:
        """Compare the rows with log and audit trail, which are verified first, as for the decisions."""
        settings = self._settings()
        if self._proven is None:
            self._log()
        with open_database(settings) as database, database.read_session() as session:
            audit_chain.begin_snapshot(session)
            differing = [*dict.fromkeys(self._proven or ()), *rights.find_rights_errors(session)]
            wrong = list(row_macs.find_unauthentic(session, row_macs.load_row_macs(settings.row_key)))
            role = database_rights.compare_role(session)
        lines = [
            f"Wrong: the row {key} of {table} was not written by this service; it gives no rights."
            for table, key in wrong[:MAX_NAMED_ROWS]
        ]
        lines += [f"Wrong: {each.row}: {each.detail}" for each in differing[:MAX_NAMED_ROWS]]
        if not wrong and not differing:
            lines.append("Every row that gives rights is as the service wrote it, the log and the audit trail say it.")
        elif max(len(wrong), len(differing)) > MAX_NAMED_ROWS:
            lines.append(f"{len(wrong) + len(differing)} rows in all.")
        data: dict[str, Any] = {
            "wrong": [{"table": table, "key": key} for table, key in wrong],
            "differing": [{"row": each.row, "detail": each.detail} for each in differing],
            "role": None,
        }
        if role is not None:
            data["role"] = {"owns_tables": role.owns_tables, "excess": role.excess, "missing": role.missing}
            lines.append(_role_line(role))
        return PartResult(PartState.WRONG if wrong or differing else PartState.PASSED, tuple(lines), data)

    def _jobs(self) -> PartResult:
        with open_database(self._settings()) as database, database.read_session() as session:
            figures = job_repository.queue_figures(session, now := utc_now())
        wrong = []
        if figures.parked:
            wrong.append(f"Parked: {figures.parked} jobs failed too often; see GET /v1/jobs?state=parked.")
        if figures.due_since is not None and now - figures.due_since > LATE:
            age = format_age(now - figures.due_since)
            wrong.append(f"Late: a job is due for {age}; start `mik worker`, or `mik serve` with MIK_JOB_THREADS.")
        if figures.failing:
            wrong.append(f"Failing, to be tried again: {', '.join(figures.failing)}.")
        line = f"{figures.waiting} jobs wait, {figures.running} run."
        data = {
            "waiting": figures.waiting,
            "running": figures.running,
            "parked": figures.parked,
            "due_since": format_utc(figures.due_since) if figures.due_since else None,
            "failing": figures.failing,
        }
        return PartResult(PartState.WRONG if wrong else PartState.PASSED, (*wrong, line), data)


def _without_none(*findings: IntegrityFinding | None) -> tuple[IntegrityFinding, ...]:
    return tuple(each for each in findings if each is not None)


def _role_line(role: RoleReport) -> str:
    if role.owns_tables:
        return "The role of the database owns the tables: it could rewrite history (`mik admin rights`)."
    if role.excess or role.missing:
        differing = f"{len(role.excess)} rights too many and {len(role.missing)} too few"
        return f"The role of the database has {differing}: run what `mik admin rights` prints."
    return "The role of the database has exactly the rights that the service needs."


def _verifier(session: Session, settings: Settings) -> Verifier:
    """Return the verifier of the key file where there is one: the key in the database could have been replaced."""
    head = log_repository.get_head(session)
    if settings.log_key.exists():
        return log_signer.LogKeyFile(settings.log_key)(session).verifier
    if head is None or head.vkey is None:
        raise UnsafeToStart("There is no public log here yet: it begins with the first start of the service.")
    try:
        return parse_vkey(head.vkey)
    except NoteRejected as why:
        raise UnsafeToStart(f"The stored key of the public log cannot be used: {why}") from why


def _kept_checkpoint(path: Path, verifier: Verifier) -> Checkpoint:
    try:
        with path.open("rb") as file:
            return verify_checkpoint(file.read(MAX_CHECKPOINT_BYTES).decode(), verifier)
    except OSError as why:
        raise Invalid(f"{path} cannot be read: {why.strerror}.") from why
    except UnicodeDecodeError as why:
        raise Invalid(f"{path} is not a checkpoint: it is not UTF-8.") from why
    except NoteRejected as why:
        raise Invalid(f"{path} is refused: {why}") from why


def _read_if_present(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _verified(text: str, verifier: Verifier) -> Checkpoint | None:
    """Return the checkpoint that the service kept; None where there is none of this log, as for the service itself."""
    try:
        return verify_checkpoint(text, verifier) if text else None
    except NoteRejected:
        return None


def _public_keys(session: Session) -> dict[str, PublicKey]:
    return issuer_identity.load_public_keys(session)
