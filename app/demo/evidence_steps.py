"""Add the documents that the rules require: uploaded by the company, added or confirmed by staff.

They are added once for all applications of the company. A document of the same kind and subject is left as it is: an
interrupted run is completed by the next, and a second run adds nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from app.demo.api_client import Json, UserClient
from app.demo.context import DemoContext, Row
from app.demo.sample_documents import NOTHING_REAL, small_pdf
from app.demo.sample_products import Line, claimed_lines, sums
from app.demo.scenario_data import DemoCase

YEAR = timedelta(days=365)
CLAIMED_OF_CAPACITY = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class Document:
    """Hold the values of a document and its subject: the company, a site or products."""

    kind: str
    title: str
    values: Json = field(default_factory=dict)
    product_ids: tuple[str, ...] = ()
    site_id: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    number: str | None = None
    distinct_by: str | None = None  # the value that distinguishes documents of one kind and subject

    def form(self) -> Json:
        said = {
            "kind": self.kind,
            "values": json.dumps(self.values),
            "product_id": list(self.product_ids),
            "site_id": self.site_id,
            "issued_on": self.issued_on and self.issued_on.isoformat(),
            "valid_until": self.valid_until and self.valid_until.isoformat(),
            "number": self.number,
        }
        return {name: value for name, value in said.items() if value}

    def is_uploaded(self, present: Iterable[Json]) -> bool:
        return any(
            (each["kind"], sorted(each["product_ids"]), each["site_id"])
            == (self.kind, sorted(self.product_ids), self.site_id)
            and (self.distinct_by is None or each["values"].get(self.distinct_by) == self.values[self.distinct_by])
            for each in present
        )


@dataclass(frozen=True, slots=True)
class DemoApplicant:
    """Hold the company and the subjects of its documents."""

    member: UserClient
    name: str
    path: str  # of its documents
    site: Json
    rows: Mapping[str, Row]  # code → row of the sample
    ids: Mapping[str, str]  # code → id of the product


def upload_proofs(context: DemoContext, applicant: DemoApplicant) -> dict[str, dict[str, str]]:
    """Upload the missing proofs of origin of the materials: code → heading → id."""
    documents = [
        _declaration_of_supplier(line, product_id, context.today)
        for code, product_id in applicant.ids.items()
        for line in claimed_lines(code)
    ]
    if _upload(applicant.member, applicant, documents):
        materials = ", ".join(line.name.lower() for code in applicant.ids for line in claimed_lines(code))
        context.report(f"{applicant.name} uploads suppliers' declarations of origin: {materials}.")
    present = [each for each in applicant.member.get(applicant.path)["items"] if each["kind"] == "supplier-declaration"]
    codes = {product_id: code for code, product_id in applicant.ids.items()}
    proofs: dict[str, dict[str, str]] = {code: {} for code in applicant.ids}
    for each in present:
        for product_id in each["product_ids"]:
            if product_id in codes:
                proofs[codes[product_id]].setdefault(each["values"]["hs4"], each["id"])
    return proofs


def upload_and_confirm(context: DemoContext, case: DemoCase, applicant: DemoApplicant) -> None:
    """Upload and confirm the evidence. Staff confirm no evidence of an unconfirmed company."""
    if added := _upload(applicant.member, applicant, list(_of_company(case, applicant, context.today))):
        context.report(f"{applicant.name} uploads documents: {', '.join(added)}.")
    if applicant.member.get("/v1/me")["organisation"]["status"] != "confirmed":
        return
    for each in _waiting(context, applicant):
        if each["entered"] is not None:  # uploaded by the company
            context.registrar.act(f"/v1/evidence/{each['id']}/confirm", {})
    if found := _upload(context.registrar, applicant, list(_staff_documents(context, case, applicant))):
        context.report(f"The registrar confirms them and adds: {', '.join(found)}.")
    looked_up = _waiting(context, applicant)
    for each in looked_up:  # by another member of staff than the one who added it
        context.reviewer.act(f"/v1/evidence/{each['id']}/confirm", {})
    if looked_up:
        context.report("The reviewer confirms what the registrar added.")


def _waiting(context: DemoContext, applicant: DemoApplicant) -> list[Json]:
    """List unconfirmed documents as staff: the company cannot read those that only staff supply."""
    return [each for each in context.registrar.get(applicant.path)["items"] if each["confirmed_at"] is None]


def _upload(account: UserClient, applicant: DemoApplicant, documents: list[Document]) -> list[str]:
    """Upload the missing documents; return their titles without duplicates."""
    present = account.get(applicant.path)["items"]
    missing = [document for document in documents if not document.is_uploaded(present)]
    for document in missing:
        about = ", ".join(code for code, product_id in applicant.ids.items() if product_id in document.product_ids)
        text = " ".join(filter(None, (document.title, document.values.get("hs4"), about and f"for {about}")))
        file = (f"{document.kind}.pdf", small_pdf(applicant.name, text, NOTHING_REAL))
        account.upload(applicant.path, file, document.form())
    return list(dict.fromkeys(document.title for document in missing))


def _declaration_of_supplier(line: Line, product_id: str, today: date) -> Document:
    values = {
        "supplier": line.supplier,
        "hs4": line.hs4,
        "country": line.country,
        "district": line.district,
        "period_from": (today - YEAR).isoformat(),
        "period_until": (today + YEAR).isoformat(),
    }
    return Document(
        "supplier-declaration",
        "supplier's declaration",
        values,
        product_ids=(product_id,),
        issued_on=today - YEAR,
        distinct_by="hs4",
    )


def _of_company(case: DemoCase, applicant: DemoApplicant, today: date) -> Iterator[Document]:
    started, ends = today - YEAR, today + 5 * YEAR
    site, every = applicant.site["id"], tuple(applicant.ids.values())
    yield Document("authority-to-sign", "authority to sign", {"basis": "director"}, issued_on=started)
    yield Document("conformity-document", "test report", product_ids=every, issued_on=started, valid_until=ends)
    for code, product_id in applicant.ids.items():
        row = applicant.rows[code]
        if not case.is_household:
            yield _cost_statement(code, product_id, today)
        if case.scheme != "MIA":
            volume = {"claimed_volume": f"{_volume(row):f}"}
            yield Document("volume-statement", "yearly volume", volume, product_ids=(product_id,), issued_on=started)
    if case.scheme == "MIK":
        yield Document("permit", "permit", site_id=site, issued_on=started, valid_until=ends)
        yield from _capacities(applicant, started)
    if case.scheme == "MIA":
        yield Document("ownership-statement", "extract on ownership", {"state_share_pct": "0"}, issued_on=started)
    if case.is_household:
        yield from _of_household(applicant, started, ends)


def _volume(row: Row) -> Decimal:
    return (Decimal(row["annual_capacity"]) * CLAIMED_OF_CAPACITY).normalize()


def _capacities(applicant: DemoApplicant, started: date) -> Iterator[Document]:
    """Yield a capacity statement for each unit of the site's products."""
    capacities: dict[str, Decimal] = {}
    for code in applicant.ids:
        row = applicant.rows[code]
        capacities[row["unit"]] = capacities.get(row["unit"], Decimal(0)) + Decimal(row["annual_capacity"])
    for unit, capacity in capacities.items():
        yield Document(
            "capacity-statement",
            "capacity of the site",
            {"unit": unit, "per_year": f"{capacity:f}"},
            site_id=applicant.site["id"],
            issued_on=started,
            distinct_by="unit",
        )


