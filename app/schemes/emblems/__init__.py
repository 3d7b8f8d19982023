"""The emblems of marks, SVG files beside this one: a scheme file names its own, and a mark without one has a neutral
emblem, never that of another mark.
"""

from functools import cache
from importlib.resources import files
from typing import Final

NEUTRAL_EMBLEM: Final = "neutral"
SVG_HEAD: Final = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
"""How every file begins."""


@cache
def list_emblem_names() -> frozenset[str]:
    return frozenset(each.name.removesuffix(".svg") for each in files(__name__).iterdir() if each.name.endswith(".svg"))


@cache
def read_emblem(name: str | None) -> str:
    """The picture; the neutral one for a mark without an own one, and for a name that no file has."""
    known = name if name in list_emblem_names() else NEUTRAL_EMBLEM
    return (files(__name__) / f"{known}.svg").read_text("utf-8").strip()


@cache
def read_emblem_content(name: str | None) -> str:
    """What is drawn in the picture, 64 by 64: to be set into another one."""
    return read_emblem(name).removeprefix(SVG_HEAD).removesuffix("</svg>")
