"""Names on paper: in one line, visible, drawable, whatever was registered."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.pdf.printable import INSTEAD, LONGEST, legible

DRAWABLE = frozenset("abcdefgiəğışöüçİ –…“”بپ卡\u0301" + INSTEAD)
ANY = st.text(max_size=600) | st.text("a\u202e\u200c\u0301 \n", max_size=2_000)


@given(ANY, st.booleans())
def test_whatever_comes_in_one_visible_line_comes_out(text, bare):
    line = legible(text, DRAWABLE, bare=bare)
    assert len(line) <= LONGEST
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
        ("i\u0307", "i" + INSTEAD),
        ("s\u0327", "ş"),
        ("g\u0306", "ğ"),
        ("ب\u200cپ\u200c", "ب\u200cپ"),
        ("aЖ", "a" + INSTEAD),
        ("", INSTEAD),
        (" \u202e\u200c ", INSTEAD),
        ("b" + "\u0301" * 9, "b" + "\u0301" * 4),
        ("a" * LONGEST, "a" * LONGEST),
        ("a" * (LONGEST + 1), "a" * (LONGEST - 1) + "…"),
        ("a" * 10_000, "a" * (LONGEST - 1) + "…"),
        (" " * 2_000 + "a", INSTEAD + "…"),
    ],
)
def test_examples(text, line):
    assert legible(text, DRAWABLE) == line


def test_bare_letters():
    assert legible("e\u0301\u200ca", DRAWABLE | {"é"}, bare=True) == "éa"
    assert legible("b\u0301\u200ca", DRAWABLE, bare=True) == "ba"
