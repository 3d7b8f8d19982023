"""What a font can draw."""

import struct

import pytest

from app.documents.pdf.font_coverage import supported_characters
from app.documents.pdf.typesetter import _FONTS, drawable_characters

pytestmark = pytest.mark.pure

GB2312 = {bytes([high, low]).decode("gb2312", "ignore") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)} - {
    ""
}


@pytest.mark.parametrize(
    ("font", "can", "cannot"),
    [
        ("NotoSans-Regular.ttf", "aZəğışçöüİƏ№Жё…–“”\ufffd", "ب卡\U0001f600\uffff"),
        ("NotoNaskhArabic-Bold.ttf", "بپچژگکی۱", "卡Ж"),
        ("NotoSansCJKsc-Regular.otf", "卡拉巴赫制造证书：，", "ب"),
    ],
)
def test_fonts_of_the_paper(font, can, cannot):
    found = supported_characters((_FONTS / font).read_bytes())
    assert not [each for each in can if each not in found]
    assert not [each for each in cannot if each in found]


def test_every_character_of_the_seven_languages_can_be_drawn():
    assert len(GB2312) == 6_763
    persian_and_arabic = "".join(map(chr, range(0x621, 0x653))) + "پچژگکی\u200c".replace("\u200c", "")
    azerbaijani = "abcçdeəfgğhxıijkqlmnoöprsştuüvyz"
    cyrillic = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    for each in GB2312 | set(persian_and_arabic + azerbaijani + azerbaijani.upper() + cyrillic + "İäÄß"):
        assert each in drawable_characters() or each == "\u063b" or not each.isalpha(), hex(ord(each))


@pytest.mark.parametrize("broken", [b"", b"\0" * 40, b"no font at all, but long enough to look like one", None])
def test_what_is_no_font(broken):
    content = (_FONTS / "NotoSerif-Regular.ttf").read_bytes()[:60] if broken is None else broken
    with pytest.raises(ValueError, match="font"):
        supported_characters(content)


def font_with(mapping):
    record = struct.pack(">4sIII", b"cmap", 0, 44, 12 + len(mapping))
    other = struct.pack(">4sIII", b"GSUB", 0, 0, 0)
    return struct.pack(">IHHHH", 0x10000, 2, 0, 0, 0) + other + record + struct.pack(">HHHHI", 0, 1, 3, 1, 12) + mapping


def test_glyph_nought_is_no_glyph():
    """Two segments: A and B by a list, where B has none; C by difference, where it is none."""
    ends, starts, deltas, offsets = (0x42, 0x43, 0xFFFF), (0x41, 0x43, 0xFFFF), (0, -0x43 & 0xFFFF, 1), (6, 0, 0)
    arrays = [struct.pack(">3H", *each) for each in (starts, deltas, offsets)]
    mapping = struct.pack(">7H", 4, 0, 0, 6, 0, 0, 0) + struct.pack(">3HH", *ends, 0) + b"".join(arrays)
    assert supported_characters(font_with(mapping + struct.pack(">HH", 7, 0))) == {"A"}


def test_a_mapping_in_another_form_is_not_read():
    record = struct.pack(">4sIII", b"cmap", 0, 28, 14)
    font = struct.pack(">IHHHH", 0x10000, 1, 0, 0, 0) + record + struct.pack(">HHHHIH", 0, 1, 3, 1, 12, 6)
    with pytest.raises(ValueError, match="font"):
        supported_characters(font)
