"""A snapshot holds the bytes of the evaluation until its time has passed, and is used only where it is genuine."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.certificates.certificate_number import CertificateNumber
from app.certificates.credential.reader import parse_credential
from app.certificates.credential.untp_builder import build_credential
from app.certificates.read_model.record import current_token, public_fields
from app.certificates.read_model.record import record_of as build_record
from app.certificates.read_model.snapshot import Snapshot, SnapshotKey
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRecord, KeyRing, KeyState
from app.core.dates import BAKU
from app.core.text.marking import Marking
from app.transparency.log_entry import Entry, LogEvent
from app.verification.response import encode, parse_snapshot, to_token_body, verdict_in
from app.verification.snapshots import SnapshotCheck, build_snapshot
from app.verification.stores.sql import SNAPSHOT_COLUMNS
from app.verification.verdict import evaluate_issued_token, evaluate_number
from tests.verification.factories import (
    NOW,
    SNAPSHOT_KEY,
    FollowedLog,
    content_of,
    record_of,
    ring_of,
    signer_of,
    snapshot_of,
    token_of,
)

pytestmark = pytest.mark.pure

BASE = "https://mark.example"
SIGNER, OTHER = signer_of(0xC0FFEE), signer_of(0xBEEF)
RECORD = record_of(content_of(), "header.payload.signature", SIGNER)
RING = ring_of(SIGNER, OTHER)
HELD = snapshot_of(RECORD)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["%s", '"', "\\", "\0", "\n", '"checks":[{"name":"form"', "\u2028", "\u202ex", "Ağdam – “ə”", "🙂"]
)
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1), max_value=datetime(2032, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 (they get one)
)  # fmt: skip
NUMBERS = st.builds(CertificateNumber, st.just("MIK"), st.just(2026), st.integers(0, 10**7))
DAYS = st.dates(date(2026, 11, 1), date(2027, 6, 1))
TURNS = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=-1), timedelta(microseconds=-1)]


@st.composite
def records(draw):
    first, last = sorted([draw(DAYS), draw(DAYS)])
    return RECORD._replace(
        **{name: draw(TEXT) for name in ("scheme_code", "scheme_name", "holder_name", "hs6", "district", "country")},
        number=str(draw(NUMBERS)),
        **{name: draw(st.none() | TEXT) for name in ("gtin", "park_code", "status_reason", "holder_name_az")},
        origin_criterion=draw(TEXT),
        product_names=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        holder_voen=draw(st.none() | st.from_regex(r"[0-9]{10}", fullmatch=True)),
        valid_from=first,
        valid_until=last,
        status=draw(st.sampled_from(["active", "suspended", "revoked", "surrendered", "superseded"])),
        during_investigation=draw(st.booleans()),
        status_since=draw(MOMENTS),
        logged_at=draw(MOMENTS),
        kid=draw(st.sampled_from([SIGNER.kid, OTHER.kid])),
    )


@st.composite
def moments_of(draw, record):
    """Also the very moments at which an answer turns."""
    day = draw(st.sampled_from([record.valid_from, record.valid_until, record.valid_until + timedelta(days=1)]))
    midnight = datetime(day.year, day.month, day.day, tzinfo=BAKU)
    return draw(st.sampled_from([midnight + turn for turn in TURNS]) | MOMENTS)


class TestSameBytes:
    @settings(max_examples=60)
    @given(st.data(), records())
    def test_until_its_time_has_passed(self, data, record):
        written, asked = sorted([data.draw(moments_of(record)), data.draw(moments_of(record))])
        snapshot = SNAPSHOT_KEY.sign(build_snapshot(record, RING, written, BASE))
        assert snapshot.body == encode(evaluate_number(record, RING, written), BASE)
        if SnapshotCheck(SNAPSHOT_KEY, FollowedLog()).accepts(snapshot, RING, asked.timestamp()):
            now = evaluate_number(record, RING, asked)
            assert (verdict_in(snapshot.body), snapshot.body) == (now.verdict, encode(now, BASE))
            of_token = encode(evaluate_issued_token(record, RING, asked), BASE)
            assert to_token_body(snapshot.body) == of_token
        else:
            ended = snapshot.good_until is not None and snapshot.good_until <= asked.timestamp()
            assert ended or asked.timestamp() < snapshot.issued_at

    @settings(max_examples=60)
    @given(records())
    def test_what_is_read_back_is_what_was_written(self, record):
        result = evaluate_number(record, RING, NOW)
        read = parse_snapshot(SNAPSHOT_KEY.sign(build_snapshot(record, RING, NOW, BASE)))
        assert encode(read, BASE) == encode(result, BASE)
        assert public_fields(read.record) == public_fields(record)
        assert read.record.logged_at == record.logged_at.replace(microsecond=0)

    @settings(max_examples=60)
    @given(st.lists(records(), min_size=2, max_size=4))
    def test_another_body_has_another_etag(self, drawn):
        bodies = {}
        for record in [*drawn, *(record._replace(status="revoked") for record in drawn)]:
            built = build_snapshot(record, RING, NOW, BASE)
            assert bodies.setdefault(built.etag, built.body) == built.body
            assert built.etag[0] == built.etag[-1] == '"'
            assert len(built.etag) == 34

    def test_rotation_of_the_key_changes_nothing(self):
        first, *others = (
            build_snapshot(RECORD, ring_of(SIGNER, state=state, since=since), NOW, BASE)
            for state in (KeyState.ACTIVE, KeyState.RETIRED)
            for since in (NOW, NOW - timedelta(days=9))
        )
        assert others == [first] * 3


@pytest.mark.parametrize(
    ("record", "ring"),
    [
        (RECORD._replace(logged_at=None, logged_sha256=None), RING),
        (RECORD._replace(logged_sha256="f" * 64), RING),
        (RECORD, ring_of(SIGNER, state=KeyState.NEXT)),
        (RECORD, KeyRing.from_keys(())),
    ],
)
def test_none_is_made_of_what_cannot_be_shown(record, ring):
    assert build_snapshot(record, ring, NOW, BASE) is None


class TestUse:
    @pytest.fixture
    def log(self):
        return FollowedLog()

    @pytest.fixture
    def accepts(self, log):
        check = SnapshotCheck(SNAPSHOT_KEY, log)
        return lambda snapshot=HELD, ring=RING, now=NOW: check.accepts(snapshot, ring, now.timestamp())

    def test_as_written(self, accepts):
        assert accepts()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("number", "MIK-2026-000043-W"), ("signed_hash", bytes(32)), ("kid", OTHER.kid), ("issued_at", 0),
            ("log_seq", 99),
            ("holder_id", "urn:uuid:x"), ("holder_id", None), ("list_id", 2), ("status_index", 0), ("status", "x"),
            ("good_until", None), ("good_until", 2**40), ("etag", '"x"'), ("body", b"{}"), ("mac", b""), ("mac", None),
            ("mac", "x"), ("body", "text"), ("body", None), ("log_seq", "1"), ("kid", 5), ("good_until", "x"),
            ("number", "\ud800"), ("list_id", 1.5),
        ],
    )  # fmt: skip
    def test_nothing_that_anybody_else_wrote(self, accepts, name, value):
        """Also values of types that only a changed table can hold."""
        assert not accepts(snapshot_of(RECORD)._replace(**{name: value}))

    def test_no_two_rows_give_the_same_bytes(self):
        """A text may not move from one member into the next."""
        one = Snapshot("a", b"b", "c", 1, 1, "d", 1, 1, "e", None, "f", b"g")
        other = one._replace(kid="cd", holder_id="")
        moved = one._replace(status="ef", etag="")
        assert len({SNAPSHOT_KEY.sign(each).mac for each in (one, other, moved)}) == 3

    def test_not_of_another_address_a_demo_or_another_key(self):
        snapshot = snapshot_of(RECORD)
        for key in (
            SnapshotKey(bytes(32), "https://other.example"),
            SnapshotKey(bytes(32), BASE, marking=Marking.DEMO),
            SnapshotKey(b"x" * 32, BASE),
        ):
            assert not key.is_genuine(snapshot)

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"verdict":"x"}', b'{"verdict":"valid'])
    def test_not_a_body_that_is_no_answer(self, accepts, body):
        """Whoever has the key of snapshots gets no error out of the service."""
        assert not accepts(SNAPSHOT_KEY.sign(HELD._replace(body=body)))

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"verdict":"valid"}', b'{"verdict":"valid","checks":3}', b"\xff"])
    def test_a_body_that_is_no_answer_is_not_read(self, body):
        assert parse_snapshot(HELD._replace(body=body)) is None

    def test_not_older_than_the_log(self, accepts, log):
        log.last = {RECORD.number: RECORD.log_seq}
        assert accepts()
        log.last = {RECORD.number: RECORD.log_seq + 1}
        assert not accepts()

    def test_not_where_another_process_knows_more(self, accepts, log):
        log.is_current = False
        assert not accepts()

    def test_not_of_a_key_that_does_not_sign(self, accepts):
        assert not accepts(ring=ring_of(SIGNER, state=KeyState.NEXT))
        assert not accepts(ring=ring_of(OTHER))

    @pytest.mark.parametrize("since", [RECORD.logged_at + timedelta(days=1), RECORD.logged_at])
    def test_not_from_before_the_last_word_on_a_compromise(self, accepts, since):
        """A compromise, and each correction of its moment, voids the answers of its key; new ones name it."""
        for corrected in (10, 20):
            key = KeyRecord(SIGNER.kid, SIGNER.public, KeyState.COMPROMISED, since, 10, corrected)
            ring = KeyRing.from_keys([key])
            assert not accepts(ring=ring)
            renewed = SNAPSHOT_KEY.sign(build_snapshot(RECORD, ring, NOW, BASE))
            assert accepts(renewed, ring=ring)
            assert parse_snapshot(renewed).verdict == ("valid" if since > RECORD.logged_at else "key_compromised")
        earlier = KeyRing.from_keys([KeyRecord(SIGNER.kid, SIGNER.public, KeyState.COMPROMISED, since, 10, 10)])
        assert not accepts(SNAPSHOT_KEY.sign(build_snapshot(RECORD, earlier, NOW, BASE)), ring=ring)

    def test_not_after_its_time(self, accepts):
        turn = datetime(2029, 11, 21, 20, tzinfo=UTC)
        assert accepts(now=turn - timedelta(microseconds=1))
        assert not accepts(now=turn)

    def test_there_is_no_end_of_days(self):
        assert snapshot_of(RECORD._replace(valid_until=date.max)).good_until is None


class TestTokens:
    """Which of several tokens of a number counts."""

    NEW, LATER = signer_of(8), NOW + timedelta(days=3)

    def keys(self, *, new=KeyState.ACTIVE):
        since = NOW - timedelta(hours=1)
        return KeyRing.from_keys(
            [
                KeyRecord(SIGNER.kid, SIGNER.public, KeyState.COMPROMISED, since, 5, 5),
                KeyRecord(self.NEW.kid, self.NEW.public, new, NOW, 7, 7),
            ]
        )

    def tokens(self, *later):
        return [(3, entry("issued", NOW, sha256="a" * 64, key=SIGNER.kid)), *later]

    def anew(self, seq, key, at=LATER, sha256="b" * 64):
        return (seq, entry("reissued", at, sha256=sha256, key=key))

    def test_the_newest_whose_key_can_be_relied_on(self):
        issue, anew = self.tokens(self.anew(6, self.NEW.kid))
        assert current_token([issue, anew], self.keys()) == anew
        assert current_token([issue, anew], self.keys(new=KeyState.COMPROMISED)) == issue
        assert current_token([issue], self.keys()) == issue

    def test_whoever_stole_key_and_log_does_not_take_the_place_of_an_honest_one(self):
        issue, anew = self.tokens(self.anew(6, self.NEW.kid))
        for at in (self.LATER, NOW - timedelta(days=2)):  # also backdated: it stands after the declaration
            stolen = self.anew(8, SIGNER.kid, at=at, sha256="c" * 64)
            assert current_token([issue, anew, stolen], self.keys()) == anew
            assert current_token([issue, stolen], self.keys()) == issue

    def test_the_earlier_token_is_superseded(self):
        facts = parse_credential(jws.verify(token_of(SIGNER, content_of()), typ="vc+jwt", keys=RING.all_public).payload)
        entries = self.tokens(self.anew(6, self.NEW.kid), (9, entry("suspended", self.LATER, reason="court")))
        old = build_record(facts, SIGNER.kid, "a" * 64, entries, NOW, None, self.keys())
        new = build_record(facts, self.NEW.kid, "b" * 64, entries, NOW, None, self.keys())
        assert (old.status, old.status_reason, old.status_since) == ("superseded", "reissued", self.LATER)
        assert (new.status, new.status_reason) == ("suspended", "court")
        assert (new.logged_at, new.token_logged_at, new.token_seq, new.log_seq) == (NOW, self.LATER, 6, 9)
        assert evaluate_number(old, self.keys(), self.LATER).verdict == "superseded"
        revoked = [*entries, (10, entry("revoked", self.LATER, reason="court-order"))]
        assert build_record(facts, SIGNER.kid, "a" * 64, revoked, NOW, None, self.keys()).status == "revoked"


def test_the_columns_are_read_in_the_order_of_the_fields():
    assert tuple(SNAPSHOT_COLUMNS.split(", ")) == Snapshot._fields


def entry(event, at, **members):
    return Entry(LogEvent(f"certificate.{event}"), at, RECORD.number, **members)


ISSUED = entry("issued", NOW, sha256="a" * 64)


class TestStatus:
    FACTS = parse_credential(build_credential(content_of()))

    def status(self, *entries, stored="hearing"):
        logged = list(enumerate([ISSUED, *entries]))
        found = build_record(self.FACTS, SIGNER.kid, "a" * 64, logged, NOW, stored, RING)
        return found.status, found.status_since, found.status_reason, found.during_investigation

    def test_issued(self):
        assert self.status() == ("active", NOW, None, False)

    def test_another_cause_does_not_begin_the_suspension_again(self):
        later = NOW + timedelta(hours=1)
        first = entry("suspended", later, reason="court")
        second = entry("suspended", later + timedelta(hours=1), reason="mark")
        assert self.status(first, second)[:3] == ("suspended", later, "mark")
        assert self.status(first, second, entry("reinstated", NOW, reason="court"))[::2] == ("active", None)

    def test_reason_of_the_entry_before_that_of_the_row(self):
        later = NOW + timedelta(hours=1)
        assert self.status(entry("suspended", later, reason="court"))[:3] == ("suspended", later, "court")
        assert self.status(entry("suspended", later))[2] == "hearing"
        assert self.status(entry("suspended", later), stored="all is well")[2] is None

    @pytest.mark.parametrize("event", ["reinstated", "suspended"])
    def test_nothing_takes_a_final_status_back(self, event):
        assert self.status(entry("revoked", NOW), entry(event, NOW + timedelta(days=1)))[0] == "revoked"

    def test_revoked_after_a_surrender_during_an_investigation(self):
        found = self.status(entry("surrendered", NOW, during_investigation=True), entry("revoked", NOW))
        assert (found[0], found[3]) == ("revoked", True)