def _cost_statement(code: str, product_id: str, today: date) -> Document:
    """Build the accountant's cost statement over the twelve months up to the end of last month."""
    until = today.replace(day=1) - timedelta(days=1)
    values = {
        "accountant": "Nigar Nümunə",
        "licence_no": "M-0042",
        "period_from": (until - timedelta(days=360)).replace(day=1).isoformat(),
        "period_until": until.isoformat(),
        "signed": True,
        **sums(code),
    }
    title = "cost statement"
    return Document("cost-statement", title, values, product_ids=(product_id,), issued_on=until)


def _of_household(applicant: DemoApplicant, started: date, ends: date) -> Iterator[Document]:
    """Yield the evidence of a household: origin of its produce, and residence in the municipality."""
    site, rows = applicant.site, applicant.rows
    season_ends = started + YEAR - timedelta(days=30)
    season = {
        "headings": sorted({row["hs6"][:4] for row in rows.values()}),
        "district": site["district"],
        "season_from": started.isoformat(),
        "season_until": season_ends.isoformat(),
        "quantity": "1,200 kg of honey",
        "ground": "hives",
    }
    letter = {"municipality": "URVA", "relation": "lives"}
    yield Document("municipality-letter", "letter of the municipality", letter, issued_on=started)
    yield Document("production-record", "hive book", season, site_id=site["id"], issued_on=season_ends)
    yield Document(
        "food-registration",
        "food registration",
        site_id=site["id"],
        issued_on=started,
        valid_until=ends,
        number="AQ-0042",
    )
    for product_id in applicant.ids.values():
        material = {"local_material_pct": "100"}
        yield Document("local-material", "local material", material, product_ids=(product_id,), issued_on=started)


def _staff_documents(context: DemoContext, case: DemoCase, applicant: DemoApplicant) -> Iterator[Document]:
    today, site = context.today, applicant.site["id"]
    clean = {"sanctions_match": False, "tax_debt": False, "open_complaint": False}
    yield Document("tax-status", "tax status", {"taxpayer_status": "active"}, issued_on=today)
    yield Document("background-check", "check of sanctions and debts", clean, issued_on=today)
    if case.scheme == "MIK" and applicant.site["park_code"]:
        goods = sorted({row["hs6"][:4] for row in context.lines.values() if row["owner_id"] == case.party})
        project = {"approved_goods": goods}
        yield Document("resident-project", "approved project", project, site_id=site, issued_on=today)
    if case.is_household:
        for product_id in applicant.ids.values():
            met = {"result": "all_met"}
            check = "check against the specification"
            yield Document("specification-check", check, met, product_ids=(product_id,), issued_on=today)
    visit: Json = {
        "visited_by": "municipality" if case.is_household else "staff",
        "surveyor": "Rəşad Nümunə",
        "products": ", ".join(applicant.ids),
        "findings": [],
    }
    yield Document("inspection-record", "site visit", visit, site_id=site, issued_on=today)
