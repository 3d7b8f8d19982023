"""The file of `mik login`: for its owner alone, whole or refused, one process at a time."""

import json
import threading
from datetime import UTC, datetime

import pytest

from app.cli.company.session_file import SavedSession, SessionFile, SessionUnusable, address_error, session_path
from made_in_karabakh import Tokens

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SESSION = SavedSession("https://verify.example.az", "a@b.example", Tokens("one", NOW, "again"))


@pytest.fixture
def store(tmp_path):
    made = SessionFile(tmp_path / "mik" / "session.json")
    made.begin(SESSION)
    return made


def test_what_is_kept_is_read_again_and_renewed(store):
    assert store.read() == SESSION
    store.save(Tokens("two", NOW, "once more"))
    assert store.load().access_token == "two"
    assert store.read().url == SESSION.url


def test_only_its_owner_can_read_it(store):
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    store.path.chmod(0o640)
    with pytest.raises(SessionUnusable, match="Others may read"):
        store.read()
    assert store.load() is None


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"url": "x"})])
def test_a_damaged_file_says_what_to_do(store, content):
    store.path.write_text(content)
    with pytest.raises(SessionUnusable, match="mik login"):
        store.read()


def test_without_a_file_nobody_is_signed_in(store):
    store.remove()
    store.remove()
    with pytest.raises(SessionUnusable, match="Nobody"):
        store.read()


def test_one_at_a_time_renews(store):
    entered = threading.Event()

    def enter():
        with SessionFile(store.path).exclusive():
            entered.set()

    with store.exclusive():
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.05)
    other.join(5)
    assert entered.is_set()


def test_the_folder_is_that_of_the_users_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert session_path() == tmp_path / "mik" / "session.json"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert session_path() == tmp_path / ".config" / "mik" / "session.json"


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://verify.example.az", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://verify.example.az", False),
        ("http://localhost.example.az", False),
        ("http://localhost@verify.example.az", False),
        ("ftp://localhost", False),
        ("verify.example.az", False),
        ("https://", False),
    ],
)
def test_a_password_goes_to_an_encrypted_address_only(url, is_fine):
    assert (address_error(url) is None) is is_fine
