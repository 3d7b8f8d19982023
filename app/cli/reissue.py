"""Implement `mik keys reissue`: sign the certificates anew that the compromise of a key took."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import Progress
from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.reissue import batches
from app.certificates.reissue.batches import ReissueBatch, ReissueContext
from app.cli.common import fail, handle_errors, load_settings, open_database, stderr
from app.cli.keys import find_issuer, find_key
from app.core.actor import SYSTEM
from app.core.crypto.row_macs import ROW_MACS, ensure_row_macs
from app.core.database import Database
from app.core.dates import format_utc, utc_now
from app.core.errors import Conflict
from app.core.settings import Settings
from app.integrity import audit_chain, transparency_log
from app.integrity.reissues import ReissueCheck, survey_log
from app.notifications import notices
from app.signing import issuer_identity
from app.signing.key_files import KeyFiles
from app.signing.key_provider import KeyProvider
from app.signing.log_signer import LogKeyFile, open_verified_log

BATCH = 100
NOT_ALL = 1


@dataclass(slots=True)
class _Report:
    kid: str
    active: str = ""
    since: datetime | None = None
    reissued: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self, *, is_dry_run: bool) -> dict[str, Any]:
        return {
            "kid": self.kid,
            "compromised_since": format_utc(self.since) if self.since else None,
            "active": self.active,
            "dry_run": is_dry_run,
            "reissued": self.reissued,
            "skipped": [{"number": number, "reason": reason} for number, reason in self.skipped.items()],
        }


def reissue_certificates(
    kid: Annotated[str, typer.Option(help="The compromised key: its kid, or the beginning of its thumbprint.")],
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Name what would be done, and change nothing.")] = False,
    batch: Annotated[int, typer.Option(min=1, max=1_000, help="Certificates of one transaction.")] = BATCH,
    is_log_key_safe: Annotated[
        bool,
        typer.Option(
            "--log-key-safe",
            help="The key of the log was not stolen: decisions need no signature from before the compromise.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Sign the certificates anew that the compromise of a key took.

    Every certificate that was logged after the compromise, and has not ended, gets a new signature under the active
    key: number, dates and decision stay, the log names the new token, holders are told, and the earlier token no longer
    counts. It is done in transactions: a run that was stopped goes on where it was. First the log and the audit trail
    are recomputed. Not signed anew, but named, is each certificate that somebody with stolen keys may have made:
    without an approved decision that a person signed with a key registered before the compromise.

    Ends with 0 if every one was signed anew, with 1 if some were not, with 2 if the command could not do its work.
    """
    settings = load_settings()
    with handle_errors(), open_database(settings) as database:
        database.attach_session_info({ROW_MACS: ensure_row_macs(database, settings.row_key)})
        with database.read_session() as session:
            report = _Report(find_key(session, kid).kid)
        run = _Run(settings, database, report, batch, is_dry_run=is_dry_run)
        run.begin(is_log_key_safe=is_log_key_safe)
        with run.progress() as show:
            for done in run.batches():
                show(done)
    if as_json:
        typer.echo(json.dumps(report.to_dict(is_dry_run=is_dry_run), indent=2))
    else:
        for number, reason in report.skipped.items():
            typer.echo(f"Not signed anew: {number}: {reason}")
        verb = "would be signed anew" if is_dry_run else "signed anew"
        typer.echo(f"{len(report.reissued)} certificates {verb} with {report.active}, {len(report.skipped)} not.")
    if report.skipped:
        raise typer.Exit(NOT_ALL)


class _Run:
    def __init__(
        self, settings: Settings, database: Database, report: _Report, batch: int, *, is_dry_run: bool
    ) -> None:
        self._database, self._report, self._batch, self._is_dry_run = database, report, batch, is_dry_run
        with database.read_session() as session:
            files = KeyFiles(settings.keys_dir, find_issuer(session))
        self._log_key = LogKeyFile(settings.log_key)
        self._log = open_verified_log(database, self._log_key, settings.verified_checkpoint)
        self._provider = KeyProvider(database, files, self._log)
        self._context: ReissueContext | None = None
        self._count = 0

    def begin(self, *, is_log_key_safe: bool) -> None:
        """Recompute log and audit trail, on which everything rests. Ends where one of them is damaged."""
        keys, kid = self._provider.keyring(), self._report.kid
        batches.require_reissuable(keys, kid)
        self._report.active, self._report.since = self._provider.active_signer().kid, keys.by_kid[kid].since
        with self._database.read_session() as session:
            # The chain first: on PostgreSQL it begins the snapshot that all parts read.
            broken = audit_chain.check_audit_chain(session).first_break
            recomputed = transparency_log.recompute_log(session, self._log_key(session).verifier)
            wrong = recomputed.finding or transparency_log.check_audit_heads(session, recomputed.audit_heads)
            if wrong or broken:
                fail("Log or audit trail are damaged: nothing is signed. Run `mik doctor` and find the cause first.")
            survey = survey_log(session, keys.by_kid[kid].since)
            public = issuer_identity.load_public_keys(session)
            self._count = certificate_repository.count_by_key(session).get(kid, 0)
        check = ReissueCheck(self._log, public, survey, is_log_key_safe)
        self._context = ReissueContext(self._log, keys, self._provider.lock_active_signer, check)

    def batches(self) -> Iterator[ReissueBatch]:
        after: UUID | None = None
        while True:
            with self._database.session() as session:
                done = self._run_batch(session, after)
                numbers = [each.number for each in done.reissued]
                if not self._is_dry_run:
                    notices.notify_reissued(session, done.reissued, now=utc_now())
                    session.commit()
            self._report.reissued += numbers
            self._report.skipped |= done.skipped
            yield done
            if done.after is None:
                return
            after = done.after

    def _run_batch(self, session: Session, after: UUID | None) -> ReissueBatch:
        assert self._context is not None  # begun
        if self._provider.reload().by_kid != self._context.keys.by_kid:
            raise Conflict("A key has changed meanwhile: start again.", code="key-changed")
        return batches.reissue_batch(
            session,
            SYSTEM,
            self._report.kid,
            self._context,
            after=after,
            limit=self._batch,
            is_dry_run=self._is_dry_run,
            now=utc_now(),
        )

    @contextmanager
    def progress(self) -> Iterator[Any]:
        """Show on a terminal how many certificates of the key were looked at."""
        with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
            task = bar.add_task("certificates", total=self._count)
            yield lambda done: bar.advance(task, done.examined)
