"""Names that are what they look like."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.confusables import name_error

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    "name",
    ["Ağdam", "Şuşa-Qənd MMC", "می‌خواهم", "新产品", "T恤衫", "سجادة", "Ёлка № 5 “A” – 10 % (λ) 🙂", "x" * 300,
     "Завод ABC", "Труба СТ-20A", "А-500С", "Фольга 10 мкм", "Film 10μm", "Resistor 4kΩ", "Việt Nam", "Ế", "بِسْمِ اللَّهِ",
     "👨‍👩‍👧", "Ⅱ", "m²", "Ó Dé™", "ვაშლი", "1,5 L"],
)  # fmt: skip
def test_names_of_the_world(name):
    assert name_error(unicodedata.normalize("NFC", name)) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (" a", "blank"), ("a\u00a0", "blank"), ("a\u202eb", "U+202E"), ("a\u200bb", "U+200B"), ("a\0", "U+0000"),
        ("\ud800", "U+D800"), ("\u200cab", "U+200C"), ("a\u200cb", "U+200C"), ("آ\u200c", "U+200C"),
        ("\u200d", "U+200D"),
        ("م\u200ca", "U+200C"), ("e\u0301", "NFC"), ("q" + "\u0308" * 5, "accents"),
        ("Qаrabağ", "Cyrillic, Latin"), ("Сaviar", "Cyrillic, Latin"), ("ΑBC", "Greek, Latin"),
        ("Ωmega", "Greek, Latin"), ("μυstic", "Greek, Latin"), ("Աgdam", "Armenian, Latin"),
        ("М0СT", "Cyrillic, Latin"), ("Ａğdam", "not the letter"), ("𝔄ğdam", "not the letter"),
        ("Ⓐ", "not the letter"), ("🅰", "not the letter"),
    ],
)  # fmt: skip
def test_what_is_refused(name, why):
    assert why in name_error(name)


@given(st.text(max_size=40))
def test_any_text_has_an_answer(text):
    wrong = name_error(text)
    assert wrong is None or wrong


@given(st.text(alphabet="abcçdeəfgğhxıijkqlmnoöprsştuüvyz", min_size=1), st.sampled_from("авеорсух"))
def test_one_foreign_letter_in_a_word_is_found(word, letter):
    for place in range(len(word) + 1):
        assert "mixes" in name_error(word[:place] + letter + word[place:])
