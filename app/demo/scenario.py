"""The main journey: register, apply, assess, decide, certify, verify.

Every act reads before it writes and goes on from what it finds: a run that was cut off at any point is completed by the
next one, a run after a complete one adds nothing, and what a visitor changed meanwhile is left as it is.
"""

from dataclasses import dataclass

from app.demo import application_steps, certificate_steps, company_steps, scenario_data
from app.demo.api_client import Json
from app.demo.context import Stage


@dataclass(frozen=True, slots=True)
class Played:
    """What there is to show at the end."""

    applications: list[Json]
    certificates: list[Json]
    refused: Json  # the unconfirmed company that tried to submit; empty when it is confirmed meanwhile
    would_be_hit: Json


def play(stage: Stage) -> Played:
    company_steps.load_register(stage)
    members = {company.party: company_steps.bring_in(stage, company) for company in scenario_data.COMPANIES}
    refused = application_steps.try_unconfirmed(stage, members[scenario_data.UNCONFIRMED.party])
    applications = [application_steps.carry(stage, case, members[case.party]) for case in scenario_data.CASES]
    certificate_steps.keep_the_mark(stage, applications)
    would_be_hit = certificate_steps.who_would_be_hit(stage)
    return Played(applications, certificate_steps.verify_all(stage, applications), refused, would_be_hit)
