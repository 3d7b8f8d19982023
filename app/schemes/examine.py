"""Whether published rules are still those that the public log says."""

from sqlalchemy.orm import Session

from app.ledger import store as ledger
from app.ledger.examine import Wrong
from app.schemes import canonical, store


def compare(session: Session) -> Wrong | None:
    """The first ruleset whose content is not the one that was logged."""
    logged = ledger.published(session)
    for row in store.all_rulesets(session):
        name = f"{row.scheme_code}/{row.version}"
        digest = logged.pop(name, None)
        if digest is None:
            return Wrong(f"ruleset {name}", "Its publication is not in the log.")
        if not canonical.digest(row.content) == row.digest == digest:
            return Wrong(f"ruleset {name}", "Its content is not what the log says was published.")
    if logged:
        return Wrong(f"ruleset {min(logged)}", "The log says that it was published; its row is gone.")
    return None
