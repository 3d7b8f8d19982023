"""A developer with only the address: each magic number leads where the table says."""

from tests.factories import ok
from tests.sandbox.conftest import Developer


def test_a_newcomer_reaches_a_certificate_without_a_person(sandbox):
    developer = Developer(sandbox)
    case_id = developer.submit()
    sandbox.run_robots()
    case = developer.application(case_id)
    assert case["state"] == "approved"
    (number,) = case["certificates"]
    assert number.startswith("SBXMIK-")
    found = ok(sandbox.get(f"/v1/verify/{number}"))
    assert (found["verdict"], found["sandbox"]) == ("valid", True) and "demo" not in found
