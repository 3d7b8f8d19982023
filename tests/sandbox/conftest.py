"""The service with its sandbox, each on a database of its own."""

from contextlib import nullcontext

import pytest

from app.sandbox.installation import prepare_sandbox
from app.sandbox.robots import ROBOT_JOBS, Robots
from app.worker.handlers import build_worker
from tests.conftest import KINDS, _fresh, _pg_copy
from tests.factories import ok, running_app


class Sandbox:
    """The sandbox of a running app. Paths are its own: they begin with /v1."""

    def __init__(self, app):
        self.app = app
        self.service = app.asgi.sandbox
        while not hasattr(self.service, "state"):
            self.service = self.service.app
        self.container = self.service.state.container
        self.database = self.container.database

    def request(self, method, path, **more):
        return self.app.http.request(method, f"/sandbox{path}", **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def run_jobs(self):
        """Run the jobs that are due now; how many there were."""
        robots = Robots(self.container)
        return build_worker(self.container, dict.fromkeys(ROBOT_JOBS, robots.run)).run_due()

    def run_robots(self):
        """What they do every minute."""
        Robots(self.container).run()


class Developer:
    """Somebody who has nothing but the address of the sandbox."""

    def __init__(self, sandbox, scenario="approved"):
        self.sandbox = sandbox
        self.registered = ok(sandbox.post("/v1/register", json={"scenario": scenario}))
        self.sign_in()

    def sign_in(self):
        client, member = self.registered["api_client"], self.registered["member"]
        self.client = self._token({"grant_type": "client_credentials", **client})
        given = {"grant_type": "password", "username": member["email"], "password": member["password"]}
        self.member = self._token(given)

    def _token(self, form):
        return {"Authorization": f"Bearer {ok(self.sandbox.post('/v1/auth/token', data=form))['access_token']}"}

    def call(self, method, path, *, by=None, **more):
        headers = (by or self.client) | more.pop("headers", {})
        return self.sandbox.request(method, path, headers=headers, **more)

    def submit(self):
        """Id of a submitted application for a sample product."""
        product_id = ok(self.call("POST", "/v1/sample-product"))["product_id"]
        made = ok(self.call("POST", "/v1/applications", json={"scheme": "MIK", "product_ids": [product_id]}))
        path = f"/v1/applications/{made['id']}"
        self.declare(path)
        ok(self.call("POST", f"{path}/submit", headers={"If-Match": f'"{made["version"]}"'}))
        return made["id"]

    def declare(self, path):
        present = ok(self.call("GET", f"{path}/declaration", by=self.member))
        body = {name: present[name] for name in ("text_version", "declared_hash")}
        ok(self.call("POST", f"{path}/declaration", by=self.member, json=body))

    def application(self, application_id):
        return ok(self.call("GET", f"/v1/applications/{application_id}"))


@pytest.fixture(scope="module", params=KINDS)
def sandbox_app(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with (
        _fresh(request, folder, is_prepared=True) as url,
        _own_database(request) as own,
        running_app(
            url, folder, is_prepared=True, before=prepare_sandbox, sandbox=True, sandbox_database_url=own
        ) as app,
    ):
        yield app


def _own_database(request):
    """Address of an empty database; SQLite makes its own in the data folder."""
    is_sqlite = request.param == "sqlite"
    return nullcontext("") if is_sqlite else _pg_copy(request.getfixturevalue("pg_url"), "sandbox")


@pytest.fixture
def sandbox(sandbox_app):
    return Sandbox(sandbox_app)
