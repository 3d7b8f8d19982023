"""How to walk each route that writes: a function of the running app prepares all and gives the last request, unsent."""

from functools import partial

from tests.bulk.sheets import csv_file, product_row
from tests.factories import PASSWORD, PDF, ok, product
from tests.helpers import disable_webhooks
from tests.history.access_walks import ACCESS_WALKS, EVIDENCE_WALKS, step_up
from tests.organisations.sanctions import resembling

QUESTIONS = {"questions": [{"text": "When did series production start?"}]}
REASON = {"reason": "The cost statement does not add up."}
TODAY = "2026-11-22"


def _transition(caller, path, body=None):
    return partial(caller.post, path, version=caller.version_of(path), **({} if body is None else {"json": body}))


def _register(app):
    return partial(
        app.send_registration,
        {
            "legal_name_az": "“Nümunə” MMC",
            "legal_name_en": "Sample",
            "legal_form": "MMC",
            "voen": "0010000101",
            "member": {"full_name": "Aysel Nümunə", "email": "a@numune.example", "password": "a long enough secret"},
        },
    )


def _add_site(app):
    body = {"name": "Hall 3", "district": "Ağdam", "park_code": "AGDAM-SP"}
    return partial(app.set_up_company().post, "/v1/sites", json=body)


def _add_product(app):
    company = app.set_up_company()
    return partial(company.post, "/v1/products", json=product(company.site_id))


def _change_site(app):
    company = app.set_up_company()
    path = f"/v1/sites/{company.site_id}"
    body = {"name": "Hall 2", "production_started_on": "2024-03-01"}
    return partial(company.put, path, json=body, version=company.version_of(path))


def _change_product(app):
    company = app.set_up_company()
    path = f"/v1/products/{company.add_product()}"
    changed = product(company.site_id) | {"names": {"az": "Qaynaqlı boru", "en": "Welded tube"}}
    return partial(company.put, path, json=changed, version=company.version_of(path))


def _retire_product(app):
    company = app.set_up_company()
    return _transition(company, f"/v1/products/{company.add_product()}/retire")


def _create_draft(app):
    company = app.set_up_company()
    body = {"scheme": "MIK", "product_ids": [company.add_product()]}
    return partial(company.post, "/v1/applications", json=body)


def _change_draft(app):
    company = app.set_up_company()
    path = f"/v1/applications/{company.draft()}"
    body = {"product_ids": [company.add_product()]}
    return partial(company.put, path, json=body, version=company.version_of(path))


def _copy_application(app):
    company = app.set_up_company()
    return partial(company.post, f"/v1/applications/{company.draft()}/copy", json={})


def _import_products(app):
    company = app.set_up_company()
    files = {"file": ("p.csv", csv_file([product_row(1, site=company.site_id)]))}
    return partial(company.post, "/v1/imports/products", files=files)


def _import_applications(app):
    company = app.set_up_company()
    lines = [{"scheme": "MIK", "products": company.add_product()}]
    return partial(
        company.post, "/v1/imports/applications", files={"file": ("a.csv", csv_file(lines, kind="applications"))}
    )


def _send_manifest(app, company=None):
    company = company or app.set_up_company()
    return partial(company.post, "/v1/verify/manifests", files={"file": ("numbers.txt", b"MIK-2026-000001-F")})


def _cancel_manifest(app):
    company = app.set_up_company()
    return partial(company.post, f"/v1/verify/manifests/{ok(_send_manifest(app, company)())['id']}/cancel", version=1)


def _submit(app):
    company = app.set_up_company()
    return _transition(company, f"/v1/applications/{company.prepare(company.draft())}/submit")


def _withdraw(app):
    company = app.set_up_company()
    return _transition(company, f"/v1/applications/{company.apply()}/withdraw")


def _held(app, company=None):
    case_id = (company or app.set_up_company()).apply()
    app.reviewer.act(f"/v1/applications/{case_id}/claim")
    return case_id


