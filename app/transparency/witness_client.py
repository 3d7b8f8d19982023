"""Ask the witnesses of the policy to cosign the newest checkpoint, and store what they sign.

This runs beside requests and after commits, never inside a transaction. A witness that cannot be reached is asked again
in the next round; a witness that refuses is evidence that somebody was shown another history, and is kept in a file.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx

from app.core.database import Database
from app.core.dates import format_utc
from app.core.errors import NotFound, UnsafeToStart
from app.core.files import write_once
from app.transparency import reader
from app.transparency.signed_note import NoteRejected, Verifier
from app.transparency.witness import cosigned, repository
from app.transparency.witness.protocol import AddCheckpoint, parse_size
from app.transparency.witness_policy import (
    MAX_POLICY_BYTES,
    PolicyRejected,
    PolicyWitness,
    WitnessPolicy,
    evaluate_note,
    parse_policy,
)

TIMEOUT_S = 5.0
"""For connecting and for each part of an answer."""
TOTAL_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536
_MAX_TRIES = 4
_REFUSALS = frozenset({400, 403, 404, 422})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WitnessOutcome:
    """What became of one witness: a cosignature (`line`), a refusal, or no answer."""

    witness: PolicyWitness
    size: int
    checkpoint: str
    line: str | None = None
    error: str | None = None


class _Refused(Exception):
    """The witness was shown, or shows, another history; what was said is kept."""


class _Unanswered(Exception):
    """The witness is asked again in the next round."""


class WitnessClient:
    """Collect cosignatures; one instance per process. Without a policy a round does nothing.

    `log` returns the key of the log from its key file.
    """

    def __init__(
        self,
        database: Database,
        policy: WitnessPolicy | None,
        log: Callable[[], Verifier],
        *,
        refusals: Path,
        clock: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.policy = policy
        self.database, self.log, self.clock, self.is_stopping = database, log, clock, False
        self._refusals, self._transport = refusals, transport

    def stop(self) -> None:
        """Ask no further witness; callable from any thread. An answer that is awaited is still read."""
        self.is_stopping = True

    def run_round(self) -> tuple[WitnessOutcome, ...]:
        """Ask every witness that has not cosigned the newest checkpoint yet. Returns what became of each."""
        if self.policy is None:
            return ()
        reachable = [each for each in self.policy.witnesses if each.url]
        with self.database.read_session() as session:
            try:
                newest = cosigned.get_newest(session, self.policy, self.clock())
                require_covered(self.policy, self.log())
            except NotFound:
                return ()  # the log is empty
            assert newest.report is not None  # there is a policy
            waiting = [each for each in reachable if each.name not in newest.report.seen]
            known = {key: size for key, size in repository.last_sizes(session).items() if size <= newest.size}
        if not waiting:
            return ()
        with (
            httpx.Client(timeout=TIMEOUT_S, transport=self._transport) as http,
            ThreadPoolExecutor(min(len(waiting), 8)) as pool,
        ):
            outcomes = tuple(pool.map(lambda each: self._ask(http, each, known.get(_key(each), 0)), waiting))
        for each in outcomes:
            if each.error is not None:
                logger.warning("Witness %s has not cosigned the log: %s", each.witness.name, each.error)
        self._store([each for each in outcomes if each.line is not None])
        return outcomes

    def _ask(self, http: httpx.Client, witness: PolicyWitness, old: int) -> WitnessOutcome:
        dialogue = _Dialogue(self, http, witness)
        line = error = None
        try:
            line = dialogue.run(old)
        except (_Refused, NoteRejected) as why:
            error = str(why)
            self._keep_refusal(dialogue, error)
        except _Unanswered as why:
            error = str(why)
        except (httpx.HTTPError, httpx.InvalidURL) as why:
            error = f"it does not answer ({type(why).__name__})"
        except Exception as why:  # the other witnesses are asked all the same
            logger.exception("Asking the witness %s failed.", witness.name)
            error = f"asking failed ({type(why).__name__})"
        return WitnessOutcome(witness, dialogue.size, dialogue.signed, line, error)

    def _keep_refusal(self, dialogue: "_Dialogue", reason: str) -> None:
        """Keep the first refusal of each day and witness with what was sent; the folder grows by no more."""
        now, witness = self.clock(), dialogue.witness
        name = re.sub(r"[^A-Za-z0-9.-]", "_", witness.name)[:60]
        kept = {
            "at": format_utc(now),
            "witness": witness.verifier.vkey,
            "url": witness.url,
            "reason": reason,
            "size": dialogue.size,
            "sent": dialogue.sent,
            "answer": dialogue.answer,
        }
        path = self._refusals / f"{now:%Y-%m-%d}-{name}-{witness.verifier.key_id.hex()}.json"
        try:
            write_once(path, json.dumps(kept, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n")
        except OSError:
            logger.exception("The refusal of the witness %s cannot be kept.", witness.name)

    def _store(self, outcomes: list[WitnessOutcome]) -> None:
        if not outcomes:
            return
        now = self.clock()
        with self.database.session() as session:
            for each in outcomes:
                assert each.line is not None  # chosen by it
                repository.put_cosignature(
                    session,
                    size=each.size,
                    witness=_key(each.witness),
                    checkpoint=each.checkpoint,
                    line=each.line,
                    received_at=now,
                )
            session.flush()
            found = cosigned.find_witnessed(session, self.policy, self.log(), now)
            if found is not None:  # older ones prove nothing that this one does not
                repository.delete_cosignatures_before(session, found.size)
            session.commit()


class _Dialogue:
    """What is said to one witness in one round, and what it answers."""

    def __init__(self, client: WitnessClient, http: httpx.Client, witness: PolicyWitness) -> None:
        self.witness = witness
        self.size, self.signed, self.sent, self.answer = 0, "", "", ""
        self._client, self._http = client, http

    def run(self, old: int) -> str:
        """Return the line of the witness. Raises `_Refused`, `_Unanswered`, `NoteRejected`, `httpx.HTTPError`."""
        for _ in range(_MAX_TRIES):
            status, text = self._post(self._request(old))
            if status == 200:
                return self._verified_line(text)
            old = self._learned_size(status, text, old)
        raise _Unanswered("it does not agree on the last size")

    def _request(self, old: int) -> AddCheckpoint:
        if self._client.is_stopping:
            raise _Unanswered("the service ends")
        with self._client.database.read_session() as session:
            self.size, self.signed = reader.get_signed_head(session)
            if old > self.size:
                raise _Refused(f"it has cosigned {old} entries, and the log has {self.size}")
            return AddCheckpoint(old, reader.consistency_proof(session, old, self.size), self.signed)

    def _post(self, request: AddCheckpoint) -> tuple[int, str]:
        self.sent, self.answer = request.body.decode(), ""
        address = f"{(self.witness.url or '').rstrip('/')}/add-checkpoint"
        deadline = time.monotonic() + TOTAL_TIMEOUT_S
        with self._http.stream("POST", address, content=request.body) as response:
            content = bytearray()
            for part in response.iter_bytes():
                content += part
                if len(content) > MAX_ANSWER_BYTES:
                    raise _Unanswered("its answer is too long")
                if time.monotonic() > deadline:
                    raise _Unanswered("its answer takes too long")
            text = content.decode("utf-8", "replace")
        self.answer = f"{response.status_code}\n{text}"
        return response.status_code, text

    def _learned_size(self, status: int, text: str, old: int) -> int:
        if status in _REFUSALS:
            raise _Refused(f"it answers {status}: {text[:200].strip()}")
        if status != 409:
            raise _Unanswered(f"it answers {status}")
        learned = parse_size(text)
        if learned == old == self.size:
            raise _Refused(f"it has cosigned another checkpoint of {self.size} entries")
        return learned

    def _verified_line(self, answer: str) -> str:
        assert self._client.policy is not None  # a round needs one
        report = evaluate_note(self._client.policy, self.signed + answer, self._client.clock())
        for line in report.lines:
            if self.witness.verifier.has_signed(line):
                return line.text
        raise _Refused(report.refused[0] if report.refused else "its answer has no cosignature of its key")


def _key(witness: PolicyWitness) -> str:
    return f"{witness.verifier.name}+{witness.verifier.key_id.hex()}"


def require_covered(policy: WitnessPolicy, log: Verifier) -> None:
    """Require that the policy is about this log. Raises `UnsafeToStart`."""
    if not policy.covers(log):
        raise UnsafeToStart(f"MIK_WITNESS_POLICY names other logs, and not {log.vkey}: add a line `log {log.vkey}`.")


def load_policy(path: str | Path) -> WitnessPolicy | None:
    """Load the policy file of the settings; None if none is named. Raises `UnsafeToStart` with every fault."""
    if not str(path):
        return None
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_POLICY_BYTES + 1)
    except OSError as why:
        raise UnsafeToStart(f"MIK_WITNESS_POLICY={path} cannot be read: {why.strerror}.") from why
    try:
        policy = parse_policy(content)
    except PolicyRejected as why:
        raise UnsafeToStart("\n".join(f"MIK_WITNESS_POLICY={path}: {line}" for line in why.errors)) from why
    for each in policy.witnesses:
        if each.url is not None and not _is_address(each.url):
            raise UnsafeToStart(
                f"MIK_WITNESS_POLICY={path}: the witness {each.name} has no address such as https://witness.example/w1."
            )
    return policy


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
