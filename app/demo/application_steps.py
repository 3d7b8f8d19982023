"""Run the second step of the demo: applications, from the draft to the decision.

The next action follows from the present state only, so that an interrupted run is completed by the next one.
"""

from collections.abc import Callable, Mapping

from app.demo import scenario_data
from app.demo.api_client import Json, UserClient
from app.demo.company_steps import enter_start, place_of_production, set_operating
from app.demo.context import DemoContext
from app.demo.evidence_steps import DemoApplicant, upload_and_confirm, upload_proofs
from app.demo.sample_documents import NOTHING_REAL, small_pdf
from app.demo.sample_products import product_body
from app.demo.scenario_data import DemoCase
from made_in_karabakh import ApiError


def try_unconfirmed(context: DemoContext, member: UserClient) -> Json:
    """Try to submit as an unconfirmed company; return the error, empty once the company is confirmed."""
    steps = ApplicationSteps(context, scenario_data.UNCONFIRMED, member)
    application = steps.found_or_drafted()
    if application["state"] != "draft" or member.get("/v1/me")["organisation"]["status"] != "unconfirmed":
        return {}
    steps.declare(application)
    try:
        member.act(f"/v1/applications/{application['id']}/submit")
    except ApiError as why:
        context.report(f"{steps.name} may not submit: {why.detail}")
        return {"company": steps.name, "application": application["number"], "code": why.code, "message": why.detail}
    return {}


def run_application(context: DemoContext, case: DemoCase, member: UserClient) -> Json:
    """Run one case to its last step of the demo and return its outcome."""
    steps = ApplicationSteps(context, case, member)
    application = steps.found_or_drafted()
    while step := steps.next_step(application):
        try:
            step(application)
        except ApiError as why:
            context.report(f"{application['number']} stays {application['state']}: {why.detail}")
            break
        application = steps.read(application["id"])
    return steps.outcome(application)


