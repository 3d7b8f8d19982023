"""Implement keyset pagination: an opaque cursor names the last item, and `Link` the next page (RFC 8288)."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.core.errors import Invalid
from app.core.messages import Message

T = TypeVar("T")
MAX_LIMIT = 100


class CursorPage:
    """Read `limit` and `cursor`. Fetch `page.fetch` rows after `page.after`, then `cut` them."""

    def __init__(
        self,
        request: Request,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items on a page")] = 50,
        cursor: Annotated[str | None, Query(max_length=100, description="from the `Link` of the page before")] = None,
    ) -> None:
        self._request, self._response = request, response
        self.limit = limit
        self.after = decode_cursor(cursor) if cursor is not None else None
        self.link: str | None = None  # to the next page, for a route that builds its own response
        self.fetch = limit + 1  # one more shows whether there is a next page

    def cut(self, rows: Sequence[T], id_of: Callable[[T], UUID]) -> Sequence[T]:
        """Return the rows of this page and set `Link` when there is a next one."""
        if len(rows) <= self.limit:
            return rows
        shown = rows[: self.limit]
        asked = [(k, v) for k, v in self._request.query_params.multi_items() if k != "cursor"]
        query = urlencode([*asked, ("cursor", encode_cursor(id_of(shown[-1])))])
        self.link = self._response.headers["Link"] = f'<{self._request.url.path}?{query}>; rel="next"'
        return shown


PageDep = Annotated[CursorPage, Depends()]


def encode_cursor(last: UUID) -> str:
    """Encode the id of the last item as an opaque cursor."""
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """Decode a cursor. Raises `Invalid` for a cursor that this service did not issue."""
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars="-_", validate=True))
    except (binascii.Error, ValueError) as why:
        raise Invalid.at(
            "query:cursor", Message("This cursor is not one of ours; start from the first page.", code="unknown-cursor")
        ) from why
