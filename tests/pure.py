"""The pure files: they decide, and are tested to the last branch. Printed as a list for coverage."""

PURE = (
    "app/applications/deadlines.py",
    "app/applications/workflow.py",
    "app/certificates/credential.py",
    "app/certificates/number.py",
    "app/certificates/term.py",
    "app/certificates/workflow.py",
    "app/registry/periods.py",
    "app/registry/working_days.py",
    "app/schemes/canonical.py",
    "app/schemes/days.py",
    "app/schemes/eligibility.py",
    "app/schemes/evidence_kinds.py",
    "app/schemes/figures.py",
    "app/schemes/origin.py",
    "app/schemes/outcome.py",
    "app/schemes/rules/*.py",
    "app/schemes/spelling.py",
    "app/strict_json.py",
    "app/verification/answer.py",
    "app/verification/checks.py",
    "app/verification/expect.py",
    "app/verification/forms.py",
    "app/verification/questions.py",
    "app/verification/row.py",
)

if __name__ == "__main__":
    print(",".join(PURE))  # noqa: T201 (its only purpose)
