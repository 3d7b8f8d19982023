"""One round of a monitor: follow the log, compare everything published with it, and keep evidence.

What contradicts at first sight is read a second time after the log was followed again: between two requests the service
may have changed. What changed within the time that lists may be cached is left for the next round.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from app.certificates import status_list
from app.certificates.credential.reader import CertifiedFacts, CredentialUnreadable, parse_credential
from app.certificates.read_model.record import KEY_COMPROMISED
from app.certificates.status_list import StatusListRejected
from app.core import strict_json
from app.core.crypto import jws
from app.core.crypto.jwk import parse_jwk, parse_jwks
from app.core.crypto.jws import PublicKey, TokenRejected, UnusableKey
from app.core.dates import format_utc
from app.monitor import comparisons
from app.monitor.evidence import EvidenceFolder, FindingKind, MonitorFinding
from app.monitor.list_watch import ListWatch
from app.monitor.log_follower import LogFollower, SeenCheckpoint, fetch_checkpoint, verify_growth
from app.monitor.public_service import PublicService, Received, Unreachable
from app.monitor.state import KnownEntry, KnownIssue, MonitorState
from app.transparency.log_entry import Entry, LogEvent, parse_entry
from app.transparency.logged_status import FINAL_STATUSES, status_after
from app.transparency.signed_note import NoteRejected, Verifier, parse_vkey
from app.transparency.tiles import WIDTH, Tile, decode_entry_bundle
from app.transparency.witness_policy import WitnessPolicy, evaluate_note, judge
from app.verification.verdict import Verdict

GRACE = status_list.TTL + comparisons.CLOCK_TOLERANCE
"""How long after an entry the lists and answers may be older."""
KEYS_CACHED = timedelta(hours=1)
BATCH = 200
MAX_SUSPECTS = 1_000
VC_JWT = "application/vc+jwt"
T = TypeVar("T")


class MonitorRefused(Exception):
    """The monitor cannot be used like this; the message states what to do."""


@dataclass
class RoundReport:
    """What one round found. `watched` are new certificates of watched holders."""

    url: str
    started_at: datetime
    size: int = 0
    examined: int = 0
    waiting: int = 0
    findings: list[MonitorFinding] = field(default_factory=list)
    watched: list[dict[str, str]] = field(default_factory=list)
    pinned: str | None = None
    unchecked: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 1 with findings, else 2 where something could not be checked, else 0."""
        return 1 if self.findings else 2 if self.unchecked else 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "at": format_utc(self.started_at),
            "entries": self.size,
            "examined": self.examined,
            "waiting": self.waiting,
            "findings": [each.to_dict() for each in self.findings],
            "watched": self.watched,
            "pinned": self.pinned,
            "unchecked": self.unchecked,
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True)
class MonitorOptions:
    """`recheck` is how many certificates of earlier rounds are examined again in each round."""

    vkey: str | None = None
    pin: bool = False
    watched_holders: Sequence[str] = ()
    policy: WitnessPolicy | None = None
    recheck: int = 100


