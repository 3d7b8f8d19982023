"""Match names across spellings and scripts: “Şuşa”, “Shusha”, “ШУША” and “Ş u ş a” are one name. Pure.

It selects candidates for a person to review and does not decide: false matches are acceptable, missed ones are not.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

_TABLE = """
ş=sh š=sh ś=sh ç=ch č=ch ž=j ə=e ǝ=e ğ=gh ı=i x=kh q=g y=u
а=a б=b в=v г=g д=d е=e ё=e ж=j з=z и=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh щ=sh
ъ= ы=i ь= э=e ю=iu я=ia і=i ј=i ә=e ғ=gh ҝ=g ө=o ү=u һ=h ҹ=j
"""
_LETTERS = str.maketrans(dict(pair.split("=") for pair in _TABLE.split()))
"""To the Latin letters of English, for Azerbaijani (Latin and Cyrillic), Russian and their neighbours.

The Latin y is also listed as a substitute of the Cyrillic у; ə differs from a, or every glass (şüşə) would match the
town of Shusha.
"""
_SILENT = frozenset("'’‘ʼ`´")
_ONE_LETTER = frozenset({"sh", "ch", "gh", "kh", "ts", "iu", "ia"})
"""Digraphs that the table above produces for a single letter."""


@lru_cache(maxsize=4096)
def transliteration_key(text: str) -> str:
    """Return one spelling for all: small Latin letters without marks, words separated by one space."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold()).translate(_LETTERS)
    letters = [
        letter if letter.isalnum() else " "
        for letter in unicodedata.normalize("NFKD", folded)
        if not _is_silent(letter)
    ]
    return " ".join(_join_single_letters("".join(letters).split()))


def _is_silent(letter: str) -> bool:
    return unicodedata.combining(letter) != 0 or letter in _SILENT or unicodedata.category(letter) == "Cf"


def _join_single_letters(words: list[str]) -> Iterator[str]:
    """Join single letters to one word: “sh u sh a” becomes “shusha”."""
    run = ""
    for word in words:
        if len(word) == 1 or word in _ONE_LETTER:
            run += word
            continue
        if run:
            yield run
        run = ""
        yield word
    if run:
        yield run


def contains_key(key: str, text_key: str) -> bool:
    """Whether the key of a name occurs in that of a text: in full, inside a word, or split by a hyphen or space."""
    return bool(key) and (key in text_key or key in _adjacent_pairs(text_key))


@lru_cache(maxsize=4096)
def _adjacent_pairs(text_key: str) -> frozenset[str]:
    """Return every two neighbouring words joined to one."""
    return frozenset(first + second for first, second in pairwise(text_key.split()))
