"""Play the staff of the demo for companies that you name: confirm, look up, recommend, approve.

    python office.py VOEN [VOEN …]      until Ctrl-C

MIK is the address of the service, ACCOUNTS the demo's file of accounts. In production these are four people.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from made_in_karabakh import LATEST, ApiError, ChangedMeanwhile, Client, ConnectionFailed, Password, TotpCodes

MIK = os.environ.get("MIK", "http://localhost:8000")
ACCOUNTS = Path(os.environ.get("ACCOUNTS", "var/demo-accounts.json"))
BETWEEN_LOOKS_S = 0.5
PDF = b"%PDF-1.4\n%%EOF\n"
BAKU = timedelta(hours=4)


def client(role: str) -> Client:
    """Return the client of a member of staff, with the codes of their authenticator."""
    accounts, email = json.loads(ACCOUNTS.read_text("utf-8")), f"{role}@mik.example"
    return Client(MIK, Password(email, accounts[email], TotpCodes(accounts["totp_secrets"][email])))


def mailed_code(email: str) -> str:
    """Return the newest one-time code that was mailed; without a mail server the demo writes messages to files."""
    command = [sys.executable, "-m", "app.cli", "admin", "mail", "show", email, "--code", "--wait", "30"]
    settings = {**os.environ, "MIK_DATA_DIR": str(ACCOUNTS.parent)}
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 (a fixed command)


def confirmed(role: str, act: Callable[[str | None], Any]) -> Any:
    """Decide, and confirm the decision with the person's own key when the service shows what is decided."""
    try:
        return act(None)
    except ApiError as why:
        if why.code != "confirmation-required":
            raise
        document = why.document["document"]
    key = ACCOUNTS.parent / "demo-authenticators" / f"{role}@mik.example.pem"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        command = [sys.executable, "-m", "app.cli", "authenticator", "sign", "--url", MIK]
        command += ["--file", str(key), "--document", file.name]
        signed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (a fixed command)
    return act(signed.stdout.strip())


class Office:
    """Do what waits for the companies with these VÖEN, and nothing else."""

    def __init__(self, voens: list[str]) -> None:
        self.voens = voens
        self.registrar, self.reviewer, self.approver = client("registrar"), client("reviewer"), client("approver")

    def work(self) -> None:
        for voen in self.voens:
            for claim in self.registrar.claims.list(voen=voen, state="waiting"):
                basis = "Extract of the tax register, seen."
                self.registrar.claims.confirm(claim["id"], {"basis": basis}, version=LATEST)
                print(f"The registrar confirms the claim to {voen}.", flush=True)
            for company in self.registrar.organisations.list(q=voen):
                if company["status"] == "confirmed":
                    self._look_up(company["id"])
                    self._decide_all(company["id"])

    def _decide_all(self, company: str) -> None:
        for application in self.reviewer.applications.list(state="submitted"):
            if application["organisation"]["id"] == company:
                self._decide(application["id"], application["version"])

    def _look_up(self, company: str) -> None:
        """Add the documents that only staff can look up, then confirm those of the company."""
        present = self.registrar.evidence.list(company)
        waiting = [each for each in present if each["confirmed_at"] is None]
        if not waiting:
            return
        found: list[tuple[Any, dict[str, Any], str | None]] = [
            ("tax-status", {"taxpayer_status": "active"}, None),
            ("background-check", {"sanctions_match": False, "tax_debt": False, "open_complaint": False}, None),
        ]
        visit = {"visited_by": "staff", "surveyor": "Rəşad Nümunə", "findings": []}
        found += [("inspection-record", visit, site) for site in {each["site_id"] for each in present} if site]
        today, file = (datetime.now(UTC) + BAKU).date(), ("document.pdf", PDF)
        for kind, values, site in found:
            if (kind, site) not in {(each["kind"], each["site_id"]) for each in present}:
                added = self.registrar.evidence.add(
                    company, file=file, kind=kind, values=values, site_id=site, issued_on=today
                )
                self.reviewer.evidence.confirm(added["id"], {}, version=added["version"])
        for document in waiting:
            self.registrar.evidence.confirm(document["id"], {}, version=document["version"])
        print(f"The registrar confirms {len(waiting)} documents.", flush=True)

    def _decide(self, application: str, version: int) -> None:
        claimed = self.reviewer.review.claim_application(application, version=version)
        products: list[Any] = []
        for assessment in self.reviewer.applications.get_assessment(application):
            failed = [each["reason"] for each in assessment["rules"] if each["outcome"] == "fail"]
            manual = [each["rule"] for each in assessment["rules"] if each["outcome"] == "manual"]
            reason = "The site was visited, and the figures agree."
            products.append(
                {
                    "product_id": assessment["product_id"],
                    "outcome": "reject" if failed else "approve",
                    "reasons": failed,
                    "resolutions": [{"rule": each, "accept": True, "reason": reason} for each in manual],
                }
            )
        recommended = self.reviewer.review.recommend_decision(
            application, {"products": products}, version=claimed["version"]
        )
        decided = confirmed(
            "approver",
            lambda signed: self.approver.review.approve_application(
                application, version=recommended["version"], confirmation=signed
            ),
        )
        print(f"The approver decides {decided['number']}: {decided['state']}.", flush=True)


def main() -> None:
    office = Office(sys.argv[1:])
    print(f"The office of the demo works for {', '.join(office.voens)}. Ctrl-C ends it.", flush=True)
    while True:
        try:
            office.work()
        except ChangedMeanwhile as why:  # somebody else did it: look again
            print(why, flush=True)
        time.sleep(BETWEEN_LOOKS_S)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
    except ConnectionFailed as why:
        sys.exit(f"Nothing answers at {MIK}: {why} Is `make run` running? On another port, set MIK.")
