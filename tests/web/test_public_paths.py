"""Which addresses every web page may read (CORS): the routers say it, and this is the list."""

import re

import pytest
from starlette.routing import Route

from app.main import ROUTERS
from app.web.routes import PublicRouter, paths_of

PUBLIC = re.compile(
    r"/v1/verify(?!/manifests)(/.*)?|/v1/imports/templates/[^/]*|/v1/(certificates|schemes|parks|status-lists|contexts|schemas|render-templates)(/[^/]*)?"
    r"|/v1/(operations|units|flags|headings)"
    r"|/v1/schemes/[^/]*/rulesets|/v1/certificates\.(csv|jsonl)"
    r"|/v1/certificates/[^/]*/(badge\.svg|qr\.svg|qr\.png|label\.svg|certificate\.pdf|credential\.jwt|log-proof)"
    r"|/v1/(certificates|holders|headings)/[^/]*/events\.atom"
    r"|/\.well-known/.*|/log/.*|/01/.*|/openapi\.json|/health/.*"
)


@pytest.mark.parametrize("shared_app", ["sqlite"], indirect=True, scope="module")
def test_the_public_paths_are_these(shared_app):
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    paths = {route.path for route in shared_app.fastapi.routes if isinstance(route, Route)}
    assert len(paths) > 100
    for path in sorted(paths | {"/v1/verify", "/v1/verify/{number}"}):
        address = re.sub(r"{\w+(:path)?}", "x", path)
        answer = shared_app.http.options(address, headers=preflight)
        assert (answer.headers.get("access-control-allow-origin") == "*") is bool(PUBLIC.fullmatch(address)), path


def test_a_router_is_public_as_a_whole():
    """Else its addresses would have to be told apart one by one."""
    for router in ROUTERS:
        found = {bool(PUBLIC.fullmatch(route.path.replace("{", "x").replace("}", "x"))) for route in router.routes}
        assert found == {isinstance(router, PublicRouter)}


def test_the_pattern_matches_whole_paths_only():
    pattern = paths_of([Route("/a/{number}", None), Route("/a/b.svg", None), Route("/log/{rest:path}", None)])
    for path in ("/a/1", "/a/b.svg", "/log/", "/log/1/2"):
        assert pattern.fullmatch(path), path
    for path in ("/a", "/a/", "/a/1/2", "/a/b-svg/", "/logs", "/b/a/1", ""):
        assert not pattern.fullmatch(path), path
