"""Render pages: templates in the reader's language, security headers and entity tag.

Call `render(request, "name.html", …)`. In templates: `_("English text")` (see `app/locales`),
`ngettext("%(n)s day", "%(n)s days", days, n=isolated(days))` for sentences with a number,
`link("/register")` for addresses of this service, `asset("pages.css")`, `{{ date | day }}`, `{{ timestamp | moment }}`,
`lang`, `dir`. After adding texts run `python -m tests.pages.strings --write` and translate the new ones.
A page depends only on the address, `Accept-Language` and the language cookie, never on the user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from app.core import i18n
from app.core.text.marking import Marking
from app.pages.i18n import COOKIE, PARAMETER, LanguageChoice, choose_language, day, format_datetime
from app.pages.scheme_summaries import SchemeSummaries
from app.pages.static_assets import Assets
from app.schemes.emblems import read_emblem_content
from app.web.headers import conditional_response

ONE_YEAR_S: Final = 31_536_000
MAX_FIELDS: Final = 24
MAX_CHARS: Final = 240
"""Limits of the query repeated in the links to other languages: each page repeats the query in every link."""
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_PERMISSIONS_POLICY: Final = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
_PERMISSIONS_POLICY_CAMERA: Final = _PERMISSIONS_POLICY.replace("camera=()", "camera=(self)")
NAVIGATION_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class PageRenderer:
    """The template environments of one worker, one for each language, and its static files."""

    def __init__(self, *, base_url: str, marking: Marking | None = None) -> None:
        self.base_url = base_url
        self.marking = marking
        self.assets = Assets()
        self._environments = {language: self._environment(language) for language in i18n.LANGUAGES}

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=PackageLoader("app.pages"),
            autoescape=select_autoescape(["html", "svg"]),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        texts = i18n.load_catalogue("pages", language)
        environment.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
        environment.filters["day"] = partial(day, language=language)
        environment.filters["country"] = partial(i18n.country_name, language=language)
        environment.filters["moment"] = partial(format_datetime, language=language)
        environment.globals |= {
            "lang": language,
            "dir": i18n.text_direction(language),
            "isolated": isolate_direction,
            "asset": self.assets.address,
            "base_url": self.base_url,
            "marking": self.marking,  # every page of a demo or a sandbox states that it is one
            "neutral_emblem": read_emblem_content(None),
        }
        return environment

    def translate(self, text: str, language: str) -> str:
        """Translate an English text that Python code marked with `_` of `app/pages/i18n.py`."""
        return i18n.load_catalogue("pages", language).gettext(text)

    def render_text(self, template: str, language: str, **values: Any) -> str:
        return self._environments[language].get_template(template).render(**values)


def isolate_direction(value: object) -> Markup:
    """Isolate a number, date or name from the direction of its sentence (Persian and Arabic run right to left)."""
    return Markup("<bdi>{}</bdi>").format(value)


@dataclass(frozen=True, slots=True)
class PageServices:
    """Services that only pages use, beside the container of the web layer; one instance per worker."""

    frame: PageRenderer
    marks: SchemeSummaries


SERVICES: Final = "mik.page_services"
"""Key of the ASGI scope under which `ErrorPageMiddleware` passes the services to every page."""


def services_of(request: Request) -> PageServices:
    services: PageServices = request.scope[SERVICES]
    return services


def language_of(request: Request) -> LanguageChoice:
    return choose_language(
        request.query_params.get(PARAMETER), request.cookies.get(COOKIE), request.headers.get("accept-language")
    )


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    camera: bool = False,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Render a page, or 304 if the browser has it already. `camera` permits its scripts to use the camera."""
    frame, choice = services_of(request).frame, language_of(request)
    text = frame.render_text(template, choice.language, **_request_context(request, choice), **values)
    body = text.encode("utf-8", errors="replace")  # an unpaired surrogate must not stop a page
    sent = {
        **NAVIGATION_HEADERS,
        "Permissions-Policy": _PERMISSIONS_POLICY_CAMERA if camera else _PERMISSIONS_POLICY,
        "Content-Language": choice.language,
        "Vary": "Accept, Accept-Language, Cookie",
        "Cache-Control": "no-cache",
        **(headers or {}),
    }
    if status == 200:
        response = conditional_response(request, body, sent, "text/html")
    else:
        response = Response(body, status, sent, media_type="text/html")
    if choice.in_address:
        set_language_cookie(response, choice.language, https=frame.base_url.startswith("https://"))
    return response


def set_language_cookie(response: Response, language: str, *, https: bool) -> None:
    response.set_cookie(COOKIE, language, max_age=ONE_YEAR_S, secure=https, httponly=True, samesite="lax")


def _request_context(request: Request, choice: LanguageChoice) -> dict[str, Any]:
    """Return the values of `base.html` that depend on the address; links are relative to this host."""
    path = request.url.path
    fields = parse_qsl(request.url.query)[:MAX_FIELDS]
    query = [(name, value) for name, value in fields if name != PARAMETER and len(name + value) <= MAX_CHARS]

    def link(to: str) -> str:
        if not choice.in_address:
            return to
        address, mark, fragment = to.partition("#")
        return f"{address}{'&' if '?' in address else '?'}{PARAMETER}={choice.language}{mark}{fragment}"

    def in_language(language: str) -> str:
        # Without the path: a path that begins with `//host` would lead to another host.
        return "?" + urlencode([*query, (PARAMETER, language)])

    return {
        "link": link,
        "lang_in_address": choice.in_address,  # GET forms repeat it as a hidden field
        "here": path,
        "other_languages": [(code, name, in_language(code)) for code, name in i18n.OWN_NAMES.items()],
        "own_name": i18n.OWN_NAMES[choice.language],
    }
