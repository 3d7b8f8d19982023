"""Names on paper: in one line, visible, drawable, whatever was registered."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.pdf.printable import MAX_CHARS, REPLACEMENT_CHARACTER, to_printable

pytestmark = pytest.mark.pure

DRAWABLE = frozenset("abcdefgiəğışöüçİ –…“”بپ卡\u0301" + REPLACEMENT_CHARACTER)
ANY = st.text(max_size=600) | st.text("a\u202e\u200c\u0301 \n", max_size=2_000)


@given(ANY, st.booleans())
def test_whatever_comes_in_one_visible_line_comes_out(text, bare):
    line = to_printable(text, DRAWABLE, bare=bare)
    assert len(line) <= MAX_CHARS
    assert line == line.strip()
    for character in line:
        seen = character in DRAWABLE or (character in "\u200c\u200d" and not bare)
        assert seen, hex(ord(character))
        assert not (bare and unicodedata.category(character) == "Mn")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a\tb\r\n c ", "a b c"),
        ("a\u202eb\u2066c\u200f\ufeff\x00d", "abcd"),
        ("a\ud800b", "ab"),
        ("i\u0307", "i" + REPLACEMENT_CHARACTER),
        ("s\u0327", "ş"),
        ("g\u0306", "ğ"),
        ("ب\u200cپ\u200c", "ب\u200cپ"),
        ("aЖ", "a" + REPLACEMENT_CHARACTER),
        ("", REPLACEMENT_CHARACTER),
        (" \u202e\u200c ", REPLACEMENT_CHARACTER),
        ("b" + "\u0301" * 9, "b" + "\u0301" * 4),
        ("a" * MAX_CHARS, "a" * MAX_CHARS),
        ("a" * (MAX_CHARS + 1), "a" * (MAX_CHARS - 1) + "…"),
        ("a" * 10_000, "a" * (MAX_CHARS - 1) + "…"),
        (" " * 2_000 + "a", REPLACEMENT_CHARACTER + "…"),
    ],
)
def test_examples(text, line):
    assert to_printable(text, DRAWABLE) == line


def test_bare_letters():
    assert to_printable("e\u0301\u200ca", DRAWABLE | {"é"}, bare=True) == "éa"
    assert to_printable("b\u0301\u200ca", DRAWABLE, bare=True) == "ba"
