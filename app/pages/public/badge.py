"""Serve a small SVG badge with the current verdict, which a holder can show on its own pages.

The image is self-contained: no script, font or other address. An unknown number gets a grey badge and the status 200,
as its verification does, because a broken image would not tell the reader “not found”.
"""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import Response

from app.core.i18n import DEFAULT_LANGUAGE, LANGUAGES
from app.pages.i18n import _
from app.pages.public.verdict_texts import VERDICT_TEXTS
from app.pages.rendering import services_of
from app.schemes.emblems import read_emblem_content
from app.verification.verdict import Verdict
from app.web.dependencies import get_container
from app.web.headers import conditional_response
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(route_class=GuardedRoute, tags=["public register"])

MEDIA_TYPE: Final = "image/svg+xml"
CERTIFICATE: Final = _("Certificate")
"""Text of a badge whose mark is unknown."""
_FILLS: Mapping[str, str] = {"good": "#0d6248", "wait": "#7d4b00", "bad": "#96182e", "neutral": "#46545b"}
_UNCERTAIN_VERDICTS: Final = frozenset({Verdict.UNKNOWN, Verdict.MISTYPED})
_EM_PX: Final = 13  # pixels, the size of the letters


@router.get(
    "/v1/certificates/{number}/badge.svg",
    summary="Get the status of a certificate as an SVG badge",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **NOT_MODIFIED_DOCS,
    },
)
async def get_certificate_badge(
    number: str,
    request: Request,
    lang: Annotated[
        str, Query(description="az, en, ru, fa, ar, zh or de; anything else is English")
    ] = DEFAULT_LANGUAGE,
) -> Response:
    """Return the current verdict as colour, word and icon. Clients revalidate it with `If-None-Match`.

    Always 200: a number that is unknown or mistyped gets a grey badge.
    """
    judgement = await get_container(request).verification.verify_number(number)
    face, record = VERDICT_TEXTS[judgement.verdict], judgement.record
    services, language = services_of(request), lang if lang in LANGUAGES else DEFAULT_LANGUAGE
    frame = services.frame
    word = frame.translate(face.word, language)
    name = record.scheme_name.partition(" – ")[0] if record else frame.translate(CERTIFICATE, language)
    mark = (await services.marks.get_all(record.scheme_code)).get(record.scheme_code) if record else None
    body = frame.render_text(
        "badge.svg",
        language,
        name=name,
        name_lang="en" if record else language,
        drawing=mark.drawing if mark else read_emblem_content(None),
        word=word,
        icon_name=face.icon,
        fill=_FILLS["neutral" if judgement.verdict in _UNCERTAIN_VERDICTS else face.tone],
        number=record.number if record else "",
        name_width=text_width(name),
        word_width=text_width(word),
    ).encode()
    headers = {"Cache-Control": "no-cache", "Content-Language": language}
    return conditional_response(request, body, headers, MEDIA_TYPE)


def text_width(text: str) -> int:
    """Estimate the width of a text in pixels. The font is unknown, so the image fits the text to this width."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return round(_EM_PX * (wide + 0.58 * (len(text) - wide)))
