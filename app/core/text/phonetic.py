"""How the words of the register sound, so that every writing of a name finds it. Pure.

“Ağdam”, “AGDAM”, “Aghdam” and “Агдам” are one word here, and so are “Cəbrayıl”, “Jabrayil” and “Джебраил”. Azerbaijani
and its English and Russian transcriptions are brought to one coarse spelling. It finds too much rather than too little
and never decides that two things are the same; `name_matching.py` does that more carefully for protected names.

What this makes is stored (`certificate_words`): a change of it needs a migration that writes the table anew.
"""

import re
import unicodedata
from functools import lru_cache

MAX_WORD_LENGTH = 40
"""Letters of a word that count; longer ones are cut, here and in what is asked."""

_TABLE = """
ı=i ə=a ǝ=a ß=ss æ=a ø=o đ=d ł=l þ=t ك=ک ي=ی ى=ی
ғ=g ҝ=g ә=a ө=o ү=u һ=h ҹ=c ј=y і=i ї=i є=e ґ=g
"""
"""Letters that no decomposition takes apart, and the Cyrillic ones of Azerbaijani before 1991 and of Ukrainian."""
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
"""Sounds that the three languages write with one letter or the other: Gəncə, Ganja, Гянджа; Qazax, Gazakh, Казах."""
_REPEATED = re.compile(r"(\D)\1+")
_EXONYMS = {"karabah": "karabak", "fizuli": "fuzuli", "nahicavan": "nahcivan"}
"""Names that the languages do not only write but say differently, as they sound here."""
_SILENT = frozenset("'’‘ʼ`´")
_JOINED = frozenset({"Mn", "Mc", "Me", "Cf"})  # marks upon letters, and what is not seen between them
_POINT_IN_NUMBER = re.compile(r"(?<=[0-9])\.(?=[0-9])")


@lru_cache(maxsize=4096)
def phonetic_keys(text: str) -> tuple[str, ...]:
    """The words of a text, each once, in their order, in the one coarse spelling. Empty for a text without letters."""
    plain = _POINT_IN_NUMBER.sub("", unicodedata.normalize("NFKC", text).casefold())
    kept = (c if c.isalnum() or c in _SILENT or unicodedata.category(c) in _JOINED else " " for c in plain)
    return tuple(dict.fromkeys(sound for word in "".join(kept).split() if (sound := _phonetic_key(word))))


def _phonetic_key(word: str) -> str:
    """й is a letter of its own, so Cyrillic is read before accents are taken away."""
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
