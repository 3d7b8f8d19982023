"""What somebody expects of a certificate, compared as people write names."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.verification.expectation import ExpectedFields, compare_fields, normalize_for_comparison, parse_expected
from tests.verification.factories import content_of, record_of, signer_of

pytestmark = pytest.mark.pure

RECORD = record_of(content_of(), "header.payload.signature", signer_of(1))


def holder(said, certified="“Nümunə-Boru” MMC"):
    """Compared with the Azerbaijani name; the English one is that of RECORD."""
    found = compare_fields(ExpectedFields(holder=said), RECORD._replace(holder_name_az=certified))["holder"]
    if "sample" not in said.casefold():  # one name is as good as the other
        assert (
            found
            == compare_fields(ExpectedFields(holder=said), RECORD._replace(holder_name=certified, holder_name_az=None))[
                "holder"
            ]
        )
    return found


def product(said, **names):
    names = names or {"en": "Steel pipe", "az": "Polad boru"}
    return compare_fields(ExpectedFields(product=said), RECORD._replace(product_names=names))["product"]


class TestHolder:
    @pytest.mark.parametrize(
        "said",
        [
            "“Nümunə-Boru” MMC", "Nümunə-Boru", "nümunə-boru", "NÜMUNƏ-BORU MMC", '"Nümunə-Boru" mmc', "«Nümunə-Boru»",
            "„Nümunə-Boru‟ M.M.C.", "Nümunə-Boru, MMC", "  Nümunə-Boru\tMMC ", "Nu\u0308munə-Boru", "MMC “Nümunə-Boru”",
            "Nümunə-Boru Məhdud Məsuliyyətli Cəmiyyəti", "NÜMUNƏ-BORU MƏHDUD MƏSULİYYƏTLİ CƏMİYYƏT",
            "Nümunə-Boru LLC", "Nümunə-Boru L.L.C.", "Nümunə-Boru Limited Liability Company",
            "ООО «Nümunə-Boru»", "'Nümunə-Boru' ASC", "Ｎümunə-Boru", "Nümunə-Boru (MMC)", "Nümunə-Boru Co., Ltd.",
            "Numune-Boru", "NUMUNE BORU MMC", "Nümunə Boru", "Nümunə-Boru\u200b", "Sample Pipe LLC", "SAMPLE PIPE",
            "Sample-Pipe Ltd.",
        ],
    )  # fmt: skip
    def test_match(self, said):
        assert holder(said) == "match"

    @pytest.mark.parametrize(
        "said",
        [
            "", " ", "“”", "MMC", "Boru-Nümunə", "Nümunə-Bor", "Nümunə-Boru 2 MMC", "Nümunə-Вoru", "Sample",
            "\0", "\ud800", "Nümunə-Boru MMC Bakı", "Nümunə-Boru MMC MMC", "Sample Pipe Nümunə-Boru", "0010002221",
        ],
    )  # fmt: skip
    def test_differs(self, said):
        assert holder(said) == "differs"

    @pytest.mark.parametrize("said", ["İSTİQLAL İŞIQ", "istiqlal işıq", "ISTIQLAL IŞIQ", "I\u0307STİQLAL ışiq"])
    def test_dotted_and_dotless_i_are_one(self, said):
        assert holder(said, "İstiqlal İşıq QSC") == "match"

    def test_an_apostrophe_within_a_word_is_no_space(self):
        assert holder("Qarabağın Səsi", "Qarabağ'ın Səsi MMC") == "match"
        assert holder("Qarabağ’ın Səsi", "Qarabağ'ın Səsi MMC") == "match"

    def test_a_name_that_is_only_a_legal_form_stays(self):
        assert holder("MMC", "MMC") == "match"
        assert holder("ASC", "MMC") == "differs"

    def test_a_name_of_which_only_commas_would_be_left_stays(self):
        assert holder(", MMC", ", MMC") == "match"
        assert holder("", ", MMC") == holder(",", ", MMC") == "differs"

    def test_only_one_legal_form_is_removed(self):
        assert holder("ASC Steel", "ASC Steel MMC") == "differs"
        assert holder("ASC Steel MMC", "ASC Steel LLC") == "match"

    def test_a_short_word_before_the_name_is_not_taken_for_a_form(self):
        assert holder("Inc Steel", "Steel") == "differs"

    def test_the_empty_name_is_never_a_match(self):
        assert holder("", "") == "differs"


class TestProduct:
    @pytest.mark.parametrize("said", ["Steel pipe", "POLAD BORU", "“steel  pipe”", "steel\u00a0pipe"])
    def test_any_language(self, said):
        assert product(said) == "match"

    @pytest.mark.parametrize("said", ["", "Steel", "Steel pipes", "Steel pipe LLC", "Polad boru Steel pipe"])
    def test_differs(self, said):
        assert product(said) == "differs"

    def test_the_empty_name_is_never_a_match(self):
        assert product("“”", en="“”") == "differs"


def test_code_and_day():
    expected = ExpectedFields(hs6=RECORD.hs6, valid_until=RECORD.valid_until)
    assert compare_fields(expected, RECORD) == {"hs6": "match", "valid_until": "match"}
    other = ExpectedFields(hs6="730661", valid_until=date(2029, 11, 20))
    assert compare_fields(other, RECORD) == {"hs6": "differs", "valid_until": "differs"}


def test_only_what_was_said_is_answered():
    assert compare_fields(ExpectedFields(), RECORD) == {}


class TestReading:
    def test_all_fields(self):
        said = {"holder": "A", "product": "B", "hs6": " 7306.30", "valid_until": "2029-11-21"}
        assert parse_expected(said) == (ExpectedFields("A", "B", "730630", date(2029, 11, 21)), [])

    def test_none(self):
        assert parse_expected({}) == (ExpectedFields(), [])

    @pytest.mark.parametrize(
        ("said", "pointer"),
        [
            (None, ""), ([], ""), ("x", ""), (1, ""), ({"voen": "1"}, ""), ({"Holder": "A"}, ""),
            ({"holder": None}, "/holder"), ({"holder": 1}, "/holder"), ({"holder": "x" * 1_001}, "/holder"),
            ({"product": ["x"]}, "/product"), ({"hs6": "7306"}, "/hs6"), ({"hs6": "73063010"}, "/hs6"),
            ({"hs6": 730630}, "/hs6"), ({"hs6": "٧٣٠٦٣٠"}, "/hs6"), ({"valid_until": ""}, "/valid_until"),
            ({"valid_until": "21.11.2029"}, "/valid_until"), ({"valid_until": "2029-11-31"}, "/valid_until"),
            ({"valid_until": "20291121"}, "/valid_until"), ({"valid_until": "0000-01-01"}, "/valid_until"),
        ],
    )  # fmt: skip
    def test_wrong(self, said, pointer):
        (problem,) = parse_expected(said)[1]
        assert problem["pointer"] == pointer
        assert problem["detail"]

    def test_all_wrong_places_at_once(self):
        problems = parse_expected({"other": 1, "holder": 1, "hs6": "", "valid_until": "x"})[1]
        assert [p["pointer"] for p in problems] == ["", "/holder", "/hs6", "/valid_until"]

    def test_what_a_stranger_called_a_member_is_not_echoed(self):
        assert "<script>" not in str(parse_expected({"<script>": 1}))


@given(st.text(max_size=60))
@example("ʼ")  # a letter to Unicode, and an apostrophe to the comparison: nothing is left
@example(",\x1f LLC\u0f7d")  # only a comma is left beside the legal form
def test_a_name_matches_itself_unless_nothing_is_left_of_it(name):
    expected = "match" if normalize_for_comparison(name) else "differs"
    assert product(name, en=name) == holder(name, name) == expected


@given(st.text(alphabet="abcçdeəfgğhxıijkqlmnoöprsştuüvyzBÇƏĞHXIİJKQŞ -“”'", max_size=30))
def test_case_and_quotes_never_matter(name):
    if normalize_for_comparison(name):
        assert product(name.upper(), en=name) == product(f"«{name.lower()}»", en=name) == "match"


@given(st.text(max_size=60))
def test_the_plain_spelling_is_its_own(name):
    assert normalize_for_comparison(normalize_for_comparison(name)) == normalize_for_comparison(name)
