"""Run the third step of the demo: status changes of certificates, and what the public sees of them."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from app.demo import scenario_data
from app.demo.api_client import Json
from app.demo.context import DemoContext
from app.demo.scenario_data import Suspend
from app.schemes.closed_lists import load_lists

VC_JWT = "application/vc+jwt"


def change_statuses(context: DemoContext, applications: Sequence[Json]) -> None:
    """Suspend one certificate as the owner and revoke one as two, unless their status changed since the issue."""
    issued = {
        (each["scheme"], product["product"]): (product["certificate"], each["decided_at"])
        for each in applications
        for product in each["products"]
        if product["certificate"]
    }
    for action in scenario_data.ACTIONS:
        if (action.scheme, action.product) not in issued:
            continue
        number, issued_at = issued[action.scheme, action.product]
        certificate = context.public.get(f"/v1/certificates/{number}")
        if certificate["status"] != "active" or _second(certificate["status_since"]) != _second(issued_at):
            continue
        if isinstance(action, Suspend):
            context.owner.act(f"/v1/certificates/{number}/suspend", {"cause": action.cause, "note": action.note})
            context.report(f"The owner suspends {number} for a {action.cause}. {action.note}")
        else:
            proposal = context.owner.act(f"/v1/certificates/{number}/revoke", {"reason": action.reason})
            context.second_owner.act(f"/v1/proposals/{proposal['id']}/confirm")
            context.report(
                f"The two owners revoke {number}: {load_lists().find_name('revocation_reason', action.reason, 'en')}."
            )


def _second(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(microsecond=0)


def preview_cancelled_residency(context: DemoContext) -> Json:
    """Run a dry import: list the certificates that a cancelled residency would suspend. Nothing is changed."""
    row = {**context.listing[scenario_data.CANCELLED], "status": "cancelled"}
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, list(row))
    writer.writeheader()
    writer.writerow(row)
    file = ("cancelled.csv", sheet.getvalue().encode())
    report = context.registrar.upload("/v1/register/imports", file, {}, dry_run=True)
    numbers = [hit["number"] for hit in report["certificates"]]
    shown = ", ".join(numbers) or "no certificate"
    context.report(f"If the register cancelled {row['legal_name_en']} (dry run), this would be suspended: {shown}.")
    return {"company": row["legal_name_en"], "certificates": numbers}


def verify_all(context: DemoContext, applications: Sequence[Json]) -> list[Json]:
    """Verify every certificate by its number, and the first one also by its token."""
    numbers = [number for each in applications for number in each["certificates"]]
    checked = [_verified(context, number) for number in numbers]
    if checked:
        token = context.public.text(f"/v1/certificates/{numbers[0]}", VC_JWT)
        checked[0]["verdict_by_token"] = context.public.post("/v1/verify", {"token": token})["verdict"]
    return checked


def _verified(context: DemoContext, number: str) -> Json:
    answer = context.public.get(f"/v1/verify/{number}")
    certificate = answer["certificate"]
    return {
        "number": number,
        "scheme": certificate["scheme"]["code"],
        "holder": certificate["holder"]["name"],
        "product": certificate["product"]["name"]["en"],
        "criterion": certificate["origin_criterion"],
        "valid_until": certificate["valid_until"],
        "status": certificate["status"],
        "verdict": answer["verdict"],
        "message": answer["message"],
    }
