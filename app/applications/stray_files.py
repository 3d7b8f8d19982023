"""Files of evidence that no row names: what transactions that failed and processes that were killed have left."""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.applications import store
from app.applications.files import EvidenceFiles


def stray(session: Session, files: EvidenceFiles, now: datetime) -> list[Path]:
    """Return the files that are older than a day and named by no row, drafts that were left among them."""
    old = list(files.old(now.timestamp()))
    named = store.known_hashes(session, [path.name for path in old if files.is_named(path)])
    return [path for path in old if not (files.is_named(path) and path.name in named)]
