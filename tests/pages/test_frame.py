"""What every page has: its headers, its languages, its files, and a page for each refusal."""

import re
from unittest.mock import patch

import httpx2 as httpx
import pytest
from starlette.responses import Response
from starlette.routing import Mount, Route

from app.core.errors import Forbidden, TooManyAttempts
from app.core.i18n import LANGUAGES
from app.core.text.marking import Marking
from app.pages.error_pages import ERROR_TEXTS
from app.pages.rendering import PageRenderer, set_language_cookie
from tests.pages.browsing import HTML
from tests.pages.pages import BESIDE, FAULT, PAGES, addresses


def leaves(routes):
    for route in routes:
        if inner := getattr(route, "original_router", None):
            yield from leaves(inner.routes)
        else:
            yield route


def test_every_page_is_known_here_and_open_to_everybody(shared_app):
    """The permission matrix of pages: each route outside the API's description is public, with and without a token."""
    described = shared_app.http.get("/openapi.json").json()["paths"]
    found = {
        route.path
        for route in leaves(shared_app.fastapi.routes)
        if isinstance(route, Route | Mount) and route.path.replace(":path}", "}") not in described
    }
    assert found == PAGES.keys() | BESIDE
    for some in PAGES.values():
        for address in some:
            if "{holder}" in address or "{gtin}" in address:
                continue  # there is none in this app: tests/pages/test_register.py looks at it
            path = re.sub("{.*}", "MIK-2026-000042-Y", address)
            answer = shared_app.http.get(path, headers=HTML)
            same = shared_app.http.get(path, headers=HTML | {"Authorization": "Bearer nonsense"})
            assert (answer.status_code, answer.text) == (200, same.text)


def test_headers_keep_every_page_honest(site, http):
    for address in addresses(site):
        answer = http.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        camera = "camera=(self)" if address.startswith("/v") else "camera=()"
        assert camera in answer.headers["Permissions-Policy"]
        assert answer.headers["Vary"] == "Accept, Accept-Language, Cookie"
        # what would need 'unsafe-inline': style attributes, handlers, scripts without a file
        assert not re.search(
            r"""<[^>]*\s(style|on\w+)\s*=|<style|<script(?![^>]*(src|application/json))""", answer.text
        )


def test_every_page_switches_to_every_language(site, http):
    for address in addresses(site):
        for language in LANGUAGES:
            page = http.get(address, params={"lang": language}).text
            direction = "rtl" if language in {"fa", "ar"} else "ltr"
            assert f'<html lang="{language}" dir="{direction}">' in page
            assert all(f'lang="{other}" hreflang="{other}"' in page for other in LANGUAGES)


def test_the_language_is_kept(site):
    with httpx.Client(base_url=site.base_url, headers=HTML | {"Accept-Language": "de"}, trust_env=False) as client:
        assert '<html lang="de"' in client.get("/verify").text
        assert "lang" not in client.cookies
        chosen = client.get("/verify?lang=fa&number=x")
        assert "Max-Age=31536000" in chosen.headers["Set-Cookie"] and "HttpOnly" in chosen.headers["Set-Cookie"]
        assert 'href="/verify?lang=fa"' in chosen.text  # also for browsers that keep no cookies
        assert 'href="?number=x&amp;lang=ru"' in chosen.text  # the other languages are of the same page
        assert '<html lang="fa"' in client.get("/verify").text


def test_a_page_that_did_not_change_is_not_sent_again(site, http):
    for address in addresses(site)[:-1]:
        first = http.get(address)
        again = http.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["Cache-Control"] == "no-cache"
        other = http.get(address, headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "ru"})
        assert other.status_code == 200


def test_files_are_kept_for_ever_under_an_address_of_their_content(http):
    page = http.get("/verify").text
    for address in set(re.findall(r'"(/static/[^"]+)"', page)):
        answer = http.get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        plain = http.get(address, headers={"Accept-Encoding": "identity"})
        assert plain.content == answer.content and "Content-Encoding" not in plain.headers
        assert http.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        old = http.get(re.sub(r"/static/\w+/", "/static/0123456789ab/", address))
        assert (old.content, old.headers["Cache-Control"]) == (answer.content, "no-cache")


def test_only_a_demo_says_that_it_is_one():
    values = {"link": str, "lang_in_address": False, "here": "/", "other_languages": [], "own_name": "English"}
    for marking in (None, *Marking):
        page = PageRenderer(base_url="https://mark.example", marking=marking).render_text("base.html", "en", **values)
        assert [each for each in Marking if each.upper() in page] == ([marking] if marking else [])


@pytest.mark.parametrize("name", ["none.js", "jsqr-LICENSE.txt", "..%2Fframe.py", "%00", "pages.css%2F.."])
def test_other_files_are_not_served(http, name):
    assert http.get(f"/static/0123456789ab/{name}").status_code == 404


def test_refusals_are_pages_for_people_and_problems_for_programs(http):
    answer = http.get(FAULT)
    assert answer.status_code == 404 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Request-Id"] in answer.text and "Page not found" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    for address, accept in [(FAULT, "*/*"), (FAULT, "application/json"), ("/v1/nothing", HTML["Accept"]), (FAULT, "")]:
        assert http.get(address, headers={"Accept": accept}).headers["Content-Type"] == "application/problem+json"
    head = http.head(FAULT)
    assert (head.status_code, head.content) == (404, b"") and head.headers["Content-Type"].startswith("text/html")
    wrong = http.request("DELETE", "/verify")
    assert wrong.status_code == 405 and "GET" in wrong.headers["Allow"] and "<h1>" in wrong.text
    assert http.get(FAULT, headers={"Accept": "image/png"}).status_code == 404


@pytest.mark.parametrize(
    ("fault", "status", "kept"),
    [
        (ZeroDivisionError("secret"), 500, {}),
        (Forbidden("secret"), 403, {}),
        (TooManyAttempts("secret", retry_after=7), 429, {"Retry-After": "7"}),
    ],
)
def test_faults_show_a_reference_and_nothing_else(app, fault, status, kept):
    with patch("app.pages.public.verify.render", side_effect=fault):
        answer = app.http.get("/verify", headers=HTML | {"Accept-Language": "de"})
    assert answer.status_code == status and '<html lang="de"' in answer.text
    assert answer.headers["X-Request-Id"] in answer.text and "secret" not in answer.text
    assert kept.items() <= dict(answer.headers).items() or answer.headers["Retry-After"] == "7"


def test_every_refusal_has_words():
    assert {403, 404, 405, 422, 429, 500, 503} <= ERROR_TEXTS.keys()


@pytest.mark.parametrize("https", [True, False])
def test_the_cookie_of_a_safe_address_is_never_sent_over_an_open_one(https):
    response = Response()
    set_language_cookie(response, "fa", https=https)
    assert ("; Secure" in response.headers["Set-Cookie"]) is https
