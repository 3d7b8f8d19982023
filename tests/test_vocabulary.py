"""Code, pages and documents use the words of the field, and none of the private vocabulary that once stood for them.

Decision records are history and keep their words; record 70 maps them to those of today. Translations are no English.
"""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.short

ROOT = Path(__file__).parent.parent
KINDS = {".css", ".html", ".js", ".json", ".md", ".py", ".svg", ".toml", ".typ"}

WORDS = re.compile(
    r"\b(deeds?|desks?|press|presses|drawers?|bench|benches|doors?|lanes?|turnstiles?|seals?|sealed|sealing|glances?"
    r"|piles?|standings?|lays?|laid|(?:of )?the house)\b",
    re.IGNORECASE,
)
OTHER_MEANING = re.compile(
    r"user\.sealed"  # an event of the audit chain: names of events are hashed
    r"|make bench\b"
    r"|guest[ _]house|windows and doors",  # goods and services, in lists that rulesets are hashed with
)
NOT_OURS = re.compile(
    r"^docs/decisions/|^app/locales/"
    r"|^app/schemes/marks/",  # texts of published rules: a change of a word would be a new version of the ruleset
)
CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def sources():
    """Our own text files; a library that was copied has its licence beside it."""
    listed = subprocess.run(
        ["git", "ls-files", "app", "docs", "README.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        is_copied = path.with_name(f"{path.stem}-LICENSE.txt").exists()
        if path.suffix in KINDS and not NOT_OURS.search(name) and not is_copied and path.exists():
            yield name, path.read_text(encoding="utf-8")


def found_in(text):
    """Each word with its line: identifiers are split at underscores and capitals."""
    for number, line in enumerate(text.splitlines(), 1):
        words = CAMEL_CASE.sub(" ", OTHER_MEANING.sub("", line).replace("_", " "))
        for match in WORDS.finditer(words):
            yield number, match[0].lower()


@pytest.mark.parametrize("text", ["class HTTPDoor:", "by_standing = 1", "before the house", "isSealed", "# Laid open."])
def test_a_word_of_the_private_vocabulary_is_found(text):
    assert list(found_in(text))


@pytest.mark.parametrize(
    "text", ["indeed", "outdoors", "layout", "make bench", '"user.sealed"', "benchmark", "başlayıb"]
)
def test_words_of_another_meaning_are_left_alone(text):
    assert list(found_in(text)) == []


def test_no_word_of_the_private_vocabulary_is_left():
    left = [f"{name}:{number}: {word}" for name, text in sources() for number, word in found_in(text)]
    assert left == []


def test_no_file_is_named_by_one():
    names = [name for name, _ in sources()]
    assert [name for name in names if list(found_in(re.sub(r"[/.-]", " ", name)))] == []
