"""Format the results of the demo: tables for people, one JSON object for programs."""

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.auth import demo_staff
from app.demo import scenario_data
from app.demo.api_client import Json
from app.demo.scenario import Played

COLOURS = {
    "approved": "green",
    "rejected": "red",
    "valid": "green",
    "suspended": "yellow",
    "revoked": "red",
}
SHORT = {"information_requested": "asked"}
MARGIN = 14


def as_object(base_url: str, accounts: Mapping[str, str], played: Played) -> dict[str, Any]:
    """Return one JSON object. Addresses are absolute."""
    return {
        "base_url": base_url,
        "accounts": [
            {"email": email, "password": accounts[email], "who": who(email)}
            for email in sorted(accounts, key=lambda each: (each not in demo_staff.STAFF, each))
        ],
        "applications": played.applications,
        "certificates": [{**each, "links": links(base_url, each["number"])} for each in played.certificates],
        "refused_before_confirmation": played.refused or None,
        "would_be_suspended_with_residency": played.would_be_hit,
        "links": {
            "reference": f"{base_url}/docs",
            "certificates": f"{base_url}/v1/certificates",
            "rules": f"{base_url}/v1/schemes",
            "confirm": f"{base_url}/confirm",
            "keys": f"{base_url}/.well-known/jwks.json",
        },
    }


def links(base_url: str, number: str) -> dict[str, str]:
    return {"verify": f"{base_url}/v1/verify/{number}", "certificate": f"{base_url}/v1/certificates/{number}"}


def who(email: str) -> str:
    """Return the role of a member of staff, or the company of a member."""
    if email in demo_staff.STAFF:
        _, roles = demo_staff.STAFF[email]
        return ", ".join(sorted(roles))
    return next((f"company {c.party}" for c in scenario_data.COMPANIES if c.email == email), "company")


def show(console: Console, shown: Mapping[str, Any]) -> None:
    """Print the results for people. Numbers and addresses are never truncated."""
    _heading(console, "Applications")
    for each in shown["applications"]:
        _entry(console, each["outcome"], f"{each['number']}  {each['company']}", _why(each))
    _heading(console, "Certificates, verified")
    for each in shown["certificates"]:
        also = "By its token as well: " + each["verdict_by_token"] + "." if "verdict_by_token" in each else None
        title = f"{each['number']}  {each['product']} ({each['criterion']}), {each['holder']}"
        _entry(console, each["verdict"], title, [each["links"]["verify"], *([also] if also else [])])
    _heading(console, "Accounts (of this demo only; stored in the data folder, readable by its owner)")
    for each in shown["accounts"]:
        console.print(f"  {each['who']:12} {each['email']:22} {each['password']}", markup=False, soft_wrap=True)
    secrets = f"  Staff sign in with a code of an authenticator as well; its secret: {demo_staff.ACCOUNTS_FILE}."
    console.print(secrets, markup=False, soft_wrap=True)
    keys = (
        f"  They confirm decisions with key files ({demo_staff.AUTHENTICATORS_FOLDER}, `mik authenticator sign`), "
        f"or in a browser at {shown['links']['confirm']}."
    )
    console.print(keys, markup=False, soft_wrap=True)
    _heading(console, "Addresses")
    for name, address in shown["links"].items():
        console.print(f"  {name:12} {address}", markup=False, soft_wrap=True)


def _heading(console: Console, title: str) -> None:
    console.print(f"\n{title}", style="bold")


def _entry(console: Console, outcome: str, title: str, lines: list[str]) -> None:
    word = f"{SHORT.get(outcome, outcome):{MARGIN - 3}}"
    console.print(f"  [{COLOURS.get(outcome, 'cyan')}]{word}[/] {escape(title)}", soft_wrap=True)
    for line in lines:
        for part in wrap(line, max(console.width, 72) - MARGIN, break_long_words=False, break_on_hyphens=False):
            console.print(" " * MARGIN + part, markup=False, soft_wrap=True)


def _why(application: Json) -> list[str]:
    waiting = [f"Asked: {q['question']}" for q in application["questions"] if q["answer"] is None]
    answered = [f"Asked and answered: {q['answer']}" for q in application["questions"] if q["answer"]]
    granted = [", ".join(application["certificates"])] if application["certificates"] else []
    waiting_on = [f"The {application['waiting_on']} acts next."] if application["waiting_on"] else []
    return [*granted, *application["reasons"], *answered, *waiting, *waiting_on]
