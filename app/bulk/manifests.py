"""Verify long lists of numbers in the background, part by part, and sign the result.

A part is evaluated outside a transaction and stored in a short one, so that verifications and writers go on beside it,
memory holds one part, and a killed worker loses one part at most. Rows of parts carry MACs: what is signed was
evaluated by this service.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import recorder
from app.auth.permissions import require_organisation_id
from app.bulk import manifest_repository, manifest_result
from app.bulk.model import Manifest, ManifestPart, ManifestState
from app.core.actor import SYSTEM, Actor
from app.core.crypto import jws
from app.core.crypto.row_macs import is_authentic
from app.core.crypto.signer import Signer
from app.core.database import Database, new_id
from app.core.errors import Conflict, ExpectedVersion, NotFound, Unavailable, WrongState, require_version
from app.core.messages import Message
from app.jobs import port
from app.jobs.job_type import JobType
from app.transparency.verified_log import VerifiedLog
from app.verification.service import VerificationService

RUN_MANIFEST: Final = JobType("manifests.run")
RETENTION: Final = timedelta(days=30)
"""How long a manifest is kept after its end."""
PART_SIZE: Final = 1_000
"""Numbers evaluated and stored at once."""


class ManifestDamaged(Unavailable):
    """A part is missing, or was changed past the service: nothing is signed."""

    code = "manifest-damaged"

    def __init__(self) -> None:
        super().__init__("A part of this manifest was changed in the database. Send the list again.")


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """Numbers in order, name and hash of the file in which they came."""

    numbers: Sequence[str]
    name: str
    sha256: str


def create_manifest(session: Session, actor: Actor, file: ManifestFile, *, max_running: int, now: datetime) -> Manifest:
    """Store a manifest, and enqueue its evaluation. Raises `Conflict` (`too-many-manifests`)."""
    assert actor.id is not None  # everyone but the system has one
    own = _organisation_of(actor)
    if manifest_repository.count_running(session, own, actor.id) >= max_running:
        raise Conflict(
            Message("%(limit)s manifests are running. Wait until one has finished.", limit=max_running),
            code="too-many-manifests",
        )
    manifest = Manifest(
        id=new_id(),
        organisation_id=own,
        created_by=actor.id,
        name=file.name,
        sha256=file.sha256,
        state=ManifestState.RUNNING.value,
        total=len(file.numbers),
        done=0,
        created_at=now,
        version=1,
    )
    session.add(manifest)
    session.flush()
    for position, start in enumerate(range(0, len(file.numbers), PART_SIZE)):
        part = list(file.numbers[start : start + PART_SIZE])
        session.add(ManifestPart(manifest_id=manifest.id, position=position, numbers=part))
    session.flush()
    port.enqueue(session, RUN_MANIFEST, {"manifest_id": str(manifest.id)}, now=now, key=str(manifest.id))
    recorder.record(
        session, actor, "manifest.created", ("manifest", manifest.id), now, sha256=file.sha256, total=manifest.total
    )
    return manifest


def get_manifest(session: Session, actor: Actor, manifest_id: UUID, *, lock: bool = False) -> Manifest:
    """Return an own manifest: of the company, or of the member of staff. Raises `NotFound`."""
    found = manifest_repository.find_manifest(session, manifest_id, lock=lock)
    own = _organisation_of(actor)
    if found is None or found.organisation_id != own or (own is None and found.created_by != actor.id):
        raise NotFound.of("manifest")
    return found


def list_manifests(session: Session, actor: Actor, after: UUID | None, limit: int) -> Sequence[Manifest]:
    return manifest_repository.list_manifests(session, _organisation_of(actor), actor.id, after, limit)


def cancel_manifest(
    session: Session, actor: Actor, manifest_id: UUID, *, version: ExpectedVersion, now: datetime
) -> Manifest:
    """End a manifest without a result. Raises `NotFound`, the errors of `require_version`, `WrongState`."""
    manifest = get_manifest(session, actor, manifest_id, lock=True)
    require_version(version, manifest.version)
    if manifest.state != ManifestState.RUNNING:
        raise WrongState("manifest", state=manifest.state, action="cancel", allowed=[])
    manifest.state, manifest.ended_at = ManifestState.CANCELLED.value, now
    manifest.version += 1
    recorder.record(session, actor, "manifest.cancelled", ("manifest", manifest.id), now)
    return manifest


def read_part_rows(part: ManifestPart) -> bytes:
    """Return the rows of the result that a part holds. Raises `ManifestDamaged`."""
    if not is_authentic(part) or part.results is None or part.evaluated_at is None:
        raise ManifestDamaged
    first = part.position * PART_SIZE + 1
    return manifest_result.result_rows(first, part.numbers, part.results, part.evaluated_at)


def _organisation_of(actor: Actor) -> UUID | None:
    return None if actor.is_staff else require_organisation_id(actor)


@dataclass(frozen=True, slots=True)
class _ResultRows:
    sha256: str
    verdicts: Counter[str]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ManifestRunner:
    """Evaluate manifests. `lock_signer` returns the active signer, which stays active until the transaction ends."""

    database: Database
    verification: VerificationService
    log: VerifiedLog
    lock_signer: Callable[[Session], Signer]
    issuer: str
    clock: Callable[[], datetime]

    def run(
        self,
        manifest_id: UUID,
        is_stopping: Callable[[], bool] = lambda: False,
        report_progress: Callable[[int, int | None], None] = lambda _done, _total: None,
    ) -> bool:
        """Evaluate what is left, then sign the result. Returns whether the manifest has ended.

        It may run twice or at the same time elsewhere: each part is stored once, and the result is signed once.
        """
        while not is_stopping():
            with self.database.read_session() as session:
                manifest = manifest_repository.find_manifest(session, manifest_id)
                if manifest is None or manifest.state != ManifestState.RUNNING:
                    return True
                report_progress(manifest.done, manifest.total)
                part = manifest_repository.next_part(session, manifest_id)
                if part is not None:
                    if not is_authentic(part):
                        raise ManifestDamaged
                    now = self.clock()
                    results = self._evaluate(session, part.numbers, now)
            if part is None:
                self._finish(manifest_id)
                return True
            self._store(manifest_id, part.position, results, now)
        return False

    def _evaluate(self, session: Session, numbers: Sequence[str], now: datetime) -> list[list[str | None]]:
        """Return number, verdict and last day of each."""
        results = self.verification.verify_numbers_sync(session, numbers, now)
        return [
            [
                each.record.number if each.record else None,
                each.verdict.value,
                each.record.valid_until.isoformat() if each.record else None,
            ]
            for each in results
        ]

    def _store(self, manifest_id: UUID, position: int, results: list[list[str | None]], now: datetime) -> None:
        with self.database.session() as session:
            manifest = manifest_repository.find_manifest(session, manifest_id, lock=True)
            if manifest is None or manifest.state != ManifestState.RUNNING:
                return
            part = manifest_repository.find_part(session, manifest_id, position)
            if part is None or part.evaluated_at is not None or not is_authentic(part):
                return
            part.results, part.evaluated_at = results, now
            manifest.done += len(results)
            session.commit()

    def _finish(self, manifest_id: UUID) -> None:
        """Hash the rows, sign the result, verify the signature, and store it.

        The rows are read before the transaction that signs: evaluated parts do not change any more.
        """
        rows = self._summarize(manifest_id)
        with self.database.session() as session:
            manifest = manifest_repository.find_manifest(session, manifest_id, lock=True)
            if manifest is None or manifest.state != ManifestState.RUNNING:
                return
            if sum(rows.verdicts.values()) != manifest.total:
                raise ManifestDamaged
            now = self.clock()
            self.log.refresh(force=True)
            self.log.require_intact()
            payload = manifest_result.build_payload(
                issuer=self.issuer,
                manifest_id=manifest.id,
                sent_sha256=manifest.sha256,
                rows_sha256=rows.sha256,
                total=manifest.total,
                verdicts=rows.verdicts,
                first=rows.first,
                last=rows.last,
                checkpoint=self.log.checkpoint or "",
                now=now,
            )
            manifest.token = sign_result(self.lock_signer(session), manifest_result.lint_result(payload, now))
            manifest.verdicts = dict(rows.verdicts)
            manifest.state, manifest.ended_at = ManifestState.FINISHED.value, now
            manifest.version += 1
            subject, signed = ("manifest", manifest.id), jws.signed_hash(manifest.token)
            recorder.record(session, SYSTEM, "manifest.finished", subject, now, result=rows.sha256, token=signed)
            session.commit()

    def _summarize(self, manifest_id: UUID) -> _ResultRows:
        digest, verdicts = hashlib.sha256(manifest_result.header_row()), Counter[str]()
        moments: list[datetime] = []
        with self.database.read_session() as session:
            for part in manifest_repository.iterate_parts(session, manifest_id):
                digest.update(read_part_rows(part))
                assert part.results is not None and part.evaluated_at is not None  # checked with the rows
                verdicts.update(found[1] for found in part.results)
                moments.append(part.evaluated_at)
        if not moments:
            raise ManifestDamaged
        return _ResultRows(digest.hexdigest(), verdicts, min(moments), max(moments))


def sign_result(signer: Signer, linted: manifest_result.LintedResult) -> str:
    """Sign a result and verify it with the published key. Raises `Unavailable`."""
    token = signer.sign(linted.payload, typ=jws.TYP_MANIFEST_RESULT)
    try:
        jws.verify(token, typ=jws.TYP_MANIFEST_RESULT, keys={signer.kid: signer.public})
    except jws.TokenRejected as error:
        raise Unavailable("The new signature does not verify; the result is not stored.") from error
    return token
