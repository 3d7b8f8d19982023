"""Find the entries of a sanctions list whose names resemble those of a company. Pure.

Names are compared in one spelling for Azerbaijani, Russian and English, in any order of words and without the words
that only state a legal form. A score is 0–100. A resemblance is no finding: a person decides it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from app.core.text.name_matching import transliteration_key
from app.organisations.sanctions.list_file import ListEntry

_LEGAL_FORMS = frozenset(
    transliteration_key(word)
    for word in (
        *("MMC", "QSC", "ASC", "ATSC", "SC", "OOO", "ООО", "ОАО", "ЗАО", "АО", "ТОО", "LLC", "Ltd", "Limited", "Inc"),
        *("OJSC", "CJSC", "JSC", "GmbH", "Co", "Company", "şirkəti", "компания", "cəmiyyəti", "общество"),
    )
)
_MIN_CHARS = 3
"""A shorter name resembles half of a list as part of a word."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that resembles a company: which of its names resembles which of the company's, and how much."""

    entry: ListEntry
    listed_name: str
    company_name: str
    score: int


def find_candidates(names: Iterable[str], entries: Sequence[ListEntry], threshold: int) -> list[Candidate]:
    """Return the entries with a score of at least `threshold`, the most similar first; each once."""
    keys = [(name, key) for name in dict.fromkeys(names) if (key := comparison_key(name))]
    found = []
    for entry in entries:
        best: tuple[float, str, str] = (0, "", "")
        for listed in entry.names:
            listed_key = comparison_key(listed)
            for name, key in keys:
                best = max(best, (_score(key, listed_key, threshold), listed, name))
        if best[0] >= threshold:
            found.append(Candidate(entry, best[1], best[2], int(best[0])))
    return sorted(found, key=lambda each: (-each.score, each.entry.id))


def _score(key: str, listed: str, threshold: int) -> float:
    """Compare the sorted words; a name that contains all words of the other also counts."""
    if not listed:
        return 0
    score = fuzz.token_sort_ratio(key, listed, score_cutoff=threshold)
    without_spaces = fuzz.ratio(key.replace(" ", ""), listed.replace(" ", ""), score_cutoff=threshold)
    if min(len(key), len(listed)) < _MIN_CHARS or min(key.count(" "), listed.count(" ")) < 1:
        return max(score, without_spaces)
    return max(score, without_spaces, fuzz.token_set_ratio(key, listed, score_cutoff=threshold))


@lru_cache(maxsize=400_000)
def comparison_key(name: str) -> str:
    """Return the spelling that is compared; a name of nothing but legal forms keeps them."""
    words = transliteration_key(name).split()
    return " ".join([word for word in words if word not in _LEGAL_FORMS] or words)
