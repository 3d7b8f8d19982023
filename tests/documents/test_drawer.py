"""Made once, kept, and made again when it is gone."""

import threading
from pathlib import Path

import pytest

from app.documents.artifact_cache import ArtifactCache

NUMBER = "MIK-2026-000042-Y"


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def fails():
    raise AssertionError("made twice")


def test_made_once(tmp_path):
    drawer = ArtifactCache(tmp_path / "papers")
    assert drawer.get(NUMBER, "paper-ru", "1") is None
    assert drawer.get_or_create(NUMBER, "paper-ru", "1", lambda: b"one") == b"one"
    assert drawer.get_or_create(NUMBER, "paper-ru", "1", fails) == drawer.get(NUMBER, "paper-ru", "1") == b"one"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*~*")} == {0o600}


def test_a_newer_state_takes_the_place_of_the_older(tmp_path):
    drawer = ArtifactCache(tmp_path)
    drawer.get_or_create(NUMBER, "paper-ru", "1", lambda: b"one")
    drawer.get_or_create(NUMBER, "paper-en", "1", lambda: b"other")
    drawer.get_or_create("MIK-2026-000043-W", "paper-ru", "1", lambda: b"other")
    assert drawer.get_or_create(NUMBER, "paper-ru", "2", lambda: b"two") == b"two"
    assert names(tmp_path) == ["paper-en~1", "paper-ru~1", "paper-ru~2"]
    assert drawer.get(NUMBER, "paper-ru", "1") is None
    drawer.delete(NUMBER, "paper-ru", "2")
    drawer.delete(NUMBER, "paper-ru", "2")
    assert drawer.get(NUMBER, "paper-ru", "2") is None


def test_many_at_once_hand_out_one(tmp_path):
    start, got = threading.Barrier(8), []

    def work(mine):
        start.wait()
        got.append(ArtifactCache(tmp_path).get_or_create(NUMBER, "stamp", "k", lambda: mine))

    threads = [threading.Thread(target=work, args=(b"%d" % each,)) for each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len(set(got)) == 1
    assert names(tmp_path) == ["stamp~k"]


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    drawer = ArtifactCache(Path(tmp_path / "file"))
    assert drawer.get_or_create(NUMBER, "stamp", "k", lambda: b"one") == b"one"
    assert drawer.get_or_create(NUMBER, "stamp", "k", lambda: b"two") == b"two"
    assert "cannot be cached" in caplog.text


def test_what_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(AssertionError):
        ArtifactCache(tmp_path).get_or_create(NUMBER, "stamp", "k", fails)
    assert names(tmp_path) == []
