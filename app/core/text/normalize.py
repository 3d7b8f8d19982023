"""Text as people type it: what can be stored and shown safely, and how it is compared. Pure."""

import unicodedata
from functools import lru_cache

from app.core.messages import Message

REJECTED_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Co"})
"""Controls (NUL among them, which PostgreSQL cannot store), lone surrogates (no UTF-8), unassigned, private use."""

BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a name read differently from what was checked. LRM, RLM and ZWNJ stay: Persian and Arabic need them."""

_LETTERS = str.maketrans({"ə": "e", "ǝ": "e", "Ə": "e", "ı": "i"})
_SEARCH_LETTERS = str.maketrans({"ı": "i", "İ": "i", "I": "i", "ə": "e", "Ə": "e", "ё": "е", "Ё": "е"})


def normalize(text: str) -> str:
    """The spelling that is stored: composed letters (NFC), no space around."""
    return unicodedata.normalize("NFC", text).strip()


def text_error(text: str, most: int, *, lines: bool = False) -> Message | None:
    """What is wrong with a text of 1 to `most` characters, in words for who typed it; None if it is fine.

    With `lines`, line breaks and tabs are allowed.
    """
    if not text.strip():
        return Message("This must not be empty.", code="empty")
    if len(text) > most:
        return Message("This is longer than %(limit)s characters.", code="too-long", limit=most)
    for character in text:
        if lines and character in "\n\r\t":
            continue
        if unicodedata.category(character) in REJECTED_CATEGORIES or character in BIDI_OVERRIDES:
            character_code = f"U+{ord(character):04X}"
            return Message(
                "This holds a character that is not text (%(character)s).", code="not-text", character=character_code
            )
    return None


@lru_cache(maxsize=4096)
def fold_alphanumeric(text: str) -> str:
    """Small letters without marks, ə as e, ı as i, letters and digits only: “Qablaşdırma.” and QABLASDIRMA are one.

    Used wherever a name is looked up in a closed list: operations, units, districts, suppliers.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS))
    return "".join(letter for letter in decomposed if letter.isalnum())


def search_fold(text: str) -> str:
    """One spelling for search: lower case without accents, dots and quotes; the two letters i are one, ə is e.

    Azerbaijani, Russian and English writing of a name should find the same thing. Used to find, never to decide that
    two things are the same.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SEARCH_LETTERS)).casefold().translate(_SEARCH_LETTERS)
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())
