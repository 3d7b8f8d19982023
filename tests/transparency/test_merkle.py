"""The tree: known answers, every proof to size 300, an independent library, and the work at a million leaves."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from app.transparency import merkle
from app.transparency.merkle import Node, SubtreeRange

pytestmark = pytest.mark.pure

SIZES = 300
KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


class Tree:
    """Keeps every complete subtree, as the log does."""

    def __init__(self, entries=()):
        self.size, self.frontier, self.kept = 0, (), {}
        for entry in entries:
            self.append(entry)

    def append(self, entry):
        hashes = merkle.completed_hashes(merkle.leaf_hash(entry), self.size, self.frontier)
        self.frontier = merkle.extend_range(self.frontier, hashes)
        self.kept |= {Node(level, self.size >> level): each for level, each in enumerate(hashes)}
        self.size += 1

    def root(self, size=None):
        return self.hash(SubtreeRange(0, self.size if size is None else size))

    def hash(self, span):
        return merkle.subtree_hash(span, self.kept.__getitem__)

    def inclusion(self, index, size):
        return [self.hash(span) for span in merkle.inclusion_path(index, size)]

    def consistency(self, old, size):
        return [self.hash(span) for span in merkle.consistency_path(old, size)]


ENTRIES = [f"entry {number}".encode() for number in range(SIZES)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]


@pytest.fixture(scope="module")
def tree():
    return Tree(ENTRIES)


def by_the_book(leaves):
    """MTH as RFC 9162 §2.1.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_the_book(leaves[:k]) + by_the_book(leaves[k:])).digest()


@pytest.mark.parametrize(("size", "root"), KNOWN_ROOTS.items())
def test_known_roots(size, root):
    known = Tree(bytes.fromhex(leaf) for leaf in KNOWN_LEAVES[:size])
    assert known.root().hex() == merkle.root_from_range(known.frontier).hex() == root


@pytest.mark.no_coverage
def test_every_root_to_300_is_that_of_the_book_and_of_another_library(tree):
    other = InmemoryTree(algorithm="sha256")
    for size in range(1, SIZES + 1):
        other.append_entry(ENTRIES[size - 1])
        assert tree.root(size) == by_the_book(LEAVES[:size]) == other.get_root()


def test_subtrees_that_were_completed_never_change(tree):
    kept = {
        node: by_the_book(LEAVES[node.position << node.level : (node.position + 1) << node.level]) for node in tree.kept
    }
    assert kept == tree.kept
    assert len(kept) == sum(SIZES >> level for level in range(9))
    assert all(tree.kept[node] and node.completed_by < SIZES for node in kept)


def flipped(content):
    return bytes([content[0] ^ 1]) + content[1:]


@pytest.mark.no_coverage
def test_every_inclusion_proof_to_300_is_accepted_and_fits_nothing_else(tree):
    dice = random.Random(1)
    roots = [tree.root(size) for size in range(SIZES + 1)]
    for size in range(1, SIZES + 1):
        for index in range(size):
            path, leaf, root = tree.inclusion(index, size), LEAVES[index], roots[size]
            assert merkle.verify_inclusion(index, size, leaf, path, root)
            assert len(path) <= (size - 1).bit_length()
            other = dice.randrange(SIZES)
            assert merkle.verify_inclusion(other, size, leaf, path, root) == (other == index)
            assert not merkle.verify_inclusion(index, size, LEAVES[index - 1] if size > 1 else b"", path, root)
            changed = dice.randrange(5)
            if changed == 0:
                path = [*path, roots[size]]
            elif changed == 1:
                path = path[:-1] if path else [leaf]
            elif changed == 2 and path:
                place = dice.randrange(len(path))
                path = [*path[:place], flipped(path[place]), *path[place + 1 :]]
            elif changed == 3:
                root = roots[size - 1]
            else:
                leaf = flipped(leaf)
            assert not merkle.verify_inclusion(index, size, leaf, path, root)


