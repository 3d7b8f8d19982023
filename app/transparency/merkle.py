"""Compute and verify the Merkle tree of the public log: RFC 6962 §2.1, RFC 9162 §2.1, SHA-256. Pure.

A tree is identified by its size. Only hashes of *complete subtrees* are stored: node (level, position) is the hash over
the leaves position * 2^level (inclusive) to (position + 1) * 2^level (exclusive). Such a node never changes as the tree
grows, and every other hash is computed from at most log2(size) of them, which is all that appending and proving need.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """A complete subtree; level 0 is a leaf."""

    level: int
    position: int

    @property
    def completed_by(self) -> int:
        """Return the index of the last leaf of the subtree."""
        return ((self.position + 1) << self.level) - 1


class SubtreeRange(NamedTuple):
    """The leaves from `first` (inclusive) to `last` (exclusive), covered by one hash of a proof."""

    first: int
    last: int


HashOf = Callable[[Node], bytes]
"""Returns the stored hash of a complete subtree."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_nodes(span: SubtreeRange) -> tuple[Node, ...]:
    """Return the complete subtrees, from the left, whose hashes combine to the hash of a range.

    A range of a proof begins at a multiple of the smallest power of two not below its length, so the subtrees get
    smaller to the right.
    """
    nodes, first = [], span.first
    while first < span.last:
        level = (span.last - first).bit_length() - 1
        nodes.append(Node(level, first >> level))
        first += 1 << level
    return tuple(nodes)


def compact_range_nodes(size: int) -> tuple[Node, ...]:
    """Return the complete subtrees of a tree of this size, largest first: its compact range."""
    return subtree_nodes(SubtreeRange(0, size))


def root_from_range(hashes: Sequence[bytes]) -> bytes:
    """Compute the root over the hashes of a compact range; of none, the root of the empty tree."""
    if not hashes:
        return EMPTY_ROOT
    *rest, root = hashes
    for left in reversed(rest):
        root = node_hash(left, root)
    return root


def completed_hashes(leaf: bytes, size: int, frontier: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the hashes of all subtrees that the leaf after `size` others completes, from level 0 up.

    `frontier` are the hashes of `compact_range_nodes(size)`. The last hash returned replaces as many of them as there
    are further hashes.
    """
    hashes, left = [leaf], len(frontier)
    while size & 1:
        left -= 1
        hashes.append(node_hash(frontier[left], hashes[-1]))
        size >>= 1
    return tuple(hashes)


def extend_range(frontier: Sequence[bytes], hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the frontier after the leaf with these `completed_hashes`."""
    return (*frontier[: len(frontier) - len(hashes) + 1], hashes[-1])


def inclusion_path(index: int, size: int) -> tuple[SubtreeRange, ...]:
    """Return the subtrees of the inclusion proof of a leaf, its sibling first (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return tuple(_inclusion_path(index, 0, size))[::-1]


def _inclusion_path(index: int, first: int, last: int) -> Iterator[SubtreeRange]:
    while last - first > 1:
        middle = first + _largest_power_below(last - first)
        if index < middle:
            yield SubtreeRange(middle, last)
            last = middle
        else:
            yield SubtreeRange(first, middle)
            first = middle


def consistency_path(old: int, size: int) -> tuple[SubtreeRange, ...]:
    """Return the subtrees of the consistency proof from size `old` to `size` (RFC 9162 §2.1.4.1).

    The proof is empty if the old tree is empty or both sizes are equal. Raises ValueError if `old` is out of range.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves never had {old}")
    if old in {0, size}:
        return ()
    first, last, path = 0, size, []
    while old != last:
        middle = first + _largest_power_below(last - first)
        if old <= middle:
            path.append(SubtreeRange(middle, last))
            last = middle
        else:
            path.append(SubtreeRange(first, middle))
            first = middle
    if first:  # otherwise the rest is the old tree itself, whose root the verifier has
        path.append(SubtreeRange(first, last))
    return tuple(reversed(path))


def _largest_power_below(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_hash(span: SubtreeRange, hash_of: HashOf) -> bytes:
    return root_from_range([hash_of(node) for node in subtree_nodes(span)])


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether the proof shows this leaf at `index` of the tree with this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or len(sides := _left_sides(index, size - 1)) != len(path):
        return False
    found = leaf
    for sibling, is_left in zip(path, sides, strict=True):
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
    return found == root


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether the proof shows that the old tree is a prefix of the new one (RFC 9162 §2.1.4.2).

    For an empty old tree the proof must be empty and the old root that of the empty tree.
    """
    if not 0 <= old <= size:
        return False
    if old in {0, size}:
        return not path and old_root == (EMPTY_ROOT if old == 0 else root)
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    # If the old tree is one complete subtree, its root is the first hash, and the proof omits it.
    first, *rest = [old_root, *path] if old & (old - 1) == 0 else path or [b""]
    if len(sides := _left_sides(node, last)) != len(rest):
        return False
    found_old = found = first
    for sibling, is_left in zip(rest, sides, strict=True):
        if is_left:
            found_old = node_hash(sibling, found_old)
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
    return found_old == old_root and found == root


def _left_sides(node: int, last: int) -> list[bool]:
    """Return, for each sibling from a node up to the root, whether it is the left one.

    `last` is the last node of the same level.
    """
    sides = []
    while last:
        is_left = bool(node & 1) or node == last
        if is_left:
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        sides.append(is_left)
        node, last = node >> 1, last >> 1
    return sides