class ApplicationSteps:
    """Run the actions of one case as each of its users."""

    def __init__(self, context: DemoContext, case: DemoCase, member: UserClient) -> None:
        self._context, self._case, self._member = context, case, member
        self.name = context.name(case.party)

    def read(self, application_id: str) -> Json:
        return self._member.get(f"/v1/applications/{application_id}")

    def next_step(self, application: Json) -> Callable[[Json], None] | None:
        """Return the next action; None where the demo leaves the case, decided or waiting for a user."""
        asks = self._case.question
        steps: dict[str, Callable[[Json], None]] = {
            "draft": self._submit,
            "in_review": self._ask if asks and not application["questions"] else self._recommend,
            "recommended": self._approve,
        }
        if not self._case.is_left_to_review:
            steps["submitted"] = self._claim
        if asks and asks.answer:
            steps["information_requested"] = self._answer
        return steps.get(application["state"])

    def found_or_drafted(self) -> Json:
        """Return the application with the demo's reference, or draft it after a dry assessment."""
        case = self._case
        found = next(self._member.everything("/v1/applications", reference=case.reference), None)
        if found:
            return self.read(found["id"])
        ids = self._describe()
        tried = self._member.post(f"/v1/schemes/{case.scheme}/assessments", {"product_ids": ids})["items"]
        outcomes = ", ".join(f"{code} {each['outcome']}" for code, each in zip(case.products, tried, strict=True))
        self._context.report(f"{self.name} tries the rules of {case.scheme}: {outcomes}.")
        draft = {"scheme": case.scheme, "product_ids": ids, "reference": case.reference}
        return self._member.post("/v1/applications", draft)

    def _describe(self) -> list[str]:
        """Return the product ids in the order of the case; enter missing products and documents."""
        known = {code: each for each, code in self._references().items()}
        missing = [code for code in self._case.products if code not in known]
        site = place_of_production(self._context, self._case.party, self._member)
        for code in missing:
            known[code] = self._member.post("/v1/products", product_body(self._context.lines[code], site, {}))["id"]
        if missing:
            self._context.report(f"{self.name} describes {', '.join(missing)}: materials, steps, costs.")
        ids = {code: known[code] for code in self._case.products}
        self._add_documents(site, ids)
        return list(ids.values())

    def _add_documents(self, site: Json, ids: Mapping[str, str]) -> None:
        """Upload documents about their products; materials list the documents that prove their origin."""
        rows = {code: self._context.lines[code] for code in ids}
        path = f"/v1/organisations/{self._member.get('/v1/me')['organisation']['id']}/evidence"
        applicant = DemoApplicant(self._member, self.name, path, site, rows, ids)
        for code, proofs in upload_proofs(self._context, applicant).items():
            described = self._member.get(f"/v1/products/{ids[code]}")
            listed = {proof for line in described["materials"] for proof in line["proofs"]}
            if not set(proofs.values()) <= listed:
                self._member.act(f"/v1/products/{ids[code]}", product_body(rows[code], site, proofs), method="PUT")
        upload_and_confirm(self._context, self._case, applicant)

    def _references(self) -> Mapping[str, str]:
        """Return id → code of every product of the company."""
        return {each["id"]: each["reference"] for each in self._member.everything("/v1/products")}

    def _submit(self, application: Json) -> None:
        self.declare(application)
        self._member.act(f"/v1/applications/{application['id']}/submit")
        products = ", ".join(self._case.products)
        self._context.report(
            f"{self.name} declares that all is true, and submits {application['number']} for {products}."
        )

    def declare(self, application: Json) -> None:
        """Accept the declaration for the present content, unless it is declared already."""
        path = f"/v1/applications/{application['id']}/declaration"
        present = self._member.get(path)
        if not (present["declaration"] or {}).get("covers_present"):
            self._member.post(path, {name: present[name] for name in ("text_version", "declared_hash")})

    def _claim(self, application: Json) -> None:
        self._context.reviewer.act(f"/v1/applications/{application['id']}/claim")

    def _ask(self, application: Json) -> None:
        assert self._case.question is not None
        body = {"questions": [{"text": self._case.question.text}]}
        self._context.reviewer.act(f"/v1/applications/{application['id']}/request-information", body)
        self._context.report(f"The reviewer asks about {application['number']}: {self._case.question.text}")

    def _answer(self, application: Json) -> None:
        asked, path = self._case.question, f"/v1/applications/{application['id']}"
        assert asked is not None
        if asked.commissioned:
            act = small_pdf(self.name, asked.commissioned, NOTHING_REAL)
            about = {"kind": "process-description", "product_id": application["product_ids"]}
            self._member.upload(f"{path}/evidence", ("commissioning-act.pdf", act), about)
            set_operating(self._context, application["organisation"]["id"])
        if asked.started_on:
            enter_start(self._member, asked.started_on.isoformat())
        waiting = [each["id"] for each in application["questions"] if each["answer"] is None]
        answers = [{"question_id": each, "text": asked.answer} for each in waiting]
        self.declare(application)
        self._member.act(f"{path}/respond", {"answers": answers})
        self._context.report(f"{self.name} answers: {asked.answer}")

    def _recommend(self, application: Json) -> None:
        """Recommend rejection where a rule fails, approval otherwise; resolve manual findings with the reviewer's
        reason.
        """
        path, codes = f"/v1/applications/{application['id']}", self._references()
        assessment = self._context.reviewer.get(f"{path}/assessment")["items"]
        products = [_recommendation(each, codes[each["product_id"]], self._case) for each in assessment]
        self._context.reviewer.act(f"{path}/recommend", {"products": products})
        for each in products:
            code = codes[each["product_id"]]
            for reason in each["reasons"]:
                self._context.report(f"The reviewer rejects {code}: {reason}")
            for resolved in each["resolutions"]:
                self._context.report(f"The reviewer accepts {resolved['rule']} for {code}: {resolved['reason']}")

    def _approve(self, application: Json) -> None:
        """Confirm the recommendation as another user, whatever it recommends."""
        decided = self._context.approver.act(f"/v1/applications/{application['id']}/approve")
        granted = "".join(f", {number}" for number in decided["certificates"])
        self._context.report(
            f"The approver decides {application['number']} of {self.name}: {decided['state']}{granted}."
        )

    def outcome(self, application: Json) -> Json:
        """Return the case as the company reads it."""
        decided, codes = application["decision"] or {"products": [], "decided_at": None}, self._references()
        refused = [each for each in decided["products"] if each["outcome"] == "rejected"]
        return {
            "number": application["number"],
            "reference": application["reference"],
            "scheme": application["scheme"],
            "company": application["organisation"]["legal_name_en"],
            "outcome": application["state"],
            "waiting_on": application["waiting_on"],
            "decided_at": decided["decided_at"],
            "reasons": [reason for each in refused for reason in each["reasons"]],
            "questions": [{"question": q["question"], "answer": q["answer"]} for q in application["questions"]],
            "products": [
                {"product": codes[each["product_id"]], "outcome": each["outcome"], "certificate": each["certificate"]}
                for each in decided["products"]
            ],
            "certificates": application["certificates"],
        }


def _recommendation(assessment: Json, code: str, case: DemoCase) -> Json:
    failed = [finding["reason"] for finding in assessment["rules"] if finding["outcome"] == "fail"]
    manual = [finding["rule"] for finding in assessment["rules"] if finding["outcome"] == "manual"]
    reasons = {rule: case.resolutions[code, rule] for rule in manual if (code, rule) in case.resolutions}
    return {
        "product_id": assessment["product_id"],
        "outcome": "reject" if failed else "approve",
        "reasons": failed,
        "resolutions": [{"rule": rule, "accept": True, "reason": reason} for rule, reason in reasons.items()],
    }
