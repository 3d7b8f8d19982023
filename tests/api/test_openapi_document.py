"""docs/openapi.json is what the service answers: a change of the API is seen where it is reviewed."""

import difflib

from tools.openapi import DOCUMENT, text_of


def test_the_document_in_the_repository_is_that_of_the_service(shared_app):
    written, served = DOCUMENT.read_text("utf-8"), text_of(shared_app.fastapi)
    changed = "\n".join(difflib.unified_diff(written.splitlines(), served.splitlines(), "written", "served", n=1))
    assert written == served, f"The API changed. If it should: `make openapi`, and commit docs/openapi.json.\n{changed}"