def _respond(app):
    company = app.set_up_company()
    case_id = _held(app, company)
    app.reviewer.act(f"/v1/applications/{case_id}/request-information", QUESTIONS)
    (question,) = company.application(case_id)["questions"]
    body = {"answers": [{"question_id": question["id"], "text": "On 1 March 2024."}]}
    return _transition(company, f"/v1/applications/{case_id}/respond", body)


def _add_evidence(app):
    company = app.set_up_company()
    return partial(company.add_evidence, company.draft())


def _decide_candidate(app):
    path, body = resembling(app)
    return partial(app.registrar.post, path, json=body)


def _remove_evidence(app):
    company = app.set_up_company()
    draft = company.draft()
    return partial(company.delete, f"/v1/applications/{draft}/evidence/{ok(company.add_evidence(draft))['id']}")


def _ask_to_watch(app):
    body = {"kind": "heading", "value": "7306", "email": "buyer@sample.example"}
    return partial(app.anonymous.post, "/v1/watches", json=body)


def _add_webhook(app):
    return partial(app.set_up_company().post, "/v1/webhooks", json={"url": "https://erp.numune.example/mik"})


def _with_webhook(method, action="", **more):
    def prepare(app):
        company = app.set_up_company()
        path = f"/v1/webhooks/{company.add_webhook()['id']}"
        if action == "/enable":
            disable_webhooks(app)
        return partial(company.request, method, f"{path}{action}", **more)

    return prepare


def _resend(app):
    company = app.set_up_company()
    path = f"/v1/webhooks/{company.add_webhook()['id']}"
    return partial(company.post, f"{path}/deliveries/{ok(company.post(f'{path}/test'))['id']}/redeliver")


def _revoke_client(app):
    company = app.set_up_company()
    return partial(company.delete, f"/v1/api-clients/{_client(company)['id']}")


def _add_secret(app):
    company = app.set_up_company()
    return partial(company.post, f"/v1/api-clients/{_client(company)['id']}/secrets")


def _end_secret(app):
    company = app.set_up_company()
    client = _client(company)
    return partial(company.delete, f"/v1/api-clients/{client['id']}/secrets/{client['secrets'][0]['id']}")


def _client(company):
    return ok(company.post("/v1/api-clients", json={"name": "Orders"}))


def _with_case(action, body=None):
    return lambda app: _transition(app.reviewer, f"/v1/applications/{_held(app)}/{action}", body)


def _claim(app):
    return _transition(app.reviewer, f"/v1/applications/{app.set_up_company().apply()}/claim")


def _assign(app):
    body = {"application_ids": [app.set_up_company().apply()], "to": app.reviewer.id}
    return partial(app.reviewer.post, "/v1/applications/assign", json=body)


def _hand_over(app):
    second = app.staff("reviewer", name="second-reviewer")
    return _with_case("hand-over", {"to": second.id})(app)


def _recommend(app):
    case_id = _held(app)
    ids = ok(app.reviewer.get(f"/v1/applications/{case_id}"))["product_ids"]
    body = {"products": [{"product_id": i, "outcome": "approve"} for i in ids]}
    return _transition(app.reviewer, f"/v1/applications/{case_id}/recommend", body)


def _decide(action, body=None):
    def walk(app):
        case_id = _held(app)
        app.review(case_id)
        return _transition(app.approver, f"/v1/applications/{case_id}/{action}", body)

    return walk


def _note(app):
    return partial(app.reviewer.post, f"/v1/applications/{_held(app)}/notes", json={"text": "Seen."})


def _claim_deed(deed, body):
    return lambda app: _transition(app.registrar, f"/v1/claims/{app.register().claim_id}/{deed}", body)


def _propose(app):
    rival = app.register(app.confirm(app.register()).voen)
    return _transition(app.registrar, f"/v1/claims/{rival.claim_id}/propose", {"basis": "A new director."})


