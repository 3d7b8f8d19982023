"""The marks as pages show them: name, emblem, and the owner with its contact, as they are published.

Pages of checks need no session of the database, so what was read is kept for a minute; where the database does not
answer, what was read last is shown.
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
    owner_names: Mapping[str, str]  # full, by language; empty where only `owner` is known
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
    """One for each worker; read when it is made, since the service does not start without a database."""

    database: Database
    seconds: Callable[[], float] = time.monotonic
    _read_at: float = field(init=False)
    _by_code: Mapping[str, SchemeSummary] = field(init=False)

    def __post_init__(self) -> None:
        self._by_code, self._read_at = self._load(), self.seconds()

    async def get_all(self, wanted: str = "") -> Mapping[str, SchemeSummary]:
        """By code. Read anew, on a thread, after a minute and for a mark that is not known yet."""
        if self.seconds() - self._read_at > REFRESH_S or (wanted and wanted not in self._by_code):
            self._read_at = self.seconds()
            try:
                self._by_code = await anyio.to_thread.run_sync(self._load)
            except SQLAlchemyError:
                log.warning("the marks cannot be read at the moment: pages show them as they were")
        return self._by_code

    def _load(self) -> Mapping[str, SchemeSummary]:
        with self.database.read_session() as session:
            return {
                row.code: SchemeSummary.from_content(row.code, row.content)
                for row in scheme_repository.list_schemes(session)
            }
