"""Remember compactly which certificate numbers the log contains: one bit for each. Pure.

Serials of one mark and year follow each other, so a million numbers take 125 kB.
"""

from collections.abc import Iterator
from typing import Final

_MAX_BIT: Final = 1 << 26
"""Larger serials, of which none was ever reserved in order, are kept one by one."""


class IssuedNumbers:
    """A set of numbers such as `MIK-2026-000042-Y`, which only grows."""

    def __init__(self) -> None:
        self.bits: dict[str, bytearray] = {}  # by mark and year; bit n is serial n
        self.others: set[str] = set()

    def add(self, number: str) -> None:
        place = _place_of(number)
        if place is None:
            self.others.add(number)
            return
        series, serial = place
        bits = self.bits.setdefault(series, bytearray())
        if len(bits) <= serial >> 3:
            bits.extend(bytes((serial >> 3) + 1 - len(bits)))
        bits[serial >> 3] |= 1 << (serial & 7)

    def __contains__(self, number: str) -> bool:
        place = _place_of(number)
        if place is None:
            return number in self.others
        series, serial = place
        bits = self.bits.get(series, b"")
        return serial >> 3 < len(bits) and bool(bits[serial >> 3] >> (serial & 7) & 1)

    def added_to(self, other: "IssuedNumbers") -> Iterator[tuple[str, int]]:
        """Yield series and serial of every number that `other` lacks; not of those that are kept one by one."""
        for series, bits in self.bits.items():
            known = other.bits.get(series, b"")
            for place, byte in enumerate(bits):
                added = byte & ~(known[place] if place < len(known) else 0)
                yield from ((series, (place << 3) + bit) for bit in range(8) if added >> bit & 1)

    def update(self, other: "IssuedNumbers") -> None:
        self.others |= other.others
        for series, bits in other.bits.items():
            mine = self.bits.setdefault(series, bytearray())
            if len(mine) < len(bits):
                mine.extend(bytes(len(bits) - len(mine)))
            joined = int.from_bytes(mine, "little") | int.from_bytes(bits, "little")
            mine[:] = joined.to_bytes(len(mine), "little")


def _place_of(number: str) -> tuple[str, int] | None:
    """Return the series and serial of a number; None for any other text. The check character follows from both."""
    series, _, rest = number.rpartition("-")[0].rpartition("-")
    if not rest.isascii() or not rest.isdecimal() or len(rest) > len(str(_MAX_BIT)) or int(rest) >= _MAX_BIT:
        return None
    return series, int(rest)
