"""The main journey: register, apply, assess, decide, certify, verify.

Every act reads before it writes and goes on from what it finds: a run that was cut off at any point is completed by the
next one, a run after a complete one adds nothing, and what a visitor changed meanwhile is left as it is.
"""

from dataclasses import dataclass

from app.cli.demo import afterwards, cases, cast, companies
from app.cli.demo.client import Json
from app.cli.demo.stage import Stage


@dataclass(frozen=True, slots=True)
class Played:
    """What there is to show at the end."""

    applications: list[Json]
    certificates: list[Json]
    refused: Json  # the unconfirmed company that tried to submit; empty when it is confirmed meanwhile
    would_be_hit: Json


def play(stage: Stage) -> Played:
    companies.load_register(stage)
    members = {company.party: companies.bring_in(stage, company) for company in cast.COMPANIES}
    refused = cases.try_unconfirmed(stage, members[cast.UNCONFIRMED.party])
    applications = [cases.carry(stage, case, members[case.party]) for case in cast.CASES]
    afterwards.keep_the_mark(stage, applications)
    would_be_hit = afterwards.who_would_be_hit(stage)
    return Played(applications, afterwards.verify_all(stage, applications), refused, would_be_hit)
