"""Cases that a reviewer holds."""

from app.actor import Role

QUESTION = {"text": "When did series production start?"}


def second_reviewer(house):
    return house.staff(Role.REVIEWER, name="second-reviewer")


def claimed(house, company, *product_ids):
    """Id of a case that the first reviewer holds."""
    case_id = company.apply(*product_ids)
    house.reviewer.act(f"/v1/cases/{case_id}/claim")
    return case_id


def asked(house, company, *questions):
    """Id of a case whose reviewer waits for answers."""
    case_id = claimed(house, company)
    house.reviewer.act(f"/v1/cases/{case_id}/request-information", {"questions": list(questions) or [QUESTION]})
    return case_id
