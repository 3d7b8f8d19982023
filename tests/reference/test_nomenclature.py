import pytest

from app.reference import hs_nomenclature


def test_the_table_is_hs_2022_without_its_fillers():
    codes = hs_nomenclature.load_titles()
    assert [sum(len(code) == length for code in codes) for length in (2, 4, 6)] == [96, 1228, 5612]
    assert len(codes) == 96 + 1228 + 5612
    assert not hs_nomenclature.FILLER_CODES & codes.keys()


def test_codes_that_came_or_went_with_2022():
    assert all(hs_nomenclature.is_subheading(code) for code in ("852411", "854911", "240412", "880621"))
    assert not hs_nomenclature.is_subheading("940540")


def test_levels_are_not_mixed():
    assert hs_nomenclature.find_title("73") == "Iron or steel articles"
    assert hs_nomenclature.is_heading("7306")
    assert hs_nomenclature.is_subheading("730630")
    assert not hs_nomenclature.is_heading("73")
    assert not hs_nomenclature.is_subheading("7306")
    assert hs_nomenclature.find_title("77") is None


def test_a_title_says_what_it_is():
    assert hs_nomenclature.find_title("040900") == "Honey; natural"
    assert hs_nomenclature.find_title("999999") is None


@pytest.mark.parametrize("hs6", [None, "", "73063", "7306300", "7306.3", " 73063", "730630\n", "٧٣٠٦٣٠", "²²²²²²"])
def test_six_digits_are_six_ascii_digits(hs6):
    assert hs_nomenclature.as_six_digits(hs6) is None


def test_a_lost_zero_is_restored_only_where_the_code_then_exists():
    assert hs_nomenclature.restore_leading_zero("40900") == "040900"
    assert hs_nomenclature.restore_leading_zero("73063") is None
    assert hs_nomenclature.restore_leading_zero("730630") is None
