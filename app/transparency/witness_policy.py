"""Which witnesses must have seen a checkpoint (C2SP tlog-policy), and whether they have. Pure.

A policy file has lines `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> <k|any|all> <member>…` and
one `quorum <name|none>`. Names are octets: text that is not UTF-8 is kept as it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.core.dates import format_age, format_utc
from app.transparency.cosignature import CosignatureVerifier, parse_cosignature_vkey
from app.transparency.signed_note import NoteRejected, SignatureLine, Verifier, parse_vkey, split_note

ALLOWED_SKEW = timedelta(minutes=2)
"""How far the clock of a witness may be ahead of the reader's."""
DEFAULT_LIMIT = timedelta(days=1)
"""How long an entry may wait for its witnesses."""
NO_QUORUM = "none"
MAX_POLICY_BYTES = 1_048_576
_MAX_LINES = 1_000
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile("[ \t]+")
_WORDS = {"log": (1, 2), "witness": (2, 3), "group": (3, _MAX_LINES), "quorum": (1, 1)}


class PolicyRejected(ValueError):
    """The policy file is refused; `errors` has a sentence for each fault, with the number of its line."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class PolicyLog:
    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """`name` has no meaning outside of the policy; `url` is the prefix of its add-checkpoint."""

    name: str
    verifier: CosignatureVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """Has seen a checkpoint when `threshold` of its members have: witnesses or groups, by name."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: Mapping[str, PolicyGroup]
    quorum: str

    @property
    def threshold(self) -> int:
        """How many of `parties` the quorum needs."""
        if self.quorum == NO_QUORUM:
            return 0
        return self.groups[self.quorum].threshold if self.quorum in self.groups else 1

    @property
    def parties(self) -> tuple[str, ...]:
        """Whose word counts: the members of the quorum, each a witness or a group."""
        if self.quorum == NO_QUORUM:
            return ()
        return self.groups[self.quorum].members if self.quorum in self.groups else (self.quorum,)

    def covers(self, log: Verifier) -> bool:
        """Whether the policy is about this log: it names no log, or this one."""
        return not self.logs or any(each.verifier == log for each in self.logs)


@dataclass(frozen=True, slots=True)
class WitnessReport:
    """Who has seen one checkpoint. `seen` maps witnesses of the policy to the time that each states.

    `refused` has a sentence for each cosignature of a known witness that does not count.
    """

    policy: WitnessPolicy
    seen: Mapping[str, datetime]
    refused: tuple[str, ...] = ()
    lines: tuple[SignatureLine, ...] = field(default=())

    @property
    def parties_seen(self) -> int:
        return sum(self._seen_at(each) is not None for each in self.policy.parties)

    @property
    def has_quorum(self) -> bool:
        return self.parties_seen >= self.policy.threshold

    @property
    def quorum_at(self) -> datetime | None:
        """The latest moment at which enough parties had this as the largest tree; None without a quorum."""
        return self._latest(self.policy.threshold, self.policy.parties) if self.policy.threshold else None

    def _seen_at(self, name: str) -> datetime | None:
        group = self.policy.groups.get(name)
        return self.seen.get(name) if group is None else self._latest(group.threshold, group.members)

    def _latest(self, threshold: int, members: Sequence[str]) -> datetime | None:
        times = sorted(filter(None, map(self._seen_at, members)), reverse=True)
        return times[threshold - 1] if len(times) >= threshold else None


@dataclass(frozen=True, slots=True)
class WitnessJudgement:
    """Whether an entry may be relied on by a policy. `is_witnessed` and `is_acceptable` differ within the limit."""

    is_witnessed: bool
    is_acceptable: bool
    text: str


def parse_policy(content: bytes) -> WitnessPolicy:
    """Parse a policy file. Raises `PolicyRejected` with every fault by its line."""
    if len(content) > MAX_POLICY_BYTES:
        raise PolicyRejected([f"The file has more than {MAX_POLICY_BYTES} bytes."])
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    if len(lines) > _MAX_LINES:
        raise PolicyRejected([f"The file has more than {_MAX_LINES} lines."])
    parser = _PolicyParser()
    for number, line in enumerate(lines, 1):
        try:
            parser.read(line)
        except NoteRejected as why:
            parser.errors.append(f"Line {number}: {why}")
    if parser.quorum is None and not parser.errors:
        parser.errors.append("The file has no line `quorum`.")
    if parser.errors:
        raise PolicyRejected(parser.errors)
    assert parser.quorum is not None  # else there is an error
    return WitnessPolicy(tuple(parser.logs), tuple(parser.witnesses.values()), parser.groups, parser.quorum)


