"""The main journey, act by act, over HTTP.

Every act reads before it writes and goes on from what it finds, so that a run that was cut off at any point is completed
by the next one, and a run after a complete one adds nothing. What a visitor changed meanwhile is left as it is.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import httpx2 as httpx

from app.cli.demo import cast
from app.cli.demo.cast import Case, Company, Suspend
from app.cli.demo.client import Account, Json, Refused, Stranger
from app.cli.demo.papers import product_body, small_pdf

Say = Callable[[str], None]
PasswordFor = Callable[[str], str]
"""E-mail → password; kept before it is handed out, so that no account is ever made whose password is lost."""

VC_JWT = "application/vc+jwt"
OPEN_TO_THE_APPLICANT = ("draft", "information_requested")


@dataclass(slots=True)
class Played:
    """What there is to show at the end."""

    applications: list[Json] = field(default_factory=list)
    certificates: list[Json] = field(default_factory=list)
    refused_before: Json = field(default_factory=dict)
    would_be_hit: Json = field(default_factory=dict)


class Journey:
    """One run. `http` speaks to the service; `say` tells the person who watches what happened."""

    def __init__(self, http: httpx.Client, password_for: PasswordFor, say: Say) -> None:
        self._http, self._password_for, self._say = http, password_for, say
        self._public = Stranger(http)
        self._listing = {row[_id_column(row)]: row for name in cast.REGISTER_FILES for row in _sample_rows(name)}
        self._lines = {row["product_id"]: row for row in _sample_rows(cast.PRODUCTS_FILE)}

    def play(self) -> Played:
        staff = [self._signed_in(email) for email in cast.STAFF]
        self._registrar, self._reviewer, self._approver, self._owner = staff
        played = Played()
        self._load_register()
        members = {company.party: self._bring_in(company) for company in cast.COMPANIES}
        played.refused_before = self._try_unconfirmed(members[cast.UNCONFIRMED.party])
        for case in cast.CASES:
            application = self._carry(case, members[case.party])
            played.applications.append(self._outcome(case, members[case.party], application))
        self._keep_the_mark(played.applications)
        played.would_be_hit = self._who_would_be_hit()
        played.certificates = self._verify_all(played.applications)
        return played

    def _signed_in(self, email: str) -> Account:
        return Account(self._http, email, self._password_for(email))

    # the register, and the companies in it

    def _load_register(self) -> None:
        known = {each["voen"] for each in self._registrar.everything("/v1/organisations")}
        for name in cast.REGISTER_FILES:
            wanted = {row["voen"] for row in _sample_rows(name)}
            if wanted <= known:
                continue
            report = self._registrar.upload("/v1/register/imports", (name, _sample(name)), {})
            self._say(f"The registrar imports {name}: {len(report['lines'])} companies.")

    def _bring_in(self, company: Company) -> Account:
        """The company registers itself, is confirmed, and says since when it produces."""
        listed = self._listing[company.party]
        organisation = next(self._registrar.everything("/v1/organisations", q=listed["voen"]))
        name = listed["legal_name_en"]
        if organisation["standing"] == "listed":
            password = self._password_for(company.email)
            self._public.post("/v1/registrations", _registration(listed, company, password))
            self._say(f"{name} registers itself and claims its line of the register.")
        member = self._signed_in(company.email)
        organisation = self._registrar.get(f"/v1/organisations/{organisation['id']}")
        if organisation["standing"] == "unconfirmed" and company.basis:
            self._registrar.act(f"/v1/organisations/{organisation['id']}/confirm", {"basis": company.basis})
            self._say(f"The registrar confirms {name}: {company.basis}")
        if company.started_on:
            self._tell_start(member, company.started_on.isoformat())
        return member

    @staticmethod
    def _tell_start(member: Account, day: str) -> None:
        site = _registered_site(member)
        if site["production_started_on"] is None:
            change = {"name": site["name"], "production_started_on": day}
            member.act(f"/v1/sites/{site['id']}", change, method="PUT")

    # the application, from the draft to the decision

    def _try_unconfirmed(self, member: Account) -> Json:
        """What the service answers to a company that nobody has confirmed yet; empty once somebody has."""
        case = cast.UNCONFIRMED
        application = self._drafted(case, member)
        if application["state"] != "draft":
            return {}
        try:
            member.act(f"/v1/applications/{application['id']}/submit")
        except Refused as why:
            name = application["organisation"]["legal_name_en"]
            self._say(f"{name} is not confirmed and may not submit: {why.message}")
            return {"company": name, "application": application["number"], "code": why.code, "message": why.message}
        return {}

    def _carry(self, case: Case, member: Account) -> Json:
        """Carry one case as far as the demo goes. Each state says who acts next, and that is where we go on."""
        application = self._drafted(case, member)
        path = f"/v1/applications/{application['id']}"
        while step := self._next_step(case, application):
            try:
                step(case, member, application)
            except Refused as why:
                self._say(f"{application['number']} stays {application['state']}: {why.message}")
                break
            application = member.get(path)
        return application

    def _next_step(self, case: Case, application: Json) -> Callable[[Case, Account, Json], None] | None:
        """None where the demo leaves the case: decided, or waiting for whoever tries the service."""
        match application["state"]:
            case "draft":
                return self._submit
            case "submitted" if not case.left_on_the_desk:
                return self._claim
            case "in_review" if case.question and not application["questions"]:
                return self._ask
            case "in_review":
                return self._recommend
            case "information_requested" if case.question and case.question.answer:
                return self._answer
            case "recommended":
                return self._approve
        return None

    def _drafted(self, case: Case, member: Account) -> Json:
        """The application that bears the demo's reference: found, or drafted with its products and evidence."""
        found = next(member.everything("/v1/applications", reference=case.reference), None)
        if found:
            return member.get(f"/v1/applications/{found['id']}")
        ids = self._described(case, member)
        tried = member.post(f"/v1/schemes/{case.scheme}/assessments", {"product_ids": ids})["items"]
        outcomes = ", ".join(f"{code} {each['outcome']}" for code, each in zip(case.products, tried, strict=True))
        self._say(f"{self._name(case)} tries the rules of {case.scheme} before applying: {outcomes}.")
        draft = {"scheme": case.scheme, "product_ids": ids, "reference": case.reference}
        return member.post("/v1/applications", draft)

    def _described(self, case: Case, member: Account) -> list[str]:
        known = {each["reference"]: each["id"] for each in member.everything("/v1/products")}
        missing = [code for code in case.products if code not in known]
        if missing:
            site = _registered_site(member)
            for code in missing:
                known[code] = member.post("/v1/products", product_body(self._lines[code], site))["id"]
            self._say(f"{self._name(case)} describes {', '.join(missing)}: materials, steps, costs.")
        return [known[code] for code in case.products]

    def _submit(self, case: Case, member: Account, application: Json) -> None:
        path = f"/v1/applications/{application['id']}"
        if not application["evidence"]:
            lines = (self._name(case), f"Cost statement for {', '.join(case.products)}", "Sample without meaning")
            form = {"kind": "cost-statement"}
            member.upload(f"{path}/evidence", ("cost-statement.pdf", small_pdf(*lines)), form)
        member.act(f"{path}/submit")
        self._say(f"{self._name(case)} submits {application['number']}: {case.scheme} for {', '.join(case.products)}.")

    def _claim(self, _case: Case, _member: Account, application: Json) -> None:
        self._reviewer.act(f"/v1/cases/{application['id']}/claim")

    def _ask(self, case: Case, _member: Account, application: Json) -> None:
        assert case.question is not None
        body = {"questions": [{"text": case.question.text}]}
        self._reviewer.act(f"/v1/cases/{application['id']}/request-information", body)
        self._say(f"The reviewer asks about {application['number']}: {case.question.text}")

    def _answer(self, case: Case, member: Account, application: Json) -> None:
        asked = case.question
        assert asked is not None
        path = f"/v1/applications/{application['id']}"
        if asked.commissioned:
            paper = small_pdf(self._name(case), asked.commissioned, "Sample without meaning")
            member.upload(f"{path}/evidence", ("commissioning-act.pdf", paper), {"kind": "process-description"})
            self._set_operating(application["organisation"]["id"])
        if asked.started_on:
            self._tell_start(member, asked.started_on.isoformat())
        waiting = [each["id"] for each in application["questions"] if each["answer"] is None]
        member.act(f"{path}/respond", {"answers": [{"question_id": each, "text": asked.answer} for each in waiting]})
        self._say(f"{self._name(case)} answers: {asked.answer}")

    def _set_operating(self, organisation_id: str) -> None:
        open_ones = {"organisation_id": organisation_id, "only_open": True}
        for residency in self._registrar.everything("/v1/residencies", **open_ones):
            if residency["stage"] != "operating":
                self._registrar.act(f"/v1/residencies/{residency['id']}/stage", {"stage": "operating"}, method="PUT")

    def _recommend(self, case: Case, _member: Account, application: Json) -> None:
        """Reject what a rule fails, approve the rest; every manual rule is resolved with the reviewer's reason."""
        judged = self._reviewer.get(f"/v1/cases/{application['id']}/assessment")["items"]
        codes = dict(zip(application["product_ids"], case.products, strict=True))
        products = [_verdict(each, codes[each["product_id"]], case.resolutions) for each in judged]
        self._reviewer.act(f"/v1/cases/{application['id']}/recommend", {"products": products})

    def _approve(self, case: Case, _member: Account, application: Json) -> None:
        """Another person confirms the recommendation, whichever way it goes."""
        decided = self._approver.act(f"/v1/cases/{application['id']}/approve")
        granted = ", ".join(decided["certificates"]) or "no certificate"
        self._say(f"The approver decides {application['number']} of {self._name(case)}: {decided['state']}, {granted}.")

    def _outcome(self, case: Case, member: Account, application: Json) -> Json:
        decision = application["decision"] or {"products": [], "decided_at": None}
        codes = dict(zip(application["product_ids"], case.products, strict=True))
        refused = [each for each in decision["products"] if each["outcome"] == "rejected"]
        return {
            "number": application["number"],
            "reference": application["reference"],
            "scheme": application["scheme"],
            "company": application["organisation"]["legal_name_en"],
            "member": member.email,
            "outcome": application["state"],
            "acts_next": application["acts_next"],
            "decided_at": decision["decided_at"],
            "reasons": [reason for each in refused for reason in each["reasons"]],
            "questions": [{"question": q["question"], "answer": q["answer"]} for q in application["questions"]],
            "products": [
                {"product": codes[each["product_id"]], "outcome": each["outcome"], "certificate": each["certificate"]}
                for each in decision["products"]
            ],
            "certificates": application["certificates"],
        }

    # after the grant

    def _keep_the_mark(self, applications: Sequence[Json]) -> None:
        """The owner suspends one and revokes one, unless somebody has had a hand in it already."""
        for deed in cast.DEEDS:
            granted = {
                (each["scheme"], product["product"]): (product["certificate"], each["decided_at"])
                for each in applications
                for product in each["products"]
            }
            number, issued_at = granted.get((deed.scheme, deed.product), (None, None))
            if number is None:
                continue
            certificate = self._public.get(f"/v1/certificates/{number}")
            if _moment(certificate["status_since"]) != _moment(issued_at or ""):
                continue
            if isinstance(deed, Suspend):
                body, path = {"cause": deed.cause, "note": deed.note}, f"/v1/certificates/{number}/suspend"
                self._say(f"The owner suspends {number}: {deed.cause}.")
            else:
                body, path = {"reason": deed.reason}, f"/v1/certificates/{number}/revoke"
                self._say(f"The owner revokes {number}: {deed.reason}.")
            self._owner.act(path, body)

    def _who_would_be_hit(self) -> Json:
        """A dry run: which certificates would fall with a residency that the register cancels."""
        row = self._listing[cast.CANCELLED] | {"status": "cancelled"}
        sheet = io.StringIO()
        writer = csv.DictWriter(sheet, list(row))
        writer.writeheader()
        writer.writerow(row)
        file = ("cancelled.csv", sheet.getvalue().encode())
        report = self._registrar.upload("/v1/register/imports", file, {}, dry_run=True)
        return {"company": row["legal_name_en"], "certificates": [hit["number"] for hit in report["certificates"]]}

    def _verify_all(self, applications: Sequence[Json]) -> list[Json]:
        """Anybody checks every certificate by its number, and the first also by its token."""
        numbers = [number for each in applications for number in each["certificates"]]
        shown = [self._verified(number) for number in numbers]
        if shown:
            token = self._public.text(f"/v1/certificates/{numbers[0]}", VC_JWT)
            shown[0]["verdict_by_token"] = self._public.post("/v1/verify", {"token": token})["verdict"]
        return shown

    def _verified(self, number: str) -> Json:
        answer = self._public.get(f"/v1/verify/{number}")
        certificate = answer["certificate"]
        return {
            "number": number,
            "scheme": certificate["scheme"]["code"],
            "holder": certificate["holder"]["name"],
            "product": certificate["product"]["name"]["en"],
            "status": certificate["status"],
            "valid_until": certificate["valid_until"],
            "verdict": answer["verdict"],
            "message": answer["message"],
            "link": f"/v1/verify/{number}",
        }

    def _name(self, case: Case) -> str:
        return self._listing[case.party]["legal_name_en"]


