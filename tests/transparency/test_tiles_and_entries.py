"""Addresses and bytes of tiles, and the canonical bytes of an entry."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transparency import tiles
from app.transparency.log_entry import MAX_INTEGER, MAX_STEP_BACK, Entry, LogEvent, is_backdated, latest_moment
from app.transparency.merkle import Node
from app.transparency.tiles import Tile
from tests.transparency.helpers import entries_in

pytestmark = pytest.mark.pure

NOW = datetime(2026, 11, 22, 17, 0, 0, 120000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("0/000", Tile(0, 0)),
        ("0/x001/x234/067", Tile(0, 1_234_067)),
        ("entries/x001/234.p/7", Tile(None, 1_234, 7)),
        ("2/000.p/255", Tile(2, 0, 255)),
    ],
)
def test_known_addresses(path, tile):
    assert tile.path == path
    assert tiles.parse_path(path) == tile


@given(st.none() | st.integers(0, 5), st.integers(0, 10**15), st.integers(1, 256))
def test_every_address_comes_back(level, index, width):
    tile = Tile(level, index, width)
    assert tiles.parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "0",
            "0/",
            "0/0",
            "0/00",
            "0/0000",
            "0/x000/001",
            "0/001/234",
            "0/x001/x234",
            "00/000",
            "6/000",
            "64/000",
        ),
        *("-1/000", "0/000.p/0", "0/000.p/256", "0/000.p/07", "0/000.p/", "0/000.P/1", "entries/", "entry/000"),
        *("0/٠٠٠", "0/000/", "/0/000", "0/000\n", "0/" + "x001/" * 6 + "001", "0/000.p/1/", "0/000.p/1\x00"),
    ],
)
def test_what_is_no_address_of_a_tile(path):
    assert tiles.parse_path(path) is None


def test_a_tile_is_there_when_all_its_hashes_are():
    assert Tile(0, 0).is_complete_in(256)
    assert not Tile(0, 0).is_complete_in(255)
    assert Tile(0, 1, 3).is_complete_in(259)
    assert not Tile(0, 1, 4).is_complete_in(259)
    assert Tile(1, 0, 1).is_complete_in(256)
    assert not Tile(1, 0, 1).is_complete_in(255)
    assert Tile(1, 0, 2).nodes == (Node(8, 0), Node(8, 1))
    assert Tile(None, 1, 2).nodes == (Node(0, 256), Node(0, 257))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_535, 65_536, 65_537, 70_000])
def test_all_tiles_of_a_size(size):
    found = list(tiles.all_tiles(size))
    for level in range(4):
        row = [tile for tile in found if tile.level == level]
        assert sum(tile.width for tile in row) == size // 256**level
        assert all(tile.width == 256 for tile in row[:-1])
        assert [tile.index for tile in row] == list(range(len(row)))
    assert sum(tile.width for tile in found if tile.level is None) == size
    assert all(tile.is_complete_in(size) for tile in found)


@given(st.lists(st.binary(max_size=400)))
def test_bundles_come_back(entries):
    assert entries_in(tiles.encode_entry_bundle(entries)) == entries


def test_bundles_are_lengths_and_entries():
    assert tiles.encode_entry_bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert len(tiles.encode_entry_bundle([b"x" * 65_535])) == 65_537
    with pytest.raises(ValueError, match="at most 65535"):
        tiles.encode_entry_bundle([b"x" * 65_536])


def test_entries_are_canonical_json():
    issued = Entry(LogEvent.CERTIFICATE_ISSUED, NOW, "MIK-2026-000042-Y", sha256="ab", key="did:web:x#k")
    assert issued.canonical_bytes() == (
        b'{"at":"2026-11-22T17:00:00.120000Z","certificate":"MIK-2026-000042-Y","event":"certificate.issued",'
        b'"key":"did:web:x#k","sha256":"ab","v":1}'
    )
    activated = Entry(LogEvent.KEY_ACTIVATED, NOW, "did:web:x#k")
    assert (
        activated.canonical_bytes()
        == b'{"at":"2026-11-22T17:00:00.120000Z","event":"key.activated","key":"did:web:x#k","v":1}'
    )
    surrendered = Entry(LogEvent.CERTIFICATE_SURRENDERED, NOW, "MIK-2026-000042-Y")
    assert b"during_investigation" not in surrendered.canonical_bytes()  # entries of before keep their bytes
    asked = Entry(LogEvent.CERTIFICATE_SURRENDERED, NOW, "MIK-2026-000042-Y", during_investigation=True)
    members = json.loads(surrendered.canonical_bytes()) | {"during_investigation": True}
    assert json.loads(asked.canonical_bytes()) == members
    head = Entry(LogEvent.AUDIT_HEAD, NOW, head=7, sha256="cd")
    assert json.loads(head.canonical_bytes()).keys() == {"v", "event", "at", "head", "sha256"}
    ruleset = Entry(LogEvent.RULESET_PUBLISHED, NOW, "MIK/ə", sha256="cd")
    assert '"ruleset":"MIK/ə"'.encode() in ruleset.canonical_bytes()  # UTF-8, not escaped


def test_one_moment_has_one_spelling():
    in_baku = NOW.astimezone(timezone(timedelta(hours=4)))
    assert (
        Entry(LogEvent.KEY_RETIRED, in_baku, "k").canonical_bytes()
        == Entry(LogEvent.KEY_RETIRED, NOW, "k").canonical_bytes()
    )


@pytest.mark.parametrize("head", [-1, MAX_INTEGER + 1])
def test_numbers_without_an_exact_form_are_refused(head):
    with pytest.raises(ValueError, match="not exact"):
        Entry(LogEvent.AUDIT_HEAD, NOW, head=head).canonical_bytes()
    assert Entry(LogEvent.AUDIT_HEAD, NOW, head=MAX_INTEGER).canonical_bytes()


def test_text_without_a_canonical_form_is_refused():
    with pytest.raises(UnicodeEncodeError):
        Entry(LogEvent.KEY_RETIRED, NOW, "\ud800").canonical_bytes()


def test_an_entry_may_be_a_little_older_than_those_before_it():
    """Entries are dated by the beginning of their request, and logged in the order of commits."""
    moment = timedelta(microseconds=1)
    assert not is_backdated(Entry(LogEvent.ROLE_TAKEN, NOW), None)
    assert not is_backdated(Entry(LogEvent.ROLE_TAKEN, NOW - MAX_STEP_BACK), NOW)
    assert is_backdated(Entry(LogEvent.ROLE_TAKEN, NOW - MAX_STEP_BACK - moment), NOW)


def test_a_compromise_is_dated_by_its_beginning():
    beginning = NOW.replace(year=2020)
    for entry in (Entry(LogEvent.KEY_COMPROMISED, beginning, "kid"), Entry(LogEvent.AUDIT_HEAD, beginning, head=1)):
        assert not is_backdated(entry, NOW)
        assert latest_moment(entry, NOW) == NOW and latest_moment(entry, None) is None
    later = Entry(LogEvent.ROLE_TAKEN, NOW)
    assert latest_moment(later, None) == latest_moment(later, NOW.replace(year=2020)) == NOW
    assert latest_moment(later, NOW.replace(year=2030)) == NOW.replace(year=2030)
