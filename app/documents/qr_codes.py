"""Draw QR codes and labels as SVG and PNG images. Pure.

Error correction level M: 15 % of the code may be dirty or torn. The image includes the quiet zone of four modules.
"""

import io
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import segno

from app.core.text.marking import Marking

DRAWING_VERSION: Final = 1
"""Increase it when an image of the same content must look different: images are cached."""
QUIET_ZONE: Final = 4  # modules (ISO/IEC 18004 §6.3.8)
PNG_MODULE_PIXELS: Final = 8  # a code with a QR token has about 800 pixels, 30 mm at 600 dpi
LABEL_CODE_MM: Final = 16
LABEL_MM: Final = (62, 20)
_INK: Final = "#16241e"
_GREEN: Final = "#12503f"
_RED: Final = "#a3243b"


def qr_svg(url: str) -> str:
    """Draw the code as SVG without a size; print it at 30 mm or more if it has a QR token."""
    out = io.BytesIO()
    _make_qr(url).save(
        out, kind="svg", border=QUIET_ZONE, light="#fff", dark="#000", omitsize=True, xmldecl=False, nl=False
    )
    return out.getvalue().decode("ascii")


def qr_png(url: str) -> bytes:
    out = io.BytesIO()
    _make_qr(url).save(out, kind="png", border=QUIET_ZONE, scale=PNG_MODULE_PIXELS)
    return out.getvalue()


def label_svg(url: str, *, mark: str, holder: str, number: str, marking: Marking | None = None) -> str:
    """Draw a label of 62 × 20 mm: the code with the short address at 16 mm, and text.

    The text is mark, holder and number. A long name of the mark is set in two lines, and condensed where these are too
    long; a long holder name is cut. The label of a demo or a sandbox says so.
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
        _text_element(line, 5.6 - 1.3 * (len(lines) - 1) + 3.2 * position, 2.9, _GREEN)
        for position, line in enumerate(lines)
    ]
    texts.append(_text_element(_truncate(holder, _MAX_HOLDER_CHARS), 11.2, 2.3, _INK))
    texts.append(_text_element(number, 15.4, 3.6, _INK, weight="bold"))
    if marking:
        texts.append(_text_element(marking.upper(), 19, 2.9, _RED, weight="bold"))
    description = ", ".join([*([marking.upper()] if marking else []), mark, holder, number, url])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label={quoteattr(description)}>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<g transform="translate(1.5 2) scale({scale:.5f})">{path}</g>{"".join(texts)}</svg>'
    )


def _make_qr(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="m", boost_error=False)


_MAX_TEXT_MM: Final = 41.5
_CHARACTER_WIDTH: Final = 0.56  # of the font size, on average
_MAX_HOLDER_CHARS: Final = 40


def _truncate(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "…"


def _text_element(text: str, y: float, size: float, colour: str, *, weight: str = "normal") -> str:
    """Build a text element; `textLength` condenses only a line that would overflow."""
    length_attribute = (
        f' textLength="{_MAX_TEXT_MM}" lengthAdjust="spacingAndGlyphs"'
        if len(text) * size * _CHARACTER_WIDTH > _MAX_TEXT_MM
        else ""
    )
    return (
        f'<text x="19" y="{y:g}" font-family="Noto Sans, Arial, Helvetica, sans-serif" font-size="{size}" '
        f'font-weight="{weight}" fill="{colour}"{length_attribute}>{escape(text)}</text>'
    )


def _wrap_in_two(text: str) -> list[str]:
    """Break the text at the space that makes both lines most similar in length."""
    spaces = [position for position, character in enumerate(text) if character == " "]
    if len(text) * 2.9 * _CHARACTER_WIDTH <= _MAX_TEXT_MM or not spaces:
        return [text]
    middle = min(spaces, key=lambda position: abs(len(text) - 2 * position))
    return [text[:middle], text[middle + 1 :]]
