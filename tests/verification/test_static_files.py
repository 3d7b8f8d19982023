"""A signed range: what it proves, and every file that was changed, swapped, left behind or kept too long."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.crypto import jws
from app.transparency import merkle
from app.transparency.checkpoint import Checkpoint
from app.transparency.signed_note import NoteSigner
from app.verification import static_files
from app.verification.response import encode
from app.verification.static_files import LIFETIME, RangeRejected, StaticAnswer, verify_answer
from app.verification.verdict import UNSIGNED, Verdict, evaluate_number
from tests.verification.factories import DID, NOW, content_of, record_of, ring_of, signer_of

pytestmark = pytest.mark.pure

SIGNER, OTHER = signer_of(0xC0FFEE), signer_of(0xBEEF)
KEYS = {SIGNER.kid: SIGNER.public}
NUMBER = "MIK-2026-000042-Y"
RECORD = record_of(content_of(), "header.payload.signature", SIGNER)
BODY = encode(evaluate_number(RECORD, ring_of(SIGNER), NOW), "https://mark.example")
LOG = NoteSigner("mark.example/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
NOTE = LOG.sign(Checkpoint(LOG.name, 9, merkle.EMPTY_ROOT).text)
ANSWER = StaticAnswer(NUMBER, BODY, 8, None)
NAME = "MIK-2026-0000"


def payload(*answers, note=NOTE, now=NOW, name=NAME):
    return static_files.build_range(name, DID, note, answers or [ANSWER], now)


def signed(*answers, signer=SIGNER, **given):
    members = payload(*answers, **given)
    return static_files.sign_range(signer, static_files.lint_range(members, answers or [ANSWER], LOG.verifier))


def forged(**changes):
    """A range with other members, signed past the linter."""
    members = payload() | changes
    return SIGNER.sign({name: value for name, value in members.items() if value is not ...}, typ="range+jwt")


TOKEN = signed()


def test_it_gives_the_verdict_until_its_time_has_passed():
    verdict, found = verify_answer(NUMBER, BODY, TOKEN, KEYS, NOW, LOG.verifier, LIFETIME)
    assert verdict is Verdict.VALID
    assert (found.name, found.issued_at, found.good_until) == (NAME, NOW, NOW + LIFETIME)
    last = NOW + LIFETIME - timedelta(microseconds=1)
    assert verify_answer(NUMBER, BODY, TOKEN, KEYS, last)[0] is Verdict.VALID
    for moment, text in (
        (NOW + LIFETIME, "was good until"),
        (NOW - timedelta(minutes=5, seconds=1), "check your clock"),
    ):
        with pytest.raises(RangeRejected, match=text):
            verify_answer(NUMBER, BODY, TOKEN, KEYS, moment)
    with pytest.raises(RangeRejected, match="1 h old"):
        verify_answer(NUMBER, BODY, TOKEN, KEYS, NOW + timedelta(hours=1, seconds=1), max_age=timedelta(hours=1))


def test_it_is_good_only_until_one_of_its_answers_changes():
    turn = NOW + timedelta(hours=3)
    token = signed(ANSWER._replace(good_until=turn))
    with pytest.raises(RangeRejected, match="was good until"):
        verify_answer(NUMBER, BODY, token, KEYS, turn)
    later = signed(ANSWER._replace(good_until=NOW + timedelta(days=400)))
    assert verify_answer(NUMBER, BODY, later, KEYS, turn)[1].good_until == NOW + LIFETIME


def test_another_body_number_range_key_or_type_is_refused():
    for body in (BODY + b" ", BODY.replace(b'"valid"', b'"valid" ', 1), b""):
        with pytest.raises(RangeRejected, match="not the one that the range names"):
            verify_answer(NUMBER, body, TOKEN, KEYS, NOW)
    with pytest.raises(RangeRejected, match="names no certificate"):
        verify_answer("MIK-2026-000043-W", BODY, TOKEN, KEYS, NOW)
    with pytest.raises(RangeRejected, match="This is the range MIK-2026-0000, and not MIK-2026-0001"):
        verify_answer("MIK-2026-000142-Q", BODY, TOKEN, KEYS, NOW)
    with pytest.raises(RangeRejected, match="kid unknown"):
        verify_answer(NUMBER, BODY, TOKEN, {OTHER.kid: OTHER.public}, NOW)
    with pytest.raises(RangeRejected, match="typ not as asked"):
        verify_answer(NUMBER, BODY, SIGNER.sign(payload(), typ=jws.TYP_CREDENTIAL), KEYS, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"more": 1},
        {"answers": ...},
        {"answers": []},
        {"answers": {NUMBER: {"sha256": "a" * 64, "verdict": "valid"}}},
        {"answers": {NUMBER: {"sha256": "A" * 64, "verdict": "valid", "log_seq": 1}}},
        {"answers": {NUMBER: {"sha256": 1, "verdict": "valid", "log_seq": 1}}},
        {"answers": {NUMBER: {"sha256": "a" * 64, "verdict": "good", "log_seq": 1}}},
        {"answers": {NUMBER: {"sha256": "a" * 64, "verdict": "valid", "log_seq": True}}},
        {"answers": {NUMBER: {"sha256": "a" * 64, "verdict": "valid", "log_seq": -1}}},
        {"answers": {"MIK-2026-000042-X": {"sha256": "a" * 64, "verdict": "valid", "log_seq": 1}}},
        {"answers": {"MIK-2026-000142-Q": {"sha256": "a" * 64, "verdict": "valid", "log_seq": 1}}},
        {"iss": "did:web:other.example"},
        {"checkpoint": None},
        {"issued_at": "2027-03-01T09:00:00"},
        {"issued_at": "2027-03-01T09:00:00+00:00"},
        {"issued_at": 1},
        {"good_until": "2027-03-01T09:00:00Z"},
        {"good_until": "2027-03-02T09:00:01Z"},
    ],
)
def test_a_range_that_contradicts_itself_is_refused_even_with_a_signature(changes):
    with pytest.raises(RangeRejected, match=r"contradicts itself|members of a range"):
        verify_answer(NUMBER, BODY, forged(**changes), KEYS, NOW)


def test_the_linter_refuses_what_is_not_proven():
    with pytest.raises(RangeRejected, match="does not name the answers"):
        static_files.lint_range(payload(), [ANSWER._replace(body=BODY + b" ")], LOG.verifier)
    turn = NOW + timedelta(hours=1)
    with pytest.raises(RangeRejected, match="longer than one of its answers"):
        static_files.lint_range(payload(), [ANSWER._replace(good_until=turn)], LOG.verifier)
    other = StaticAnswer("MIK-2026-000043-W", BODY, 8, None)
    with pytest.raises(RangeRejected, match=r"MIK-2026-000043-. shows another certificate"):
        static_files.lint_range(payload(other), [other], LOG.verifier)
    forgery = encode(UNSIGNED, "https://mark.example")  # an answer that shows no certificate
    assert verify_answer(NUMBER, forgery, signed(ANSWER._replace(body=forgery)), KEYS, NOW)[0] is Verdict.FORGED
    late = ANSWER._replace(log_seq=9)
    with pytest.raises(RangeRejected, match="older than one of its answers"):
        static_files.lint_range(payload(late), [late], LOG.verifier)
    with pytest.raises(RangeRejected, match="checkpoint of the range is refused"):
        static_files.lint_range(payload(note=NOTE.replace("9", "8", 1)), [ANSWER], LOG.verifier)
    with pytest.raises(TypeError, match="only what the linter returned"):
        static_files.sign_range(SIGNER, payload())
    with pytest.raises(TypeError, match=r"comes from lint_range\(\) only"):
        static_files.LintedRange(b"{}", NAME, DID, token=object())


def test_another_key_of_the_log_refuses_the_checkpoint():
    other = NoteSigner(LOG.name, Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)))
    with pytest.raises(RangeRejected, match="checkpoint of the range is refused"):
        verify_answer(NUMBER, BODY, TOKEN, KEYS, NOW, other.verifier)


def test_a_full_range_fits_into_a_token():
    answers = []
    for serial in range(static_files.RANGE_SIZE):
        number = str(static_files.certificate_number.CertificateNumber("MIK", 2026, serial))
        answers.append(StaticAnswer(number, BODY.replace(NUMBER.encode(), number.encode()), 8, None))
    token = signed(*answers)
    assert len(token) < jws.MAX_TOKEN_CHARS / 2
    assert len(static_files.read_range(token, NAME, KEYS).answers) == static_files.RANGE_SIZE


def test_the_paths_are_those_of_the_service():
    assert static_files.answer_path(NUMBER) == f"v1/verify/{NUMBER}"
    assert static_files.range_path(static_files.range_of(NUMBER)) == f"v1/ranges/{NAME}"
    assert static_files.status_list_path("revocation-1") == "v1/status-lists/revocation-1"
    assert static_files.range_of("MIK-2026-1234567-X") == "MIK-2026-12345"
