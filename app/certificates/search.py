"""One spelling for search: Azerbaijani, Russian and English writing of a name should find the same thing. Pure."""

import re
import unicodedata

_LETTERS = str.maketrans({"ı": "i", "İ": "i", "I": "i", "ə": "e", "Ə": "e", "ß": "ss", "ё": "е", "Ё": "е"})


def fold(text: str) -> str:
    """Lower case without accents, dots and quotes; dotted and dotless i are one letter, ə is e."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).casefold().translate(_LETTERS)
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return re.sub(" +", " ", letters).strip()
