"""The papers that the rules ask for: laid before the house by the company, read and confirmed by the registrar.

They are laid once for all applications of the company. What lies there already, of its kind and about its product, is
left as it is; so a run that was cut off is completed, and a second one adds nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from app.cli.demo.cast import Case
from app.cli.demo.client import Account, Json
from app.cli.demo.papers import NOTHING_REAL, small_pdf
from app.cli.demo.stage import Stage

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Paper:
    """One item of evidence: what the document says of itself."""

    kind: str
    title: str
    values: Json
    product_id: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    number: str | None = None

    def form(self) -> dict[str, str]:
        said = {
            "kind": self.kind,
            "values": json.dumps(self.values),
            "product_id": self.product_id,
            "issued_on": self.issued_on and self.issued_on.isoformat(),
            "valid_until": self.valid_until and self.valid_until.isoformat(),
            "number": self.number,
        }
        return {name: value for name, value in said.items() if value}


def lay_and_confirm(stage: Stage, case: Case, member: Account, products: dict[str, str]) -> None:
    """`products`: code → id. Nobody confirms anything of a company that is itself not confirmed yet."""
    organisation = member.get("/v1/me")["organisation"]
    name, path = stage.name(case.party), f"/v1/organisations/{organisation['id']}/evidence"
    if laid := _lay(member, path, name, _of_company(stage, case, products, stage.today)):
        stage.say(f"{name} lays its papers before the house: {', '.join(laid)}.")
    if organisation["standing"] != "confirmed":
        return
    waiting = [each for each in member.get(path)["items"] if each["confirmed_at"] is None]
    for each in waiting:
        stage.registrar.act(f"/v1/evidence/{each['id']}/confirm", {})
    found = _lay(stage.registrar, path, name, _looked_up(stage, case, stage.today))
    if waiting or found:
        also = f", and looks up: {', '.join(found)}" if found else ""
        stage.say(f"The registrar reads and confirms the papers of {name}{also}.")


def _lay(account: Account, path: str, name: str, papers: Iterator[Paper]) -> list[str]:
    """Lay what is missing; the titles of it, each once."""
    there = {(each["kind"], each["product_id"]) for each in account.get(path)["items"]}
    missing = [paper for paper in papers if (paper.kind, paper.product_id) not in there]
    for paper in missing:
        file = (f"{paper.kind}.pdf", small_pdf(name, paper.title, NOTHING_REAL))
        account.upload(path, file, paper.form())
    return list(dict.fromkeys(paper.title for paper in missing))


def _of_company(stage: Stage, case: Case, products: dict[str, str], today: date) -> Iterator[Paper]:
    begun, ends = today - YEAR, today + 5 * YEAR
    yield Paper("authority-to-sign", "authority to sign", {"basis": "director"}, issued_on=begun)
    yield Paper("conformity-document", "test report", {}, issued_on=begun, valid_until=ends)
    if case.scheme == "MIK":
        yield Paper("permit", "permit", {}, issued_on=begun, valid_until=ends)
    else:
        yield Paper("ownership-statement", "extract on ownership", {"state_share_pct": "0"}, issued_on=begun)
    for code, product_id in products.items():
        row = stage.lines[code]
        if case.scheme == "MIK":
            volume = {"claimed_volume": row["annual_capacity"] or "1"}
            yield Paper("volume-statement", "statement of volume", volume, product_id, issued_on=begun)
        else:
            origin = {"form": "GENERAL", "hs4": row["hs6"][:4]}
            day, number = today - timedelta(days=30), f"AZ {code[1:]}"
            yield Paper("origin-document", "certificate of origin", origin, product_id, issued_on=day, number=number)


def _looked_up(stage: Stage, case: Case, today: date) -> Iterator[Paper]:
    clean = {"sanctions_match": False, "tax_debt": False, "open_complaint": False}
    yield Paper("tax-status", "tax register", {"taxpayer_status": "active"}, issued_on=today)
    yield Paper("background-check", "sanctions, debts and complaints", clean, issued_on=today)
    if case.scheme == "MIK":
        goods = sorted({row["hs6"][:4] for row in stage.lines.values() if row["owner_id"] == case.party})
        yield Paper("resident-project", "approved project", {"approved_goods": goods}, issued_on=today)
