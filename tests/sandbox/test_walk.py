"""The ten minutes of docs/sandbox.md, by a stranger who has the page and nothing else."""

import re
from pathlib import Path

from app.sandbox.scenarios import load_scenarios
from tests.factories import ok

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def test_the_walk_of_the_page(sandbox_app, sandbox):
    steps = re.findall(r"(?:`(POST|GET) \$SANDBOX|curl -s \$SANDBOX)(/v1/[a-z/{}-]+)", PAGE)
    assert [path for _, path in steps][:2] == ["/v1/register", "/v1/auth/token"]

    made = ok(sandbox.post("/v1/register", json={"scenario": "approved"}))
    system = token(sandbox, {"grant_type": "client_credentials", **made["api_client"]})
    person = made["member"]
    person = token(sandbox, {"grant_type": "password", "username": person["email"], "password": person["password"]})
    product_id = ok(sandbox.post("/v1/sample-product", headers=system))["product_id"]
    body = {"scheme": "MIK", "product_ids": [product_id]}
    drafted = ok(sandbox.post("/v1/applications", json=body, headers=system))
    path = f"/v1/applications/{drafted['id']}"
    present = ok(sandbox.get(f"{path}/declaration", headers=person))
    declared = {name: present[name] for name in ("text_version", "declared_hash")}
    ok(sandbox.post(f"{path}/declaration", json=declared, headers=person))
    ok(sandbox.post(f"{path}/submit", headers=system | {"If-Match": '"1"'}))
    assert sandbox.run_jobs() >= 1  # what the submission enqueued, without waiting for the minute
    case = ok(sandbox.get(path, headers=system))
    assert case["state"] == "approved"
    (number,) = case["certificates"]
    found = ok(sandbox.get(f"/v1/verify/{number}"))
    assert (found["verdict"], found["sandbox"]) == ("valid", True)
    assert sandbox_app.verify(number)["verdict"] == "unknown"


def token(sandbox, form):
    return {"Authorization": f"Bearer {ok(sandbox.post('/v1/auth/token', data=form))['access_token']}"}


def test_the_table_of_the_page_is_the_one_in_force():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)
    assert rows == [(each.scenario.value, each.prefix) for each in load_scenarios().values()]
