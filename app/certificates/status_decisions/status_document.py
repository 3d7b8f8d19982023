"""Build the document of a decision on a certificate's status: exactly what is decided. Pure.

Its hash is in the audit trail and, where the status changes, in the log. It contains no moment of the server, so that a
person can confirm it before anything is stored.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

DOCUMENT_VERSION = 1
SYSTEM = "system"
"""Who decided, where no person did."""


class StatusAct(StrEnum):
    SUSPEND = "suspend"  # opens one cause; the certificate may be suspended for others already
    REINSTATE = "reinstate"  # ends one cause; others may remain
    REVOKE = "revoke"
    SURRENDER = "surrender"
    SUPERSEDE = "supersede"


ACTS_ON_A_CAUSE = frozenset({StatusAct.SUSPEND, StatusAct.REINSTATE})


def build_status_document(
    act: StatusAct, *, certificate: str, version: int | None, code: str, note: str | None, by: UUID | None
) -> dict[str, Any]:
    """Return the document. `version` is the one that the act was decided on; `by` None: the system.

    `code` is the cause of a suspension, or the reason of any other act.
    """
    return {
        "v": DOCUMENT_VERSION,
        "act": act.value,
        "certificate": certificate,
        "version": version,
        code_member(act): code,
        "note": note,
        "by": SYSTEM if by is None else str(by),
    }


def code_member(act: StatusAct) -> str:
    """Return the name of the member with the code of the closed list."""
    return "cause" if act in ACTS_ON_A_CAUSE else "reason"
