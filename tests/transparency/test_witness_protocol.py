"""The body of add-checkpoint: what is written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transparency.signed_note import NoteRejected
from app.transparency.witness.protocol import (
    MAX_BODY_BYTES,
    AddCheckpoint,
    parse_add_checkpoint,
    parse_size,
)
from tests.transparency.witnesses import b64, checkpoint, entries

pytestmark = pytest.mark.pure

NOTE = checkpoint(entries(5))
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)


@given(st.integers(0, 2**62), HASHES)
def test_a_request_is_read_as_it_was_written(old, proof):
    request = AddCheckpoint(old, proof, NOTE)
    assert parse_add_checkpoint(request.body) == request


def test_the_body_is_the_one_of_the_specification():
    body = AddCheckpoint(20852014, (bytes(32), bytes([1]) * 32), NOTE).body.decode()
    assert body == f"old 20852014\n{b64(bytes(32))}\n{b64(bytes([1]) * 32)}\n\n{NOTE}"
    assert AddCheckpoint(0, (), NOTE).body.decode() == f"old 0\n\n{NOTE}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n",
        b"old 00\n\nnote",
        b"old -1\n\nnote",
        b"old +1\n\nnote",
        b"old  1\n\nnote",
        b"old 1 \n\nnote",
        b"old 1\r\n\r\nnote",
        b"old\n\nnote",
        b"size 1\n\nnote",
        b"old 9223372036854775808\n\nnote",
        b"old 1\nAAAA\n\nnote",
        b"old 1\n" + b64(bytes(31)).encode() + b"\n\nnote",
        b"old 1\n " + b64(bytes(32)).encode() + b"\n\nnote",
        b"old 1\n" + (b64(bytes(32)).encode() + b"\n") * 64 + b"\nnote",
        b"old 1\n\n\xff",
        b"old 0\n\n" + b"x" * MAX_BODY_BYTES,
    ],
)
def test_what_is_no_request_is_refused(body):
    with pytest.raises(NoteRejected):
        parse_add_checkpoint(body)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"old {text}".encode("utf-8", "replace")))
def test_no_bytes_make_the_parser_fail_otherwise(body):
    try:
        found = parse_add_checkpoint(body)
    except NoteRejected:
        return
    assert found.body == body


def test_the_size_of_a_409():
    assert parse_size("20852014\n") == 20852014
    for text in ("", "1", "01\n", "1\n\n", "<html>\n"):
        with pytest.raises(NoteRejected):
            parse_size(text)
