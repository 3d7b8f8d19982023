"""What many tests of the API need before they begin."""

import pytest

from tests.api.helpers import new_key
from tests.played import played


@played
def company(app):
    return app.set_up_company()


@pytest.fixture
def key():
    return new_key()
