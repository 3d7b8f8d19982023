"""Safe retries: a request with an Idempotency-Key is done once, and its answer is given again."""

from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.auth import role_log, user_repository
from app.auth.authenticate import TokenSubject
from app.auth.model import User
from app.core.actor import ActorKind, Role, Scope
from tests.api.helpers import SITE, events, is_replay, kept, keyed, same, sites
from tests.factories import PASSWORD, PDF, ApiClient, ok, product, voen_of

pytestmark = pytest.mark.no_coverage


class TestReplay:
    def test_the_same_answer_and_nothing_done_twice(self, app, company, key):
        first = company.post("/v1/sites", json=SITE, headers=keyed(key))
        done = events(app)
        app.clock.advance(minutes=10)
        again = company.post("/v1/sites", json=SITE, headers=keyed(key))
        assert first.status_code == 201
        assert not is_replay(first)
        same(first, again)
        assert (events(app), sites(company).count("Hall 2")) == (done, 1)

    def test_of_a_transition_though_version_and_state_moved_on(self, app, company, key):
        path = f"/v1/applications/{company.prepare(company.draft())}/submit"
        first = company.post(path, version=1, headers=keyed(key))
        assert first.status_code == 200
        done = events(app)
        for version in (1, None, 77):  # 412 and 428 are not looked at any more
            same(first, company.post(path, version=version, headers=keyed(key)))
        assert company.post(path, version=1).status_code == 412
        assert company.post(path, version=2).status_code == 409
        assert events(app) == done

    def test_of_an_approval_gives_the_same_certificate(self, app, company, key):
        case = company.apply()
        app.review(case)
        path = f"/v1/applications/{case}/approve"
        version = app.approver.version_of(path)
        first = app.approver.post(path, version=version, headers=keyed(key))
        same(first, app.approver.post(path, version=version, headers=keyed(key)))
        assert len(ok(app.anonymous.get("/v1/certificates"))["items"]) == 1

    @pytest.mark.parametrize("spelling", ["{}", '"{}"', "  {} "])
    def test_the_key_as_a_structured_field_or_bare(self, company, key, spelling):
        first = company.post("/v1/sites", json=SITE, headers=keyed(key))
        same(first, company.post("/v1/sites", json=SITE, headers=keyed(spelling.format(key))))

    def test_members_in_another_order_are_the_same_body(self, company, key):
        first = company.post("/v1/sites", json=SITE, headers=keyed(key))
        same(first, company.post("/v1/sites", json=dict(reversed(SITE.items())), headers=keyed(key)))

    def test_of_an_upload_though_the_boundary_differs(self, company, key):
        application = company.draft()
        path = f"/v1/applications/{application}/evidence"
        upload = {"files": {"file": ("a.pdf", PDF)}, "data": {"kind": "other"}}
        first = company.post(path, **upload, headers=keyed(key))
        same(first, company.post(path, **upload, headers=keyed(key)))
        other = {"files": {"file": ("a.pdf", PDF + b"%")}, "data": {"kind": "other"}}
        assert company.post(path, **other, headers=keyed(key)).json()["code"] == "key-reused"

    def test_of_an_upload_comes_before_409(self, company, key):
        """The answer got lost, somebody else of the company submitted meanwhile: the file is there all the same."""
        application = company.draft()
        path = f"/v1/applications/{application}/evidence"
        upload = {"files": {"file": ("a.pdf", PDF)}, "data": {"kind": "other"}}
        first = company.post(path, **upload, headers=keyed(key))
        company.submit(application)
        assert company.post(path, **upload).status_code == 409
        same(first, company.post(path, **upload, headers=keyed(key)))

    def test_of_a_removal_though_the_thing_is_gone(self, company, key):
        application = company.draft()
        evidence = ok(company.add_evidence(application))["id"]
        path = f"/v1/applications/{application}/evidence/{evidence}"
        first = company.delete(path, headers=keyed(key))
        assert (first.status_code, first.content) == (204, b"")
        same(first, company.delete(path, headers=keyed(key)))
        assert company.delete(path).status_code == 404


