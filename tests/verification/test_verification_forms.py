"""Printed from a form, an answer has the very bytes that the law and the encoder would have given."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.certificates.certificate_number import CertificateNumber
from app.certificates.read_model import snapshot
from app.certificates.read_model.record import CertificateRecord
from app.core.crypto.keyring import KeyRing, KeyState
from app.core.dates import BAKU
from app.verification import response_templates
from app.verification.response import encode
from app.verification.response_templates import ResponseTemplates, validity_window
from app.verification.stores.sql import parse_row
from app.verification.verdict import MISTYPED, UNKNOWN, Verdict, evaluate_number
from tests.verification.factories import KEY_SINCE, NOW, content_of, record_of, ring_of, row_of, signer_of

pytestmark = pytest.mark.pure

BASE = "https://mark.example"
SIGNER, OTHER = signer_of(0xC0FFEE), signer_of(0xBEEF)
RECORD = record_of(content_of(), "header.payload.signature", SIGNER)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["%s", "%", "%%d", '"', "\\", "\0", "\n", "\x7f", "\u2028", "\u202ex", "\ue000a number\ue000", "Ağdam – “ə”", "🙂"]
)
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1), max_value=datetime(2032, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 (they get one)
)  # fmt: skip
NUMBERS = st.builds(CertificateNumber, st.just("MIK"), st.just(2026), st.integers(0, 10**7))
DAYS = st.dates(date(2026, 11, 1), date(2027, 6, 1))
TURNS = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=-1), timedelta(microseconds=-1)]

LOGGED = st.fixed_dictionaries(
    {
        "logged_at": MOMENTS | st.none(),
        "logged_sha256": st.sampled_from([RECORD.token_sha256, RECORD.token_sha256, "f" * 64, None]),
    }
)


@st.composite
def records(draw):
    first, last = sorted([draw(DAYS), draw(DAYS)])
    return RECORD._replace(
        **{name: draw(TEXT) for name in ("scheme_code", "scheme_name", "holder_name", "hs6", "district", "country")},
        number=str(draw(NUMBERS)),
        **{name: draw(st.none() | TEXT) for name in ("gtin", "park_code", "status_reason", "holder_name_az")},
        origin_criterion=draw(TEXT),
        product_names=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        holder_voen=draw(st.from_regex(r"[0-9]{10}", fullmatch=True) | TEXT),
        valid_from=first,
        valid_until=last,
        status=draw(st.sampled_from(["active", "suspended", "revoked", "surrendered", "superseded"])),
        during_investigation=draw(st.booleans()),
        holder_is_legal_person=draw(st.booleans()),
        status_since=draw(MOMENTS),
        issued_at=draw(MOMENTS),
        **draw(LOGGED),
        kid=draw(st.sampled_from([SIGNER.kid, OTHER.kid, "unknown"])),
    )


@st.composite
def moments_of(draw, record):
    """Also the very moments at which an answer turns."""
    day = draw(st.sampled_from([record.valid_from, record.valid_until, record.valid_until + timedelta(days=1)]))
    midnight = datetime(day.year, day.month, day.day, tzinfo=BAKU)
    return draw(st.sampled_from([midnight + turn for turn in TURNS]) | MOMENTS)


RINGS = st.sampled_from(KeyState).flatmap(
    lambda state: st.tuples(st.just(state), st.sampled_from([KEY_SINCE, NOW, NOW + timedelta(days=500)]))
)


def by_the_law(record, keys, now):
    judgement = evaluate_number(record, keys, now)
    return judgement.verdict, encode(judgement, BASE)


def filled(forms, record, keys, now):
    """Verdict and body; the law is asked where no form serves, as the desk does."""
    text = snapshot.serialize(record)
    printed = forms.render(text, keys, now) if text else None
    return printed[:2] if printed else by_the_law(record, keys, now)


class TestSameBytes:
    forms = ResponseTemplates(BASE)  # one for all examples: what was printed before must not show

    @settings(max_examples=60)
    @given(st.data(), RINGS)
    def test_whatever_the_row_the_keys_and_the_time(self, data, ring):
        keys = KeyRing.from_keys(
            [*ring_of(SIGNER).by_kid.values(), *ring_of(OTHER, state=ring[0], since=ring[1]).by_kid.values()]
        )
        for record in data.draw(st.lists(records(), min_size=1, max_size=3)):
            now = data.draw(moments_of(record))
            assert filled(self.forms, record, keys, now) == by_the_law(record, keys, now)

    @settings(max_examples=60)
    @given(records(), st.data())
    def test_a_form_serves_all_its_stretch(self, record, data):
        """Forms made at one moment and used at the first, the last, and any other of the same stretch."""
        made = ResponseTemplates(BASE)
        keys = ring_of(SIGNER)
        now = data.draw(moments_of(record))
        filled(made, record, keys, now)
        for at in (
            *validity_window(now),
            data.draw(st.datetimes(*naive(validity_window(now)), timezones=st.just(UTC))),
        ):
            assert filled(made, record, keys, at) == by_the_law(record, keys, at)

    @settings(max_examples=60)
    @given(st.lists(records(), min_size=2, max_size=4), st.data())
    def test_another_body_has_another_etag(self, drawn, data):
        made, bodies = ResponseTemplates(BASE), {}
        for record in [*drawn, *(record._replace(status="revoked") for record in drawn)]:
            for ring in (ring_of(SIGNER, OTHER), ring_of(SIGNER, OTHER, state=KeyState.RETIRED)):
                printed = made.render(snapshot.serialize(logged(record)) or b"", ring, data.draw(moments_of(record)))
                if printed:
                    assert bodies.setdefault(printed[2], printed[1]) == printed[1]
        assert all(tag[0] == tag[-1] == ord('"') and len(tag) == 34 for tag in bodies)

    def test_what_has_no_row(self):
        made = ResponseTemplates(BASE)
        for printed, judgement in ((made.mistyped, MISTYPED), (made.unknown, UNKNOWN)):
            assert printed[:2] == (judgement.verdict, encode(judgement, BASE))


def logged(record):
    return record._replace(logged_at=record.logged_at or NOW, logged_sha256=record.token_sha256)


def naive(stretch):
    return [moment.astimezone(UTC).replace(tzinfo=None) for moment in stretch]


class TestStretch:
    @given(MOMENTS | st.sampled_from([datetime(2027, 1, 1, tzinfo=BAKU) + turn for turn in TURNS]))
    def test_it_holds_its_moment_and_lies_in_one_day(self, now):
        begin, end = validity_window(now)
        assert begin <= now <= end
        assert begin.astimezone(BAKU).date() == end.astimezone(BAKU).date() == now.astimezone(BAKU).date()
        assert validity_window(begin) == validity_window(end) == (begin, end)

    def test_whatever_the_offset(self):
        elsewhere = NOW.astimezone(timezone(timedelta(hours=-9)))
        assert validity_window(elsewhere) == validity_window(NOW)


class TestForms:
    @pytest.fixture
    def made(self, monkeypatch):
        """Forms that count how often one was made."""
        count = []
        original = response_templates._build_template
        monkeypatch.setattr(response_templates, "_build_template", lambda *given: count.append(1) or original(*given))
        return ResponseTemplates(BASE), count

    def test_one_form_for_all_that_share_what_is_judged(self, made):
        printer, count = made
        keys = ring_of(SIGNER)
        for serial in range(20):
            filled(printer, RECORD._replace(holder_name=f"H{serial}", number=str(serial)), keys, NOW)
        assert len(count) == 1
        filled(printer, RECORD, ring_of(SIGNER), NOW)  # other keys, even if they hold the same
        assert len(count) == 2

    def test_a_compromised_key_makes_no_form(self, made):
        """There the moment of logging decides, which each row has for itself."""
        printer, count = made
        keys = ring_of(SIGNER, state=KeyState.COMPROMISED, since=NOW)
        for logged_at, verdict in (
            (NOW - timedelta(days=1), "valid"),
            (NOW, "forged"),
            (NOW - timedelta(days=1), "valid"),
        ):
            record = RECORD._replace(logged_at=logged_at)
            assert filled(printer, record, keys, NOW) == by_the_law(record, keys, NOW)
            assert filled(printer, record, keys, NOW)[0] == verdict
        assert len(count) == 1

    @pytest.mark.parametrize(
        "logged", [{"logged_at": None, "logged_sha256": None}, {"logged_sha256": "f" * 64}, {"logged_at": None}]
    )
    def test_what_is_not_in_the_log_as_it_was_signed_is_forged(self, made, logged):
        """Also where a form is there already for the very same term, status and key."""
        printer, count = made
        keys = ring_of(SIGNER)
        assert filled(printer, RECORD, keys, NOW)[0] == "valid"
        record = RECORD._replace(**logged)
        assert filled(printer, record, keys, NOW) == by_the_law(record, keys, NOW)
        assert filled(printer, record, keys, NOW)[0] == "forged"
        assert filled(printer, RECORD, keys, NOW)[0] == "valid"
        assert len(count) == 1

    def test_they_are_thrown_away_when_there_are_too_many(self, made, monkeypatch):
        monkeypatch.setattr(response_templates, "MAX_TEMPLATES", 3)
        printer, _ = made
        keys = ring_of(SIGNER)
        for day in range(1, 20):
            record = RECORD._replace(valid_from=date(2026, 11, day))
            assert filled(printer, record, keys, NOW) == by_the_law(record, keys, NOW)
            assert len(printer._cache.templates) <= 3

    def test_a_sample_has_all_that_is_not_judged(self):
        """Else a field that the law begins to read would be the same in both samples, and nobody would notice."""
        assert {*snapshot.VERDICT_FIELDS, *response_templates._PROBE_RECORDS[0]} == set(CertificateRecord._fields)
        for name in response_templates._PROBE_RECORDS[0]:
            assert response_templates._PROBE_RECORDS[0][name] != response_templates._PROBE_RECORDS[1][name]

    def test_a_key_that_does_not_sign_has_no_form(self):
        assert (
            ResponseTemplates(BASE).render(snapshot.serialize(RECORD), ring_of(SIGNER, state=KeyState.NEXT), NOW)
            is None
        )

    @pytest.mark.parametrize(
        ("name", "text"), [("district", "a district"), ("token_sha256", "a sha256"), ("logged_sha256", "z sha256")]
    )
    def test_what_the_law_begins_to_look_at_is_noticed(self, name, text):
        """Were the verdict to depend on the district, no form would be used for it."""

        def law(record, keys, now):
            judgement = evaluate_number(record, keys, now)
            is_seen = getattr(record, name).endswith(f"{text}\ue000")
            return replace(judgement, verdict=Verdict.REVOKED) if is_seen else judgement

        printer = ResponseTemplates(BASE, law)
        filled(printer, RECORD, ring_of(SIGNER), NOW)
        assert list(printer._cache.templates.values()) == [None]


@given(records())
def test_a_row_is_read_as_it_was_written(record):
    assert parse_row(row_of(record)) == record


@given(records())
def test_an_extract_is_one_line_for_each_thing(record):
    text = snapshot.serialize(logged(record))
    assert text.count(b"\n") == 6
    judged = snapshot.parse_verdict_fields(text.split(b"\n")[0])
    assert judged == {name: getattr(record, name) for name in snapshot.VERDICT_FIELDS}


def test_no_extract_of_what_the_log_does_not_hold():
    assert snapshot.serialize(RECORD._replace(logged_at=None, logged_sha256=None)) is None
    assert snapshot.serialize(RECORD._replace(logged_sha256="f" * 64)) is None
