"""Files are there whole or not at all."""

import pytest

from app.core import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_first_content_of_a_file_written_once_stays(tmp_path):
    path = tmp_path / "new" / "key"
    for content in (b"first", b"second"):
        files.write_once(path, content)
    assert (path.read_bytes(), names(path.parent)) == (b"first", ["key"])
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_replaced_file_has_the_last_content_and_its_mode(tmp_path, mode):
    path = tmp_path / "list"
    for content in (b"first", b"second"):
        files.replace_file(path, content, mode)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, names(tmp_path)) == (b"second", mode, ["list"])


@pytest.mark.parametrize("write", [files.write_once, files.replace_file])
def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, write):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "key", b"content")
    assert names(tmp_path) == []
