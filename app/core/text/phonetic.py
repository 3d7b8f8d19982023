"""Reduce words of the public register to phonetic keys, so that every spelling of a name finds it. Pure.

“Ağdam”, “AGDAM”, “Aghdam” and “Агдам” have one key, and so have “Cəbrayıl”, “Jabrayil” and “Джебраил”. Azerbaijani and
its English and Russian transcriptions map to one coarse spelling. False matches are acceptable, missed ones are not,
and it never decides that two things are equal; `name_matching.py` does that more carefully for protected names.

The keys are stored (`certificate_search_terms`): a change requires a migration that fills the table again.
"""

import re
import unicodedata
from functools import lru_cache

MAX_WORD_LENGTH = 40
"""Letters of a word that count; longer words are cut, in the table and in queries."""

_TABLE = """
ı=i ə=a ǝ=a ß=ss æ=a ø=o đ=d ł=l þ=t ك=ک ي=ی ى=ی
ғ=g ҝ=g ә=a ө=o ү=u һ=h ҹ=c ј=y і=i ї=i є=e ґ=g
"""
"""Letters without a decomposition, and the Cyrillic ones of Azerbaijani before 1991 and of Ukrainian."""
_RUSSIAN = """
а=a б=b в=v г=g д=d ж=j з=z и=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=h ц=s ч=c ш=s щ=s ъ= ы=i ь= э=e
"""
_LETTERS = str.maketrans(dict(pair.split("=") for pair in _TABLE.split()))
_CYRILLIC = dict(pair.split("=") for pair in _RUSSIAN.split())
_SOFT = {"е": ("e", "ye"), "ё": ("o", "yo"), "ю": ("u", "yu"), "я": ("a", "ya")}
"""After a consonant, and at the beginning of a word or after a vowel."""
_CYRILLIC_VOWELS = frozenset("аеёиоуыэюяьъй")

_AZERBAIJANI_C = re.compile("дж")
_GROUPS = (
    (re.compile("dzh|dj|tch|zh|ch"), "c"),
    (re.compile("sh|ts"), "s"),
    (re.compile("gh"), "g"),
    (re.compile("kh|x"), "h"),
)
_EQUIVALENT = str.maketrans({"e": "a", "g": "k", "q": "k", "j": "c", "y": "i", "w": "v"})
"""Sounds that the three languages write with different letters: Gəncə, Ganja, Гянджа; Qazax, Gazakh, Казах."""
_REPEATED = re.compile(r"(\D)\1+")
_EXONYMS = {"karabah": "karabak", "fizuli": "fuzuli", "nahicavan": "nahcivan"}
"""Names that differ between the languages in sound as well, by their phonetic keys."""
_SILENT = frozenset("'’‘ʼ`´")
_JOINED = frozenset({"Mn", "Mc", "Me", "Cf"})  # combining marks and invisible format characters
_POINT_IN_NUMBER = re.compile(r"(?<=[0-9])\.(?=[0-9])")


@lru_cache(maxsize=4096)
def phonetic_keys(text: str) -> tuple[str, ...]:
    """Return the phonetic keys of the words of a text, without duplicates, in order; empty without letters."""
    plain = _POINT_IN_NUMBER.sub("", unicodedata.normalize("NFKC", text).casefold())
    characters = (c if c.isalnum() or c in _SILENT or unicodedata.category(c) in _JOINED else " " for c in plain)
    return tuple(dict.fromkeys(sound for word in "".join(characters).split() if (sound := _phonetic_key(word))))


def _phonetic_key(word: str) -> str:
    """Return the key of one word. Cyrillic is mapped before accents are removed, because й is a letter of its own."""
    word = _romanise(_AZERBAIJANI_C.sub("c", unicodedata.normalize("NFC", word).translate(_LETTERS)))
    bare = "".join(c for c in unicodedata.normalize("NFKD", word).translate(_LETTERS) if c.isalnum())
    for group, letter in _GROUPS:
        bare = group.sub(letter, bare)
    bare = _REPEATED.sub(r"\1", bare.translate(_EQUIVALENT))[:MAX_WORD_LENGTH]
    return _EXONYMS.get(bare, bare)


def _romanise(word: str) -> str:
    letters, before = [], ""
    for letter in word:
        if letter in _SOFT:
            letters.append(_SOFT[letter][before == "" or before in _CYRILLIC_VOWELS])
        else:
            letters.append(_CYRILLIC.get(letter, letter))
        before = letter
    return "".join(letters)
