"""Numbers, texts, figures and names as people type them: the pure files of the registry."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.az import voen as reference

from app.core.decimals import DecimalColumn, decimal_error, quantize_for_storage
from app.core.text.normalize import normalize, search_fold, text_error
from app.organisations import tax_number
from app.reference.territory import country_codes, is_same_district, load_territory

pytestmark = pytest.mark.pure

MONEY = DecimalColumn(16, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("001000010", "leading zero"),
        ("00100001010", "this has 11"),
        ("", "digits only"),
        ("00١0000101", "digits only"),
        ("0010000103", "last digit"),
        ("0010000101\n", "digits only"),
    ],
)
def test_what_is_no_voen(text, reason):
    number = tax_number.parse_voen(text)
    assert isinstance(number, tax_number.InvalidVoen)
    assert reason in number.reason


@given(st.from_regex(r"[0-9]{9}[12]", fullmatch=True))
def test_a_voen_of_right_form_is_taken_and_its_check_digit_told(digits):
    assert tax_number.parse_voen(digits) == tax_number.Voen(digits, needs_review=not reference.is_valid(digits))
    assert tax_number.parse_voen(f" {digits[:3]} {digits[3:]} ") == tax_number.parse_voen(digits)


@given(st.text())
def test_no_text_breaks_the_reading(text):
    assert isinstance(tax_number.parse_voen(text), tax_number.Voen | tax_number.InvalidVoen)
    text_error(text, 10)
    search_fold(text)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_a_figure_that_passes_is_stored_exactly(figure):
    if decimal_error(figure, MONEY) is None:
        stored = quantize_for_storage(figure, MONEY)
        assert stored == figure
        assert stored.as_tuple().exponent == -4
        assert not stored.is_signed()


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        ("NaN", "not a number"),
        ("sNaN", "not a number"),
        ("-Infinity", "not a number"),
        ("-0.0001", "less than 0"),
        ("100.01", "more than 100"),
        ("1E+13", "12 digits before"),
        ("1." + "0" * 50 + "1", "4 decimal places"),
        ("1.00010", None),
        ("-0", None),
        ("0E+999999", None),
        ("100", None),
    ],
)
def test_figures_at_the_edge(figure, reason):
    most = Decimal(100) if reason != "12 digits before" else None
    found = decimal_error(Decimal(figure), MONEY, max_value=most)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \u00a0", "empty"),
        ("x" * 11, "longer than 10"),
        ("a\0", "U+0000"),
        ("a\ud800", "U+D800"),
        ("a\u202eb", "U+202E"),
        ("a\ue000", "U+E000"),
        ("a\nb", "U+000A"),
        ("Ağdərə İş", None),
        ("می\u200cخواهم", None),
    ],
)
def test_texts_that_can_be_kept(text, reason):
    found = text_error(text, 10)
    assert found is None if reason is None else reason in found


def test_lines_are_allowed_where_asked_for():
    assert text_error("a\n\tb\r\n", 10, lines=True) is None
    assert text_error("a\u2067", 10, lines=True)
    assert normalize("  Ag\u0306dam ") == "Ağdam"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“Nümunə-İşıq” MMC", "numune isiq mmc"),
        ("IŞIQ", "ışıq"),
        ("Ёлка", "елка"),
        ("Ｆｕｌｌ", "full"),
        ("a  %_b", "a b"),
    ],
)
def test_spellings_that_find_each_other(one, other):
    assert search_fold(one) == search_fold(other)


def test_one_district_under_two_names():
    places = load_territory()
    assert is_same_district(places, "Ağdam", "AĞDAM rayonu")
    assert not is_same_district(places, "Ağdam", "Ağdaş")
    assert is_same_district(places, "Yeni Rayon", "yeni rayon ")
    assert not is_same_district(places, "Ağdam", "Yeni Rayon")
    assert not is_same_district(places, None, "Ağdam")
    assert not is_same_district(places, "Ağdam", None)
    assert {"AZ", "TR", "IR"} <= country_codes()
    assert "az" not in country_codes()
