"""Codes and labels, read back by another program."""

import re
from xml.etree import ElementTree as ET

import pytest

from app.core.text.marking import Marking
from app.documents import qr_codes, qr_token
from tests.documents.factories import STAMP, STAMPED, printed
from tests.readers import scan

pytestmark = pytest.mark.pure

SHORT = qr_token.page_url("https://verify.example.az", STAMP.number)
MARK = "Made in Karabakh – Heart of Azerbaijan"
HOLDER = "“Nümunə-Boru” MMC"


def label(mark=MARK):
    return qr_codes.label_svg(SHORT, mark=mark, holder=HOLDER, number=STAMP.number)


@pytest.mark.parametrize(
    ("picture", "kind", "width", "url"),
    [
        (lambda: qr_codes.qr_svg(STAMPED).encode(), "svg", 30, STAMPED),
        (lambda: qr_codes.qr_png(STAMPED), "png", 30, STAMPED),
        (lambda: label().encode(), "svg", 62, SHORT),
        (
            lambda: label().encode(),
            "svg",
            62 * 14 / 16,
            SHORT,
        ),
    ],
    ids=["svg", "png", "label", "smallest label"],
)
def test_read_back_from_print(picture, kind, width, url, tmp_path):
    assert scan(printed(picture(), kind, width, tmp_path), tmp_path, dpi=300) == [url]


def test_modules_are_large_enough_to_print():
    """A third of a millimetre for each module, at 30 mm for the stamp of paper and at 14 mm for a label."""
    modules = int(re.search(r'viewBox="0 0 (\d+) ', qr_codes.qr_svg(STAMPED))[1])
    assert 30 / modules >= 0.3
    scale = float(re.search(r"scale\((.+?)\)", label())[1])
    assert scale * 14 / 16 >= 0.33


def lines(mark):
    found = ET.fromstring(label(mark))
    return found, found.findall("{http://www.w3.org/2000/svg}text")


def test_a_label_says_mark_holder_and_number():
    whole, texts = lines(MARK)
    assert [each.text for each in texts] == ["Made in Karabakh –", "Heart of Azerbaijan", HOLDER, STAMP.number]
    assert whole.get("width") == "62mm" and whole.get("role") == "img"
    assert whole.get("aria-label") == f"{MARK}, {HOLDER}, {STAMP.number}, {SHORT}"
    assert [each.text for each in lines("Urva")[1]] == ["Urva", HOLDER, STAMP.number]


def test_the_label_of_a_demo_says_so():
    made = ET.fromstring(
        qr_codes.label_svg(SHORT, mark="Urva", holder="x" * 90, number=STAMP.number, marking=Marking.DEMO)
    )
    texts = [each.text for each in made.findall("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Urva", "x" * 39 + "…", STAMP.number, "DEMO"]
    assert made.get("aria-label").startswith("DEMO, Urva")


@pytest.mark.parametrize("mark", ["x" * 200, "word " * 60, "<script>&\"'", "a"])
def test_any_name_stays_on_the_label(mark):
    _, texts = lines(mark)
    assert "".join(each.text for each in texts[:-2]).replace(" ", "") == mark.replace(" ", "")
    for each in texts:
        width = float(each.get("textLength", 0)) or len(each.text) * float(each.get("font-size")) * 0.56
        assert 19 + width <= 61
