"""Read which characters a font can draw from its `cmap` table. Pure.

Only OpenType 1.9 format 4 (Basic Multilingual Plane) is read. A PDF/A file may not contain a character without a glyph,
so names are checked before typesetting.
"""

import struct
from typing import Final

_WINDOWS_BMP_PLATFORM: Final = (3, 1)
_SEGMENT_FORMAT: Final = 4


def supported_characters(font: bytes) -> frozenset[str]:
    """Return the characters of a TrueType or OpenType font. Raises `ValueError` for other data."""
    try:
        return frozenset(map(chr, _mapped_code_points(font, _find_cmap(font))))
    except struct.error as error:
        raise ValueError("this is no font with characters") from error


def _find_cmap(font: bytes) -> int:
    """Return the offset of the character mapping."""
    (tables,) = struct.unpack_from(">H", font, 4)
    for position in range(12, 12 + 16 * tables, 16):
        tag, _, table, _ = struct.unpack_from(">4sIII", font, position)
        if tag != b"cmap":
            continue
        (mappings,) = struct.unpack_from(">H", font, table + 2)
        for record in range(table + 4, table + 4 + 8 * mappings, 8):
            platform, encoding, offset = struct.unpack_from(">HHI", font, record)
            (mapping_format,) = struct.unpack_from(">H", font, table + offset)
            if (platform, encoding) == _WINDOWS_BMP_PLATFORM and mapping_format == _SEGMENT_FORMAT:
                return int(table + offset)
    raise ValueError("the font has no character mapping of format 4")


def _mapped_code_points(font: bytes, mapping: int) -> set[int]:
    (doubled,) = struct.unpack_from(">H", font, mapping + 6)
    segments = doubled // 2
    starts_at = mapping + 16 + doubled
    ends = struct.unpack_from(f">{segments}H", font, mapping + 14)
    starts, deltas, offsets = (
        struct.unpack_from(f">{segments}H", font, starts_at + each * doubled) for each in range(3)
    )
    offsets_at = starts_at + 2 * doubled
    found = set()
    for each, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code + deltas[each]
            if offsets[each]:
                at = offsets_at + 2 * each + offsets[each] + 2 * (code - start)
                (glyph,) = struct.unpack_from(">H", font, at)
                glyph += deltas[each] if glyph else 0
            if glyph & 0xFFFF:
                found.add(code)
    return found
