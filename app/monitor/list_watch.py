"""Watch status lists: against the log, over time, and from a second vantage point."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from app.certificates import status_list
from app.certificates.status_list import Purpose, StatusList, StatusListRejected, parse_list_name
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, TokenRejected
from app.core.dates import format_utc
from app.monitor.evidence import FindingKind, MonitorFinding
from app.monitor.public_service import PublicService, Received
from app.monitor.state import MonitorState
from app.transparency.logged_status import FINAL_STATUSES, status_after

MAX_FINDINGS_PER_LIST = 100


@dataclass
class _Watched:
    """One list in this round: as it was received, what contradicts, and the bits that it must keep."""

    received: Received
    parsed: StatusList | None = None
    faults: list[MonitorFinding] = field(default_factory=list)
    baseline: bytes | None = None


class ListWatch:
    """The lists that the certificates of the log name, in one round."""

    def __init__(
        self, service: PublicService, state: MonitorState, clock: Callable[[], datetime], grace: timedelta
    ) -> None:
        self._service, self._state, self._clock, self._grace = service, state, clock, grace
        self._watched: dict[str, _Watched] = {}

    def refresh(self, keys: Mapping[str, PublicKey]) -> None:
        """Fetch every list and compare it with what is known of the log now. Raises `Unreachable`."""
        self._watched = {url: self._look_at(url, keys) for url in self._state.list_urls()}

    def has_faults(self) -> bool:
        return any(each.faults for each in self._watched.values())

    def findings(self) -> Iterator[MonitorFinding]:
        for each in self._watched.values():
            yield from each.faults

    def keep(self) -> None:
        """Remember the lists for the next round; a bit that contradicts is not forgotten."""
        for url, each in self._watched.items():
            if each.parsed is not None and each.baseline is not None:
                self._state.set_list(url, each.received.body, each.baseline, self._clock())

    def compare(self, second: PublicService, keys: Mapping[str, PublicKey]) -> Iterator[MonitorFinding]:
        """Compare with the lists of a second vantage point. Raises `Unreachable`."""
        for url, here in self._watched.items():
            if here.parsed is None:
                continue
            received, there = _fetch(second, url, keys)
            if there is None:
                detail = f"{received.url} does not give the list of this address, signed by a published key."
                yield MonitorFinding(FindingKind.LIST_REFUSED, url, detail, (here.received, received))
                continue
            newer = max(here.parsed.valid_from, there.valid_from)
            is_settled = here.parsed.valid_from == there.valid_from or newer < self._clock() - self._grace
            if here.parsed.bits != there.bits and is_settled:
                places = [f"{index}" for index in _differing(here.parsed.bits, there.bits)][:20]
                detail = f"Two vantage points are shown different bits at {', '.join(places)}."
                yield MonitorFinding(FindingKind.LISTS_DIFFER, url, detail, (here.received, received))

    def _look_at(self, url: str, keys: Mapping[str, PublicKey]) -> _Watched:
        received, parsed = _fetch(self._service, url, keys)
        seen = _Watched(received, parsed)
        token, before = self._state.get_list(url)
        evidence = (token,) if token else ()
        if parsed is None:
            detail = f"{received.url} does not give the list of this address, signed by a published key."
            seen.faults.append(MonitorFinding(FindingKind.LIST_REFUSED, url, detail, (received,), evidence))
            return seen
        now = self._clock()
        if now > parsed.valid_until:
            detail = f"The list was valid until {format_utc(parsed.valid_until)}."
            seen.faults.append(MonitorFinding(FindingKind.LIST_REFUSED, url, detail, (received,), evidence))
        expected, undecided = self._expected(url, parsed.purpose)
        kept = set(_set_bits(before)) if before else set()
        shown = set(_set_bits(parsed.bits))
        wrong = {*(expected - shown), *(shown - expected), *self._cleared(kept, shown, parsed.purpose)} - undecided
        for index in sorted(wrong)[:MAX_FINDINGS_PER_LIST]:
            seen.faults.append(self._fault(url, parsed.purpose, index, shown, kept, (received, evidence)))
        seen.baseline = _with_bits(parsed.bits, kept, wrong, undecided)
        return seen

    def _expected(self, url: str, purpose: Purpose) -> tuple[set[int], set[int]]:
        """Return the indexes whose bit the log requires, and those that changed too recently to decide."""
        expected, undecided = set(), set()
        now = self._clock()
        for number, index in list(self._state.changed_in_list(url, purpose.value)):
            entries = [each.entry for each in self._state.changes_of(number)]
            status = status_after(entries).status
            if entries[-1].at > now - self._grace:
                undecided.add(index)
            if status in FINAL_STATUSES if purpose is Purpose.REVOCATION else status == "suspended":
                expected.add(index)
        return expected, undecided

    def _cleared(self, kept: set[int], shown: set[int], purpose: Purpose) -> set[int]:
        """Return the bits that went back although they never may."""
        return kept - shown if purpose is Purpose.REVOCATION else set()

    def _fault(
        self,
        url: str,
        purpose: Purpose,
        index: int,
        shown: set[int],
        kept: set[int],
        sides: tuple[Received, tuple[bytes, ...]],
    ) -> MonitorFinding:
        received, evidence = sides
        number = self._state.number_at(url, purpose.value, index)
        contents = tuple(each.content for each in self._state.changes_of(number)) if number else ()
        about = number or f"index {index}"
        if index in shown:
            kind, detail = FindingKind.LIST_BIT_UNEXPLAINED, f"The list says {purpose}, and no entry of the log does."
        elif index in kept:
            kind, detail = FindingKind.LIST_BIT_CLEARED, f"The bit for {purpose} went back, and no entry says why."
        else:
            kind, detail = FindingKind.LIST_BIT_MISSING, f"The log requires the bit for {purpose}, which is not set."
        subject = f"{about} in {url.rpartition('/')[2]}"
        return MonitorFinding(kind, subject, f"{detail} Index {index} of {url}.", (received,), (*evidence, *contents))


def _fetch(service: PublicService, url: str, keys: Mapping[str, PublicKey]) -> tuple[Received, StatusList | None]:
    """Return a list by its address at this vantage point; None where it is not the signed list of this address."""
    received = service.get(urlsplit(url).path)
    if received.status != 200:
        return received, None
    try:
        verified = jws.verify(received.text.strip(), typ=jws.TYP_CREDENTIAL, keys=keys)
        parsed = status_list.parse_status_list_credential(verified.payload)
    except (TokenRejected, StatusListRejected):
        return received, None
    named = parse_list_name(url.rpartition("/")[2])
    is_this = parsed.url == url and parsed.issuer == verified.kid.partition("#")[0]
    return received, parsed if is_this and named is not None and named[1] is parsed.purpose else None


def _set_bits(bits: bytes) -> Iterator[int]:
    for place, byte in enumerate(bits):
        if byte:
            yield from (place * 8 + shift for shift in range(8) if byte & (0x80 >> shift))


def _differing(one: bytes, other: bytes) -> Iterator[int]:
    size = max(len(one), len(other))
    pairs = zip(one.ljust(size, b"\0"), other.ljust(size, b"\0"), strict=True)
    return _set_bits(bytes(a ^ b for a, b in pairs))


def _with_bits(bits: bytes, kept: Iterable[int], wrong: set[int], undecided: set[int]) -> bytes:
    """Return the bits to remember: a bit that contradicts, or cannot be decided yet, stays as it was."""
    before = set(kept)
    for index in wrong | undecided:
        if index < len(bits) * 8:
            bits = status_list.set_bit(bits, index, value=index in before)
    return bits
