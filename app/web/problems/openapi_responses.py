"""Declare error responses in OpenAPI: one problem schema, one sentence per status."""

from typing import Any

from pydantic import BaseModel, Field

from app.web.problems.problem_details import PROBLEM_MEDIA_TYPE


class FieldProblem(BaseModel):
    """One wrong place. Members of other names are the values of the sentence, such as `limit` or `allowed`."""

    pointer: str = Field(
        examples=["/voen"],
        description="JSON pointer into the body; `query:`, `path:` or `header:` and a name for anything else; in a "
        "file `/lines/`, the line and the column",
    )
    code: str = Field(examples=["wrong-voen"], description="stable")
    detail: str = Field(examples=["A VÖEN consists of digits only."])


class Problem(BaseModel):
    """RFC 9457. `code` is stable; programs should look at it and at nothing else.

    `title` and `detail` are in the language of `Accept-Language`: az, ru, else English.
    """

    type: str = Field(
        examples=["https://verify.example.az/problems/wrong-state"],
        description="address of a page that explains the code: cause, remedy, example",
        json_schema_extra={"format": "uri"},
    )
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    code: str = Field(examples=["wrong-state"])
    detail: str = Field(examples=["“approve” is not possible while the application is draft."])
    errors: list[FieldProblem] | None = None


_DESCRIPTIONS = {
    400: "The body could not be read.",
    401: "No valid access token.",
    403: "Known, but not for this role or person.",
    404: "No such thing, or another company's.",
    406: "None of the offered media types is acceptable.",
    409: "Does not fit the present state; `code` says why.",
    412: "Changed since it was read (`If-Match`).",
    413: "Larger than this address takes.",
    415: "Another media type is expected.",
    422: "The content is not valid; `errors` names each place.",
    428: "`If-Match` is missing.",
    429: "Too many requests or failed attempts; see `Retry-After`.",
    503: "Busy or paused; try again.",
    507: "The disk is full; nothing was stored.",
}


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return `responses=` of a route for these error statuses."""
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _DESCRIPTIONS[status], "content": content} for status in sorted(statuses)}


NOT_MODIFIED_DOCS: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged (`If-None-Match`)."}}
READ_ERRORS = (401, 403, 404, 422, 503)
CREATE_ERRORS = (400, 401, 403, 404, 409, 413, 415, 422, 503)
UPDATE_ERRORS = (*CREATE_ERRORS, 412, 428)
UPLOAD_ERRORS = (*CREATE_ERRORS, 507)
