"""Parse tile paths and encode tiles (C2SP tlog-tiles): 256 hashes of one level, or 256 entries. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.transparency.merkle import Node

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_ENTRY_BYTES = 65_535
MAX_LEVEL = 5
"""A hash of tile level 6 covers 256^6 = 2^48 leaves, more than the log will ever have."""

_PATH_PATTERN = re.compile(
    r"(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: `level` counts tiles, not nodes, and is None for entries. `width` is 1 to 256, both inclusive."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return the tree nodes whose hashes the tile contains; for entries, their leaves."""
        first = self.index * WIDTH
        return tuple(Node(HEIGHT * (self.level or 0), position) for position in range(first, first + self.width))

    @property
    def path(self) -> str:
        """Return the path, such as `0/x001/234` or `entries/000.p/7`."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"{'entries' if self.level is None else self.level}/{'/'.join(groups)}{partial}"

    def is_complete_in(self, size: int) -> bool:
        """Return whether a log of this size has every hash of the tile."""
        return self.index * WIDTH + self.width <= size >> (HEIGHT * (self.level or 0))


def parse_path(text: str) -> Tile | None:
    """Parse the path of a tile. Returns None for anything else, including non-canonical paths."""
    match = _PATH_PATTERN.fullmatch(text)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    if level is not None and level > MAX_LEVEL:
        return None
    tile = Tile(level, int(match["index"].replace("/", "").replace("x", "")), int(match["width"] or WIDTH))
    return tile if tile.path == text else None


def all_tiles(size: int) -> Iterator[Tile]:
    """Yield every tile of a log of this size, hashes before entries; the last of each level may be partial."""
    level = 0
    while count := size >> (HEIGHT * level):
        yield from _tiles_of_level(level, count)
        level += 1
    yield from _tiles_of_level(None, size)


def _tiles_of_level(level: int | None, count: int) -> Iterator[Tile]:
    full, rest = divmod(count, WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if rest:
        yield Tile(level, full, rest)


def encode_entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Concatenate entries, each preceded by its length (2 bytes, big-endian). Raises ValueError above 65,535 bytes."""
    parts = bytearray()
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
        parts += len(entry).to_bytes(2, "big") + entry
    return bytes(parts)


def decode_entry_bundle(content: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle. Raises ValueError unless it has exactly this number of entries, and no more."""
    entries, place = [], 0
    while place < len(content):
        end = place + 2 + int.from_bytes(content[place : place + 2], "big")
        if len(content) < end or len(content) < place + 2:
            raise ValueError("the last entry of the tile is cut off")
        entries.append(content[place + 2 : end])
        place = end
    if len(entries) != width:
        raise ValueError(f"the tile has {len(entries)} entries instead of {width}")
    return entries
