"""Report to owners and auditors what another version of the rules would change."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from app.api.shared.application_schemas import storable_text
from app.applications.assessment import ruleset_impact
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.web.dependencies import DatabaseDep, NowDep, SessionDep, require_role
from app.web.problems.openapi_responses import READ_ERRORS, error_responses
from app.web.routes import GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["schemes"])

REPORT_LIMITER: Final = anyio.CapacityLimiter(1)
"""One report at a time in a worker, on a thread outside the pool of other requests."""
JSON_LINES: Final = "application/x-ndjson"
_EXAMPLE: Final = """{"type":"impact","scheme":"MIK","as_of":"2026-11-27","now":{"version":"2026.4","digest":"…"},"then":{"version":"2027.1","digest":"…"}}
{"type":"changed","subject":"certificate","id":"MIK-2026-000042-Y","holder":"Sample Pipe","product":{"id":"…","names":{"en":"Welded steel tube"}},"before":"pass","after":"manual","rules":[{"rule":"K-06","before":{"outcome":"pass","reason":"…"},"after":{"outcome":"manual","reason":"…"}}]}
{"type":"summary","judged":2,"changed":1,"counts":[{"subject":"certificate","before":"pass","after":"manual","count":1},{"subject":"certificate","before":"pass","after":"pass","count":1}]}
"""  # noqa: E501 (one object is one line)


@router.get(
    "/v1/schemes/{code}/impact",
    summary="Report what another version of the rules would change",
    response_class=StreamingResponse,
    responses={
        200: {"content": {JSON_LINES: {"schema": {"type": "string"}, "example": _EXAMPLE}}},
        **error_responses(*READ_ERRORS, 409),
    },
)
def get_ruleset_impact(
    code: str,
    _actor: Annotated[Actor, require_role(Role.OWNER, Role.AUDITOR)],
    session: SessionDep,
    database: DatabaseDep,
    now: NowDep,
    version: Annotated[str, Query(max_length=20, description="a published version", examples=["2027.1"])],
) -> StreamingResponse:
    """Each active or suspended certificate and each open application is evaluated by the current version and by the
    named one. JSON Lines: the compared versions (`impact`), each product whose outcome differs (`changed`), and the
    counts (`summary`); a response without the last line is incomplete. A version of an earlier edition of the rules, or
    with other closed lists, is 409 `ruleset-not-judged`.
    """
    compared = ruleset_impact.load_rulesets(session, storable_text(code) or "", storable_text(version) or "")
    pieces = ruleset_impact.stream_report(database.read_session, compared, baku_day(now))
    return StreamingResponse(_stream(pieces), media_type=JSON_LINES)


async def _stream(pieces: Iterator[list[ruleset_impact.JsonLine]]) -> AsyncIterator[bytes]:
    def piece() -> bytes | None:
        lines = next(pieces, None)
        return (
            None if lines is None else "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        )

    while (read := await anyio.to_thread.run_sync(piece, limiter=REPORT_LIMITER)) is not None:
        yield read
