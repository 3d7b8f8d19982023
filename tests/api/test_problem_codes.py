"""Every problem code that the service can answer is explained, and its `type` leads to the explanation."""

import ast
import importlib
import json
import pkgutil
from pathlib import Path

import pytest

import app
from app.core.errors import MikError
from app.pages.public.problem_pages import example_of
from app.web.problems.problem_codes import problem_codes
from app.web.problems.problem_details import _HTTP_CODES, status_of
from tests.helpers import refused

SOURCES = Path(app.__file__).parent


def kinds_of(kind):
    """The refusals there are, by class name; those that no answer may show (status 500) left out."""
    own = {} if status_of(kind.__new__(kind)) == 500 else {kind.__name__: kind}
    return own | {name: each for child in kind.__subclasses__() for name, each in kinds_of(child).items()}


@pytest.fixture(scope="module")
def emitted():
    """(code, status) of every refusal in the source: of classes, of `code=` where one is raised, of `problem(…)`."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    classes = kinds_of(MikError)
    found = {(each.code, status_of(each.__new__(each))) for each in classes.values()}
    found |= {(code, status) for status, code in _HTTP_CODES.items()} | {("error", 500)}
    for source in SOURCES.rglob("*.py"):
        tree = ast.parse(source.read_text("utf-8"))
        constants = {
            node.targets[0].id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            names = {getattr(call.func, "id", None), getattr(call.func, "attr", None)}
            names |= {getattr(getattr(call.func, "value", None), "id", None)}
            kind = next((classes[name] for name in names if name in classes), None)
            if kind is not None:
                status = status_of(kind.__new__(kind))
                found |= {(code, status) for each in call.keywords if each.arg == "code"
                          for code in texts(each.value, constants)}  # fmt: skip
            if "problem" in names and len(call.args) > 1 and isinstance(call.args[0], ast.Constant):
                found |= {(code, call.args[0].value) for code in texts(call.args[1], constants)}
    return found


def texts(node, constants):
    """The texts that an expression may stand for."""
    if isinstance(node, ast.IfExp):
        return texts(node.body, constants) | texts(node.orelse, constants)
    if isinstance(node, ast.Name) and node.id in constants:
        return {constants[node.id]}
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def sent_back():
    """The codes of `_blocking_findings`: an approval that returns the case to review answers them without raising."""
    tree = ast.parse((SOURCES / "applications" / "decision.py").read_text("utf-8"))
    (function,) = [node for node in ast.walk(tree) if getattr(node, "name", None) == "_blocking_findings"]
    tuples = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    return {(each.elts[0].value, 409) for each in tuples if isinstance(each, ast.Tuple)}


def test_every_code_that_the_service_answers_is_explained_and_no_other(emitted):
    assert len(emitted) > 80, "the codes were not found"
    assert sorted(emitted | sent_back()) == sorted((each.code, each.status) for each in problem_codes().values())


def test_explanations_are_sentences():
    for each in problem_codes().values():
        for text in (each.cause, each.remedy):
            assert text[0].isupper() and text.endswith("."), each
        assert each.cause != each.remedy and each.detail, each


def test_the_type_of_a_problem_leads_to_cause_remedy_and_example(shared_app):
    document = refused(shared_app.http.get("/v1/certificates/MIK-2026-999999-X"), 404, "not-found")
    assert document["type"] == "http://localhost:8000/problems/not-found"
    answer = shared_app.http.get(document["type"])
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("not-found (HTTP status 404)\n\nCause: ")
    example = json.loads(answer.text.partition("Example:\n\n")[2])
    assert example["type"] == document["type"] and example.keys() == document.keys()
    page = shared_app.http.get(document["type"], headers={"Accept": "text/html"})
    assert "<h2>Remedy</h2>" in page.text and problem_codes()["not-found"].remedy in page.text


def test_refusals_of_verifications_have_it_too(shared_app):
    document = refused(shared_app.http.post("/v1/verify", json={"number": 1}), 422, "invalid")
    assert document["type"] == "http://localhost:8000/problems/invalid"


def test_every_example_is_a_problem_document(shared_app):
    for each in problem_codes().values():
        document = json.loads(example_of(each, "https://verify.example.az"))
        assert document["type"] == f"https://verify.example.az/problems/{each.code}"
        assert document["title"] and document["status"] == each.status
        text = shared_app.http.get(f"/problems/{each.code}").text
        assert f'"code": "{each.code}"' in text


def test_the_list_names_each_code_and_an_unknown_one_is_not_found(shared_app):
    listed = shared_app.http.get("/problems").text.splitlines()
    assert [line.partition(" ")[0] for line in listed] == sorted(problem_codes())
    refused(shared_app.http.get("/problems/no-such-code"), 404, "not-found")
    refused(shared_app.http.get("/problems/not-found", headers={"Accept": "image/png"}), 406, "not-acceptable")
