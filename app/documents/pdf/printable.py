"""Names as they may stand on paper: one line, visible, nothing that could turn or hide a letter, all drawable. Pure."""

import unicodedata
from collections.abc import Collection, Iterator
from typing import Final

from app.core.text.confusables import UNSEEN

MAX_CHARS: Final = 320  # characters; the register takes 300
MAX_MARKS: Final = 4  # on one letter; no language writes more
REPLACEMENT_CHARACTER: Final = "\ufffd"  # of what no font of ours can draw
_JOINERS: Final = "\u200c\u200d"  # without them Persian is spelt wrong


def to_printable(text: str, drawable: Collection[str], *, bare: bool = False) -> str:
    """The text in one line of at most `LONGEST` characters, cut with an ellipsis.

    Controls, bidi marks and what else is not seen go; of the marks on a letter four stay; a character that is not in
    `drawable` becomes �, and so does a text of which nothing is left. `bare` takes away all marks and joiners: some no
    font can draw together.
    """
    # Only the beginning is looked at: composing ten thousand marks takes time, and no more can stand there anyway.
    composed = unicodedata.normalize("NFC", text[: 4 * MAX_CHARS])
    kept = "".join(_printable_character(character, drawable, bare=bare) for character in _limit_marks(composed))
    line = " ".join(kept.split()).strip(_JOINERS + " ") or REPLACEMENT_CHARACTER
    if len(line) <= MAX_CHARS and len(text) <= 4 * MAX_CHARS:
        return line
    return line[: MAX_CHARS - 1].rstrip(_JOINERS + " ") + "…"


def _limit_marks(text: str) -> Iterator[str]:
    pile = 0
    for character in text:
        pile = pile + 1 if unicodedata.category(character).startswith("M") else 0
        if pile <= MAX_MARKS:
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
