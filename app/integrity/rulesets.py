"""Compare published rulesets with the public log."""

from sqlalchemy.orm import Session

from app.core import canonical_json
from app.integrity.transparency_log import IntegrityFinding
from app.schemes import scheme_repository
from app.transparency import log_repository


def check_rulesets(session: Session) -> IntegrityFinding | None:
    """Return the first ruleset whose content differs from the log, or None."""
    logged = log_repository.get_ruleset_digests(session)
    for row in scheme_repository.list_all_rulesets(session):
        name = f"{row.scheme_code}/{row.version}"
        digest = logged.pop(name, None)
        if digest is None:
            return IntegrityFinding(f"ruleset {name}", "Its publication is not in the log.")
        if not canonical_json.digest(row.content) == row.digest == digest:
            return IntegrityFinding(f"ruleset {name}", "Its content differs from the one logged as published.")
    if logged:
        return IntegrityFinding(f"ruleset {min(logged)}", "The log records its publication, but its row is missing.")
    return None