def _claim_again(app):
    claimant = app.register()
    app.registrar.act(f"/v1/claims/{claimant.claim_id}/refuse", {"reason": "No power of attorney."})
    files = {"file": ("extract.pdf", PDF, "application/pdf")}
    form = {"kind": "other", "legal_name_az": "“Yeni” MMC", "legal_name_en": "New", "legal_form": "MMC"}
    return partial(claimant.without_factor().post, "/v1/claims", data=form | {"voen": claimant.voen}, files=files)


def _enter_residency(app):
    company = app.confirm(app.register())
    body = {
        "organisation_id": company.organisation_id,
        "park_code": "AGDAM-SP",
        "status": "resident",
        "holder_voen": company.voen,
    }
    return partial(app.registrar.post, "/v1/residencies", json=body)


def _close_residency(deed):
    body = {"on": TODAY, "reason": "Given up."}
    return lambda app: _transition(
        app.registrar, f"/v1/residencies/{app.add_residency(app.confirm(app.register()))}/{deed}", body
    )


def _restore_residency(app):
    path = f"/v1/residencies/{app.add_residency(app.confirm(app.register()))}"
    app.registrar.act(f"{path}/end", {"on": TODAY, "reason": "Given up."})
    return _transition(app.registrar, f"{path}/restore")


def _change_stage(app):
    path = f"/v1/residencies/{app.add_residency(app.confirm(app.register()))}/stage"
    return partial(app.registrar.put, path, json={"stage": "construction"}, version=app.registrar.version_of(path))


def _import_register(app):
    columns = "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region"
    row = "R01,“Nümunə” MMC,Sample,MMC,0010000101,AGDAM-SP,Ağdam,AZ-AGM,QARABAG"
    text = f"{columns},status,registration_no\n{row},resident,AGSP-R-2021-001\n"
    return partial(app.registrar.post, "/v1/register/imports", files={"file": ("register.csv", text.encode())})


def _keep(deed, body=None, *, before=None):
    """What happens to a certificate, by the owner (or by its holder, for a surrender)."""

    def walk(app):
        company = app.set_up_company()
        path = f"/v1/certificates/{app.certify(company)}"
        if before is not None:
            app.owner.act(f"{path}/{before}", body)
        return _transition(company if deed == "surrender" else app.owner, f"{path}/{deed}", body)

    return walk


CHANGE = {"what": "supplier", "text": "Another mill.", "on": "2026-12-01"}


def _report_change(app):
    company = app.set_up_company()
    return partial(company.post, f"/v1/certificates/{app.certify(company)}/changes", json=CHANGE)


def _close_matter(app):
    path = f"/v1/matters/{ok(_report_change(app)())['id']}/close"
    return _transition(app.owner, path, {"outcome": "corrected", "reason": "The new supplier is proven."})


def _announce(app):
    body = {"year": 2027, "days": [{"day": "2027-03-20", "occasion": "novruz"}]}
    return partial(app.owner.post, "/v1/calendar/holidays", json=body)


def _declare(app):
    company = app.set_up_company()
    path = f"/v1/applications/{company.draft()}/declaration"
    present = ok(company.get(path))
    body = {name: present[name] for name in ("text_version", "declared_hash")}
    return partial(company.post, path, json=body)


def _waive_visit(app):
    case_id = app.set_up_company().apply()
    return _transition(app.owner, f"/v1/applications/{case_id}/visit-waiver", REASON)


def _report(app):
    body = {"text": "Seen at a market, without a number.", "address": "https://mik-az.example/v/1"}
    return partial(app.anonymous.post, "/v1/reports", json=body)


