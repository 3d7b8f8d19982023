import pytest

pytestmark = [pytest.mark.pg_sampled, pytest.mark.short]
