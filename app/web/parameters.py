"""Refuse query parameters that a route of `/v1` does not have (pages ignore them), and define `updated_since`."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Query

from app.core.errors import Invalid
from app.core.messages import Message
from app.web.schema_types import StorableDatetime

MAX_NAME_CHARS = 60
CHANGE_OVERLAP = timedelta(minutes=5)
"""Longer than any request takes. A change is dated by the beginning of its request and seen from its commit on."""

UpdatedSince = Annotated[
    StorableDatetime | None,
    Query(
        description="only items changed at or after this moment; those of the five minutes before it are listed again, "
        "so that none is missed when you give the time of your last request",
        examples=["2026-11-22T17:00:00Z"],
    ),
]


def changed_from(updated_since: datetime | None) -> datetime | None:
    """Return the earliest time of a change that a reader who has read everything at `updated_since` may not have."""
    return None if updated_since is None else updated_since - CHANGE_OVERLAP


def require_known_parameters(given: Iterable[str], declared: Sequence[str]) -> None:
    """Require that each parameter is one of the route's, so that a misspelled filter is not taken for none.

    Raises `Invalid` (`unknown-parameter`), which names each of them and those that there are.
    """
    unknown = [name for name in dict.fromkeys(given) if name not in declared]
    if not unknown:
        return
    detail = (
        Message("There are only these: %(allowed)s.", code="unknown-parameter", allowed=list(declared))
        if declared
        else Message("This address has no parameters.", code="unknown-parameter")
    )
    raise Invalid.with_errors([{"pointer": f"query:{name[:MAX_NAME_CHARS]}", "detail": detail} for name in unknown])


def require_no_parameters(query_string: bytes) -> None:
    """Require a query without parameters, of a path that is answered before routing. Raises `Invalid`."""
    if query_string:
        given = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
        require_known_parameters([name for name, _ in given], ())
