"""The frame of every page: templates in the reader's language, the headers that keep a page honest, its entity tag.

A page is made by `render(request, "name.html", …)`. In templates: `_("English text")` (see `app/locales`),
`ngettext("%(n)s day", "%(n)s days", days, n=isolated(days))` where a number stands in a sentence,
`link("/register")` for addresses of our own, `asset("pages.css")`, `{{ date | day }}`, `{{ timestamp | moment }}`,
`lang`, `dir`. After adding words run `python -m tests.pages.strings --write` and translate what is new.
Nothing of a page depends on who asks, only on the address, `Accept-Language` and the cookie that keeps the language.
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
from app.pages.i18n import COOKIE, OWN_NAMES, PARAMETER, Choice, choose, day, moment
from app.pages.scheme_summaries import Marks
from app.pages.static_assets import Assets
from app.schemes.emblems import drawing
from app.web.headers import conditional_response

A_YEAR: Final = 31_536_000
MOST_FIELDS: Final = 24
MOST_CHARS: Final = 240
"""Of an address, in the links to the same page in other languages: seven times what somebody sent is enough."""
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_NOTHING_ALLOWED: Final = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
_CAMERA_ALLOWED: Final = _NOTHING_ALLOWED.replace("camera=()", "camera=(self)")
NAVIGATION_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Frame:
    """One for each worker: an environment of templates for each language, and the files beside them."""

    def __init__(self, *, base_url: str, demo: bool = False) -> None:
        self.base_url = base_url
        self.demo = demo
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
        words = i18n.catalogue("pages", language)
        environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
        environment.filters["day"] = partial(day, language=language)
        environment.filters["country"] = partial(i18n.country, language=language)
        environment.filters["moment"] = partial(moment, language=language)
        environment.globals |= {
            "lang": language,
            "dir": i18n.direction(language),
            "isolated": isolated,
            "asset": self.assets.address,
            "base_url": self.base_url,
            "demo": self.demo,  # every page of a demo says that it is one
            "neutral_emblem": drawing(None),
        }
        return environment

    def translated(self, text: str, language: str) -> str:
        """A text of the catalogues that stands in Python (`words.py`)."""
        return i18n.catalogue("pages", language).gettext(text)

    def text(self, template: str, language: str, **values: Any) -> str:
        return self._environments[language].get_template(template).render(**values)


def isolated(value: object) -> Markup:
    """A number, date or name inside a sentence, which may run the other way (Persian, Arabic)."""
    return Markup("<bdi>{}</bdi>").format(value)


@dataclass(frozen=True, slots=True)
class PageServices:
    """What pages need beside the container of the web layer; one for each worker."""

    frame: Frame
    marks: Marks


SERVICES: Final = "mik.page_services"
"""Key of the ASGI scope under which `FaultPages` hands the services to every page."""


def services_of(request: Request) -> PageServices:
    services: PageServices = request.scope[SERVICES]
    return services


def language_of(request: Request) -> Choice:
    return choose(
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
    """A page, or 304 where the browser has it already. `camera` lets its scripts ask for the camera."""
    frame, choice = services_of(request).frame, language_of(request)
    text = frame.text(template, choice.language, **_of_request(request, choice), **values)
    body = text.encode("utf-8", errors="replace")  # an unpaired surrogate must not stop a page
    sent = {
        **NAVIGATION_HEADERS,
        "Permissions-Policy": _CAMERA_ALLOWED if camera else _NOTHING_ALLOWED,
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
        keep_language(response, choice.language, https=frame.base_url.startswith("https://"))
    return response


def keep_language(response: Response, language: str, *, https: bool) -> None:
    response.set_cookie(COOKIE, language, max_age=A_YEAR, secure=https, httponly=True, samesite="lax")


def _of_request(request: Request, choice: Choice) -> dict[str, Any]:
    """What `base.html` shows of where the reader is; addresses are relative to our own host."""
    path = request.url.path
    fields = parse_qsl(request.url.query)[:MOST_FIELDS]
    query = [(name, value) for name, value in fields if name != PARAMETER and len(name + value) <= MOST_CHARS]

    def link(to: str) -> str:
        if not choice.in_address:
            return to
        address, mark, fragment = to.partition("#")
        return f"{address}{'&' if '?' in address else '?'}{PARAMETER}={choice.language}{mark}{fragment}"

    def in_language(language: str) -> str:
        # Without the path: `//host` at the beginning of a path would lead to another host.
        return "?" + urlencode([*query, (PARAMETER, language)])

    return {
        "link": link,
        "lang_in_address": choice.in_address,  # forms with GET carry it on as a hidden field
        "here": path,
        "other_languages": [(code, name, in_language(code)) for code, name in OWN_NAMES.items()],
        "own_name": OWN_NAMES[choice.language],
    }
