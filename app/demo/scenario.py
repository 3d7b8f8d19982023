"""Run the scenario: register, apply, assess, decide, certify, verify.

Every step reads before it writes and continues from what it finds: an interrupted run is completed by the next one, a
second complete run adds nothing, and changes by a visitor stay.
"""

from dataclasses import dataclass

from app.demo import application_steps, certificate_steps, company_steps, scenario_data
from app.demo.api_client import Json
from app.demo.context import DemoContext


@dataclass(frozen=True, slots=True)
class Played:
    """Hold the results of the demo."""

    applications: list[Json]
    certificates: list[Json]
    refused: Json  # the unconfirmed company that tried to submit; empty when it was confirmed meanwhile
    would_be_hit: Json


def run(context: DemoContext) -> Played:
    company_steps.load_register(context)
    members = {company.party: company_steps.bring_in(context, company) for company in scenario_data.COMPANIES}
    refused = application_steps.try_unconfirmed(context, members[scenario_data.UNCONFIRMED.party])
    applications = [
        application_steps.run_application(context, case, members[case.party]) for case in scenario_data.CASES
    ]
    certificate_steps.change_statuses(context, applications)
    would_be_hit = certificate_steps.preview_cancelled_residency(context)
    return Played(applications, certificate_steps.verify_all(context, applications), refused, would_be_hit)
