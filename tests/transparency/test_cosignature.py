"""Cosignatures of witnesses as text: what is signed, who is believed, and what is refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from hypothesis import given
from hypothesis import strategies as st

from app.transparency import merkle
from app.transparency.cosignature import (
    MAX_TIME,
    CosignatureKind,
    CosignatureVerifier,
    parse_cosignature_vkey,
)
from app.transparency.signed_note import NoteRejected, SignatureLine, encode_base64, open_note, parse_signature_lines
from tests.transparency.helpers import ORIGIN, signer_of
from tests.transparency.witnesses import b64, checkpoint, ed25519, entries, ml_dsa

pytestmark = pytest.mark.pure

NOTE = checkpoint(entries(3))
TEXT = open_note(NOTE, signer_of().verifier)
TIME = 1_679_315_147
COSIGNERS = [ed25519(), ml_dsa()]


@pytest.mark.parametrize("cosigner", COSIGNERS, ids=["ed25519", "ml-dsa-44"])
def test_a_cosignature_verifies_and_its_line_survives_the_way(cosigner):
    line = cosigner.cosign(TEXT, TIME)
    (parsed,) = parse_signature_lines(line.text)
    assert parsed == line
    assert cosigner.verifier.verify(TEXT, parsed) == TIME
    assert parse_cosignature_vkey(cosigner.verifier.vkey) == cosigner.verifier
    assert open_note(NOTE + line.text, signer_of().verifier) == TEXT  # readers without a policy pass over it
    assert "PrivateKey" not in repr(cosigner)


def test_what_an_ed25519_witness_signs_is_what_the_format_says():
    line = ed25519().cosign(TEXT, TIME)
    public = ed25519().verifier.public
    assert line.key_id == hashlib.sha256(b"w.example/1\n\x04" + public).digest()[:4]
    assert line.signature[:8] == TIME.to_bytes(8, "big")
    Ed25519PublicKey.from_public_bytes(public).verify(
        line.signature[8:], b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    )


def test_what_an_ml_dsa_witness_signs_is_what_the_format_says():
    line = ml_dsa().cosign(TEXT, TIME)
    public = ml_dsa().verifier.public
    assert line.key_id == hashlib.sha256(b"w.example/1\n\x06" + public).digest()[:4]
    message = b"subtree/v1\n\0" + bytes([11]) + b"w.example/1" + TIME.to_bytes(8, "big")
    message += bytes([len(ORIGIN)]) + ORIGIN.encode() + bytes(8) + (3).to_bytes(8, "big")
    root = merkle.node_hash(
        merkle.node_hash(merkle.leaf_hash(b"entry 0"), merkle.leaf_hash(b"entry 1")), merkle.leaf_hash(b"last")
    )
    MLDSA44PublicKey.from_public_bytes(public).verify(line.signature[8:], message + root)


def test_extension_lines_are_signed_by_ed25519_alone():
    extended = TEXT + "extension\n"
    with pytest.raises(NoteRejected, match="is wrong"):
        ed25519().verifier.verify(extended, ed25519().cosign(TEXT, TIME))
    assert ml_dsa().verifier.verify(extended, ml_dsa().cosign(TEXT, TIME)) == TIME


@pytest.mark.parametrize("cosigner", COSIGNERS, ids=["ed25519", "ml-dsa-44"])
def test_every_changed_byte_is_noticed(cosigner):
    line = cosigner.cosign(TEXT, TIME)
    for place in (0, 7, 8, len(line.signature) - 1):
        content = bytearray(line.signature)
        content[place] ^= 1
        with pytest.raises(NoteRejected):
            cosigner.verifier.verify(TEXT, SignatureLine(line.name, line.key_id, bytes(content)))
    for signature in (line.signature[:-1], line.signature + b"\0", b""):
        with pytest.raises(NoteRejected, match="not a cosignature of"):
            cosigner.verifier.verify(TEXT, SignatureLine(line.name, line.key_id, signature))
    with pytest.raises(NoteRejected, match="is wrong"):
        cosigner.verifier.verify(TEXT.replace("\n3\n", "\n4\n"), line)
    with pytest.raises(NoteRejected, match="not a cosignature of"):
        cosigner.verifier.verify(TEXT, SignatureLine("w.example/2", line.key_id, line.signature))
    with pytest.raises(NoteRejected, match="not a checkpoint"):
        cosigner.verifier.verify("no checkpoint\n", line)


def test_a_signature_of_a_log_is_no_cosignature_of_the_same_key():
    """The log's own key, used by a witness by mistake: neither can stand for the other."""
    witness = ed25519(ORIGIN, 1)
    assert witness.verifier.key_id != signer_of().verifier.key_id
    (own,) = parse_signature_lines(NOTE.partition("\n\n")[2])
    forged = SignatureLine(ORIGIN, witness.verifier.key_id, TIME.to_bytes(8, "big") + own.signature)
    with pytest.raises(NoteRejected, match="is wrong"):
        witness.verifier.verify(TEXT, forged)


