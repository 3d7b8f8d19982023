"""Whatever fits the OpenAPI document, and whatever does not: no fault of ours, and only answers that are declared.

Every operation by itself, with generated input of both kinds, and journeys along links from what one answer names to
the next request. A short form in `make test`, a long one in `make test-long` (`MIK_TEST_ROUNDS`).
"""

import os
import re
from contextlib import suppress
from copy import deepcopy
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import in_state, ok, product

pytestmark = pytest.mark.no_coverage
ROUNDS = min(20, int(os.environ.get("MIK_TEST_ROUNDS", "1")))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
QUIET = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": ROUNDS == 1}
STATES = ("draft", "submitted", "in_review", "information_requested", "recommended")


class FilledService:
    """A service with something of everything, its OpenAPI document, and clients of every audience."""

    def __init__(self, app):
        self.app, self.company = app, app.set_up_company()
        company = self.company
        self.callers = {
            "anonymous": app.anonymous,
            "applicant": company,
            "reviewer": app.reviewer,
            "approver": app.approver,
            "registrar": app.registrar,
            "owner": app.owner,
            "auditor": app.auditor,
        }
        cases = [in_state(app, company, state) for state in STATES]
        asked = ok(
            app.owner.post(
                "/v1/proposals", json={"kind": "role", "content": {"user_id": str(app.auditor.id), "role": "reviewer"}}
            )
        )
        kept = ok(company.get(f"/v1/organisations/{company.organisation_id}/evidence"))["items"]
        self.ids = {
            "application_id": cases,
            "product_id": [company.add_product()],
            "site_id": [company.site_id],
            "organisation_id": [company.organisation_id],
            "residency_id": [each["id"] for each in ok(company.get("/v1/residencies"))["items"]],
            "evidence_id": [kept[0]["id"], ok(company.add_evidence(cases[0]))["id"]],
            "client_id": [ok(company.post("/v1/api-clients", json={"name": "Orders"}))["id"]],
            "member_id": [company.id],
            "user_id": [app.auditor.id],
            "proposal_id": [asked["id"]],
            "number": [app.certify(company)],
            "code": ["MIK", "AGDAM-SP"],
            "role": ["auditor"],
        }
        """Name of a path parameter → what there is; of a name that is not here ids are made up."""
        self.document = ok(app.http.get("/openapi.json"))
        self.session = asgi.get_client(app.asgi)
        self.faults = {}

    def schema(self, document=None):
        loaded = schemathesis.openapi.from_dict(document or self.document)
        loaded.app = self.app.asgi
        return loaded

    def call_arguments(self, caller, case, *, current):
        """How to send a case as this caller; with `current` a change names the version that there is."""
        headers = {}
        if caller is not self.app.anonymous:
            headers["Authorization"] = (
                f"Bearer {self.app.container.access_tokens.issue(caller.subject, self.app.clock())}"
            )
        if current and declares(case.operation, "if-match"):
            about = "/".join(case.formatted_path.split("/")[:4])
            found = self.session.get(about, headers=headers)
            if "ETag" in found.headers:  # a claimant reads no version of the claim
                headers["If-Match"] = found.headers["ETag"]
        return {"session": self.session, "headers": headers}

    def judge(self, case, answer, who):
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as why:
            for each in why.exceptions:
                self.note(case, answer, who, each)

    def note(self, case, answer, who, why):
        fault = (case.operation.label, answer.status_code, type(why).__name__)
        self.faults.setdefault(
            fault, f"as {who}: {str(why)[:600]}\n{case.as_curl_command()[:600]}\n{answer.text[:600]}"
        )

    def assert_no_faults(self):
        faults, self.faults = self.faults, {}
        assert not faults, "\n\n".join(f"{fault}: {story}" for fault, story in faults.items())


def declares(operation, header):
    return any(each["name"].lower() == header for each in operation.definition.raw.get("parameters", []))