class TestAnotherRequest:
    def test_another_body_is_refused(self, app, company, key):
        ok(company.post("/v1/sites", json=SITE, headers=keyed(key)))
        done = events(app)
        answer = company.post("/v1/sites", json=SITE | {"name": "Hall 3"}, headers=keyed(key))
        assert (answer.status_code, answer.json()["code"]) == (422, "key-reused")
        assert events(app) == done

    def test_another_query_is_another_request(self, app, key):
        company = app.register()
        app.confirm(company)
        residency = app.add_residency(company)
        path, body = f"/v1/residencies/{residency}/end", {"on": "2026-11-20", "reason": "Moved away."}
        dry = app.registrar.post(f"{path}?dry_run=true", version=1, json=body, headers=keyed(key))
        assert dry.status_code == 200
        wet = app.registrar.post(path, version=1, json=body, headers=keyed(key))
        assert wet.json()["code"] == "key-reused"

    def test_another_principal_has_keys_of_their_own(self, app, company, key):
        other = app.set_up_company()
        program = ok(company.post("/v1/api-clients", json={"name": "Orders", "scopes": list(Scope)}))
        client = ApiClient(app, TokenSubject(ActorKind.CLIENT, program["id"]))
        answers = [who.post("/v1/sites", json=SITE, headers=keyed(key)) for who in (company, other, client)]
        assert [answer.status_code for answer in answers] == [201] * 3
        assert not any(is_replay(answer) for answer in answers)
        assert len({answer.json()["id"] for answer in answers}) == 3

    def test_another_route_has_keys_of_its_own(self, company, key):
        first, second = company.draft(), company.draft()
        ok(company.post("/v1/sites", json=SITE, headers=keyed(key)))
        for path in (f"/v1/applications/{first}/withdraw", f"/v1/applications/{second}/withdraw"):
            answer = company.post(path, version=1, headers=keyed(key))
            assert (answer.status_code, is_replay(answer)) == (200, False)

    @pytest.mark.parametrize("text", ["", " ", '""', "a b", "ü", "x" * 129, "a,b\\c", 'a"b'])
    def test_a_key_that_cannot_be_kept(self, app, company, text):
        done = events(app)
        answer = company.post("/v1/sites", json=SITE, headers={"Idempotency-Key": text.encode()})
        assert (answer.status_code, answer.json()["code"]) == (422, "key-invalid")
        assert events(app) == done


class TestRightsEndedMeanwhile:
    def test_a_role_is_gone(self, app, company, key):
        case = company.apply()
        second = app.staff(Role.REVIEWER, name="second")
        path = f"/v1/applications/{case}/claim"
        ok(second.post(path, version="now", headers=keyed(key)))
        with app.database.session() as session:
            user_repository.remove_role(session, second.subject.id, Role.REVIEWER)
            user_repository.add_role(session, second.subject.id, Role.AUDITOR)
            role_log.log_granted(session, second.subject.id, Role.AUDITOR, app.clock())
            session.commit()
        assert second.post(path, version=1, headers=keyed(key)).status_code == 403

    def test_an_account_is_closed(self, app, company, key):
        ok(company.post("/v1/sites", json=SITE, headers=keyed(key)))
        with app.database.session() as session:
            session.execute(sa.update(User).where(User.id == company.subject.id).values(active=False))
            session.commit()
        assert company.post("/v1/sites", json=SITE, headers=keyed(key)).status_code == 401

    def test_the_thing_is_no_longer_ones_own(self, app, company, key):
        draft = company.draft()
        path = f"/v1/applications/{draft}/withdraw"
        ok(company.post(path, version=1, headers=keyed(key)))
        other = app.set_up_company()
        with app.database.session() as session:
            user = session.get(User, company.subject.id)
            user.organisation_id = user_repository.find_user(session, other.subject.id).organisation_id
            session.commit()
        assert company.post(path, version=1, headers=keyed(key)).status_code == 404


