"""Policies of witnesses: what a file may say, who has seen a checkpoint by it, and which proof is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transparency.signed_note import NoteRejected
from app.transparency.witness_policy import (
    DEFAULT_LIMIT,
    MAX_POLICY_BYTES,
    PolicyRejected,
    evaluate_note,
    judge,
    parse_policy,
)
from tests.transparency.helpers import signer_of
from tests.transparency.witnesses import checkpoint, ed25519, entries, ml_dsa

pytestmark = pytest.mark.pure

LOG = signer_of().verifier
NOTE = checkpoint(entries(3))
TEXT = NOTE.partition("\n\n")[0] + "\n"
A, B, C = ed25519("a.example/w", 21), ml_dsa("b.example/w", 22), ed25519("c.example/w", 23)
NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
TWO_OF_THREE = f"""# who must have seen it
log {LOG.vkey} https://mark.example/log
witness A {A.verifier.vkey} https://a.example/
 \twitness  B\t{B.verifier.vkey}

witness C {C.verifier.vkey}
group three 2 A B C
quorum three
"""


def policy(text=TWO_OF_THREE):
    return parse_policy(text.encode("utf-8", "surrogateescape"))


def signed(*pairs):
    """The note with cosignatures: pairs of a witness and how many minutes ago it signed."""
    lines = [cosigner.cosign(TEXT, int((NOW - timedelta(minutes=ago)).timestamp())).text for cosigner, ago in pairs]
    return NOTE + "".join(lines)


def minutes_ago(minutes):
    return NOW - timedelta(minutes=minutes)


def test_a_policy_is_read():
    found = policy()
    assert [each.verifier for each in found.logs] == [LOG]
    assert found.logs[0].url == "https://mark.example/log"
    assert [(each.name, each.url) for each in found.witnesses] == [
        ("A", "https://a.example/"),
        ("B", None),
        ("C", None),
    ]
    assert (found.threshold, found.parties) == (2, ("A", "B", "C"))
    assert found.covers(LOG)
    assert not found.covers(signer_of(2).verifier)
    assert policy("quorum none\n").covers(LOG)


@pytest.mark.parametrize(("count", "threshold"), [("any", 1), ("all", 3), ("1", 1), ("3", 3)])
def test_the_number_of_a_group(count, threshold):
    assert policy(TWO_OF_THREE.replace("three 2", f"three {count}")).threshold == threshold


W = f"witness A {A.verifier.vkey}\n"


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("", None, "no line `quorum`"),
        ("quorum\n", 1, "too few"),
        ("quorum none extra\n", 1, "too many"),
        ("quorum A\n", 1, "no line before it defines"),
        ("quorum none\nquorum none\n", 2, "already"),
        ("trust everybody\nquorum none\n", 1, "begins with none of"),
        ("Quorum none\n", 1, "begins with none of"),
        ("quorum none\r\n", 1, "control characters"),
        ("quorum none\x00\n", 1, "control characters"),
        (f"{W}witness A {C.verifier.vkey}\nquorum A\n", 2, "name is taken"),
        (f"{W}witness Z {A.verifier.vkey}\nquorum A\n", 2, "same key"),
        (f"{W}witness Z {ed25519('other', 21).verifier.vkey}\nquorum A\n", 2, "same key"),
        (f"witness none {A.verifier.vkey}\nquorum none\n", 1, "name is taken"),
        (f"{W}group A any A\nquorum A\n", 2, "name is taken"),
        (f"{W}group g any g\nquorum g\n", 2, "no line before it defines"),
        (f"{W}group g any none\nquorum g\n", 2, "no line before it defines"),
        (f"{W}group g any A A\nquorum g\n", 2, "already in a group"),
        (f"{W}group g any A\ngroup h any A\nquorum g\n", 3, "already in a group"),
        (f"{W}group g 2 A\nquorum g\n", 2, "number of a group"),
        (f"{W}group g 0 A\nquorum g\n", 2, "number of a group"),
        (f"{W}group g 01 A\nquorum g\n", 2, "number of a group"),
        (f"{W}group g most A\nquorum g\n", 2, "number of a group"),
        (f"{W}group g any\nquorum A\n", 2, "too few"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", 2, "same key"),
        (f"log {A.verifier.vkey}\nquorum none\n", 1, "not of the kind Ed25519"),
        (f"witness A {LOG.vkey}\nquorum A\n", 1, "not a key of a witness"),
        ("witness A x+1+nonsense!\nquorum A\n", 1, "not a verifier key"),
        (f"witness A {A.verifier.vkey.replace('a.example', chr(0xDC80))}\nquorum A\n", 1, "not a key of a witness"),
    ],
)
def test_a_policy_with_a_fault_is_refused_by_its_line(text, line, fault):
    with pytest.raises(PolicyRejected, match=fault) as refused:
        policy(text)
    if line is not None:
        assert any(each.startswith(f"Line {line}: ") for each in refused.value.errors)


def test_every_fault_is_named_at_once():
    with pytest.raises(PolicyRejected) as refused:
        policy("what\nquorum none\nquorum A\n")
    assert [each.partition(":")[0] for each in refused.value.errors] == ["Line 1", "Line 3"]


@pytest.mark.parametrize("text", ["#" * (MAX_POLICY_BYTES + 1), "\n" * 1_001])
def test_a_policy_has_an_end(text):
    with pytest.raises(PolicyRejected, match="more than"):
        policy(text)


def test_names_are_octets():
    """“K” and the Kelvin sign are two names, and a name need not be UTF-8."""
    kelvin = chr(0x212A)
    found = policy(f"witness K {A.verifier.vkey}\nwitness {kelvin} {C.verifier.vkey}\nquorum {kelvin}\n")
    assert found.quorum == kelvin
    assert parse_policy(b"witness \xff " + A.verifier.vkey.encode() + b"\nquorum \xff\n").parties == ("\udcff",)


def test_two_of_three():
    report = evaluate_note(policy(), signed((A, 30), (B, 20)), NOW)
    assert report.seen == {"A": minutes_ago(30), "B": minutes_ago(20)}
    assert (report.parties_seen, report.has_quorum, report.quorum_at) == (2, True, minutes_ago(30))
    third = evaluate_note(policy(), signed((A, 30), (B, 20), (C, 10)), NOW)
    assert third.quorum_at == minutes_ago(20)  # since then two of them had nothing larger
    one = evaluate_note(policy(), signed((C, 1)), NOW)
    assert (one.parties_seen, one.has_quorum, one.quorum_at) == (1, False, None)


def test_of_two_cosignatures_of_one_witness_the_later_counts():
    for order in ([(A, 30), (A, 5)], [(A, 5), (A, 30)]):
        report = evaluate_note(policy(), signed(*order, (C, 1)), NOW)
        assert report.parties_seen == 2
        assert report.quorum_at == minutes_ago(5)
        assert len(report.lines) == 2


def test_groups_of_groups():
    nested = policy(
        f"witness A {A.verifier.vkey}\nwitness A2 {ml_dsa('a.example/w', 24).verifier.vkey}\n"
        f"witness C {C.verifier.vkey}\n"
        "group customs any A A2\ngroup both all customs C\nquorum both\n"
    )
    assert not evaluate_note(nested, signed((A, 1), (ml_dsa("a.example/w", 24), 2)), NOW).has_quorum
    report = evaluate_note(nested, signed((ml_dsa("a.example/w", 24), 2), (C, 4)), NOW)
    assert (report.parties_seen, report.quorum_at) == (2, minutes_ago(4))


def test_a_single_witness_and_none():
    single = policy(f"witness A {A.verifier.vkey}\nquorum A\n")
    assert single.parties == ("A",)
    assert evaluate_note(single, signed((A, 3)), NOW).quorum_at == minutes_ago(3)
    none = policy(f"witness A {A.verifier.vkey}\nquorum none\n")
    report = evaluate_note(none, signed((A, 3)), NOW)
    assert (report.has_quorum, report.quorum_at, none.parties) == (True, None, ())
    judged = judge(report, minutes_ago(10_000_000), NOW)
    assert (judged.is_witnessed, judged.is_acceptable) == (False, True)


def test_what_does_not_count():
    unknown = ed25519("d.example/w", 25)
    same_name = ed25519("a.example/w", 26)
    ahead = (A, -3)
    wrong = ed25519("c.example/w", 23).cosign(TEXT.replace("\n3\n", "\n4\n"), int(NOW.timestamp())).text
    report = evaluate_note(policy(), signed((unknown, 1), (same_name, 1), ahead) + wrong, NOW)
    assert report.seen == {}
    assert report.refused == (
        "The cosignature of a.example/w is from the future.",
        "The cosignature of c.example/w is wrong.",
    )
    assert evaluate_note(policy(), signed((A, -2)), NOW).parties_seen == 1  # within the allowed skew
    with pytest.raises(NoteRejected):
        evaluate_note(policy(), "no note\n", NOW)


def test_a_cosignature_without_a_time_does_not_count(monkeypatch):
    monkeypatch.setattr("app.transparency.cosignature.CosignatureVerifier.verify", lambda *_: 0)
    report = evaluate_note(policy(), signed((A, 1)), NOW)
    assert (report.seen, report.refused) == ({}, ("The cosignature of a.example/w has no time.",))


def test_what_is_said_of_a_proof():
    seen = judge(evaluate_note(policy(), signed((A, 30), (B, 20)), NOW), minutes_ago(60), NOW)
    assert seen.text == "seen by 2 of 3 witnesses at 2026-11-28T05:30:00Z"
    assert (seen.is_witnessed, seen.is_acceptable) == (True, True)
    waiting = judge(evaluate_note(policy(), signed((A, 30)), NOW), minutes_ago(90), NOW)
    assert waiting.text == "not yet witnessed, age 1 h (seen by 1 of 3 witnesses, 2 are needed)"
    assert (waiting.is_witnessed, waiting.is_acceptable) == (False, True)


@pytest.mark.parametrize(
    ("age", "is_acceptable"),
    [
        (timedelta(minutes=12), True),
        (DEFAULT_LIMIT, True),
        (DEFAULT_LIMIT + timedelta(seconds=1), False),
        (timedelta(minutes=-2), True),
        (timedelta(minutes=-3), False),  # an entry of tomorrow would never be too old
    ],
)
def test_an_unwitnessed_proof_is_refused_when_it_is_older_than_its_limit(age, is_acceptable):
    judged = judge(evaluate_note(policy(), NOTE, NOW), NOW - age, NOW)
    assert judged.text.startswith("not yet witnessed, age ")
    assert (judged.is_witnessed, judged.is_acceptable) == (False, is_acceptable)
    witnessed = judge(evaluate_note(policy(), signed((A, 1), (C, 1)), NOW), NOW - age, NOW)
    assert witnessed.is_acceptable


def test_a_limit_of_ones_own():
    report = evaluate_note(policy(), NOTE, NOW)
    assert judge(report, minutes_ago(5), NOW, timedelta(minutes=5)).is_acceptable
    assert not judge(report, minutes_ago(6), NOW, timedelta(minutes=5)).is_acceptable


WORDS = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "any", "all", "2", "A", "B", "g", A.verifier.vkey, LOG.vkey, "#"]
)
LINES = st.lists(WORDS, max_size=6).map(" ".join) | st.text(max_size=20)


@given(st.lists(LINES, max_size=12).map("\n".join).map(lambda text: text.encode("utf-8", "replace")) | st.binary())
def test_no_bytes_make_the_parser_fail_otherwise(content):
    try:
        found = parse_policy(content)
    except PolicyRejected:
        return
    assert 0 <= found.threshold <= max(1, len(found.parties))
    assert evaluate_note(found, signed((A, 1)), NOW).parties_seen <= len(found.parties)


@given(st.sets(st.integers(0, 5)), st.integers(1, 6))
def test_k_of_n_is_reached_by_exactly_k(who, threshold):
    witnesses = [ed25519(f"{number}.example/w", 30 + number) for number in range(6)]
    lines = [f"witness w{number} {each.verifier.vkey}" for number, each in enumerate(witnesses)]
    group = f"group g {threshold} {' '.join(f'w{number}' for number in range(6))}"
    found = policy("\n".join([*lines, group, "quorum g"]))
    report = evaluate_note(found, signed(*((witnesses[number], number + 1) for number in who)), NOW)
    assert report.has_quorum == (len(who) >= threshold)
    if report.has_quorum:
        assert sum(each >= report.quorum_at for each in report.seen.values()) == threshold