@pytest.mark.parametrize("time", [0, -1, MAX_TIME + 1])
def test_nothing_is_cosigned_outside_of_time(time):
    with pytest.raises(ValueError, match="POSIX"):
        ed25519().cosign(TEXT, time)


def test_a_time_beyond_the_format_is_refused():
    line = SignatureLine("w.example/1", ed25519().verifier.key_id, b"\xff" * 8 + bytes(64))
    with pytest.raises(NoteRejected, match="not a cosignature of"):
        ed25519().verifier.verify(TEXT, line)


def test_the_name_of_a_log_for_ml_dsa_has_255_bytes():
    long = TEXT.replace(ORIGIN, "m" * 256)
    with pytest.raises(NoteRejected, match="more than 255 bytes"):
        ml_dsa().cosign(long, TIME)
    assert ed25519().cosign(long, TIME)


GOOD = ed25519().verifier


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "w",
        f"w+{GOOD.key_id.hex()}+{b64(b'')}",
        f"w.example/1+{GOOD.key_id.hex()}+{b64(GOOD.public)}",
        f"w.example/1+{GOOD.key_id.hex()}+{b64(bytes([1]) + GOOD.public)}",  # the kind of a log
        f"w.example/1+{GOOD.key_id.hex()}+{b64(bytes([6]) + GOOD.public)}",
        f"w.example/1+{GOOD.key_id.hex()}+{b64(bytes([4]) + GOOD.public + b'x')}",
        f"w.example/2+{GOOD.key_id.hex()}+{b64(bytes([4]) + GOOD.public)}",
        f"w example/1+{GOOD.key_id.hex()}+{b64(bytes([4]) + GOOD.public)}",
        f"\ud800+{GOOD.key_id.hex()}+{b64(bytes([4]) + GOOD.public)}",
        GOOD.vkey + "\n",
        ml_dsa("m" * 255).verifier.vkey.replace("m" * 255, "m" * 256),
    ],
)
def test_what_is_no_key_of_a_witness_is_refused(vkey):
    with pytest.raises(NoteRejected):
        parse_cosignature_vkey(vkey)


@given(st.text(max_size=40) | st.binary(max_size=60).map(lambda key: f"w.example/1+00000000+{encode_base64(key)}"))
def test_no_text_makes_the_parser_of_keys_fail_otherwise(text):
    try:
        found = parse_cosignature_vkey(text)
    except NoteRejected:
        return
    assert found.vkey == text


@given(st.binary(max_size=90), st.text(max_size=60))
def test_no_line_makes_a_verifier_fail_otherwise(signature, text):
    for verifier in (GOOD, CosignatureVerifier("w.example/1", CosignatureKind.ML_DSA_44, bytes(1_312))):
        for about in (TEXT, text):
            with pytest.raises(NoteRejected):
                verifier.verify(about, SignatureLine("w.example/1", verifier.key_id, signature))