class TestNotKept:
    def test_refusals_leave_the_key_free(self, app, company, key):
        path = "/v1/sites"
        assert company.post(path, json=SITE | {"district": ""}, headers=keyed(key)).status_code == 422
        malformed = {"content": b"{", "headers": keyed(key, **{"Content-Type": "application/json"})}
        assert company.post(path, **malformed).status_code == 422
        assert company.post(path, content=b"<a/>", headers=keyed(key)).status_code == 415
        assert app.reviewer.post(path, json=SITE, headers=keyed(key)).status_code == 403
        assert kept(app) == []
        answer = company.post(path, json=SITE, headers=keyed(key))
        assert (answer.status_code, is_replay(answer)) == (201, False)

    def test_a_conflict_can_be_mended_under_the_same_key(self, app, key):
        company = app.set_up_company(confirmed=False)
        path = f"/v1/applications/{company.prepare(company.draft())}/submit"
        assert company.post(path, version=9, headers=keyed(key)).status_code == 412
        assert company.post(path, headers=keyed(key)).status_code == 428
        assert company.post(path, version=1, headers=keyed(key)).json()["code"] == "organisation-unconfirmed"
        app.confirm(company)
        answer = company.post(path, version=1, headers=keyed(key))
        assert (answer.status_code, is_replay(answer)) == (200, False)

    def test_a_refusal_that_is_committed_is_not_kept(self, app, company, key):
        """The approver is told 409, and the way back to review is committed with it."""
        item = company.add_product()
        case = company.apply(item)
        app.review(case)
        with app.database.session() as session:
            session.execute(sa.text("UPDATE products SET ex_works = 1"))
            session.commit()
        path = f"/v1/applications/{case}/approve"
        version = app.approver.version_of(path)
        answer = app.approver.post(path, version=version, headers=keyed(key))
        assert answer.status_code == 409, answer.text
        assert ok(app.reviewer.get(f"/v1/applications/{case}"))["state"] == "in_review"
        assert kept(app) == []
        assert app.approver.post(path, version=version, headers=keyed(key)).status_code == 412

    def test_tokens_and_dry_assessments_and_checks_keep_nothing(self, app, company, key):
        form = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
        tokens = [app.http.post("/v1/auth/token", data=form, headers=keyed(key)) for _ in range(2)]
        assert [answer.status_code for answer in tokens] == [200, 200]
        assert tokens[0].json()["access_token"] != tokens[1].json()["access_token"]
        body = {"product_ids": [company.add_product()]}
        for _ in range(2):
            assert not is_replay(company.post("/v1/schemes/MIK/assessments", json=body, headers=keyed(key)))
            assert not is_replay(app.anonymous.post("/v1/verify", json={"number": "x"}, headers=keyed(key)))
        assert kept(app) == []

    def test_a_commit_that_fails_leaves_the_key_free(self, app, company, key):
        done = events(app)
        with failing_commit():
            assert company.post("/v1/sites", json=SITE, headers=keyed(key)).status_code == 503
        assert (kept(app), events(app), "Hall 2" in sites(company)) == ([], done, False)
        answer = company.post("/v1/sites", json=SITE, headers=keyed(key))
        assert (answer.status_code, is_replay(answer)) == (201, False)


@contextmanager
def failing_commit():
    """The database goes away at the very end."""

    def fail(_session):
        raise OperationalError("COMMIT", {}, Exception("the line is cut"))

    event.listen(Session, "before_commit", fail)
    try:
        yield
    finally:
        event.remove(Session, "before_commit", fail)


class TestSecrets:
    def test_the_secret_of_a_program_is_shown_once(self, app, company, key):
        first = company.post("/v1/api-clients", json={"name": "Orders"}, headers=keyed(key)).json()
        again = company.post("/v1/api-clients", json={"name": "Orders"}, headers=keyed(key))
        assert (again.status_code, is_replay(again)) == (201, True)
        assert first["client_secret"]
        assert again.json() == first | {"client_secret": None}
        (answer,) = kept(app)
        assert first["client_secret"] not in str(vars(answer))
        assert len(ok(company.get("/v1/api-clients"))["items"]) == 1

    def test_a_registration_keeps_nothing_that_helps_to_guess_its_password(self, app, key):
        def body(password):
            return {
                "legal_name_az": "“Nümunə” MMC", "legal_name_en": "Sample", "legal_form": "MMC", "voen": voen_of(700),
                "member": {"full_name": "Aysel Nümunə", "email": "a@sample.example", "password": password},
            }  # fmt: skip

        first = app.send_registration(body(PASSWORD), headers=keyed(key))
        assert first.status_code == 201
        (answer,) = kept(app)
        # The same fingerprint under another password: so it says nothing of the password.
        same(first, app.send_registration(body("another password"), headers=keyed(key)))
        assert [row.fingerprint for row in kept(app)] == [answer.fingerprint]
        assert PASSWORD not in str(vars(answer))


def test_a_long_body_is_compared_as_a_whole(app, company, key):
    first = company.post("/v1/products", json=product(company.site_id), headers=keyed(key))
    assert first.status_code == 201
    changed = product(company.site_id)
    changed["costs"][-1]["amount"] = "440.01"
    assert company.post("/v1/products", json=changed, headers=keyed(key)).json()["code"] == "key-reused"
    same(first, company.post("/v1/products", json=product(company.site_id), headers=keyed(key)))