def on(kind):
    """Run it on this kind of database, in the long form on both."""
    kinds = [kind] if ROUNDS == 1 else ["sqlite", "postgresql"]
    return pytest.mark.parametrize("shared_app", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def filled_service(shared_app):
    return FilledService(shared_app)


@pytest.mark.long
@on("postgresql")  # which is the stricter one about what it stores
def test_every_operation_by_itself(filled_service):
    calls = 0
    for found in filled_service.schema().get_all_operations():
        operation = found.ok()
        modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

        @given(st.one_of(modes), st.sampled_from(sorted(filled_service.callers)), st.booleans(), st.data())
        @settings(max_examples=3 * ROUNDS, **QUIET)
        def ask(case, who, real, data):
            nonlocal calls
            calls += 1
            if real:
                for name in set(case.path_parameters or ()) & filled_service.ids.keys():
                    case.path_parameters[name] = data.draw(st.sampled_from(filled_service.ids[name]))
            more = filled_service.call_arguments(filled_service.callers[who], case, current=real)
            filled_service.evaluate(case, case.call(**more), who)

        with suppress(Unsatisfiable):  # of some there is no wrong input, and few examples may all have asked for one
            ask()
    filled_service.assert_no_faults()
    assert calls > len(filled_service.document["paths"])


# Journeys

BY_TAG = {
    "review": "reviewer",
    "registrar": "registrar",
    "certificate status": "owner",
    "matters": "owner",
    "users": "owner",
    "calendar": "owner",
    "history": "auditor",
}
"""Whose work the operations of a tag are; all others the applicant tries."""


def with_links(document):
    """The document with links: from what was made, and from the first of every list, to all that speaks of such."""
    document = deepcopy(document)
    for path, methods in document["paths"].items():
        for match in re.finditer(r"/{(\w+)}", path):
            place = path[: match.start()]
            sources = [(place, "get", "200", "/items/0"), (place, "post", "201", "")]
            if place == "/v1/applications":
                sources.append(("/v1/applications/{application_id}/submit", "post", "200", ""))
            for source, method, status, pointer in sources:
                answer = document["paths"].get(source, {}).get(method, {}).get("responses", {}).get(status)
                if answer is None:
                    continue
                name = match[1] if match[1] in {"number", "code"} else "id"
                given_before = {each: f"$request.path.{each}" for each in re.findall(r"{(\w+)}", place)}
                parameters = given_before | {match[1]: f"$response.body#{pointer}/{name}"}
                for operation in methods.values():
                    link = {"operationId": operation["operationId"], "parameters": parameters}
                    answer.setdefault("links", {})[f"{operation['operationId']} {match[1]}"] = link
    return document


def good_bodies(filled_service):
    """Bodies that are taken, by operation: a generated one seldom is."""
    company = filled_service.company

    def draft():
        return {"scheme": "MIK", "product_ids": [company.add_product()]}

    return {
        "POST /v1/sites": lambda: {"name": "Hall 2", "district": "Ağdam", "park_code": "AGDAM-SP"},
        "POST /v1/products": lambda: product(company.site_id),
        "POST /v1/applications": draft,
        "POST /v1/applications/{application_id}/request-information": lambda: {"questions": [{"text": "Since when?"}]},
        "POST /v1/applications/{application_id}/notes": lambda: {"text": "Seen."},
        "POST /v1/certificates/{number}/suspend": lambda: {"cause": "hearing"},
    }


def is_id(text):
    with suppress(ValueError):
        return bool(UUID(str(text)))
    return False


@on("sqlite")
def test_journeys_along_links(filled_service):
    good, steps = good_bodies(filled_service), []
    base = filled_service.schema(with_links(filled_service.document)).as_state_machine()

    class Journey(base):
        def before_call(self, case):
            for name in set(case.path_parameters or ()) & filled_service.ids.keys() - {"number", "code", "role"}:
                if not is_id(case.path_parameters[name]):  # no link led here
                    case.path_parameters[name] = filled_service.ids[name][len(steps) % len(filled_service.ids[name])]
            if case.operation.label in good and len(steps) % 2:
                case.body = good[case.operation.label]()
                case.media_type = "application/json"

        def call(self, case, **_):
            (tag,) = case.operation.definition.raw["tags"]
            self.who = BY_TAG.get(tag, "applicant")
            answer = case.call(**filled_service.call_arguments(filled_service.callers[self.who], case, current=True))
            steps.append((case.operation.label, answer.status_code))
            return answer

        def validate_response(self, response, case, **_):
            filled_service.judge(case, response, self.who)

    for _ in range(max(ROUNDS, 2)):  # the first round leaves things behind that the second goes on with
        with suppress(Flaky):  # what was done stays done: a journey made again is another one, and ends these
            Journey.run(settings=settings(max_examples=20, stateful_step_count=12, phases=[Phase.generate], **QUIET))
    filled_service.assert_no_faults()
    done = {label for label, status in steps if status in {200, 201} and "{" in label}
    assert len(done) > 5, f"the journeys led only to {done}"
