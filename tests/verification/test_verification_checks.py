"""Every verdict, in its order, with the checks that led to it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.certificates.model import CertificateStatus
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRecord, KeyRing, KeyState
from app.core.dates import format_utc
from app.transparency.logged_status import FINAL_STATUSES
from app.verification.verdict import (
    ACTIVE,
    MESSAGES,
    MISTYPED,
    UNREADABLE,
    Verdict,
    evaluate_number,
    evaluate_token,
    verify_token,
)
from tests.verification.factories import NOW, content_of, record_of, ring_of, signer_of, token_of

pytestmark = pytest.mark.pure

SIGNER = signer_of(0xC0FFEE)
CONTENT = content_of()
TOKEN = token_of(SIGNER, CONTENT)
RECORD = record_of(CONTENT, TOKEN, SIGNER)
RING = ring_of(SIGNER)
FIRST, LAST = RECORD.valid_from, RECORD.valid_until
BEFORE, DURING, AFTER = (
    datetime(2026, 11, 21, 19, 59, 59, tzinfo=UTC),
    NOW,
    datetime(2029, 11, 21, 20, 0, tzinfo=UTC),
)


def names(judgement):
    return [check.name for check in judgement.checks]


def failed(judgement):
    return {check.name for check in judgement.checks if not check.passed}


class TestNumber:
    @pytest.mark.parametrize(
        ("status", "now", "verdict", "why"),
        [
            ("active", DURING, "valid", set()),
            ("active", BEFORE, "not_yet_valid", {"validity"}),
            ("active", AFTER, "expired", {"validity"}),
            ("suspended", DURING, "suspended", {"status"}),
            ("suspended", BEFORE, "suspended", {"status", "validity"}),
            ("suspended", AFTER, "expired", {"status", "validity"}),
            ("revoked", DURING, "revoked", {"status"}),
            ("revoked", BEFORE, "revoked", {"status", "validity"}),
            ("revoked", AFTER, "revoked", {"status", "validity"}),
            ("surrendered", DURING, "surrendered", {"status"}),
            ("surrendered", AFTER, "surrendered", {"status", "validity"}),
            ("superseded", DURING, "superseded", {"status"}),
            ("superseded", AFTER, "superseded", {"status", "validity"}),
            ("a state unknown here", DURING, "suspended", {"status"}),
        ],
    )
    def test_every_state_at_every_time(self, status, now, verdict, why):
        judgement = evaluate_number(RECORD._replace(status=status), RING, now)
        assert judgement.verdict == verdict
        assert failed(judgement) == why
        assert names(judgement) == ["form", "record", "log", "key_state", "validity", "status"]
        assert judgement.record is not None

    def test_unknown(self):
        judgement = evaluate_number(None, RING, NOW)
        assert judgement.verdict is Verdict.UNKNOWN
        assert names(judgement) == ["form", "record"]
        assert failed(judgement) == {"record"}
        assert judgement.as_of is None
        assert judgement.record is None

    def test_mistyped(self):
        assert MISTYPED.verdict is Verdict.MISTYPED
        assert names(MISTYPED) == ["form"]
        assert failed(MISTYPED) == {"form"}
        assert MISTYPED.as_of is None

    @pytest.mark.parametrize(
        ("moment", "verdict"),
        [
            ("2026-11-21T19:59:59Z", "not_yet_valid"),
            ("2026-11-21T20:00:00Z", "valid"),
            ("2029-11-21T19:59:59Z", "valid"),
            ("2029-11-21T20:00:00Z", "expired"),
            ("2029-11-21T23:59:59+04:00", "valid"),
            ("2029-11-22T00:00:00+04:00", "expired"),
        ],
    )
    def test_days_are_those_of_baku(self, moment, verdict):
        assert evaluate_number(RECORD, RING, datetime.fromisoformat(moment)).verdict == verdict

    def test_all_statuses_of_the_model_are_known(self):
        known = {ACTIVE, "suspended", *FINAL_STATUSES}
        assert known == set(CertificateStatus)

    def test_every_verdict_has_its_message(self):
        assert MESSAGES.keys() == set(Verdict)
        assert evaluate_number(RECORD, RING, NOW).message == MESSAGES[Verdict.VALID]

    @given(
        st.sampled_from([*CertificateStatus]),
        st.dates(date(2026, 1, 1), date(2030, 1, 1)),
        st.integers(0, 500),
        st.integers(1_735_000_000, 1_956_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    )
    def test_valid_exactly_if_nothing_failed(self, status, start, days, now):
        record = RECORD._replace(status=status.value, valid_from=start, valid_until=start + timedelta(days))
        judgement = evaluate_number(record, RING, now)
        assert (judgement.verdict is Verdict.VALID) == (not failed(judgement))
        in_term = start <= (now + timedelta(hours=4)).date() <= start + timedelta(days)
        assert ("validity" in failed(judgement)) == (not in_term)
        assert ("status" in failed(judgement)) == (status != "active")


class TestKeyState:
    @pytest.mark.parametrize("state", [KeyState.ACTIVE, KeyState.RETIRED])
    def test_good_keys(self, state):
        assert evaluate_number(RECORD, ring_of(SIGNER, state=state), NOW).verdict is Verdict.VALID

    @pytest.mark.parametrize(
        "ring", [KeyRing.from_keys([]), ring_of(SIGNER, state=KeyState.NEXT), ring_of(signer_of(7))]
    )
    def test_keys_that_never_signed(self, ring):
        judgement = evaluate_number(RECORD, ring, NOW)
        assert judgement.verdict is Verdict.FORGED
        assert failed(judgement) == {"key_state"}
        assert judgement.record is None

    @pytest.mark.parametrize(("seconds", "verdict"), [(-1, "key_compromised"), (0, "key_compromised"), (1, "valid")])
    def test_a_compromised_key_divides_by_the_moment_of_logging(self, seconds, verdict):
        """Not by the date of issue, which whoever holds the key writes as he likes."""
        since = RECORD.logged_at + timedelta(seconds=seconds)
        ring = ring_of(SIGNER, state=KeyState.COMPROMISED, since=since)
        for judgement in (
            evaluate_number(RECORD, ring, NOW),
            evaluate_token(verify_token(TOKEN, ring), RECORD, ring, NOW),
        ):
            assert judgement.verdict == verdict
            detail = next(c.detail for c in judgement.checks if c.name == "key_state")
            assert format_utc(since) in detail
            assert judgement.as_of == max(since, RECORD.logged_at)
            assert judgement.record.status == ("active" if verdict == "valid" else verdict)

    @pytest.mark.parametrize(
        ("status", "now", "verdict"),
        [("revoked", DURING, "revoked"), ("superseded", AFTER, "superseded"), ("suspended", DURING, "key_compromised"),
         ("active", AFTER, "key_compromised")],
    )  # fmt: skip
    def test_only_a_final_status_says_more_than_a_compromise(self, status, now, verdict):
        """Expired and suspended certificates are called genuine, and nobody knows whether this one is."""
        ring = ring_of(SIGNER, state=KeyState.COMPROMISED)
        assert evaluate_number(RECORD._replace(status=status), ring, now).verdict == verdict

    def test_nothing_is_signed_after_a_compromise_was_declared(self):
        """Whoever has the keys of certificates and log can write any moment into an entry, but not its place."""
        key = KeyRecord(SIGNER.kid, SIGNER.public, KeyState.COMPROMISED, RECORD.logged_at + timedelta(days=9), 50, 60)
        for seq, verdict in ((49, "valid"), (51, "key_compromised")):
            found = evaluate_number(RECORD._replace(token_seq=seq), KeyRing.from_keys([key]), NOW)
            assert found.verdict == verdict

    def test_a_certificate_that_was_signed_anew(self):
        anew = RECORD._replace(token_logged_at=RECORD.logged_at + timedelta(days=3))
        found = evaluate_number(anew, RING, NOW)
        (log,) = [check.detail for check in found.checks if check.name == "log"]
        assert (found.verdict, found.as_of) == ("valid", anew.token_logged_at)
        assert format_utc(RECORD.logged_at) in log and format_utc(anew.token_logged_at) in log


class TestLog:
    @pytest.mark.parametrize(
        "change", [{"logged_at": None, "logged_sha256": None}, {"logged_sha256": "0" * 64}, {"logged_sha256": None}]
    )
    def test_what_the_log_has_not_or_has_otherwise_was_not_issued_by_us(self, change):
        record = RECORD._replace(**change)
        for judgement in (
            evaluate_number(record, RING, NOW),
            evaluate_token(verify_token(TOKEN, RING), record, RING, NOW),
        ):
            assert judgement.verdict is Verdict.FORGED
            assert failed(judgement) == {"log"}
            assert judgement.record is None

    def test_nothing_unlogged_survives_a_compromise(self):
        ring = ring_of(SIGNER, state=KeyState.COMPROMISED, since=RECORD.logged_at + timedelta(days=1))
        judgement = evaluate_number(RECORD._replace(logged_at=None), ring, NOW)
        assert failed(judgement) == {"log", "key_state"}

    def test_the_day_of_issue_does_not_count(self):
        since = RECORD.logged_at + timedelta(days=1)
        ring = ring_of(SIGNER, state=KeyState.COMPROMISED, since=since)
        backdated = RECORD._replace(logged_at=since + timedelta(seconds=1))
        assert evaluate_number(RECORD, ring, NOW).verdict is Verdict.VALID
        assert evaluate_number(backdated, ring, NOW).verdict is Verdict.KEY_COMPROMISED

    def test_a_token_of_a_key_that_does_not_sign_yet_says_so(self):
        early = verify_token(TOKEN, ring_of(SIGNER, state=KeyState.NEXT))
        assert (early.signed_with_next_key, early.verified, early.number) == (True, None, None)
        assert not verify_token(TOKEN, RING).signed_with_next_key
        assert not verify_token("x", RING).signed_with_next_key


class TestToken:
    def judge(self, token, record=RECORD, ring=RING, now=NOW):
        return evaluate_token(verify_token(token, ring), record, ring, now)

    @pytest.mark.parametrize(
        ("status", "now", "verdict"),
        [
            ("active", DURING, "valid"),
            ("active", BEFORE, "not_yet_valid"),
            ("active", AFTER, "expired"),
            ("suspended", DURING, "suspended"),
            ("revoked", AFTER, "revoked"),
            ("surrendered", BEFORE, "surrendered"),
            ("superseded", DURING, "superseded"),
        ],
    )
    def test_as_its_record(self, status, now, verdict):
        judgement = self.judge(TOKEN, RECORD._replace(status=status), now=now)
        assert judgement.verdict == verdict
        assert names(judgement) == ["signature", "record", "content", "log", "key_state", "validity", "status"]

    @pytest.mark.parametrize("text", ["", "x", "a.b.c", "\0", "\ud800", "é" * 70_000, TOKEN + "=", TOKEN[:-1]])
    def test_unreadable(self, text):
        assert self.judge(text, None) is UNREADABLE
        assert (UNREADABLE.checks, UNREADABLE.as_of, UNREADABLE.record) == ((), None, None)

    @pytest.mark.parametrize("text", [TOKEN[:-6] + "AAAAAA", TOKEN.replace(".", "." + "A" * 70_000, 1)])
    def test_forged(self, text):
        judgement = self.judge(text, None)
        assert judgement.verdict is Verdict.FORGED
        assert names(judgement) == ["signature"]
        assert judgement.as_of is None
        assert judgement.record is None

    def test_the_number_to_look_up_is_the_tokens_own(self):
        assert str(verify_token(TOKEN, RING).number) == CONTENT.number
        assert verify_token("x", RING).number is None

    def test_signed_by_us_but_not_recorded(self):
        judgement = self.judge(TOKEN, None)
        assert judgement.verdict is Verdict.UNKNOWN
        assert names(judgement) == ["signature", "record"]
        assert judgement.as_of is None

    def test_not_recorded_under_a_compromised_key(self):
        judgement = self.judge(TOKEN, None, ring_of(SIGNER, state=KeyState.COMPROMISED))
        assert judgement.verdict is Verdict.FORGED
        assert failed(judgement) == {"record", "key_state"}

    def test_a_key_that_is_only_next_signs_nothing(self):
        assert self.judge(TOKEN, RECORD, ring_of(SIGNER, state=KeyState.NEXT)).verdict is Verdict.FORGED

    def test_other_content_for_the_same_number(self):
        other = token_of(SIGNER, content_of(holder_name="Somebody else"))
        judgement = self.judge(other)
        assert judgement.verdict is Verdict.FORGED
        assert names(judgement) == ["signature", "record", "content"]
        assert failed(judgement) == {"content"}
        assert judgement.record is None

    def test_the_same_content_signed_again(self):
        again = token_of(SIGNER, CONTENT)
        assert again != TOKEN
        assert self.judge(again).verdict is Verdict.VALID

    def test_the_same_content_signed_by_another_key_of_ours(self):
        old = signer_of(0xBEEF)
        ring = KeyRing.from_keys(
            [
                KeyRecord(SIGNER.kid, SIGNER.public, KeyState.ACTIVE, NOW),
                KeyRecord(old.kid, old.public, KeyState.RETIRED, NOW),
            ]
        )
        assert self.judge(token_of(old, CONTENT), ring=ring).verdict is Verdict.FORGED

    @pytest.mark.parametrize(
        "payload",
        [
            {},
            {"credentialSubject": None},
            {"credentialSubject": []},
            {"credentialSubject": {}},
            {"credentialSubject": {"number": 5}},
            {"credentialSubject": {"number": "MIK-2026-000042-X"}},
            {"credentialSubject": {"type": "BitstringStatusList", "encodedList": "uH4s"}},
        ],
    )
    def test_what_we_signed_that_is_no_certificate(self, payload):
        token = SIGNER.sign(payload, typ=jws.TYP_CREDENTIAL)
        assert verify_token(token, RING).number is None
        assert self.judge(token, None).verdict is Verdict.UNKNOWN

    def test_an_access_token_is_no_certificate(self):
        assert self.judge(SIGNER.sign({"a": 1}, typ=jws.TYP_ACCESS_TOKEN), None).verdict is Verdict.FORGED


class TestAsOf:
    ISSUED = RECORD.logged_at
    START = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)

    def as_of(self, record=RECORD, ring=RING, now=NOW):
        return evaluate_number(record, ring, now).as_of

    def test_issue(self):
        assert self.as_of() == self.ISSUED

    def test_status(self):
        since = datetime(2027, 1, 5, tzinfo=UTC)
        assert self.as_of(RECORD._replace(status="suspended", status_since=since)) == since

    def test_a_passed_beginning(self):
        record = RECORD._replace(valid_from=date(2027, 2, 1))
        assert self.as_of(record) == datetime(2027, 1, 31, 20, tzinfo=UTC)

    def test_a_beginning_to_come(self):
        assert self.as_of(RECORD._replace(valid_from=date(2028, 2, 1))) == self.ISSUED

    def test_a_passed_end(self):
        assert self.as_of(now=AFTER) == datetime(2029, 11, 21, 19, 59, 59, tzinfo=UTC)

    def test_key_state(self):
        since = datetime(2027, 2, 2, tzinfo=UTC)
        assert self.as_of(ring=ring_of(SIGNER, state=KeyState.RETIRED, since=since)) == self.ISSUED
        assert self.as_of(ring=ring_of(SIGNER, state=KeyState.COMPROMISED, since=since)) == since

    def test_what_is_not_logged(self):
        assert self.as_of(RECORD._replace(logged_at=None)) is None

    def test_a_key_that_is_gone(self):
        assert self.as_of(ring=KeyRing.from_keys([])) == self.ISSUED

    def test_the_last_days_there_are(self):
        record = RECORD._replace(valid_until=date.max)
        assert evaluate_number(record, RING, NOW).verdict is Verdict.VALID
