"""What CONTRIBUTING.md and pyproject.toml promise of the code and no other tool checks."""

import ast
import asyncio
import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import grimp
import pytest
from starlette.requests import Request

from tests.pure import PURE

pytestmark = pytest.mark.short

ROOT = Path(__file__).parent.parent
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted(ROOT.glob("app/**/*.py"))}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

MAX_MODULES = 16
MAX_ALIASES = 10
SHARED_CLASS_NAMES = {
    # names of UNTP, which our own domain has as well
    *("Assessment", "Criterion", "Product", "Profile", "Scheme", "Status"),
    # a table, and the facts that rules read of it
    *("Evidence", "Material", "Place", "Residency", "Step"),
}
SESSIONS_OF_THEIR_OWN = {
    "app/api/account/sign_on.py": "a provider is asked between two short sessions",
    "app/api/company/me.py": "a password is hashed between two short sessions",
    "app/api/company/members.py": "a password is hashed between two short sessions",
    "app/api/company/registration.py": "a password is hashed between two short sessions",
    "app/api/company/token.py": "a password is hashed between two short sessions",
    "app/api/company/my_lists.py": "the response is streamed after the request's session has ended",
    "app/api/shared/manifests.py": "the response is streamed after the request's session has ended",
    "app/api/public/bulk_export.py": "the response is streamed after the request's session has ended",
    "app/api/public/documents.py": "a document is rendered outside of a session",
    "app/pages/scheme_summaries.py": "a cache of all requests",
}
COMMITS_BELOW_THE_REQUEST = {
    "app/core/crypto/row_macs.py": "signs all rows once, at the first start, before the key has its name",
    "app/auth/demo_staff.py": "accounts of the demo, at the start",
    "app/notifications/inbox_follower.py": "each batch of events is stored with the cursor, before the next is read",
    "app/bulk/manifests.py": "each part of a list is stored as soon as it is evaluated",
    "app/bootstrap.py": "the first rows, at the start",
    "app/certificates/status_list_publisher.py": "signs a list for a reader, in a transaction of its own",
    "app/core/unit_of_work.py": "the commit itself",
    "app/transparency/witness_client.py": "stores what witnesses answered, beside all requests",
    "app/jobs/job_worker.py": "takes jobs and notes what came of them, beside all requests",
    "app/worker/due_tasks.py": "each due task is a transaction of its own",
    "app/worker/handlers.py": "renews stored answers, beside all requests",
    "app/watches/follower.py": "the mails of a batch of events are written with how far it has come",
    "app/webhooks/delivery.py": "each attempt is noted as soon as it was made",
    "app/notifications/delivery.py": "each message is marked as soon as it was sent",
    "app/sandbox/robots.py": "each act of a robot is a transaction, as a request of a person is",
}


def methods_called(name):
    """The names of the methods that a module calls."""
    calls = (node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call))
    return {called.attr for called in calls if isinstance(called, ast.Attribute)}


def test_the_contract_of_pure_modules_lists_the_pure_files():
    (contract,) = (each for each in CONTRACTS if each["name"] == "Pure modules do no I/O")
    assert contract["source_modules"] == [name.removesuffix(".py").replace("/", ".") for name in PURE]


def test_every_pure_pattern_finds_a_file():
    assert [name for name in PURE if not list(ROOT.glob(name))] == []


def test_class_names_are_in_one_module_each():
    modules = defaultdict(list)
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                modules[node.name].append(name)
    twice = {name: found for name, found in modules.items() if len(found) > 1 and name not in SHARED_CLASS_NAMES}
    assert twice == {}


def test_our_own_modules_are_rarely_imported_under_another_name():
    aliases = [
        f"{name}: {alias.name} as {alias.asname}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "app")
        or (isinstance(node, ast.Import) and node.names[0].name.split(".")[0] == "app")
        for alias in node.names
        if alias.asname
    ]
    assert len(aliases) <= MAX_ALIASES, aliases


def test_no_folder_holds_too_many_modules():
    counts = Counter(name.rpartition("/")[0] for name in SOURCES if not name.endswith("/__init__.py"))
    assert {folder: count for folder, count in counts.items() if count > MAX_MODULES} == {}


def test_modules_import_each_other_without_cycles():
    graph = grimp.build_graph("app")
    left = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while free := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: imported for module, imported in left.items() if module not in free}
    assert sorted(left) == []


def test_routes_make_no_sessions():
    makers = {name for name in SOURCES if name.startswith(("app/api/", "app/pages/"))}
    makers = {name for name in makers if {"session", "read_session"} & methods_called(name)}
    assert makers == SESSIONS_OF_THEIR_OWN.keys()


def test_services_do_not_commit():
    outside = ("app/api/", "app/cli/", "app/web/")
    committing = {name for name in SOURCES if not name.startswith(outside) and "commit" in methods_called(name)}
    assert committing == COMMITS_BELOW_THE_REQUEST.keys()


def test_every_ignored_check_has_its_reason_beside_it():
    ignores = re.compile(
        r"# (noqa|type: ignore|pragma: no cover)(: [A-Z]+\d+(, ?[A-Z]+\d+)*|\[[a-z, -]+\])?\s*$"
        r"|pytest\.skip\(\)|mark\.(skip|xfail)(\(\))?\s*$|mark\.skipif\((?!.*reason=)"
    )
    reasonless = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("app", "benchmarks", "migrations", "tests", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if ignores.search(line)
    ]
    assert reasonless == []


def test_migrations_are_dated_and_follow_one_another():
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    previous = "None"
    for path in files:
        text = path.read_text()
        date = re.match(r"(\d{4})_(\d{2})_(\d{2})_(\d{4})_", path.name)
        revision = re.search(r'^revision = "(.+)"', text, re.MULTILINE)[1]
        down = re.search(r'^down_revision = "?([^"\n]+)', text, re.MULTILINE)[1]
        assert date and revision.startswith("{}{}{}_{}".format(*date.groups())), path.name
        assert down == previous, path.name
        previous = revision


def test_starlette_has_the_private_attributes_that_are_used():
    users = {name for name, text in SOURCES.items() if "SLF001" in text and "request._" in text}
    assert users == {"app/web/routes.py"}

    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    request = Request({"type": "http", "headers": []}, receive)
    assert request._receive is receive
    assert asyncio.run(request.json()) == request._json == {}
