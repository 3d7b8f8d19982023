"""What the tests of the desk share."""

from app.actor import Role

QUESTION = {"text": "When did series production start?"}


def refused(answer, status, code=None):
    """The problem document of an answer that had to be refused in just this way."""
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.text}"
    document = answer.json()
    assert code is None or document["code"] == code, document
    return document


def second_reviewer(house):
    return house.staff(Role.REVIEWER, name="second-reviewer")


def claimed(house, company, *product_ids):
    """Id of a case that the first reviewer holds."""
    case_id = company.apply(*product_ids)
    house.reviewer.act(f"/v1/applications/{case_id}/claim")
    return case_id


def asked(house, company, *questions):
    """Id of a case whose reviewer waits for answers."""
    case_id = claimed(house, company)
    house.reviewer.act(f"/v1/applications/{case_id}/request-information", {"questions": list(questions) or [QUESTION]})
    return case_id


def pointers(document):
    return [error["pointer"] for error in document["errors"]]
