"""Name what every answer, page and document of an installation without legal force states."""

from enum import StrEnum
from typing import Final

SANDBOX_PREFIX: Final = "SBX"
"""Begins the mark in the numbers of certificates of a sandbox; the code of no mark may begin with it."""


class Marking(StrEnum):
    """The real service has none. The name in capital letters stands on pages and documents in every language."""

    DEMO = "demo"
    SANDBOX = "sandbox"
