"""Name what every answer, page and document of an installation without legal force states."""

from enum import StrEnum


class Marking(StrEnum):
    """The real service has none. The name in capital letters stands on pages and documents in every language."""

    DEMO = "demo"
    SANDBOX = "sandbox"
