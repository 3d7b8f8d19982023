import pytest

pytestmark = [pytest.mark.short]
