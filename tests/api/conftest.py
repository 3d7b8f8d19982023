"""What many tests of the API need before they begin."""

import pytest

from tests.api.helpers import new_key


@pytest.fixture
def company(app):
    return app.set_up_company()


@pytest.fixture
def key():
    return new_key()