class Monitor:
    """A monitor of one service with a folder of its own."""

    def __init__(
        self,
        folder: Path,
        service: PublicService,
        clock: Callable[[], datetime],
        options: MonitorOptions,
        second: PublicService | None = None,
    ) -> None:
        self._state = MonitorState(folder)
        self._evidence = EvidenceFolder(folder / "evidence")
        self._service, self._second, self._clock, self._options = service, second, clock, options
        self.report = RoundReport(service.url, clock())

    def close(self) -> None:
        self._state.close()

    def run_round(self) -> RoundReport:
        """Check everything once. Raises `MonitorRefused` and `Unreachable` before anything was compared."""
        self.report = RoundReport(self._service.url, self._clock())
        verifier = self._require_verifier()
        follower = LogFollower(self._service, self._state, verifier, self._tell)
        lists = ListWatch(self._service, self._state, self._clock, GRACE)
        with self._state.batch():
            self._state.add_pending(self._state.longest_unexamined(self._options.recheck))
        seen = fetch_checkpoint(self._service, verifier)
        is_intact = follower.follow(seen)
        self.report.size = self._state.position("verified").size
        keys = self._attempt(self._fetch_keys) or {}
        suspects = self._examine_pending(keys)
        self._attempt(lambda: suspects.update(self._compare_register()))
        self._attempt(lambda: lists.refresh(keys))
        if is_intact and (suspects or lists.has_faults()):
            again = self._attempt(lambda: follower.follow(fetch_checkpoint(self._service, verifier)))
            keys = self._attempt(self._fetch_keys) or keys
            self._attempt(lambda: lists.refresh(keys))
            if again is not None:
                self._examine_suspects(suspects, keys)
        for finding in lists.findings():
            self._tell(finding)
        if is_intact:
            self._attempt(lambda: self._compare_vantage_points(seen, verifier, keys, lists))
            self._attempt(lambda: self._check_witnesses(seen, verifier))
        lists.keep()
        self.report.size = self._state.position("verified").size
        self.report.waiting = len(self._state.next_pending("", MAX_SUSPECTS))
        return self.report

    def _attempt(self, act: Callable[[], T]) -> T | None:
        """Go on where one address does not answer; the report names it."""
        try:
            return act()
        except Unreachable as why:
            self.report.unchecked.append(str(why))
            return None

    def _tell(self, finding: MonitorFinding) -> None:
        if finding.id in {each.id for each in self.report.findings}:
            return
        self._evidence.keep(finding, self._clock(), checkpoint=self._state.get("checkpoint"))
        self._state.add_finding(finding)
        self.report.findings.append(finding)

    def _require_verifier(self) -> Verifier:
        """Return the key of the log: given, kept from an earlier round, or pinned now."""
        kept, given = self._state.get("vkey"), self._options.vkey
        received = self._service.get("/log/vkey")
        if received.status != 200:
            raise Unreachable(f"{received.url} answers {received.status}.")
        served = received.text.strip()
        if kept is None and given is None and not self._options.pin:
            raise MonitorRefused(
                "The first run needs --vkey with the key of the log from a source that you trust, or --pin to trust"
                f" the key that the service shows now: {served}"
            )
        if kept is not None and given is not None and kept != given:
            raise MonitorRefused(f"The folder belongs to another log, with the key {kept}. Use another folder.")
        trusted = kept or given or served
        try:
            verifier = parse_vkey(trusted)
        except NoteRejected as why:
            raise MonitorRefused(f"{trusted}: {why}") from why
        if kept is None:
            self._state.set("vkey", trusted)
            self.report.pinned = None if given else trusted
        if served != trusted:
            detail = "The service shows another key of its log than the one that is trusted."
            self._tell(
                MonitorFinding(FindingKind.LOG_KEY_CHANGED, verifier.name, detail, (received,), (trusted.encode(),))
            )
        return verifier

    def _fetch_keys(self) -> dict[str, PublicKey]:
        """Return every published key by `kid`, and compare them with the log. Raises `Unreachable`."""
        jwks, did = self._service.get("/.well-known/jwks.json"), self._service.get("/.well-known/did.json")
        try:
            keys = parse_jwks(jwks.body)
            document = strict_json.loads(did.body)
            methods = {each["id"]: parse_jwk(each["publicKeyJwk"])[1] for each in document["verificationMethod"]}
            trusted = frozenset(map(str, document["assertionMethod"]))
        except (ValueError, KeyError, TypeError, UnusableKey) as why:
            raise Unreachable(f"The published keys cannot be read: {why}") from why
        logged = self._logged_keys()
        recent = self._clock() - KEYS_CACHED
        for kind, kid, detail in comparisons.key_document_faults(logged, keys, methods, trusted, recent):
            contents = tuple(each.content for each in self._state.key_entries().get(kid, ()))
            self._tell(MonitorFinding(FindingKind(kind), kid, detail, (jwks, did), contents))
        return {**methods, **keys}

    def _examine_pending(self, keys: Mapping[str, PublicKey]) -> set[str]:
        """Examine every number that waits; return those whose answers contradict.

        What contradicts within the log is told at once: no answer, and no missing answer, can make it good.
        """
        suspects: set[str] = set()
        after = ""
        while numbers := self._state.next_pending(after, BATCH):
            for number in numbers:
                after = number
                faults = self._find_entry_faults(number)
                for fault in faults:
                    self._tell(fault)
                found = self._attempt(partial(self._examine, number, keys))
                if found is None:
                    continue
                self.report.examined += 1
                if found and len(suspects) < MAX_SUSPECTS:
                    suspects.add(number)
                if not found and not faults:
                    self._state.remove_pending(number)
        return suspects

    def _examine_suspects(self, suspects: set[str], keys: Mapping[str, PublicKey]) -> None:
        for number in sorted(suspects):
            found = self._attempt(partial(self._examine, number, keys))
            if found is None or self._is_recent(number):
                self._state.add_pending([number])
                continue
            for finding in found:
                self._tell(finding)
            if found or self._find_entry_faults(number):
                self._state.add_pending([number])
            else:
                self._state.remove_pending(number)

    def _is_recent(self, number: str) -> bool:
        """Whether the answer may still be older than the last entry of this number."""
        changes = self._state.changes_of(number)
        return bool(changes) and changes[-1].entry.at > self._clock() - GRACE

    def _examine(self, number: str, keys: Mapping[str, PublicKey]) -> list[MonitorFinding]:
        """Compare token, register line and answer of one certificate with the log. Raises `Unreachable`."""
        changes = self._state.changes_of(number)
        issue = self._state.find_issue(number)
        contents = (*(() if issue is None else (issue.content,)), *(each.content for each in changes))
        if issue is None:
            return [] if changes else self._examine_unlogged(number)
        found: list[MonitorFinding] = []
        counts, status = self._judge(issue, changes, self._logged_keys())
        if status == KEY_COMPROMISED:
            return list(self._examine_voided(number, contents))
        token, certified = self._examine_token(number, counts[1], keys, contents, found)
        if certified is not None:
            is_new = issue.facts is None
            facts = comparisons.facts_of(certified)
            if issue.facts is not None and counts[0] != issue.seq:
                for fault in comparisons.differing_members(issue.facts, facts):
                    detail = f"Signed anew, it says something else than before: {fault}."
                    found.append(MonitorFinding(FindingKind.REISSUED_UNCALLED, number, detail, (token,), contents))
            places = {purpose.value: place for purpose, place in certified.status_entries.items()}
            self._state.set_facts(number, facts, places, self._clock())
            if is_new:
                self._watch(certified)
            expected = facts | {"status": status}
            answer = self._service.get(f"/v1/verify/{number}")
            for detail in self._answer_faults(answer, certified, status, expected):
                found.append(MonitorFinding(FindingKind.ANSWER_DIFFERS, number, detail, (token, answer), contents))
            found += self._examine_register(number, status, facts, token, contents)
        return found

    def _find_entry_faults(self, number: str) -> list[MonitorFinding]:
        """Compare the entries of one certificate with each other."""
        changes, issue = self._state.changes_of(number), self._state.find_issue(number)
        contents = (*(() if issue is None else (issue.content,)), *(each.content for each in changes))
        if issue is not None:
            faults = list(self._entry_faults(issue, number))
        elif changes:
            detail = "Its status was changed in the log, and the log does not contain its issue."
            faults = [(FindingKind.CHANGE_WITHOUT_ISSUE, detail)]
        else:
            faults = []
        return [MonitorFinding(kind, number, detail, logged=contents) for kind, detail in faults]

    def _entry_faults(self, issue: KnownIssue, number: str) -> Iterator[tuple[FindingKind, str]]:
        entries = self._state.key_entries().get(issue.entry.key or "", ())
        fault = comparisons.key_fault(issue.seq, [(each.seq, each.entry) for each in entries])
        if fault is not None:
            yield FindingKind.ISSUED_WITHOUT_KEY, f"The log says that {issue.entry.key} signed it, and {fault}."
        changes = [(each.seq, each.entry) for each in self._state.changes_of(number)]
        for fault in comparisons.reissue_faults((issue.seq, issue.entry), changes, self._logged_keys()):
            yield FindingKind.REISSUED_UNCALLED, fault
        is_final = False
        for each in self._state.changes_of(number):
            if each.entry.event is LogEvent.CERTIFICATE_REISSUED:
                continue
            status = status_after([each.entry]).status
            if is_final and status not in FINAL_STATUSES:
                yield FindingKind.CHANGE_AFTER_END, f"Entry {each.seq} changes a status that never ends."
            is_final = is_final or status in FINAL_STATUSES

    def _logged_keys(self) -> dict[str, list[tuple[int, Entry]]]:
        return {kid: [(each.seq, each.entry) for each in entries] for kid, entries in self._state.key_entries().items()}

    def _judge(
        self,
        issue: KnownIssue,
        changes: Sequence[KnownEntry],
        keys: Mapping[str, Sequence[tuple[int, Entry]]],
    ) -> tuple[tuple[int, Entry], str]:
        """Return the entry of the token that counts, and the status that must be shown."""
        later = [(each.seq, each.entry) for each in changes]
        counts = comparisons.current_token((issue.seq, issue.entry), later, keys)
        status = status_after(entry for _, entry in later).status
        is_voided = comparisons.is_voided(*counts, keys.get(counts[1].key or "", ()))
        return counts, KEY_COMPROMISED if is_voided and status not in FINAL_STATUSES else status

    def _examine_voided(self, number: str, contents: tuple[bytes, ...]) -> Iterator[MonitorFinding]:
        """Require that the service calls a certificate compromised whose token no key vouches for."""
        answer = self._service.get(f"/v1/verify/{number}")
        verdict = (_parse_object(answer) or {}).get("verdict")
        if verdict != Verdict.KEY_COMPROMISED:
            detail = f"The answer is {verdict}, and its key was compromised when it was logged."
            yield MonitorFinding(FindingKind.ANSWER_DIFFERS, number, detail, (answer,), contents)
        yield from self._examine_register(number, KEY_COMPROMISED, {}, answer, contents)

    def _examine_token(
        self,
        number: str,
        named: Entry,
        keys: Mapping[str, PublicKey],
        contents: tuple[bytes, ...],
        found: list[MonitorFinding],
    ) -> tuple[Received, CertifiedFacts | None]:
        received = self._service.get(f"/v1/certificates/{number}", VC_JWT)
        if received.status != 200:
            detail = f"The log contains its issue, and its token is not given: {received.status}."
            found.append(MonitorFinding(FindingKind.TOKEN_MISSING, number, detail, (received,), contents))
            return received, None
        fault, certified = None, None
        try:
            verified = jws.verify(received.text.strip(), typ=jws.TYP_CREDENTIAL, keys=keys)
            certified = parse_credential(verified.payload)
            if verified.signed_hash != named.sha256:
                fault = f"Its content has the hash {verified.signed_hash}; {named.sha256} was issued."
            elif verified.kid != named.key:
                fault = f"It names the key {verified.kid}; {named.key} signed what was issued."
            elif certified.number != number:
                fault = f"It is the token of {certified.number}."
        except TokenRejected as why:
            fault = f"The token is refused: {why.reason.replace('-', ' ')}."
        except (CredentialUnreadable, StatusListRejected) as why:
            fault = f"The token is not a certificate: {why}."
        if fault is not None:
            found.append(MonitorFinding(FindingKind.TOKEN_DIFFERS, number, fault, (received,), contents))
            return received, None
        return received, certified

    def _answer_faults(
        self,
        answer: Received,
        certified: CertifiedFacts,
        status: str,
        expected: Mapping[str, Any],
    ) -> Iterator[str]:
        members = _parse_object(answer)
        if members is None:
            yield f"The answer about it is no answer: {answer.status}."
            return
        verdict = members.get("verdict")
        possible = comparisons.possible_verdicts(status, certified, answer.at)
        if verdict not in {each.value for each in possible}:
            yield f"The answer is {verdict}; by token and log it is {' or '.join(sorted(possible))}."
            return
        for fault in comparisons.differing_members(expected, members.get("certificate")):
            yield f"In the answer {fault}."

    def _examine_register(
        self,
        number: str,
        status: str,
        facts: Mapping[str, Any],
        token: Received,
        contents: tuple[bytes, ...],
    ) -> Iterator[MonitorFinding]:
        received = self._service.get(f"/v1/certificates?q={quote(number)}&limit=100")
        members = _parse_object(received)
        items = members.get("items") if members is not None and received.status == 200 else None
        if not isinstance(items, list):
            raise Unreachable(f"{received.url} answers {received.status}.")
        lines = [each for each in items if isinstance(each, dict) and each.get("number") == number]
        if not lines:
            detail = "The log contains its issue, and the register does not show it."
            yield MonitorFinding(FindingKind.REGISTER_MISSING, number, detail, (token, received), contents)
        for line in lines:
            for fault in self._line_faults(line, facts, status):
                detail = f"In the register {fault}."
                yield MonitorFinding(FindingKind.REGISTER_DIFFERS, number, detail, (token, received), contents)

    def _line_faults(self, line: Mapping[str, Any], facts: Mapping[str, Any], status: str) -> Iterator[str]:
        yield from comparisons.differing_members(facts, line)
        may_expire = status not in {*FINAL_STATUSES, KEY_COMPROMISED}
        if line.get("status") not in {status, *(("expired",) if may_expire else ())}:
            yield f"status is {line.get('status')!r} instead of {status!r}"

    def _examine_unlogged(self, number: str) -> list[MonitorFinding]:
        """Say whether the register or the answer knows a number that the log does not contain."""
        answer = self._service.get(f"/v1/verify/{quote(number)}")
        members = _parse_object(answer) or {}
        register = self._service.get(f"/v1/certificates?q={quote(number)}&limit=100")
        items = (_parse_object(register) or {}).get("items")
        is_shown = isinstance(items, list) and any(each.get("number") == number for each in items)
        if not is_shown and members.get("certificate") is None:
            return []
        detail = "The service shows this certificate, and the log does not contain its issue."
        return [MonitorFinding(FindingKind.NOT_LOGGED, number, detail, (answer, register))]

    def _compare_register(self) -> set[str]:
        """Read the whole register, line by line; return the numbers that contradict. Raises `Unreachable`."""
        suspects: set[str] = set()
        keys = self._logged_keys()
        for line in self._service.lines("/v1/certificates.jsonl"):
            try:
                members = strict_json.loads(line)
                number = str(members["number"])
            except (ValueError, KeyError, TypeError):
                raise Unreachable("/v1/certificates.jsonl has a line that is not a certificate.") from None
            issue = self._state.find_issue(number)
            has_fault = issue is None
            if issue is not None:
                _, status = self._judge(issue, self._state.changes_of(number), keys)
                if issue.facts is not None or status == KEY_COMPROMISED:
                    has_fault = any(self._line_faults(members, issue.facts or {}, status))
            if has_fault and len(suspects) < MAX_SUSPECTS:
                suspects.add(number)
        return suspects

    def _watch(self, certified: CertifiedFacts) -> None:
        names = [name.casefold() for name in (certified.holder_name, certified.holder_name_az or "")]
        if any(each.casefold() in name for each in self._options.watched_holders for name in names):
            self.report.watched.append(
                {
                    "number": certified.number,
                    "holder": certified.holder_name,
                    "product": next(iter(certified.product_names.values()), ""),
                    "valid_from": certified.valid_from.isoformat(),
                }
            )

    def _compare_vantage_points(
        self, seen: SeenCheckpoint, verifier: Verifier, keys: Mapping[str, PublicKey], lists: ListWatch
    ) -> None:
        """Compare checkpoint and lists with those of the second vantage point. Raises `Unreachable`."""
        if self._second is None:
            return
        other = fetch_checkpoint(self._second, verifier)
        if other.found is None:
            detail = f"{other.received.url} gives a checkpoint that {verifier.name} did not sign."
            self._tell(MonitorFinding(FindingKind.CHECKPOINT_REFUSED, self._second.url, detail, (other.received,)))
            return
        assert seen.found is not None  # it was followed
        is_one_log = other.found.root == seen.found.root
        received: tuple[Received, ...] = (seen.received, other.received)
        if other.found.size != seen.found.size:
            old, new = sorted((seen.found, other.found), key=lambda each: each.size)
            larger = self._second if new is other.found else self._service
            is_one_log, proof = verify_growth(larger, old, new)
            received = (*received, proof)
        if not is_one_log:
            detail = (
                f"{self._service.url} shows a log of {seen.found.size} entries, {self._second.url} one of"
                f" {other.found.size}, and both cannot be of one history."
            )
            self._tell(MonitorFinding(FindingKind.FORK, verifier.name, detail, received))
        for finding in lists.compare(self._second, keys):
            self._tell(finding)

    def _check_witnesses(self, seen: SeenCheckpoint, verifier: Verifier) -> None:
        """Require that witnesses of the policy have seen every entry older than the limit. Raises `Unreachable`."""
        policy = self._options.policy
        if policy is None or seen.found is None or not seen.found.size:
            return
        if not policy.covers(verifier):
            raise Unreachable(f"The policy is of another log than {verifier.name}.")
        report = evaluate_note(policy, seen.note, self._clock())
        if report.has_quorum:
            return
        witnessed = self._service.get("/log/checkpoint?witnessed=true")
        first, received = 0, (seen.received, witnessed)
        if witnessed.status == 200:
            at_most = fetch_checkpoint(self._service, verifier, "/log/checkpoint?witnessed=true")
            received = (seen.received, at_most.received)
            if at_most.found is not None and evaluate_note(policy, at_most.note, self._clock()).has_quorum:
                if at_most.found.size > seen.found.size:
                    return  # the log has grown since; the next round compares
                is_one_log, proof = verify_growth(self._service, at_most.found, seen.found)
                if not is_one_log:
                    detail = "What the witnesses have seen is not the beginning of what is shown here."
                    self._tell(MonitorFinding(FindingKind.FORK, verifier.name, detail, (*received, proof)))
                    return
                first = at_most.found.size
        if first >= seen.found.size:
            return
        moment = self._entry_moment(first, seen.found.size)
        judged = judge(report, moment, self._clock())
        if not judged.is_acceptable:
            detail = f"Entry {first} is of {format_utc(moment)}: {judged.text}."
            self._tell(MonitorFinding(FindingKind.UNWITNESSED, verifier.name, detail, received))

    def _entry_moment(self, seq: int, size: int) -> datetime:
        tile = Tile(None, seq // WIDTH, min(WIDTH, size - seq // WIDTH * WIDTH))
        received = self._service.get(f"/log/tile/{tile.path}")
        try:
            return parse_entry(decode_entry_bundle(received.body, tile.width)[seq % WIDTH]).at
        except ValueError as why:
            raise Unreachable(f"{received.url} cannot be read.") from why


def _parse_object(received: Received) -> dict[str, Any] | None:
    try:
        members = strict_json.loads(received.body)
    except ValueError:
        return None
    return members if isinstance(members, dict) else None
