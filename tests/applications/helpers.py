"""Cases that a reviewer holds."""

from app.core.actor import Role

QUESTION = {"text": "When did series production start?"}


def second_reviewer(app):
    return app.staff(Role.REVIEWER, name="second-reviewer")


def claimed(app, company, *product_ids):
    """Id of a case that the first reviewer holds."""
    case_id = company.apply(*product_ids)
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    return case_id


def asked(app, company, *questions):
    """Id of a case whose reviewer waits for answers."""
    case_id = claimed(app, company)
    app.reviewer.act(f"/v1/applications/{case_id}/request-information", {"questions": list(questions) or [QUESTION]})
    return case_id
