"""Clean names for print: one line, only visible and drawable characters. Pure.

Characters that could reverse or hide others are removed.
"""

import unicodedata
from collections.abc import Collection, Iterator
from typing import Final

from app.core.text.confusables import UNSEEN

MAX_CHARS: Final = 320  # the database allows 300
MAX_MARKS: Final = 4  # on one letter; no language writes more
REPLACEMENT_CHARACTER: Final = "\ufffd"  # in place of a character that no font can draw
_JOINERS: Final = "\u200c\u200d"  # required for correct Persian spelling


def to_printable(text: str, drawable: Collection[str], *, bare: bool = False) -> str:
    """Return the text in one line of at most `MAX_CHARS` characters, cut with an ellipsis.

    Control, bidi and other invisible characters are removed; a letter keeps at most four marks; a character that is not
    in `drawable` becomes �, and so does a text of which nothing remains. `bare` removes all marks and joiners, because
    fonts cannot draw some combinations.
    """
    # Only the beginning is normalized: composing ten thousand marks takes long, and the result is cut anyway.
    composed = unicodedata.normalize("NFC", text[: 4 * MAX_CHARS])
    visible = "".join(_printable_character(character, drawable, bare=bare) for character in _limit_marks(composed))
    line = " ".join(visible.split()).strip(_JOINERS + " ") or REPLACEMENT_CHARACTER
    if len(line) <= MAX_CHARS and len(text) <= 4 * MAX_CHARS:
        return line
    return line[: MAX_CHARS - 1].rstrip(_JOINERS + " ") + "…"


def _limit_marks(text: str) -> Iterator[str]:
    mark_count = 0
    for character in text:
        mark_count = mark_count + 1 if unicodedata.category(character).startswith("M") else 0
        if mark_count <= MAX_MARKS:
            yield character


def _printable_character(character: str, drawable: Collection[str], *, bare: bool) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if character in _JOINERS:
        return "" if bare else character
    if category in UNSEEN or (bare and category.startswith("M")):
        return ""
    return character if character in drawable else REPLACEMENT_CHARACTER
