"""docs/openapi.json is what the service answers: a change of the API is seen where it is reviewed."""

import difflib
import json
import re
from collections import Counter

import pytest
from fastapi.routing import APIRoute

from app.main import ROUTERS
from app.web import dependencies
from tests.helpers import refused
from tools.openapi import DOCUMENT, text_of


def test_the_document_in_the_repository_is_that_of_the_service(shared_app):
    written, served = DOCUMENT.read_text("utf-8"), text_of(shared_app.fastapi)
    changed = "\n".join(difflib.unified_diff(written.splitlines(), served.splitlines(), "written", "served", n=1))
    assert written == served, f"The API changed. If it should: `make openapi`, and commit docs/openapi.json.\n{changed}"


@pytest.fixture(scope="module")
def document(shared_app):
    return json.loads(json.dumps(shared_app.fastapi.openapi()))


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_operation_ids_are_unique_and_plain(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name)] == []  # a verb and an object


def test_operation_ids_contain_no_fragment_of_a_path(document):
    """FastAPI's own ids are `get_park_v1_parks__code__get`."""
    for route, operation in operations(document):
        method, path = route.split()
        words = operation["operationId"].split("_")
        assert not {"v1", "id"} & set(words), route
        assert words[-1] != method.lower(), route
        for fragment in re.findall(r"/(?=v1|\.)[^{]*", path):  # `/v1/parks/` of `/v1/parks/{code}`
            assert re.sub(r"\W+", "_", fragment).strip("_") not in operation["operationId"], route


def dependencies_of(dependant):
    for each in dependant.dependencies:
        yield each.call
        yield from dependencies_of(each)


@pytest.fixture(scope="module")
def dependencies_by_route():
    """What each route in the document depends on; verifications are answered before routing and depend on nothing."""
    found = {}
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                for method in route.methods:
                    path = route.path_format
                    found[f"{method} {path}"] = set(dependencies_of(route.dependant))
    return found


def test_security_is_stated_as_the_routes_depend_on_a_token(document, dependencies_by_route):
    described = set()
    for route, operation in operations(document):
        needed = dependencies.get_actor in dependencies_by_route.get(route, set())
        described.add(route)
        if needed:
            assert {"password": []} in operation["security"], route
        else:
            assert operation["security"] == [], route
    assert set(dependencies_by_route) <= described
    assert {r for r in described if "/v1/verify" not in r or "/manifests" in r} == set(dependencies_by_route)


def test_security_names_declared_schemes_and_scopes(document):
    schemes = document["components"]["securitySchemes"]
    used = set()
    for route, operation in operations(document):
        for alternative in operation["security"]:
            for name, scopes in alternative.items():
                used.add(name)
                declared = {scope for flow in schemes[name]["flows"].values() for scope in flow.get("scopes", {})}
                assert set(scopes) <= declared, route
    assert used == set(schemes)


def test_if_match_is_required_where_a_route_needs_a_version(document, dependencies_by_route):
    required = set()
    for route, operation in operations(document):
        stated = [each for each in operation.get("parameters", ()) if each["name"].lower() == "if-match"]
        needed = dependencies.if_match_version in dependencies_by_route.get(route, set())
        assert bool(stated) == needed == ("428" in operation["responses"]), route
        for parameter in stated:
            assert (parameter["name"], parameter["in"], parameter["required"]) == ("If-Match", "header", True), route
            required.add(route)
    assert len(required) > 20


def test_operations_and_parameters_are_described(document):
    for route, operation in operations(document):
        assert operation["summary"] and len(operation["description"]) > 15, route
        assert not re.search(r"(?i)\bnone\b|:param|\bTODO\b", operation["summary"]), route
        names = [(each["name"], each["in"]) for each in operation.get("parameters", ())]
        assert len(names) == len(set(names)), route
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), f"{route} {parameter['name']}"
        in_path = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", route)), route
        assert all(each["required"] for each in operation.get("parameters", ()) if each["in"] == "path"), route


def test_every_operation_has_a_response_of_success_and_one_of_error(document):
    for route, operation in operations(document):
        assert any(status[0] in "23" for status in operation["responses"]), route
        assert any(status.startswith("4") for status in operation["responses"]), route
        assert all(each["description"] for each in operation["responses"].values()), route


def test_a_read_with_a_long_body_is_refused_as_documented(shared_app):
    """413 is the documented error of reads that take no input."""
    for path in ("/v1/schemes", "/health/live", "/.well-known/jwks.json"):
        answer = shared_app.http.request("GET", path, headers={"Content-Length": "9" * 12})
        refused(answer, 413)


def test_head_of_the_document(document):
    assert document["info"]["license"] == {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
    assert document["servers"] and not any(each["url"].endswith("/") for each in document["servers"])
    assert all(tag["description"] for tag in document["tags"])
    assert json.loads(DOCUMENT.read_text("utf-8"))["servers"] == [{"url": "/"}]


def test_no_two_paths_match_the_same_address(document):
    shapes = Counter(re.sub(r"{\w+}", "{}", path) for path in document["paths"])
    assert [shape for shape, count in shapes.items() if count > 1] == []


def test_enumerations_have_members_of_their_type(document):
    types = {"string": str, "integer": int, "boolean": bool, "null": type(None)}

    def check(schema):
        if isinstance(schema, list):
            for each in schema:
                check(each)
        elif isinstance(schema, dict):
            if isinstance(schema.get("enum"), list) and "type" in schema:
                stated = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
                allowed = tuple(types[each] for each in stated)
                assert all(isinstance(each, allowed) for each in schema["enum"]), schema
            for each in schema.values():
                check(each)

    check(document["paths"])
    check(document["components"])


def test_members_that_are_lists_of_words_are_enumerations(document):
    schemas = document["components"]["schemas"]
    for name, member in (
        ("CertificateResponse", "origin_criterion"),
        ("CertificateResponse", "status"),
        ("SchemeResponse", "assessment_level"),
        ("ApplicationResponse", "state"),
        ("FindingResponse", "outcome"),
        ("VerificationResponse", "verdict"),
        ("OrganisationResponse", "status"),
        ("MatterResponse", "state"),
        ("AnnouncedDayRequest", "occasion"),
    ):
        schema = schemas[name]["properties"][member]
        while "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        assert schema.get("enum"), f"{name}.{member}"