class _PolicyParser:
    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: dict[str, PolicyWitness] = {}
        self.groups: dict[str, PolicyGroup] = {}
        self.quorum: str | None = None
        self.errors: list[str] = []
        self._members: set[str] = set()

    def read(self, line: str) -> None:
        if _FORBIDDEN.search(line.encode("utf-8", "surrogateescape")):
            raise NoteRejected("It has control characters.")
        words = [word for word in _BLANKS.split(line) if word]
        if not words or words[0].startswith("#"):
            return
        keyword, *rest = words
        if keyword not in _WORDS:
            raise NoteRejected("It begins with none of log, witness, group, quorum.")
        fewest, most = _WORDS[keyword]
        if not fewest <= len(rest) <= most:
            raise NoteRejected(f"It has too few or too many words for `{keyword}`.")
        readers: dict[str, Callable[..., None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        readers[keyword](*rest)

    def _log(self, vkey: str, url: str | None = None) -> None:
        verifier = parse_vkey(vkey)
        if any(each.verifier.public == verifier.public for each in self.logs):
            raise NoteRejected("Another line has the same key of a log.")
        self.logs.append(PolicyLog(verifier, url))

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        self._require_free(name)
        verifier = parse_cosignature_vkey(vkey)
        if any(each.verifier.public == verifier.public for each in self.witnesses.values()):
            raise NoteRejected("Another line has the same key of a witness.")
        self.witnesses[name] = PolicyWitness(name, verifier, url)

    def _group(self, name: str, count: str, *members: str) -> None:
        self._require_free(name)
        for member in members:
            self._require_known(member)
        if len(set(members)) != len(members) or self._members.intersection(members):
            raise NoteRejected("A member is already in a group.")
        threshold = {"any": 1, "all": len(members)}.get(count)
        if threshold is None:
            if not re.fullmatch("[1-9][0-9]{0,3}", count) or int(count) > len(members):
                raise NoteRejected("The number of a group is any, all, or between 1 and the number of its members.")
            threshold = int(count)
        self._members.update(members)
        self.groups[name] = PolicyGroup(name, threshold, members)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise NoteRejected("There is a line `quorum` already.")
        if name != NO_QUORUM:
            self._require_known(name)
        self.quorum = name

    def _require_free(self, name: str) -> None:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise NoteRejected("Its name is taken.")

    def _require_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise NoteRejected("It names a witness or group that no line before it defines.")


def evaluate_note(
    policy: WitnessPolicy, note: str, now: datetime, allowed_skew: timedelta = ALLOWED_SKEW
) -> WitnessReport:
    """Return who has cosigned a note. The signature of the log is not verified here. Raises `NoteRejected`.

    Lines of unknown keys are ignored. A cosignature that is wrong, has no time or one in the future does not count.
    """
    text, lines = split_note(note)
    seen: dict[str, datetime] = {}
    refused: list[str] = []
    counted: dict[str, SignatureLine] = {}
    for witness, line in _known_lines(policy, lines):
        try:
            time = witness.verifier.verify(text, line)
        except NoteRejected as why:
            refused.append(str(why))
            continue
        if time == 0:
            refused.append(f"The cosignature of {witness.verifier.name} has no time.")
        elif time > (now + allowed_skew).timestamp():
            refused.append(f"The cosignature of {witness.verifier.name} is from the future.")
        elif witness.name not in seen or seen[witness.name].timestamp() < time:
            seen[witness.name] = datetime.fromtimestamp(time, UTC)
            counted[witness.name] = line
    return WitnessReport(policy, seen, tuple(refused), tuple(counted.values()))


def _known_lines(
    policy: WitnessPolicy, lines: Sequence[SignatureLine]
) -> Iterator[tuple[PolicyWitness, SignatureLine]]:
    by_key = {(each.verifier.name, each.verifier.key_id): each for each in policy.witnesses}
    for line in lines:
        if (witness := by_key.get((line.name, line.key_id))) is not None:
            yield witness, line


def judge(
    report: WitnessReport, logged_at: datetime, now: datetime, limit: timedelta = DEFAULT_LIMIT
) -> WitnessJudgement:
    """Judge an entry that was logged at this moment, by who has seen a checkpoint that contains it.

    Without the quorum it is “not yet witnessed”: acceptable until it is older than `limit`, and never when its moment
    is in the future.
    """
    parties = len(report.policy.parties)
    if (quorum_at := report.quorum_at) is not None:
        text = f"seen by {report.parties_seen} of {parties} witnesses at {format_utc(quorum_at)}"
        return WitnessJudgement(is_witnessed=True, is_acceptable=True, text=text)
    if not report.policy.threshold:
        return WitnessJudgement(is_witnessed=False, is_acceptable=True, text="no witnesses are asked for")
    age = now - logged_at
    text = f"not yet witnessed, age {format_age(age)}"
    if report.parties_seen:
        text += f" (seen by {report.parties_seen} of {parties} witnesses, {report.policy.threshold} are needed)"
    return WitnessJudgement(is_witnessed=False, is_acceptable=-ALLOWED_SKEW <= age <= limit, text=text)
