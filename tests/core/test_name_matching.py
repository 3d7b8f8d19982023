"""One name in every spelling and script, and its look-alikes that are other words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.name_matching import contains_key, transliteration_key
from app.schemes.rules.names import NamesRule
from app.schemes.scheme_loader import load_schemes

pytestmark = [pytest.mark.pure, pytest.mark.short]

RULE = next(rule for rule in load_schemes()["MIK"].ruleset.rules if isinstance(rule, NamesRule) and rule.id == "C-13")
SHUSHA = RULE.names[0]


@pytest.mark.parametrize(
    "text",
    [
        "Şuşa",
        "ŞUŞA balı",
        "şuşa",
        "Şus\u0327a",  # the cedilla as a letter of its own
        "Şu\u200bşa",
        "Şu\u00adşa",
        "Şu-şa",
        "Şu şa",
        "Ş u ş a",
        "Ş.U.Ş.A",
        "Şu’şa",
        "Şuşanın suyu",
        "Qala-Şuşa",
        "Shusha",
        "SHUSHA water",
        "ShushaGold",
        "Shousha",
        "Schuscha",
        "Choucha",
        "Šuša",
        "Шуша",
        "ШУША",
        "Шyша",  # with a Latin y
        "Shushа",  # with a Cyrillic а
        "Вода Шушинская",
        "شوشا",
        "عسل شوشا",
        "عسل شوشی",
        "شُوشَا",  # with vowel signs
        "Շուշի",
        "შუშა",
        "舒沙蜂蜜",
        "シュシャ",
        "슈샤",
        "Ｓｈｕｓｈａ",  # full width
    ],
)
def test_the_town_is_found_however_it_is_written(text):
    assert SHUSHA.is_contained_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Şüşə butulka",  # a glass bottle
        "Şüşə lifi",
        "Стекло",
        "Qamış uşağı",
        "Qış uşaq ayaqqabısı",
        "Susam yağı",
        "Sushi",
        "Yuxarı yuva",
        "Welded steel tube",
        "玻璃",
    ],
)
def test_other_words_are_not_the_town(text):
    assert not SHUSHA.is_contained_in(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ağdam şərabı", "Qırmızı AĞDAM ŞƏRABI"),
        ("Ağdam şərabı", "Agdam sherabi, dry"),
        ("Şəki", "ŞƏKİ paxlavası"),
        ("Şəki", "Sheki halva"),
        ("Lənkəran", "LƏNKƏRAN ÇAYI"),
        ("Lənkəran", "Ленкоранский чай"),
        ("Naftalan", "НАФТАЛАН"),
    ],
)
def test_registered_indications_are_found(name, text):
    assert [each.name for each in RULE.names if each.is_contained_in(text)] == [name]


def test_a_skeleton_is_the_sound_of_a_name():
    assert transliteration_key("Ş u ş a, balı") == transliteration_key("ШУША бали") == "shusha bali"
    assert transliteration_key("a b sözü c") == "ab sozu c"
    assert transliteration_key("…") == ""
    assert not contains_key(transliteration_key("…"), transliteration_key("anything"))


@given(st.text())
def test_no_text_crashes_it_and_a_skeleton_is_its_own(text):
    once = transliteration_key(text)
    assert transliteration_key(once) in (once, transliteration_key(transliteration_key(once)))
    assert once == " ".join(once.split())
    assert once == once.casefold()


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_name_is_found_between_other_words(before, after):
    assert (
        contains_key("naftalan", transliteration_key(f"{before} Naftalan-{after}"))
        or len(transliteration_key(before)) > 0
    )
