"""Read the emblems of marks: the SVG files of this folder.

A scheme file names its own emblem. A mark without one has a neutral emblem, never that of another mark.
"""

from functools import cache
from importlib.resources import files
from typing import Final

NEUTRAL_EMBLEM: Final = "neutral"
SVG_HEAD: Final = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
"""The start of every file."""


@cache
def list_emblem_names() -> frozenset[str]:
    return frozenset(file.name.removesuffix(".svg") for file in files(__name__).iterdir() if file.name.endswith(".svg"))


@cache
def read_emblem(name: str | None) -> str:
    """Read an emblem; the neutral one for None and for unknown names."""
    emblem = name if name in list_emblem_names() else NEUTRAL_EMBLEM
    return (files(__name__) / f"{emblem}.svg").read_text("utf-8").strip()


@cache
def read_emblem_content(name: str | None) -> str:
    """Read the drawing inside an emblem (64 × 64), to be placed in another image."""
    return read_emblem(name).removeprefix(SVG_HEAD).removesuffix("</svg>")