WALKS = {
    "POST /v1/registrations/confirm": _register,
    "POST /v1/reports": _report,
    "POST /v1/sites": _add_site,
    "PUT /v1/sites/{site_id}": _change_site,
    "POST /v1/products": _add_product,
    "PUT /v1/products/{product_id}": _change_product,
    "POST /v1/products/{product_id}/retire": _retire_product,
    "POST /v1/applications": _create_draft,
    "PUT /v1/applications/{application_id}": _change_draft,
    "POST /v1/applications/{application_id}/submit": _submit,
    "POST /v1/applications/{application_id}/respond": _respond,
    "POST /v1/applications/{application_id}/declaration": _declare,
    "POST /v1/applications/{application_id}/visit-waiver": _waive_visit,
    "POST /v1/applications/{application_id}/withdraw": _withdraw,
    "POST /v1/applications/{application_id}/evidence": _add_evidence,
    "POST /v1/organisations/{organisation_id}/sanctions-screening/decisions": _decide_candidate,
    "DELETE /v1/applications/{application_id}/evidence/{evidence_id}": _remove_evidence,
    "POST /v1/applications/{application_id}/copy": _copy_application,
    "POST /v1/imports/products": _import_products,
    "POST /v1/imports/applications": _import_applications,
    "POST /v1/verify/manifests": _send_manifest,
    "POST /v1/verify/manifests/{manifest_id}/cancel": _cancel_manifest,
    "POST /v1/webhooks": _add_webhook,
    "PUT /v1/webhooks/{webhook_id}": _with_webhook("PUT", json={"url": "https://numune.example/"}, version=1),
    "DELETE /v1/webhooks/{webhook_id}": _with_webhook("DELETE"),
    "POST /v1/webhooks/{webhook_id}/rotate-secret": _with_webhook("POST", "/rotate-secret", version=1),
    "POST /v1/webhooks/{webhook_id}/enable": _with_webhook("POST", "/enable", version=1),
    "POST /v1/webhooks/{webhook_id}/test": _with_webhook("POST", "/test"),
    "POST /v1/webhooks/{webhook_id}/redeliver": _with_webhook(
        "POST", "/redeliver", json={"since": "2026-11-22T17:00:00Z"}
    ),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": _resend,
    "POST /v1/api-clients": lambda app: partial(app.set_up_company().post, "/v1/api-clients", json={"name": "Orders"}),
    "DELETE /v1/api-clients/{client_id}": _revoke_client,
    "POST /v1/api-clients/{client_id}/secrets": _add_secret,
    "DELETE /v1/api-clients/{client_id}/secrets/{secret_id}": _end_secret,
    "POST /v1/applications/assign": _assign,
    "POST /v1/applications/{application_id}/claim": _claim,
    "POST /v1/applications/{application_id}/release": _with_case("release"),
    "POST /v1/applications/{application_id}/hand-over": _hand_over,
    "POST /v1/applications/{application_id}/notes": _note,
    "POST /v1/applications/{application_id}/request-information": _with_case("request-information", QUESTIONS),
    "POST /v1/applications/{application_id}/recommend": _recommend,
    "POST /v1/applications/{application_id}/approve": _decide("approve"),
    "POST /v1/applications/{application_id}/reject": _decide("reject", REASON),
    "POST /v1/applications/{application_id}/return": _decide("return", REASON),
    "POST /v1/claims": _claim_again,
    "POST /v1/claims/{claim_id}/propose": _propose,
    "POST /v1/claims/{claim_id}/confirm": _claim_deed("confirm", {"basis": "Extract seen."}),
    "POST /v1/claims/{claim_id}/refuse": _claim_deed("refuse", REASON),
    "POST /v1/residencies": _enter_residency,
    "POST /v1/residencies/{residency_id}/end": _close_residency("end"),
    "POST /v1/residencies/{residency_id}/cancel": _close_residency("cancel"),
    "POST /v1/residencies/{residency_id}/restore": _restore_residency,
    "PUT /v1/residencies/{residency_id}/stage": _change_stage,
    "POST /v1/register/imports": _import_register,
    "POST /v1/certificates/{number}/suspend": _keep("suspend", {"cause": "hearing"}),
    "POST /v1/certificates/{number}/reinstate": _keep("reinstate", {"cause": "hearing"}, before="suspend"),
    "POST /v1/certificates/{number}/revoke": _keep("revoke", {"reason": "bankruptcy"}),
    "POST /v1/certificates/{number}/surrender": _keep("surrender"),
    "POST /v1/certificates/{number}/changes": _report_change,
    "POST /v1/matters/{matter_id}/close": _close_matter,
    "POST /v1/jobs/{job_id}/retry": lambda app: _transition(app.owner, f"/v1/jobs/{app.park_job()}/retry"),
    "POST /v1/mail-deliveries/{mail_id}/retry": lambda app: partial(
        app.owner.post, f"/v1/mail-deliveries/{app.fail_mail()}/retry"
    ),
    "POST /v1/calendar/holidays": _announce,
    **ACCESS_WALKS,
    **EVIDENCE_WALKS,
}
"""Each changes a state, a right, a rule or a key."""


