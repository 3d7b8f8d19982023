"""Run the first step of the demo: import the resident register, register companies, confirm their claims."""

from app.demo import scenario_data
from app.demo.api_client import Json, NoService, UserClient
from app.demo.context import DemoContext, Row, sample, sample_rows
from app.demo.scenario_data import Company
from made_in_karabakh import ApiError

COMPANIES = ("listed", "confirmed")
"""Statuses of a company; organisations with another status are claims."""


def load_register(context: DemoContext) -> None:
    """Import the sample files whose companies are missing.

    Other files are left alone: an import on a later day would undo what a visitor changed.
    """
    known = {each["voen"] for each in context.registrar.everything("/v1/organisations") if each["status"] in COMPANIES}
    for name in scenario_data.REGISTER_FILES:
        if {row["voen"] for row in sample_rows(name)} <= known:
            continue
        report = context.registrar.upload("/v1/register/imports", (name, sample(name)), {})
        context.report(f"The registrar imports {name}: {len(report['lines'])} companies.")


def bring_in(context: DemoContext, company: Company) -> UserClient:
    """Register the company, confirm its claim, and enter the start of its production."""
    listed = context.listing[company.party]
    name = context.name(company.party)
    if not _is_known(context, company):
        context.public.post("/v1/registrations", {"email": company.email})
        body = _registration(
            listed, company, context.mailed_code_for(company.email), context.password_for(company.email)
        )
        context.public.post("/v1/registrations/confirm", body)
        context.report(f"{name} registers and claims its line of the register.")
    member = _member(context, company)
    claim = _claim(context, company, member)
    if claim and claim["state"] == "waiting" and company.basis:
        context.registrar.act(f"/v1/claims/{claim['id']}/confirm", {"basis": company.basis})
        context.report(f"The registrar confirms that {company.member} acts for {name}.")
    if company.started_on:
        enter_start(member, company.started_on.isoformat())
    return member


def _is_known(context: DemoContext, company: Company) -> bool:
    """Return whether the VÖEN is claimed or has a member under the demo's address.

    The password shows whether it was the demo. A company confirmed before claims existed has none.
    """
    voen = context.listing[company.party]["voen"]
    people = [claim["claimant"] for claim in context.registrar.everything("/v1/claims", voen=voen)]
    for found in context.registrar.everything("/v1/organisations", q=voen):
        people += context.registrar.get(f"/v1/organisations/{found['id']}")["members"]
    return any(person["email"] == company.email for person in people)


def _claim(context: DemoContext, company: Company, member: UserClient) -> Json | None:
    """Return the claim of the member who has just signed in, as the registrar reads it."""
    voen = context.listing[company.party]["voen"]
    own = [each["id"] for each in member.everything("/v1/claims") if each["voen"] == voen]
    return context.registrar.get(f"/v1/claims/{own[-1]}") if own else None


def _registration(listed: Row, company: Company, token: str, password: str) -> Json:
    names = {name: listed[name] for name in ("legal_name_az", "legal_name_en", "legal_form", "voen")}
    return {**names, "token": token, "member": {"full_name": company.member, "password": password}}


def _member(context: DemoContext, company: Company) -> UserClient:
    try:
        return context.sign_in(company.email)
    except ApiError as why:
        raise NoService(
            f"{company.email} cannot sign in for {context.name(company.party)} ({why.detail}). Either somebody else "
            "has this account, or the file of demo accounts belongs to another database. "
            "A fresh MIK_DATA_DIR starts the demo again."
        ) from why


def enter_start(member: UserClient, day: str) -> None:
    """Enter the start of production at the company's registered site, where it is missing."""
    site = registered_site(member)
    if site["production_started_on"] is None:
        change = {"name": site["name"], "production_started_on": day}
        try:
            member.act(f"/v1/sites/{site['id']}", change, method="PUT")
        except ApiError as why:
            if why.code != "certified":  # data of an earlier demo: a certified site is left as it is
                raise


def registered_site(member: UserClient) -> Json:
    """Return the company's site in the resident register."""
    return next(site for site in member.everything("/v1/sites") if site["source"] == "register")


def place_of_production(context: DemoContext, party: str, member: UserClient) -> Json:
    """Return the company's site; a claimant, who cannot read the resident register, gets one of their own."""
    sites = list(member.everything("/v1/sites"))
    known = next((site for site in sites if site["source"] == "register"), sites[0] if sites else None)
    if known is not None:
        return known
    row = context.listing[party]
    body = {"name": row["zone_name_en"], "district": row["district"], "park_code": row["zone_code"]}
    return member.post("/v1/sites", body)


def set_operating(context: DemoContext, organisation_id: str) -> None:
    """Set the stage to operating as the registrar, unless it is set already."""
    for residency in context.registrar.everything("/v1/residencies", organisation_id=organisation_id, only_open=True):
        if residency["stage"] != "operating":
            context.registrar.act(f"/v1/residencies/{residency['id']}/stage", {"stage": "operating"}, method="PUT")
