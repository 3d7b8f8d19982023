"""Write audit events of read requests without delaying the response.

A download uses an engine that never waits for a writer. One thread of the worker writes its event, so that many
downloads do not block other writers. A failed write is repeated, and then logged with its ids.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.audit import recorder
from app.core.actor import Actor
from app.core.database import Database

MAX_ATTEMPTS = 3
RETRY_DELAY_S = 1.0

_log = logging.getLogger(__name__)


class ReadAudit:
    """Queue and write audit events of reads. One instance per worker."""

    def __init__(self, database: Database, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._database, self._sleep = database, sleep
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="reading-trail")

    def record(self, actor: Actor, event: str, subject: tuple[str, UUID | str], now: datetime, **data: Any) -> None:
        """Queue an event; returns immediately and raises nothing."""
        self._writer.submit(self._write, actor, event, subject, now, data)

    def flush(self) -> None:
        """Return when every event recorded before is written or abandoned."""
        self._writer.submit(lambda: None).result()

    def close(self) -> None:
        """Write the queued events, then stop."""
        self._writer.shutdown()

    def _write(
        self, actor: Actor, event: str, subject: tuple[str, UUID | str], now: datetime, data: dict[str, Any]
    ) -> None:
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                self._sleep(RETRY_DELAY_S)
            try:
                with self._database.session() as session:
                    recorder.record(session, actor, event, subject, now, **data)
                    session.commit()
            except SQLAlchemyError:
                _log.warning("An audit event waits for the database: %s of %s", event, subject)
            else:
                return
        _log.error("Audit event lost: %s of %s by %s at %s", event, subject, actor.id, now.isoformat())
