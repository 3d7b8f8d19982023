"""The closed lists: what is found in them, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.normalize import fold_alphanumeric
from app.reference.hs_nomenclature import find_title, is_heading
from app.schemes.closed_lists import Operation, OperationClass, has_prefix, load_lists, longest_prefix

pytestmark = pytest.mark.pure

LISTS = load_lists()


def test_the_lists_that_ship():
    assert len(LISTS.operations) == 168
    assert len(LISTS.digest) == 64
    assert (LISTS.version, LISTS.operations_version) == ("2026.1", "2026.1")
    assert LISTS is load_lists()
    codes = {code for operation in LISTS.operations.values() for code in (*operation.only_in, *operation.enough_in)}
    codes |= {*LISTS.nature_codes, *LISTS.nature_except, *LISTS.excise_codes}
    assert [code for code in codes if find_title(code) is None] == []
    headings = {*LISTS.packing_headings, *LISTS.left_out, *LISTS.counts_for}
    assert all(map(is_heading, headings))


def test_no_two_operations_share_a_name():
    names = [
        (fold_alphanumeric(name), code)
        for code, each in LISTS.operations.items()
        for name in {each.code, *each.names.values()}
    ]
    by_name = {}
    for name, code in names:
        assert by_name.setdefault(name, code) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tube_welding", "tube_welding"),
        ("Tube-Welding.", "tube_welding"),
        ("Qablaşdırma", "packing"),
        ("QABLASDIRMA", "packing"),
        ("упаковка", "packing"),
        ("packing and labelling", None),
        ("", None),
        (None, None),
    ],
)
def test_an_operation_is_found_by_any_of_its_names(text, code):
    found = LISTS.find_operation(text)
    assert (found and found.code) == code


@pytest.mark.parametrize(("text", "code"), [("1000 pcs", "1000_pcs"), ("KG", "kg"), ("ton of", None), (None, None)])
def test_a_unit_however_it_is_typed(text, code):
    assert LISTS.find_unit(text) == code


@pytest.mark.parametrize(
    ("text", "code"), [("Energy drink", "energy_drink"), ("AKSİZLİ MAL", "excise"), ("shiny", None), (None, None)]
)
def test_a_flag_by_its_code_or_name(text, code):
    assert LISTS.find_flag(text) == code


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("040900", True),
        ("040610", False),
        ("252329", False),
        ("251511", True),
        ("071010", False),
        ("090111", True),
        ("090121", False),
        ("261800", False),
        (None, False),
        ("", False),
    ],
)
def test_of_codes_of_nature_the_longest_prefix_decides(code, wanted):
    assert LISTS.is_good_of_nature(code) is wanted


@pytest.mark.parametrize(
    ("product", "heading", "wanted"),
    [
        ("070200", "1209", True),
        ("040120", "2309", True),
        ("120910", "1209", False),  # the product's own heading
        ("070200", "2309", False),
        ("730630", "1209", False),
        (None, "1209", False),
        ("070200", None, False),
    ],
)
def test_what_goods_are_grown_with(product, heading, wanted):
    assert LISTS.is_grown_with(product, heading) is wanted


@pytest.mark.parametrize(
    ("product", "heading", "wanted"),
    [("200190", "2201", True), ("220300", "2201", False), ("250100", "2501", False), ("200190", "0707", False)],
)
def test_water_and_salt_are_left_out_unless_they_give_the_character(product, heading, wanted):
    assert LISTS.is_left_out(product, heading) is wanted


def operation(kind, basis="practice", **members):
    return Operation("x", OperationClass(kind), {}, basis, **members)


@pytest.mark.parametrize(
    ("made", "hs6", "wanted"),
    [
        (operation("simple"), "730630", "simple"),
        (operation("simple", enough_in=("0813",)), "081350", "substantial"),
        (operation("simple", enough_in=("0813",)), "040900", "simple"),
        (operation("assembly"), "730630", "assembly"),
        (operation("substantial"), "730630", "substantial"),
        (operation("substantial", only_in=("73",)), "040900", "other"),
        (operation("substantial", only_in=("73",)), None, "other"),
        (operation("substantial", "nature", only_in=("04",)), "040610", "other"),
        (operation("substantial", "nature", only_in=("04",)), "040900", "substantial"),
    ],
)
def test_what_an_operation_counts_as_for_goods(made, hs6, wanted):
    assert made.class_for_code(hs6, LISTS).value == wanted


def test_prefixes():
    assert has_prefix("730630", ("73", "04"))
    assert not has_prefix(None, ("73",))
    assert (longest_prefix("730630", ("73", "7306", "74")), longest_prefix(None, ("73",))) == (4, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Qablaşdırma.", "QABLASDIRMA"),
        ("Şəki", "seki"),
        ("İSTANBUL", "istanbul"),
        ("ı", "I"),
        ("плавка и литьё", "Плавка и литье"),
        ("Ｐａｃｋｉｎｇ", "packing"),
        ("1000 pcs", "1000_pcs"),
    ],
)
def test_two_spellings_of_one_text_are_folded_alike(one, other):
    assert fold_alphanumeric(one) == fold_alphanumeric(other)


@given(st.text())
def test_folding_twice_changes_nothing(text):
    folded = fold_alphanumeric(text)
    assert fold_alphanumeric(folded) == folded
    assert folded == "" or folded.isalnum()
