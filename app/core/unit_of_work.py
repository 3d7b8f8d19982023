"""Collect the work that must be written last in a transaction, and write it once, at the outermost commit.

A service only *notes* such work (`noted`). `UnitOfWork.commit` runs the steps that write it, in their order, which is
the lock order, and then commits. The release of a savepoint runs no step: the locks that the steps take would be held
while the transaction goes on to take others. Rolling back to a savepoint discards what was noted inside it, a full
rollback everything.

This module knows no step; `app/commit_pipeline.py` lists them.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

CommitStep = Callable[[Session], None]
Work = TypeVar("Work", list[Any], dict[Any, Any])

_PENDING = "unit_of_work.noted"
_BEFORE_SAVEPOINT = "unit_of_work.before_savepoint"
_AFTER_COMMIT = "unit_of_work.after_commit"


class PendingWorkNotWritten(Exception):
    """Bug in this service: a transaction was about to commit with noted work that no step has written."""


class UnitOfWork(Session):
    """A session whose commit writes first what was noted in it."""

    def __init__(self, *args: Any, steps: Sequence[CommitStep] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self._steps = tuple(steps)

    def commit(self) -> None:
        self.info.pop(_AFTER_COMMIT, None)  # of a commit that failed
        for step in self._steps:
            step(self)
        super().commit()
        for callback in self.info.pop(_AFTER_COMMIT, ()):
            callback()


def get_pending(session: Session, kind: str, empty: Callable[[], Work]) -> Work:
    """Return the work of one kind that was noted in this transaction, to be added to; at first `empty()`."""
    if not isinstance(session, UnitOfWork):
        raise TypeError("Nothing can be noted in a session that only reads.")
    work: Work = session.info.setdefault(_PENDING, {}).setdefault(kind, empty())
    return work


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Call `callback` once this transaction is committed. For commit steps alone."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)


def take_pending(session: Session, kind: str, empty: Callable[[], Work]) -> Work:
    """Return the noted work of one kind to the step that writes it now, and remove it from the session."""
    work: Work = session.info.get(_PENDING, {}).pop(kind, None) or empty()
    return work


@event.listens_for(UnitOfWork, "after_transaction_create")
def _save_before_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        before = {kind: work.copy() for kind, work in session.info.get(_PENDING, {}).items()}
        session.info.setdefault(_BEFORE_SAVEPOINT, {})[transaction] = before


@event.listens_for(UnitOfWork, "after_transaction_end")
def _clear_at_end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.get(_BEFORE_SAVEPOINT, {}).pop(transaction, None)
    elif transaction.parent is None:  # also where the session was closed without a word
        session.info.pop(_PENDING, None)
        session.info.pop(_BEFORE_SAVEPOINT, None)


@event.listens_for(UnitOfWork, "after_rollback")
def _restore_after_rollback(session: Session) -> None:
    savepoint = session.get_nested_transaction()
    session.info[_PENDING] = session.info.get(_BEFORE_SAVEPOINT, {}).get(savepoint, {})


@event.listens_for(UnitOfWork, "before_commit")  # SQLAlchemy calls this for savepoints as well
def _require_written(session: Session) -> None:
    left = [kind for kind, work in session.info.get(_PENDING, {}).items() if work]
    if left and not session.in_nested_transaction():
        raise PendingWorkNotWritten(f"Noted, but written by no step of the commit: {', '.join(left)}.")
