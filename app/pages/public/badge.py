"""The badge: a small picture with the verdict of this moment, to be shown on the holder's own pages.

Self-contained: no script, no font, no foreign address. A number that we do not know gets a grey badge and the status
200, as a check of it does: a picture that breaks says less than one that says “not found”.
"""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import Response

from app.core.i18n import DEFAULT, LANGUAGES
from app.pages.i18n import _
from app.pages.public.verdict_texts import FACES
from app.pages.rendering import services_of
from app.schemes.emblems import drawing
from app.verification.verdict import Verdict
from app.web.dependencies import get_container
from app.web.headers import conditional_response
from app.web.problems.openapi_responses import UNCHANGED
from app.web.routes import OrderedRoute, PublicRouter

router = PublicRouter(route_class=OrderedRoute, tags=["public"])

MEDIA_TYPE: Final = "image/svg+xml"
CERTIFICATE: Final = _("Certificate")
"""What stands there for a number of which we know no mark."""
_FILLS: Mapping[str, str] = {"good": "#0d6248", "wait": "#7d4b00", "bad": "#96182e", "neutral": "#46545b"}
_UNSURE: Final = frozenset({Verdict.UNKNOWN, Verdict.MISTYPED})
_EM: Final = 13  # pixels, the size of the letters


@router.get(
    "/v1/certificates/{number}/badge.svg",
    summary="Its status as a picture",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **UNCHANGED,
    },
)
async def badge(
    number: str,
    request: Request,
    lang: Annotated[str, Query(description="az, en, ru, fa, ar, zh or de; anything else is English")] = DEFAULT,
) -> Response:
    """The verdict of this moment in colour, word and icon; ask again each time (`If-None-Match` makes that cheap).

    Always 200: a number that is unknown or mistyped gets a grey badge.
    """
    judgement = await get_container(request).verification.by_number(number)
    face, record = FACES[judgement.verdict], judgement.record
    services, language = services_of(request), lang if lang in LANGUAGES else DEFAULT
    frame = services.frame
    word = frame.translated(face.word, language)
    name = record.scheme_name.partition(" – ")[0] if record else frame.translated(CERTIFICATE, language)
    mark = (await services.marks.all(record.scheme_code)).get(record.scheme_code) if record else None
    body = frame.text(
        "badge.svg",
        language,
        name=name,
        name_lang="en" if record else language,
        drawing=mark.drawing if mark else drawing(None),
        word=word,
        icon_name=face.icon,
        fill=_FILLS["neutral" if judgement.verdict in _UNSURE else face.tone],
        number=record.number if record else "",
        name_width=width(name),
        word_width=width(word),
    ).encode()
    headers = {"Cache-Control": "no-cache", "Content-Language": language}
    return conditional_response(request, body, headers, MEDIA_TYPE)


def width(text: str) -> int:
    """Pixels that the text is given: no font is known here, so the picture fits the letters into this."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return round(_EM * (wide + 0.58 * (len(text) - wide)))
