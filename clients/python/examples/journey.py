"""A company from its registration to a verified certificate, by the client library alone.

    python journey.py

MIK is the address of the service. `office.py 0090000191` plays the staff meanwhile.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from office import PDF, mailed_code

from made_in_karabakh import ApiError, Client, ClientCredentials, ConnectionFailed, Password, TokenVerifier
from made_in_karabakh import models as m

MIK = os.environ.get("MIK", "http://localhost:8000")
VOEN = os.environ.get("VOEN", "0090000191")
EMAIL = f"aysel@{VOEN}.example"
PASSWORD = "correct horse battery staple"  # noqa: S105 (invented)
PATIENCE_S = 120
T = TypeVar("T")


def register() -> str:
    """Register the company and return its id. The address is confirmed first, by a code that is mailed to it."""
    with Client(MIK) as anybody:
        anybody.registration.request_registration({"email": EMAIL})
        made = anybody.registration.confirm_registration(
            {
                "token": mailed_code(EMAIL),
                "legal_name_az": "“Nümunə-Boru Ağdam” MMC",
                "legal_name_en": "Sample Tube Agdam (fictional)",
                "legal_form": "MMC",
                "voen": VOEN,
                "member": {"full_name": "Aysel Nümunə", "password": PASSWORD},
            }
        )
    return made["organisation_id"]


def describe(mik: Client) -> m.ProductResponse:
    """Describe the site and the product: materials, process steps, costs by place."""
    site = mik.sites.create({"name": "Hall 1", "district": "Ağdam", "production_started_on": "2024-03-01"})
    return mik.products.create(
        {
            "names": {"az": "Qaynaqlı polad boru", "en": "Welded steel tube"},
            "hs6": "730630",
            "unit": "t",
            "site_id": site["id"],
            "ex_works": "1450",
            "materials": [
                {
                    "name": "Hot-rolled coil",
                    "hs4": "7208",
                    "origin_country": "TR",
                    "originating": False,
                    "value": "830",
                    "basis": "cif",
                }
            ],
            "steps": [
                {"name": "Slitting", "operation": "slitting", "country": "AZ", "district": "Ağdam"},
                {
                    "name": "Forming and welding",
                    "operation": "tube_welding",
                    "country": "AZ",
                    "district": "Ağdam",
                    "is_essential": True,
                },
            ],
            "costs": [
                {"kind": "labour", "place": "KARABAKH", "amount": "420"},
                {"kind": "energy", "place": "KARABAKH", "amount": "143"},
                {"kind": "quality", "place": "AZ_OTHER", "amount": "14"},
            ],
        }
    )


def missing(mik: Client, product: m.ProductResponse) -> list[str]:
    """Assess the product without applying. Every rule says why; nothing is stored."""
    (assessment,) = mik.schemes.assess("MIK", {"product_ids": [product["id"]]})
    return [rule["reason"] for rule in assessment["rules"] if rule["outcome"] == "incomplete"]


def upload(mik: Client, company: str, product: m.ProductResponse) -> None:
    """Upload the documents that the rules ask for; each names its subject."""
    today, product_ids, site_id = date.today(), [product["id"]], product["site_id"]  # noqa: DTZ011 (a date on paper)
    file, signed = ("document.pdf", PDF), today - timedelta(days=30)
    add = mik.evidence.add
    add(company, file=file, kind="authority-to-sign", values={"basis": "director"}, issued_on=signed)
    add(company, file=file, kind="permit", site_id=site_id, issued_on=signed)
    capacity = {"unit": "t", "per_year": "24000"}
    add(company, file=file, kind="capacity-statement", values=capacity, site_id=site_id, issued_on=signed)
    add(company, file=file, kind="conformity-document", product_id=product_ids, issued_on=signed)
    volume = {"claimed_volume": "20000"}
    add(company, file=file, kind="volume-statement", values=volume, product_id=product_ids, issued_on=signed)
    costs = {
        "accountant": "Nigar Nümunə",
        "licence_no": "M-0042",
        "signed": True,
        "period_from": f"{today.year - 1}-01-01",
        "period_until": f"{today.year - 1}-12-31",
        "materials_abroad": "830",
        "other_karabakh": "563",
        "other_az_other": "14",
    }
    add(company, file=file, kind="cost-statement", values=costs, product_id=product_ids, issued_on=signed)


def apply(mik: Client, product: m.ProductResponse) -> m.ApplicationResponse:
    """Draft, declare and submit."""
    application = mik.applications.create({"scheme": "MIK", "product_ids": [product["id"]]})
    declared = mik.applications.get_declaration(application["id"])
    mik.applications.create_declaration(
        application["id"], {"text_version": declared["text_version"], "declared_hash": declared["declared_hash"]}
    )
    try:
        return mik.applications.submit(application["id"], version=application["version"])
    except ApiError as why:
        for criterion in why.criteria:
            print(criterion["rule"], criterion["reason"])
        raise


def follow(machine: Client, application: m.ApplicationResponse) -> str:
    """Follow the events of the company until its certificate is issued; return the number."""

    def issued() -> str | None:
        kinds = {event["type"]: event["subject"] for event in machine.events.list()}
        if "certificate.issued" in kinds:
            return machine.applications.get(application["id"])["certificates"][0]
        return None

    return wait_for(issued)


def verify(number: str) -> None:
    """Verify as anybody can: by the number, and by the token with the issuer's keys and status lists."""
    with Client(MIK) as anybody:
        print(number, anybody.verification.verify_certificate_number(number)["verdict"])
        token = anybody.public_register.get_credential(number)
        issuer = anybody.keys.get_did_document()["id"]
        keys = anybody.keys.get_jwks()

        def find_status_list(url: str) -> str:
            return anybody.public_register.get_status_list(url.rpartition("/")[2])

        verifier = TokenVerifier(issuer, keys, find_status_list)
        certificate = verifier.certificate(token, datetime.now(UTC))
        print(certificate.number, certificate.verdict, "by its token")
        with Path(f"{number}.pdf").open("wb") as file:
            file.writelines(anybody.public_register.get_certificate_pdf(number))


def wait_for(look: Callable[[], T | None]) -> T:
    until = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        if time.monotonic() > until:
            sys.exit("Nobody decides. Is office.py running?")
        time.sleep(0.5)
    return found


def main() -> None:
    company = register()
    with Client(MIK, Password(EMAIL, PASSWORD)) as mik:
        product = describe(mik)
        print(len(missing(mik, product)), "facts or documents are missing")
        upload(mik, company, product)
        print(len(missing(mik, product)), "are left: staff look them up or confirm them")
        wait_for(lambda: all(each["confirmed_at"] for each in mik.evidence.list(company)) or None)
        application = apply(mik, product)
        print(application["number"], application["state"])
        keys = mik.api_clients.create({"name": "ERP", "scopes": ["read"]})
    with Client(MIK, ClientCredentials(keys["client_id"], keys["client_secret"] or "")) as machine:
        number = follow(machine, application)
        with Path("products.csv").open("wb") as file:
            file.writelines(machine.products.export_csv())
    verify(number)


if __name__ == "__main__":
    try:
        main()
    except ConnectionFailed as why:
        sys.exit(f"Nothing answers at {MIK}: {why} Is `make run` running? On another port, set MIK.")
