"""Text as people type it: what can be stored and shown safely, and how it is compared when searching. Pure."""

import unicodedata

REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Co"})
"""Controls (NUL among them, which PostgreSQL cannot store), lone surrogates (no UTF-8), unassigned, private use."""

BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a name read differently from what was checked. LRM, RLM and ZWNJ stay: Persian and Arabic need them."""


def tidy(text: str) -> str:
    """The spelling that is stored: composed letters (NFC), no space around."""
    return unicodedata.normalize("NFC", text).strip()


def wrong_with(text: str, most: int, *, lines: bool = False) -> str | None:
    """What is wrong with a text of 1 to `most` characters, in words for who typed it; None if it is fine.

    With `lines`, line breaks and tabs are allowed.
    """
    if not text.strip():
        return "This must not be empty."
    if len(text) > most:
        return f"This is longer than {most} characters."
    for character in text:
        if lines and character in "\n\r\t":
            continue
        if unicodedata.category(character) in REFUSED_CATEGORIES or character in BIDI_OVERRIDES:
            return f"This holds a character that is not text (U+{ord(character):04X})."
    return None


def fold(text: str) -> str:
    """Equal for texts that a reader takes for the same: case, width, accents of Latin letters, dotted and dotless i.

    Used only to find things, never to decide that two things are the same.
    """
    lowered = unicodedata.normalize("NFKC", text).replace("İ", "i").replace("I", "i").replace("ı", "i").casefold()
    plain = "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
    return " ".join(plain.replace("ə", "e").split())