@pytest.mark.no_coverage
def test_every_consistency_proof_to_300_is_accepted_and_fits_nothing_else(tree):
    dice = random.Random(2)
    roots = [tree.root(size) for size in range(SIZES + 1)]
    for size in range(1, SIZES + 1):
        for old in range(size + 1):
            path = tree.consistency(old, size)
            assert merkle.verify_consistency(old, size, roots[old], roots[size], path)
            assert len(path) <= size.bit_length() + 1
            assert not merkle.verify_consistency(old, size, flipped(roots[old]), roots[size], path)
            assert not merkle.verify_consistency(old, size, roots[old], roots[size], [*path, roots[old]])
            if old:
                assert not merkle.verify_consistency(old, size, roots[old], flipped(roots[size]), path)
            if path:
                assert not merkle.verify_consistency(old, size, roots[old], roots[size], path[:-1])
                place = dice.randrange(len(path))
                wrong = [*path[:place], flipped(path[place]), *path[place + 1 :]]
                assert not merkle.verify_consistency(old, size, roots[old], roots[size], wrong)
            other = dice.randrange(1, size + 1)
            if other != old:
                assert not merkle.verify_consistency(other, size, roots[old], roots[size], path)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_a_proof_that_is_too_short_or_too_long_proves_nothing(size, tree):
    root = tree.root(size)
    for old in range(1, size):
        path = tree.consistency(old, size)
        assert merkle.verify_consistency(old, size, tree.root(old), root, path)
        for wrong in (path[:-1], [*path, root]):
            assert not merkle.verify_consistency(old, size, tree.root(old), root, wrong)
    for index in range(size):
        path = tree.inclusion(index, size)
        assert merkle.verify_inclusion(index, size, LEAVES[index], path, root)
        for wrong in (path[:-1] if path else [root], [*path, root]):
            assert not merkle.verify_inclusion(index, size, LEAVES[index], wrong, root)


def subproof(leaves, m, b):
    """PATH of RFC 6962 §2.1.2, as it writes it."""
    n = len(leaves)
    if m == n:
        return [] if b else [by_the_book(leaves)]
    k = 1
    while 2 * k < n:
        k *= 2
    if m <= k:
        return [*subproof(leaves[:k], m, b), by_the_book(leaves[k:])]
    return [*subproof(leaves[k:], m - k, False), by_the_book(leaves[:k])]


@given(st.integers(1, SIZES), st.data())
def test_consistency_proofs_are_those_of_the_book(size, data):
    old = data.draw(st.integers(1, size))
    assert Tree(ENTRIES[:size]).consistency(old, size) == subproof(LEAVES[:size], old, True)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4), (5, 4)])
def test_no_proof_of_what_is_not_there(index, size):
    with pytest.raises(ValueError, match="there is no leaf"):
        merkle.inclusion_path(index, size)
    assert not merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])


@pytest.mark.parametrize(("old", "size"), [(5, 4), (-1, 4)])
def test_a_tree_never_shrinks(old, size, tree):
    with pytest.raises(ValueError, match="never had"):
        merkle.consistency_path(old, size)
    assert not merkle.verify_consistency(old, size, tree.root(4), tree.root(4), [])


def test_an_empty_old_tree_must_be_empty(tree):
    assert merkle.verify_consistency(0, 4, merkle.EMPTY_ROOT, tree.root(4), [])
    assert not merkle.verify_consistency(0, 4, merkle.EMPTY_ROOT, tree.root(4), [LEAVES[0]])
    assert not merkle.verify_consistency(0, 4, LEAVES[0], tree.root(4), [])


@pytest.mark.no_coverage
def test_a_million_leaves_take_logarithmic_work(monkeypatch):
    """Hashes are counted, not seconds. Only the hashes of every level are kept here, as in the table of the log."""
    million, levels, hashed = 1_000_000, [[] for _ in range(20)], 0
    plain = merkle.node_hash

    def counted(left, right):
        nonlocal hashed
        hashed += 1
        return plain(left, right)

    frontier = ()
    for number in range(million):
        hashes = merkle.completed_hashes(merkle.leaf_hash(b"%d" % number), number, frontier)
        frontier = merkle.extend_range(frontier, hashes)
        for level, each in enumerate(hashes):
            levels[level].append(each)
    monkeypatch.setattr(merkle, "node_hash", counted)
    asked = []

    def hash_of(node):
        asked.append(node)
        return levels[node.level][node.position]

    root = merkle.root_from_range([hash_of(node) for node in merkle.compact_range_nodes(million)])
    assert (hashed, len(asked)) == (6, 7)  # 1,000,000 has seven ones in binary
    for number in (0, 1, 524_287, 524_288, 999_424, 999_999):
        hashed, asked[:] = 0, []
        path = [merkle.subtree_hash(span, hash_of) for span in merkle.inclusion_path(number, million)]
        assert hashed + len(asked) <= 60
        assert len(path) <= 20
        assert merkle.verify_inclusion(number, million, levels[0][number], path, root)
    for old in (1, 524_288, 777_777, 999_999):
        hashed, asked[:] = 0, []
        path = [merkle.subtree_hash(span, hash_of) for span in merkle.consistency_path(old, million)]
        assert hashed + len(asked) <= 80
        old_root = merkle.subtree_hash(SubtreeRange(0, old), hash_of)
        assert merkle.verify_consistency(old, million, old_root, root, path)
    hashed = 0
    merkle.completed_hashes(b"x" * 32, million, frontier)
    assert hashed == 0  # an even place completes nothing
    hashes = merkle.completed_hashes(b"x" * 32, 2**19 - 1, [b"y" * 32] * 19)
    assert (hashed, len(hashes)) == (19, 20)  # and no place more than the height of the tree
