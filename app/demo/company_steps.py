"""First step of the demo: import the register, register the companies, confirm their claims."""

from app.demo import scenario_data
from app.demo.api_client import Json, NoService, Refused, UserClient
from app.demo.context import DemoContext, Row, sample, sample_rows
from app.demo.scenario_data import Company

COMPANIES = ("listed", "confirmed")
"""Standings of what is a company; others are claims."""


def load_register(context: DemoContext) -> None:
    """Import the files of the sample whose companies are not known yet, and leave all others alone: an import on a
    later day would take back what a visitor changed."""
    known = {each["voen"] for each in context.registrar.everything("/v1/organisations") if each["status"] in COMPANIES}
    for name in scenario_data.REGISTER_FILES:
        if {row["voen"] for row in sample_rows(name)} <= known:
            continue
        report = context.registrar.upload("/v1/register/imports", (name, sample(name)), {})
        context.report(f"The registrar imports {name}: {len(report['lines'])} companies.")


def bring_in(context: DemoContext, company: Company) -> UserClient:
    """The company registers itself, is confirmed, and says since when it produces."""
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
        tell_start(member, company.started_on.isoformat())
    return member


def _is_known(context: DemoContext, company: Company) -> bool:
    """Whether somebody claimed this number, or is a member of its company, under the demo's address: the password tells
    whether it was the demo. A company confirmed before there were claims has none."""
    voen = context.listing[company.party]["voen"]
    people = [claim["claimant"] for claim in context.registrar.everything("/v1/claims", voen=voen)]
    for found in context.registrar.everything("/v1/organisations", q=voen):
        people += context.registrar.get(f"/v1/organisations/{found['id']}")["members"]
    return any(person["email"] == company.email for person in people)


def _claim(context: DemoContext, company: Company, member: UserClient) -> Json | None:
    """The claim of the person who has just signed in with the demo's password, as the registrar sees it."""
    voen = context.listing[company.party]["voen"]
    own = [each["id"] for each in member.everything("/v1/claims") if each["voen"] == voen]
    return context.registrar.get(f"/v1/claims/{own[-1]}") if own else None


def _registration(listed: Row, company: Company, token: str, password: str) -> Json:
    names = {name: listed[name] for name in ("legal_name_az", "legal_name_en", "legal_form", "voen")}
    return {**names, "token": token, "member": {"full_name": company.member, "password": password}}


def _member(context: DemoContext, company: Company) -> UserClient:
    try:
        return context.sign_in(company.email)
    except Refused as why:
        raise NoService(
            f"{company.email} cannot sign in for {context.name(company.party)} ({why.message}). Either somebody else "
            "has this account, or the file of demo accounts belongs to another database. "
            "A fresh MIK_DATA_DIR starts the demo anew."
        ) from why


def tell_start(member: UserClient, day: str) -> None:
    """Enter the start of production at the company's registered site, where it is still missing."""
    site = registered_site(member)
    if site["production_started_on"] is None:
        change = {"name": site["name"], "production_started_on": day}
        try:
            member.act(f"/v1/sites/{site['id']}", change, method="PUT")
        except Refused as why:
            if why.code != "certified":  # a folder of an earlier demo: what is certified is left as it is
                raise


def registered_site(member: UserClient) -> Json:
    """The company's place of production as the register names it."""
    return next(site for site in member.everything("/v1/sites") if site["source"] == "register")


def place_of_production(context: DemoContext, party: str, member: UserClient) -> Json:
    """The same; of a claimant, who sees nothing of the register, one of their own."""
    sites = list(member.everything("/v1/sites"))
    known = next((site for site in sites if site["source"] == "register"), sites[0] if sites else None)
    if known is not None:
        return known
    row = context.listing[party]
    body = {"name": row["zone_name_en"], "district": row["district"], "park_code": row["zone_code"]}
    return member.post("/v1/sites", body)


def set_operating(context: DemoContext, organisation_id: str) -> None:
    """The registrar enters that the plant runs; a stage that says so already stays as it is."""
    for residency in context.registrar.everything("/v1/residencies", organisation_id=organisation_id, only_open=True):
        if residency["stage"] != "operating":
            context.registrar.act(f"/v1/residencies/{residency['id']}/stage", {"stage": "operating"}, method="PUT")
