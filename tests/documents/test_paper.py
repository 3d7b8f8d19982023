"""What the paper says: every text in every language, every fact in its row."""

import ast
from dataclasses import replace
from importlib import resources

import pytest
from babel.messages.pofile import read_po

from app.core import i18n
from app.core.text.marking import Marking
from app.documents.pdf import content as pdf_content
from tests.documents.factories import FACTS

pytestmark = pytest.mark.pure

SPOKEN = [each for each in i18n.LANGUAGES if each != i18n.DEFAULT_LANGUAGE]
SOURCE = resources.files("app.documents.pdf").joinpath("content.py").read_text("utf-8")


def plain(text):
    return text


def said():
    """Every English text of the paper: what is handed to `say`, `_row` and `_translated`, and the words of origin."""
    found = set(pdf_content.ORIGIN_DESCRIPTIONS.values())
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = {"translate": 0, "_build_row": 0, "_translate": 1}.get(name)
            if place is not None and isinstance(node.args[place], ast.Constant):
                found.add(node.args[place].value)
    return found


@pytest.mark.parametrize("language", SPOKEN)
def test_nothing_is_untranslated_and_nothing_is_left_over(language):
    path = resources.files("app").joinpath("locales", language, "paper.po")
    with path.open("rb") as file:
        messages = {each.id: each for each in read_po(file) if each.id}
    assert messages.keys() == said()
    assert list(messages) == sorted(messages)
    for english, message in messages.items():
        assert message.string and "fuzzy" not in message.flags, english
        for slot in ("{file}", "{first}", "{last}"):
            assert (slot in english) == (slot in message.string), english


@pytest.mark.parametrize(
    ("third", "tongues"),
    [(None, ("az", "en")), ("az", ("az", "en")), ("en", ("az", "en")), ("fa", ("az", "en", "fa"))],
)
def test_languages_of_a_paper(third, tongues):
    assert pdf_content.pdf_languages(third) == tongues
    content = pdf_content.build_content(FACTS, third, "<svg/>", plain)
    assert tuple(each["lang"] for each in content["statement"]) == tongues


def row(label, third=None, **changed):
    content = pdf_content.build_content(replace(FACTS, **changed), third, "<svg/>", plain)
    (found,) = [each for each in content["rows"] if label in {piece["text"] for piece in each["labels"]}]
    return found


def texts(pieces):
    return [each["text"] for each in pieces]


def test_rows():
    names = ["“Nümunə-Boru” MMC", "Sample Pipe (fictional)"]
    assert texts(row("Holder")["values"]) == [*names, "VÖEN 0010000101"]
    assert texts(row("Holder", holder_voen=None)["values"]) == names
    for known in (None, FACTS.holder_name):
        assert texts(row("Holder", holder_name_az=known)["values"]) == ["Sample Pipe (fictional)", "VÖEN 0010000101"]
    assert texts(row("Country of origin", "fa")["values"]) == ["Azərbaycan", "Azerbaijan", "جمهوری آذربایجان"]
    assert texts(row("Country of origin", country="XX")["values"]) == ["XX"]
    assert texts(row("HS code")["values"]) == ["7306.30"]
    assert texts(row("HS code", gtin="4760000000002")["values"]) == ["7306.30   GTIN 4760000000002"]
    assert texts(row("Place of production")["values"]) == ["Ağdam Sənaye Parkı, Ağdam", "Aghdam Industrial Park, Ağdam"]
    assert texts(row("Place of production", park_names={})["values"]) == ["Ağdam"]
    assert texts(row("Place of production", park_names={"tr": "Park"})["values"]) == ["Park, Ağdam"]
    assert texts(row("Issued by")["values"]) == [
        "Owner of the mark, 2026-11-22", "Nişanın sahibi", "mark@owner.example · +994 12 000 00 00", "MIK 2026.2",
    ]  # fmt: skip
    bare = row("Issued by", authority_names={}, contact=())
    assert texts(bare["values"]) == ["Owner of the mark, 2026-11-22", "MIK 2026.2"]
    assert texts(row("Origin criterion", origin_criterion="NONE")["values"]) == ["NONE"]
    assert texts(row("Valid")["values"])[:2] == [
        "2026-11-22 – 2029-11-21",
        "22 noyabr 2026 – 21 noyabr 2029, hər iki gün daxil olmaqla",
    ]
    assert texts(row("Valid", "fa")["values"])[-1] == (
        "از \u206822 نوامبر 2026\u2069 تا \u206821 نوامبر 2029\u2069، هر دو روز را شامل می\u200cشود"
    )


def test_products_are_named_in_the_languages_of_the_paper():
    names = {"az": "boru", "de": "Rohr", "ru": "труба"}
    assert texts(row("Product", "ru", product_names=names)["values"]) == ["boru", "труба"]
    assert texts(row("Product", "fa", product_names=names)["values"]) == ["boru"]
    assert texts(row("Product", product_names={"tr": "boru", "ka": "მილი"})["values"]) == ["მილი"]


def test_what_is_written_from_the_right_stands_at_the_right():
    there = row("Holder", "fa")
    assert texts(there["labels"]) == ["Sertifikat sahibi", "Holder"] and texts(there["far"]) == ["دارندهٔ گواهی‌نامه"]
    assert texts(row("Holder", "ru")["labels"]) == ["Sertifikat sahibi", "Holder", "Держатель сертификата"]


def test_every_name_is_cleaned():
    marked = pdf_content.build_content(
        replace(FACTS, mark_names={"az": "x"}, product_names={"az": "x"}, park_names={"az": "x"}, issuer_name="x",
                mark_name="x",
                holder_name="x", holder_name_az="y", authority_names={"az": "x"}, contact=("x",),
                district="x", ruleset="x"),
        None, "<svg/>", lambda _: "CLEANED",
    )  # fmt: skip
    assert {marked[each] for each in ("mark", "issuer", "emblem_alt", "description")} == {"CLEANED"}
    assert texts(marked["mark_names"]) == ["CLEANED"]
    rows = {each["labels"][1]["text"]: texts(each["values"]) for each in marked["rows"]}
    assert rows["Holder"][0] == rows["Product"][0] == "CLEANED"
    assert rows["Place of production"] == ["CLEANED, CLEANED"]
    assert rows["Issued by"] == ["CLEANED, 2026-11-22", *["CLEANED"] * 2]


@pytest.mark.parametrize("marking", Marking)
@pytest.mark.parametrize("third", [None, *SPOKEN])
def test_the_paper_of_a_demo_or_sandbox_says_so(third, marking):
    assert pdf_content.build_content(FACTS, third, "<svg/>", plain)["no_force"] == []
    said = pdf_content.build_content(FACTS, third, "<svg/>", plain, marking=marking)["no_force"]
    assert tuple(each["lang"] for each in said) == pdf_content.pdf_languages(third)
    assert all(marking.upper() in each["text"] for each in said)


def test_a_paper_never_says_that_it_is_valid_today():
    content = str(pdf_content.build_content(FACTS, None, "<svg/>", plain)).lower()
    assert "only the register shows the status of the certificate today" in content
    assert "is valid" not in content
