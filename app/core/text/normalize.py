"""Text as it is compared. Pure."""

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans({"ə": "e", "ǝ": "e", "Ə": "e", "ı": "i"})


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Small letters without marks, ə as e, ı as i, letters and digits only: “Qablaşdırma.” and QABLASDIRMA are one.

    Used wherever a name is looked up in a closed list: operations, units, districts, suppliers.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS))
    return "".join(letter for letter in decomposed if letter.isalnum())