def _dry_assessment(app):
    company = app.set_up_company()
    body = {"product_ids": [company.add_product()]}
    return partial(company.post, "/v1/schemes/MIK/assessments", json=body)


def _with_notice(app):
    """A company and the id of its newest notice: what one has read of one's own inbox is no act."""
    company = app.confirm(app.register())
    app.follow_events()
    return company, company.get("/v1/inbox").json()["items"][0]["id"]


def _read_notice(app):
    company, notice_id = _with_notice(app)
    return partial(company.post, f"/v1/inbox/{notice_id}/read")


def _read_notices(app):
    company, notice_id = _with_notice(app)
    return partial(company.post, "/v1/inbox/read", json={"up_to": notice_id})


def _choose_mails(app):
    body = {"language": "az", "not_mailed": ["certificate.issued"]}
    return partial(app.register().put, "/v1/me/notification-settings", json=body)


def _token(app):
    """A sign-in changes no state, right, rule or key: it counts guesses and notes the last use."""
    form = {"grant_type": "password", "username": f"member@{app.register().voen}.example", "password": PASSWORD}
    return partial(app.anonymous.post, "/v1/auth/token", data=form)


def _ask_for_password(app):
    return partial(app.anonymous.post, "/v1/auth/password-resets", json={"email": "nobody@numune.example"})


def _ask_to_register(app):
    return partial(app.anonymous.post, "/v1/registrations", json={"email": "nobody@numune.example"})


def _batch(app):
    return partial(app.anonymous.post, "/v1/verify/batch", json={"items": [{"number": "x"}]})


READS_ONLY = {
    "POST /v1/watches": _ask_to_watch,
    "POST /v1/watches/unsubscribe": lambda app: partial(app.anonymous.post, "/v1/watches/unsubscribe?token=mikw_x"),
    "POST /v1/verify": lambda app: partial(app.anonymous.post, "/v1/verify", json={"number": "x"}),
    "POST /v1/verify/batch": _batch,
    "POST /v1/verify/file": lambda app: partial(app.anonymous.post, "/v1/verify/file", content=b"x"),
    "POST /v1/schemes/{code}/assessments": _dry_assessment,
    "POST /v1/inbox/read": _read_notices,
    "POST /v1/inbox/{notice_id}/read": _read_notice,
    "PUT /v1/me/notification-settings": _choose_mails,
    "POST /v1/auth/token": _token,
    "POST /v1/auth/passkey/options": lambda app: partial(app.anonymous.post, "/v1/auth/passkey/options"),
    "POST /v1/me/passkeys/options": lambda app: partial(app.register().post, "/v1/me/passkeys/options"),
    "POST /v1/auth/step-up": step_up,
    "POST /v1/auth/password-resets": _ask_for_password,
    "POST /v1/registrations": _ask_to_register,
}
"""POST for what is too long, or too secret, for an address; what strangers ask, an event once a message goes to an
account; what they follow; or what one has read, and wants to be mailed."""
