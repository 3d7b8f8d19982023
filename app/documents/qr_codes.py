"""QR codes and labels as pictures. Pure.

Level M everywhere: a seventh of the code may be dirty or torn. The quiet zone of four modules belongs to the picture.
"""

import io
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import segno

DRAWING_VERSION: Final = 1
"""Raise it when a picture of the same content is to look different: pictures are kept."""
QUIET_ZONE: Final = 4  # modules (ISO/IEC 18004 §6.3.8)
PNG_MODULE_PIXELS: Final = 8  # pixels for each module: a stamp gives about 800 pixels, 30 mm at 600 dpi
LABEL_CODE_MM: Final = 16
LABEL_MM: Final = (62, 20)
_INK: Final = "#16241e"
_GREEN: Final = "#12503f"
_RED: Final = "#a3243b"


def qr_svg(url: str) -> str:
    """The code without a size of its own: whoever sets it decides, at least 30 mm for one with a stamp."""
    out = io.BytesIO()
    _make_qr(url).save(
        out, kind="svg", border=QUIET_ZONE, light="#fff", dark="#000", omitsize=True, xmldecl=False, nl=False
    )
    return out.getvalue().decode("ascii")


def qr_png(url: str) -> bytes:
    out = io.BytesIO()
    _make_qr(url).save(out, kind="png", border=QUIET_ZONE, scale=PNG_MODULE_PIXELS)
    return out.getvalue()


def label_svg(url: str, *, mark: str, holder: str, number: str, demo: bool = False) -> str:
    """A label of 62 by 20 mm for goods: the code with the short address at 16 mm; mark, holder and number in text.

    A long name of the mark is set in two lines, and pressed together where even these are too long; that of a holder is
    cut. The label of a demo says so.
    """
    code = _make_qr(url)
    modules = code.symbol_size(border=QUIET_ZONE)[0]
    scale = LABEL_CODE_MM / modules
    picture = io.BytesIO()
    code.save(
        picture,
        kind="svg",
        border=QUIET_ZONE,
        dark=_INK,
        light="#fff",
        xmldecl=False,
        svgns=False,
        nl=False,
        omitsize=True,
    )
    path = picture.getvalue().decode("ascii").partition(">")[2].removesuffix("</svg>")
    width, height = LABEL_MM
    lines = _wrap_in_two(mark)
    texts = [
        _text_element(line, 5.6 - 1.3 * (len(lines) - 1) + 3.2 * place, 2.9, _GREEN) for place, line in enumerate(lines)
    ]
    texts.append(_text_element(_truncate(holder, _MAX_HOLDER_CHARS), 11.2, 2.3, _INK))
    texts.append(_text_element(number, 15.4, 3.6, _INK, weight="bold"))
    if demo:
        texts.append(_text_element("DEMO", 19, 2.9, _RED, weight="bold"))
    spoken = ", ".join([*(["DEMO"] if demo else []), mark, holder, number, url])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label={quoteattr(spoken)}>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<g transform="translate(1.5 2) scale({scale:.5f})">{path}</g>{"".join(texts)}</svg>'
    )


def _make_qr(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="m", boost_error=False)


_MAX_TEXT_MM: Final = 41.5
_CHARACTER_WIDTH: Final = 0.56  # of the height of the type, on average
_MAX_HOLDER_CHARS: Final = 40


def _truncate(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _text_element(text: str, y: float, size: float, colour: str, *, weight: str = "normal") -> str:
    """`textLength` only where the line would run over the edge: else the reader's font keeps its own measure."""
    room = (
        f' textLength="{_MAX_TEXT_MM}" lengthAdjust="spacingAndGlyphs"'
        if len(text) * size * _CHARACTER_WIDTH > _MAX_TEXT_MM
        else ""
    )
    return (
        f'<text x="19" y="{y:g}" font-family="Noto Sans, Arial, Helvetica, sans-serif" font-size="{size}" '
        f'font-weight="{weight}" fill="{colour}"{room}>{escape(text)}</text>'
    )


def _wrap_in_two(text: str) -> list[str]:
    """Broken at the blank that leaves both lines most alike."""
    blanks = [place for place, character in enumerate(text) if character == " "]
    if len(text) * 2.9 * _CHARACTER_WIDTH <= _MAX_TEXT_MM or not blanks:
        return [text]
    middle = min(blanks, key=lambda place: abs(len(text) - 2 * place))
    return [text[:middle], text[middle + 1 :]]
