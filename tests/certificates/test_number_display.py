"""The quick way to a number's display form says what the careful one says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.certificates.certificate_number import CertificateNumber, parse_number, to_display_form

pytestmark = pytest.mark.pure

NUMBERS = st.builds(
    CertificateNumber,
    st.from_regex(r"[A-Z]{3,8}", fullmatch=True),
    st.integers(0, 9999),
    st.integers(0, 10**18 - 1) | st.integers(0, 10**7),
)
CHARACTERS = st.characters(codec="utf-8") | st.sampled_from("ABCİıik0123456789- –\u200b\n٣Ⅷ")


def carefully(text):
    number = parse_number(text)
    return None if number is None else str(number)


@given(NUMBERS)
def test_a_number_as_we_print_it(number):
    assert to_display_form(str(number)) == str(number)


@given(NUMBERS, st.data())
def test_one_character_changed(number, data):
    text = str(number)
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(CHARACTERS) + text[place + 1 :]
    assert to_display_form(changed) == carefully(changed)


@given(NUMBERS, st.sampled_from([str.lower, str.title, lambda t: t.replace("-", ""), lambda t: f" {t}\n"]))
def test_typed_in_other_ways(number, typed):
    assert to_display_form(typed(str(number))) == str(number)


@given(st.text(CHARACTERS, max_size=120))
def test_any_text(text):
    assert to_display_form(text) == carefully(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "MIK-2026-000042-Y\n",
        "MIK-2026-0000042-Y",
        "MIK-٢٠٢٦-000042-Y",
        "№ MIK-2O26-000042-Y.",
        "MIK-2026-000042-X",
        "A" * 200,
    ],
)
def test_none_for_the_same_reasons(text):
    assert to_display_form(text) == carefully(text)
