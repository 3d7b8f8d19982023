"""Typeset the PDF certificate with typst, using only the fonts and template of this package.

The same content gives the same bytes on any day and machine: the date is an argument, not read from a clock. The file
is PDF/A-3a for archives and PDF/UA-1 for screen readers, with the credential as an associated file.
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Final

import typst

from app.core.errors import Unavailable
from app.documents.pdf.font_coverage import supported_characters

_TEMPLATE_ROOT: Final = Path(str(resources.files("app.documents.pdf")))
_FONTS: Final = _TEMPLATE_ROOT / "fonts"
_TEXT_FONTS: Final = ("NotoSans-Regular.ttf", "NotoNaskhArabic-Regular.ttf", "NotoSansCJKsc-Regular.otf")


class TypesettingFailed(Unavailable):
    """The template cannot be compiled with this content."""

    def __init__(self) -> None:
        super().__init__("The PDF file cannot be made at the moment.")


@cache
def drawable_characters() -> Collection[str]:
    """Return the characters that the fonts can draw."""
    return frozenset().union(*(supported_characters((_FONTS / name).read_bytes()) for name in _TEXT_FONTS))


@cache
def template_version() -> str:
    """Return a hash of the template and the fonts.

    Documents of another version are rendered again.
    """
    digest = sha256()
    for path in sorted([_TEMPLATE_ROOT / "certificate.typ", *_FONTS.iterdir()]):
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def render_pdf(content: Mapping[str, Any], day: date) -> bytes:
    """Render the unsigned PDF of `build_content()`, dated `day`. Raises `TypesettingFailed`."""
    try:
        # One compiler per file: a compiler stores its inputs between calls, and threads would share them.
        compiler = typst.Compiler(
            input=str(_TEMPLATE_ROOT / "certificate.typ"),
            root=str(_TEMPLATE_ROOT),
            font_paths=[str(_FONTS)],
            ignore_system_fonts=True,
        )
        inputs = {"paper": json.dumps(content, ensure_ascii=False)}
        # Without a timestamp typst uses the clock, and derives the file identifier from it.
        noon = datetime.combine(day, time(12), UTC)
        pdf = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=["a-3a", "ua-1"], timestamp=noon)
    except typst.TypstError as error:
        raise TypesettingFailed from error
    assert isinstance(pdf, bytes)  # a list only for images of several pages
    return pdf
