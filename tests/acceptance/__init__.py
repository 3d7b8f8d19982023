import pytest

pytestmark = [pytest.mark.no_coverage, pytest.mark.short]
