"""Signed notes, checkpoints and proofs as text: the known answers of the format, and what is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transparency import merkle
from app.transparency.checkpoint import (
    PROOF_HEADER,
    Checkpoint,
    Proof,
    origin_of,
    parse_proof,
    verify_checkpoint,
    verify_proof,
)
from app.transparency.signed_note import NoteRejected, NoteSigner, Verifier, open_note, parse_vkey
from tests.transparency.helpers import ORIGIN, signer_of

pytestmark = pytest.mark.pure

KNOWN_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
KNOWN_TEXT = "This is an example message.\n"
KNOWN_SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
KNOWN_NOTE = f"{KNOWN_TEXT}\n— example.com/foo {KNOWN_SIGNATURE}\n"
SIGNER = signer_of()
VERIFIER = SIGNER.verifier
ROOT = merkle.leaf_hash(b"x")


def test_the_known_note_opens():
    verifier = parse_vkey(KNOWN_VKEY)
    assert verifier.vkey == KNOWN_VKEY
    assert open_note(KNOWN_NOTE, verifier) == KNOWN_TEXT


def test_what_we_sign_opens_and_is_the_same_every_time():
    note = SIGNER.sign("one\n\ntwo\n")
    assert note == SIGNER.sign("one\n\ntwo\n")
    assert open_note(note, VERIFIER) == "one\n\ntwo\n"
    assert "NoteSigner" not in repr(SIGNER) or "PrivateKey" not in repr(SIGNER)


@pytest.mark.parametrize("text", ["", "no end", "a\tb\n", "a\x00\n", "\ud800\n", "a\r\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text):
    with pytest.raises(NoteRejected):
        SIGNER.sign(text)


WITNESS = signer_of(2, "witness.example/w")


def test_signatures_of_others_are_passed_over():
    own = SIGNER.sign("text\n")
    other = WITNESS.sign("text\n").partition("\n\n")[2]
    same_name_other_key = signer_of(3).sign("text\n").partition("\n\n")[2]
    assert open_note(own + other + same_name_other_key, VERIFIER) == "text\n"
    assert open_note(own + other, WITNESS.verifier) == "text\n"


SIGNED = SIGNER.sign("text\n")
LINE = SIGNED.partition("\n\n")[2]
WRONG = NoteSigner(ORIGIN, SIGNER._key).sign("other\n").partition("\n\n")[2]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        SIGNED[:-1],
        SIGNED + "\n",
        SIGNED.replace("text", "Text"),
        SIGNED.replace("— ", "- "),
        SIGNED.replace(ORIGIN, "mark.example/log2"),
        SIGNED.replace(f"{ORIGIN} ", f"{ORIGIN}  "),
        SIGNED + WRONG,  # one right signature of a key does not outweigh a wrong one
        "text\n\n" + WRONG,
        "text\n\n" + WITNESS.sign("text\n").partition("\n\n")[2],
        SIGNED + "— x !!!!\n",
        SIGNED + "— x AAAA\n",
        SIGNED + "— x AAAAAAB=\n",  # base64 that nobody encodes so
        SIGNED + "\n— x AAAAAAAA\n",
        "te\x00xt\n\n" + LINE,
        "te\ud800xt\n\n" + LINE,
        "text\n\n" + LINE * 101,
        "x" * 1_000_001 + "\n\n" + LINE,
    ],
)
def test_what_is_not_rightly_signed_is_refused(note):
    with pytest.raises(NoteRejected):
        open_note(note, VERIFIER)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "x",
        "a+b+c",
        KNOWN_VKEY[:-1],
        KNOWN_VKEY.replace("530d903a", "530d903b"),
        KNOWN_VKEY.replace("foo", "bar"),
        KNOWN_VKEY.replace("foo", "f o"),
        KNOWN_VKEY.replace("AekyeR", "BekyeR"),
        KNOWN_VKEY + "=",
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey):
    with pytest.raises(NoteRejected):
        parse_vkey(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_key_has_a_plain_name(name):
    with pytest.raises(ValueError, match="no blanks"):
        Verifier(name, b"x" * 32)


@given(st.text(max_size=300))
def test_any_text_is_refused_in_words(text):
    for read in (lambda: open_note(text, VERIFIER), lambda: parse_vkey(text), lambda: parse_proof(text)):
        with pytest.raises(NoteRejected):
            read()


@given(st.integers(0, 2**40))
def test_checkpoints_come_back(size):
    checkpoint = Checkpoint(ORIGIN, size, ROOT if size else merkle.EMPTY_ROOT)
    assert verify_checkpoint(SIGNER.sign(checkpoint.text), VERIFIER) == checkpoint


def test_a_checkpoint_reads_as_the_format_says():
    root = base64.b64encode(ROOT).decode()
    assert Checkpoint(ORIGIN, 7, ROOT).text == f"{ORIGIN}\n7\n{root}\n"
    extended = SIGNER.sign(f"{ORIGIN}\n7\n{root}\nextension\n")
    assert verify_checkpoint(extended, VERIFIER) == Checkpoint(ORIGIN, 7, ROOT)


ROOT_TEXT = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n07\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n-7\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n٧\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n{2**62 + 1}\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n{10**30}\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n0\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n7\n{ROOT_TEXT[:-1]}\n",
        f"{ORIGIN}\n7\n{ROOT_TEXT.replace('=', '')}A=\n",
        f"{ORIGIN}\n7\nAAAA\n",
        f"{ORIGIN}\n7\n{ROOT_TEXT}\n\n",
        f"other.example/log\n7\n{ROOT_TEXT}\n",
    ],
)
def test_what_is_no_checkpoint_of_this_log_is_refused(text):
    with pytest.raises(NoteRejected):
        verify_checkpoint(SIGNER.sign(text), VERIFIER)


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("did:web:verify.example.az", "verify.example.az/log"),
        ("did:web:localhost%3A8000", "localhost:8000/log"),
        ("did:web:mark.example:a:b", "mark.example/log"),
    ],
)
def test_the_log_is_named_after_the_host_of_the_issuer(issuer, origin):
    assert origin_of(issuer) == origin


ENTRIES = [b"a", b"b", b"c"]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
LEFT = merkle.node_hash(*LEAVES[:2])
CHECKPOINT = Checkpoint(ORIGIN, 3, merkle.node_hash(LEFT, LEAVES[2]))
PROOF = Proof(0, (LEAVES[1], LEAVES[2]), SIGNER.sign(CHECKPOINT.text))


def test_a_proof_comes_back_and_proves():
    first, second = (base64.b64encode(leaf).decode() for leaf in LEAVES[1:])
    assert PROOF.text == f"{PROOF_HEADER}\nindex 0\n{first}\n{second}\n\n{PROOF.checkpoint}"
    assert parse_proof(PROOF.text) == PROOF
    with_extra = PROOF.text.replace("index", "extra AAAA\nindex")
    assert parse_proof(with_extra) == PROOF
    assert verify_proof(b"a", PROOF, VERIFIER) == CHECKPOINT


@pytest.mark.parametrize(
    ("entry", "proof", "verifier"),
    [
        (b"A", PROOF, VERIFIER),
        (b"a", Proof(1, PROOF.path, PROOF.checkpoint), VERIFIER),
        (b"a", Proof(0, PROOF.path[:1], PROOF.checkpoint), VERIFIER),
        (b"a", PROOF, WITNESS.verifier),
    ],
)
def test_a_proof_of_something_else_proves_nothing(entry, proof, verifier):
    with pytest.raises(NoteRejected):
        verify_proof(entry, proof, verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROOF.text.replace("@v1", "@v2"),
        PROOF.text.replace("index 0\n", ""),
        PROOF.text.replace("index 0", "index 00"),
        PROOF.text.replace("index 0", "place 0"),
        PROOF.text.replace("\n\n", "\n"),
        f"{PROOF_HEADER}\n\nx",
        f"{PROOF_HEADER}\nindex 0\n{ROOT_TEXT}x\n\nx",
        f"{PROOF_HEADER}\nindex 0\n" + f"{ROOT_TEXT}\n" * 64 + "\nx",
    ],
)
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(NoteRejected):
        parse_proof(text)
