"""Cache the published name, emblem, owner and contact of each mark for pages, for one minute.

Verification pages then need no database session. If the database is unavailable, the last loaded values are shown.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError

from app.core.database import Database
from app.schemes import scheme_repository
from app.schemes.emblems import read_emblem_content

REFRESH_S: Final = 60
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SchemeSummary:
    code: str
    names: Mapping[str, str]
    drawing: str  # of its emblem
    owner: str
    owner_names: Mapping[str, str]  # full, by language; empty if the scheme states only `owner`
    email: str | None
    phone: str | None
    address: str | None

    @classmethod
    def from_content(cls, code: str, content: Mapping[str, Any]) -> "SchemeSummary":
        authority = content.get("authority") or {}
        return cls(
            code,
            content["names"],
            read_emblem_content(content.get("emblem")),
            content["owner"],
            authority.get("names", {}),
            *(authority.get(name) for name in ("email", "phone", "address")),
        )


@dataclass(slots=True)
class SchemeSummaries:
    """The cache of one worker. Loads when it is created: the service does not start without a database."""

    database: Database
    clock: Callable[[], float] = time.monotonic
    _loaded_at: float = field(init=False)
    _by_code: Mapping[str, SchemeSummary] = field(init=False)

    def __post_init__(self) -> None:
        self._by_code, self._loaded_at = self._load(), self.clock()

    async def get_all(self, wanted: str = "") -> Mapping[str, SchemeSummary]:
        """Return all summaries by code. Reloads, on a thread, after a minute or if `wanted` is not cached yet."""
        if self.clock() - self._loaded_at > REFRESH_S or (wanted and wanted not in self._by_code):
            self._loaded_at = self.clock()
            try:
                self._by_code = await anyio.to_thread.run_sync(self._load)
            except SQLAlchemyError:
                log.warning("The marks cannot be loaded; pages show the last loaded values")
        return self._by_code

    def _load(self) -> Mapping[str, SchemeSummary]:
        with self.database.read_session() as session:
            return {
                row.code: SchemeSummary.from_content(row.code, row.content)
                for row in scheme_repository.list_schemes(session)
            }
