"""`mik sandbox reset`: the sandbox begins anew, and the real service keeps everything."""

import pytest

from app.core.dates import utc_now
from app.core.errors import UnsafeToStart
from app.core.settings import Settings
from app.sandbox.installation import prepare_sandbox, reset_sandbox, sandbox_clock, sandbox_settings
from tests.conftest import _pg_copy


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path):
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path, sandbox=True)
        return
    with _pg_copy(request.getfixturevalue("pg_url"), "sandbox") as url:
        yield Settings(data_dir=tmp_path, sandbox=True, sandbox_database_url=url)


def test_a_reset_leaves_nothing_and_prepares_new_keys(settings):
    (settings.data_dir / "real").write_text("kept")
    own = sandbox_settings(settings)
    prepare_sandbox(settings, utc_now)
    prepare_sandbox(settings, utc_now)  # a second start
    key = own.log_key.read_bytes()
    sandbox_clock(own, utc_now).advance(10)
    reset_sandbox(settings)
    assert not own.data_dir.exists() and (settings.data_dir / "real").read_text() == "kept"
    prepare_sandbox(settings, utc_now)
    assert own.log_key.read_bytes() != key and sandbox_clock(own, utc_now).days == 0
    reset_sandbox(settings)


def test_the_database_of_another_issuer_is_not_emptied(settings):
    prepare_sandbox(settings, utc_now)
    other = settings.model_copy(update={"base_url": "https://mark.example"})
    with pytest.raises(UnsafeToStart, match="Nothing was deleted"):
        reset_sandbox(other)
    assert sandbox_settings(settings).log_key.exists()
