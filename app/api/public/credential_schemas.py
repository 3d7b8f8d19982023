"""Serve the JSON-LD context, the JSON Schema and the render template that certificates refer to.

They are served by the name of the credential shape as long as a certificate names it, and never change: a change of
meaning needs a new name.
"""

from typing import Annotated, Any, Final

from fastapi import Path, Request
from fastapi.responses import Response

from app.certificates.credential import json_schema, untp_builder
from app.core.crypto import jws
from app.core.errors import NotFound
from app.web.dependencies import SettingsDep
from app.web.headers import conditional_response
from app.web.problems.openapi_responses import error_responses
from app.web.routes import GuardedRoute, PublicRouter

router = PublicRouter(route_class=GuardedRoute)

ShapeName = Annotated[
    str, Path(description="shape of a certificate", json_schema_extra={"enum": list(untp_builder.TERMS_BY_SHAPE)})
]

LD_JSON: Final = "application/ld+json"
SCHEMA_JSON: Final = "application/schema+json"


@router.get(
    "/v1/contexts/{shape}",
    tags=["keys"],
    summary="Get the JSON-LD context of certificates",
    response_class=Response,
    responses={200: {"content": {LD_JSON: {"schema": {"type": "object"}}}}, **error_responses(404)},
)
def get_credential_context(shape: ShapeName, request: Request, settings: SettingsDep) -> Response:
    """The third entry of `@context` in every certificate. It never changes."""
    _require_known_shape(shape)
    return _immutable_response(request, untp_builder.build_context(settings.base_url, shape), shape, LD_JSON)


@router.get(
    "/v1/schemas/{shape}",
    tags=["keys"],
    summary="Get the JSON Schema of certificates",
    response_class=Response,
    responses={200: {"content": {SCHEMA_JSON: {"schema": {"type": "object"}}}}, **error_responses(404)},
)
def get_credential_schema(shape: ShapeName, request: Request, settings: SettingsDep) -> Response:
    """The address in `credentialSchema` of every certificate. It never changes."""
    _require_known_shape(shape)
    return _immutable_response(request, json_schema.build_json_schema(settings.base_url, shape), shape, SCHEMA_JSON)


@router.get(
    "/v1/render-templates/{shape}",
    tags=["keys"],
    summary="Get the render template of certificates",
    response_class=Response,
    responses={
        200: {"content": {untp_builder.TEMPLATE_MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **error_responses(404),
    },
)
def get_render_template(shape: ShapeName, request: Request) -> Response:
    """The address in `renderMethod` of every certificate from `certificate-3` on: a Handlebars template in HTML. It
    never changes, and `digestMultibase` in the certificate is its digest."""
    template = untp_builder.render_template(shape)
    if template is None:
        raise NotFound.of("shape of certificates")
    return conditional_response(request, template, _immutable_headers(shape), untp_builder.TEMPLATE_MEDIA_TYPE)


def _require_known_shape(shape: str) -> None:
    if shape not in untp_builder.TERMS_BY_SHAPE:
        raise NotFound.of("shape of certificates")


def _immutable_response(request: Request, document: dict[str, Any], shape: str, media_type: str) -> Response:
    return conditional_response(request, jws.dump_json(document), _immutable_headers(shape), media_type)


def _immutable_headers(shape: str) -> dict[str, str]:
    return {"ETag": f'"{shape}"', "Cache-Control": "public, max-age=86400, immutable"}