def _sample(name: str) -> bytes:
    return (files("app.registry") / "sample" / name).read_bytes()


def _sample_rows(name: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(_sample(name).decode("utf-8")))


def _id_column(row: Mapping[str, str]) -> str:
    return "resident_id" if "resident_id" in row else "party_id"


def _registration(listed: Mapping[str, str], company: Company, password: str) -> Json:
    names = {name: listed[name] for name in ("legal_name_az", "legal_name_en", "legal_form", "voen")}
    return {**names, "member": {"full_name": company.member, "email": company.email, "password": password}}


def _registered_site(member: Account) -> Json:
    """The company's place of production as the register names it."""
    return next(site for site in member.everything("/v1/sites") if site["source"] == "register")


def _verdict(judged: Json, code: str, resolutions: Mapping[tuple[str, str], str]) -> Json:
    of = {outcome: [f for f in judged["rules"] if f["outcome"] == outcome] for outcome in ("fail", "manual")}
    return {
        "product_id": judged["product_id"],
        "outcome": "reject" if of["fail"] else "approve",
        "reasons": [finding["reason"] for finding in of["fail"]],
        "resolutions": [
            {"rule": finding["rule"], "accept": True, "reason": resolutions[code, finding["rule"]]}
            for finding in of["manual"]
            if (code, finding["rule"]) in resolutions
        ],
    }


def _moment(text: str) -> Any:
    return text
