"""The emblems of marks, SVG files beside this one: a scheme file names its own, and a mark without one has a neutral
emblem, never that of another mark.
"""

from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import Final

NEUTRAL: Final = "neutral"


@cache
def names() -> frozenset[str]:
    return frozenset(each.name.removesuffix(".svg") for each in files(__name__).iterdir() if each.name.endswith(".svg"))


@cache
def emblem(name: str | None) -> str:
    """The picture; the neutral one for a mark without an own one, and for a name that no file has."""
    known = name if name in names() else NEUTRAL
    return (files(__name__) / f"{known}.svg").read_text("utf-8").strip()


@cache
def as_address(name: str | None) -> str:
    """The picture as an address that carries it, for pages."""
    return "data:image/svg+xml;base64," + b64encode(emblem(name).encode()).decode("ascii")
