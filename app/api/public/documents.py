"""Render QR code, label and signed PDF of a certificate that is valid today."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import WithJsonSchema

from app.certificates import certificate_repository
from app.certificates.certificate_number import parse_number
from app.certificates.read_model.proven_records import require_not_issued
from app.core import i18n
from app.core.dates import format_utc
from app.core.errors import Conflict, Invalid, NotFound
from app.core.messages import Message, to_message
from app.documents.document_data import load_document_data
from app.documents.pdf.content import pdf_languages
from app.documents.renderer import DocumentData, DocumentRenderer
from app.verification.verdict import Verdict, VerificationResult
from app.web.container import Container
from app.web.dependencies import NowDep, get_container
from app.web.headers import conditional_response, not_modified
from app.web.problems.openapi_responses import NOT_MODIFIED_DOCS, error_responses
from app.web.routes import GuardedRoute, PublicRouter

_Language = Annotated[str, WithJsonSchema({"type": "string", "enum": list(i18n.LANGUAGES)})]

router = PublicRouter(route_class=GuardedRoute, tags=["public register"])

SVG, PNG, PDF = "image/svg+xml", "image/png", "application/pdf"


class CertificateNotValid(Conflict):
    """Reject the rendering of a certificate that is not valid today, with its verdict: documents end up on goods."""

    code = "not-in-force"

    def __init__(self, result: VerificationResult) -> None:
        super().__init__(
            Message(
                "%(verdict)s Codes, labels and PDF files are made only of certificates that are valid today.",
                verdict=to_message(result.message),
            ),
            data={
                "verdict": result.verdict.value,
                "as_of": format_utc(result.as_of) if result.as_of else None,
            },
        )


def _response_docs(media_type: str, *refusals: int) -> dict[int | str, dict[str, object]]:
    content = {"type": "string"} | ({} if media_type == SVG else {"format": "binary"})
    return {
        200: {"content": {media_type: {"schema": content}}},
        **NOT_MODIFIED_DOCS,
        **error_responses(404, 409, 503, *refusals),
    }


@router.get(
    "/v1/certificates/{number}/qr.svg",
    summary="Get the QR code of a certificate as SVG",
    response_class=Response,
    responses=_response_docs(SVG),
)
async def get_certificate_qr_svg(number: str, request: Request, now: NowDep) -> Response:
    """Contains the address of the certificate page and a signed QR token that can be verified offline.

    Print it at least 30 mm wide including its white border. Error correction level M.
    """
    return await _picture_response(request, number, now, SVG, DocumentRenderer.qr_svg)


@router.get(
    "/v1/certificates/{number}/qr.png",
    summary="Get the QR code of a certificate as PNG",
    response_class=Response,
    responses=_response_docs(PNG),
)
async def get_certificate_qr_png(number: str, request: Request, now: NowDep) -> Response:
    """The QR code of `qr.svg` as a bitmap."""
    return await _picture_response(request, number, now, PNG, DocumentRenderer.qr_png)


@router.get(
    "/v1/certificates/{number}/label.svg",
    summary="Get the label for goods as SVG",
    response_class=Response,
    responses=_response_docs(SVG),
)
async def get_certificate_label(number: str, request: Request, now: NowDep) -> Response:
    """62 by 20 mm: a QR code of 16 mm with the short address, the name of the scheme, and the number.

    Do not print the code smaller than 14 mm including its white border.
    """
    return await _picture_response(request, number, now, SVG, DocumentRenderer.label)


@router.get(
    "/v1/certificates/{number}/certificate.pdf",
    summary="Get the certificate as a signed PDF",
    response_class=Response,
    responses=_response_docs(PDF, 422),
)
async def get_certificate_pdf(
    number: str,
    request: Request,
    now: NowDep,
    lang: Annotated[_Language | None, Query(description="third language: `ru`, `fa`, `ar`, `zh` or `de`")] = None,
) -> Response:
    """In Azerbaijani, English and an optional third language. PDF/A-3 with the credential attached, signed (PAdES)."""
    data = await _load_valid_document_data(request, number, now)
    if lang is not None and lang not in i18n.LANGUAGES:
        raise Invalid(
            "There is no PDF certificate in this language.", [{"pointer": "query:lang", "detail": _INVALID_LANGUAGE}]
        )
    container = get_container(request)
    renderer = container.documents
    # Two signatures of equal content differ: the weak tag identifies the content.
    headers = {"ETag": f'W/"{renderer.cache_key(data, lang)}"', **_REVALIDATE}
    if unchanged := not_modified(request, headers):
        return unchanged
    pdf = await container.render_pool.render(lambda: renderer.certificate_pdf(data, lang, now))
    headers |= {
        "Content-Disposition": f'inline; filename="{data.facts.number}.pdf"',
        "Content-Language": ", ".join(pdf_languages(lang)),
        "Content-Security-Policy": _PDF_CSP,
    }
    return Response(pdf, headers=headers, media_type=PDF)


_REVALIDATE = {"Cache-Control": "no-cache"}  # a certificate may be revoked at any time
# Browsers show a PDF in an internal page, which `default-src 'none'` may leave blank.
_PDF_CSP = "frame-ancestors 'none'"
_INVALID_LANGUAGE = Message("Enter one of: %(allowed)s.", code="not-in-list", allowed=list(i18n.LANGUAGES))


async def _picture_response(
    request: Request,
    number: str,
    now: datetime,
    media_type: str,
    draw: Callable[[DocumentRenderer, DocumentData], bytes],
) -> Response:
    """Render on a thread, with a cache: in the event loop it would delay every verification."""
    data = await _load_valid_document_data(request, number, now)
    container = get_container(request)
    body = await container.render_pool.render(lambda: draw(container.documents, data))
    return conditional_response(request, body, _REVALIDATE, media_type)


async def _load_valid_document_data(request: Request, number: str, now: datetime) -> DocumentData:
    """Load the data of a certificate. Raises `NotFound`, or `CertificateNotValid` if it is not valid today."""
    container = get_container(request)
    return await container.render_pool.read(lambda: _load_document_data(container, number, now))


def _load_document_data(container: Container, number: str, now: datetime) -> DocumentData:
    keys, parsed = container.keys.keyring(), parse_number(number)
    with container.database.read_session() as session:
        row = certificate_repository.by_number(session, str(parsed)) if parsed else None
        if row is None:
            require_not_issued(container.log, str(parsed) if parsed else None)
        shown = container.verification.read_many(session, [row.number], now) if row else {}
        if row is None or not shown:
            raise NotFound.of("certificate")
        record, result = shown[row.number]
        if result.verdict is not Verdict.VALID:
            raise CertificateNotValid(result)
        return load_document_data(session, row, record, keys, container.settings.base_url)
