"""docs/openapi.json is what the service answers: a change of the API is seen where it is reviewed."""

import difflib
import json
import re
from collections import Counter

import pytest

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
