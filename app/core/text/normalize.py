"""Normalise and validate entered text, and fold it for comparison and search. Pure."""

import unicodedata
from functools import lru_cache

from app.core.messages import Message

REJECTED_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Co"})
"""Controls (NUL among them, which PostgreSQL cannot store), lone surrogates (no UTF-8), unassigned, private use."""

BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a name read differently from its code points. LRM, RLM and ZWNJ stay: Persian and Arabic need them."""

_LETTERS = str.maketrans({"ə": "e", "ǝ": "e", "Ə": "e", "ı": "i"})
_SEARCH_LETTERS = str.maketrans({"ı": "i", "İ": "i", "I": "i", "ə": "e", "Ə": "e", "ё": "е", "Ё": "е"})


def normalize(text: str) -> str:
    """Return the spelling that is stored: composed letters (NFC), no surrounding space."""
    return unicodedata.normalize("NFC", text).strip()


def text_error(text: str, max_length: int, *, lines: bool = False) -> Message | None:
    """Return what is wrong with a text of 1 to `max_length` characters, as a message for the user; None if valid.

    With `lines`, line breaks and tabs are allowed.
    """
    if not text.strip():
        return Message("This must not be empty.", code="empty")
    if len(text) > max_length:
        return Message("This is longer than %(limit)s characters.", code="too-long", limit=max_length)
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
    """Fold to small letters and digits, without marks, ə as e, ı as i: “Qablaşdırma.” and QABLASDIRMA become equal.

    Used for every look-up of a name in a closed list: operations, units, districts, suppliers.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS))
    return "".join(letter for letter in decomposed if letter.isalnum())


def search_fold(text: str) -> str:
    """Fold for search: lower case without accents, dots and quotes; both letters i become one, ə becomes e.

    Azerbaijani, Russian and English spellings of a name find the same entries. Never used to decide that two things
    are equal.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SEARCH_LETTERS)).casefold().translate(_SEARCH_LETTERS)
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())
