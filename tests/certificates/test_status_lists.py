"""Published lists: a change of status moves one bit, in its own transaction, and whoever asks next finds it signed."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.certificates import issuance, status_list, status_list_repository, status_service
from app.certificates.model import Certificate, StatusListRow
from app.certificates.status_list import Purpose
from app.certificates.status_list_publisher import RESIGN_AFTER
from app.cli import app as mik
from app.core.counters import Counter
from app.core.crypto import jws
from app.core.crypto.jwk import parse_jwks
from app.core.crypto.signer import certificate_signer
from tests.factories import running_app

LISTS = "/v1/status-lists"


def certify(app, count):
    """Numbers of so many certificates of one company, by one decision."""
    company = app.set_up_company()
    case_id = company.apply(*(company.add_product() for _ in range(count)))
    app.review(case_id)
    return company, app.approve(case_id)["certificates"]


@pytest.fixture(scope="module")
def issued(shared_app):
    """The holder and an iterator over fresh certificates: each test takes what it needs."""
    company, numbers = certify(shared_app, 18)
    return company, iter(numbers)


@pytest.fixture
def app(shared_app, issued):
    """With certificates: list 1 is there."""
    return shared_app


@pytest.fixture
def take(issued):
    return lambda count=1: [next(issued[1]) for _ in range(count)]


def fetch(app, name, **more):
    return app.anonymous.get(f"{LISTS}/{name}", **more)


def listed(app, name):
    """The list as an outsider reads it: fetched, its signature checked by the published keys."""
    answer = fetch(app, name)
    assert answer.status_code == 200, answer.text
    keys = parse_jwks(app.anonymous.get("/.well-known/jwks.json").content)
    return status_list.parse_status_list_credential(jws.verify(answer.text, typ="vc+jwt", keys=keys).payload)


def row_of(app, number):
    with app.database.read_session() as session:
        return session.scalars(sa.select(Certificate).where(Certificate.number == number)).one()


def bits(app, number):
    """(revoked, suspended) of a certificate, by the published lists."""
    row = row_of(app, number)
    names = (f"{purpose}-{row.status_list_id}" for purpose in Purpose)
    return tuple(status_list.is_set(listed(app, name).bits, row.status_index) for name in names)


class TestServed:
    def test_headers_and_form(self, app, take):
        (number,) = take()
        answer = fetch(app, "revocation-1")
        assert answer.headers["content-type"] == "application/vc+jwt"
        assert answer.headers["cache-control"] == "public, max-age=30"
        assert "Accept" in answer.headers["vary"]
        assert answer.text.count(".") == 2
        assert answer.text == answer.text.strip()
        tag = answer.headers["etag"]
        assert fetch(app, "revocation-1").text == answer.text
        assert fetch(app, "revocation-1", headers={"If-None-Match": tag}).status_code == 304
        app.revoke(number, "court-order")
        changed = fetch(app, "revocation-1", headers={"If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag

    def test_always_the_same_form(self, app):
        for accept in (None, "*/*", "application/vc+jwt", "application/*", "text/html, */*;q=0.1"):
            answer = fetch(app, "suspension-1", headers={"Accept": accept} if accept else {})
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vc+jwt")
        for other in ("application/json", "text/html", "application/vc"):
            assert fetch(app, "suspension-1", headers={"Accept": other}).status_code == 406

    def test_no_such_list(self, app):
        for name in ("revocation-99", "revocation-0", "refresh-1", "x", "revocation-01", "%00", "1"):
            answer = fetch(app, name)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")

    def test_what_it_says_of_itself(self, app, take):
        found = listed(app, "suspension-1")
        token = app.token(*take())
        certificate = jws.verify(token, typ="vc+jwt", keys=app.container.keys.keyring().may_have_signed).payload
        assert found.issuer == certificate["issuer"]["id"]
        assert found.url == certificate["credentialStatus"][1]["statusListCredential"]
        assert len(found.bits) * 8 == 131_072
        assert found.valid_until - found.valid_from == timedelta(days=4)


class TestMoved:
    def test_each_change_shows_at_once(self, app, take):
        number, other = take(2)
        assert bits(app, number) == (False, False)
        steps = [
            ("suspend", {"cause": "hearing"}, (False, True), "suspended"),
            ("suspend", {"cause": "surveillance"}, (False, True), "suspended"),
            ("reinstate", {"cause": "hearing"}, (False, True), "suspended"),
            ("reinstate", {"cause": "surveillance"}, (False, False), "valid"),
            ("suspend", {"cause": "hearing"}, (False, True), "suspended"),
            ("revoke", {"reason": "court-order"}, (True, False), "revoked"),
        ]
        for deed, body, expected, verdict in steps:
            app.change_status(number, deed, body)
            begun = time.perf_counter()
            assert bits(app, number) == expected
            assert time.perf_counter() - begun < 60
            assert app.verify(number)["verdict"] == verdict
            assert bits(app, other) == (False, False)

    def test_given_back_is_for_ever(self, app, issued, take):
        (number,) = take()
        issued[0].act(f"/v1/certificates/{number}/surrender")
        assert bits(app, number) == (True, False)

    def test_a_lost_residency_moves_all_its_bits(self, app):
        _, numbers = certify(app, 3)
        with app.database.read_session() as session:
            before = session.get(StatusListRow, (1, "suspension")).version
        residency = row_of(app, numbers[0]).residency_id
        app.registrar.act(f"/v1/residencies/{residency}/end", {"on": "2026-11-22", "reason": "Left the park."})
        assert [bits(app, number) for number in numbers] == [(False, True)] * 3
        with app.database.read_session() as session:
            assert session.get(StatusListRow, (1, "suspension")).version == before + 1  # one change for all of them

    def test_a_change_that_is_not_committed_moves_nothing(self, app, take):
        (number,) = take()
        with app.database.session() as session:
            row = session.scalars(sa.select(Certificate).where(Certificate.number == number)).one()
            decided = status_service._DecidedAct("0" * 64, "x")
            status_service._set_status(
                session, row, status_service.CertificateStatus.REVOKED, "x", decided, app.clock()
            )
            session.rollback()
            session.commit()
        assert bits(app, number) == (False, False)

    def test_no_look_at_other_certificates(self, app, take):
        (number,) = take()
        seen = []
        sa.event.listen(app.database.write_engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
        asked = [statement for statement in seen if "FROM certificates" in statement]
        assert asked
        assert all("certificates.number = " in statement for statement in asked)

    def test_several_at_once_lose_no_bit(self, app, take):
        numbers = take(3)
        answers = []
        barrier = threading.Barrier(len(numbers))
        owner = app.owner

        def suspend(number):
            barrier.wait()
            path = f"/v1/certificates/{number}/suspend"
            answers.append(owner.post(path, json={"cause": "hearing"}, version=1).status_code)

        threads = [threading.Thread(target=suspend, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [200] * 3
        assert [bits(app, number) for number in numbers] == [(False, True)] * 3

    def test_the_next_list_opens_in_time(self, app, monkeypatch):
        with app.database.read_session() as session:
            used = session.get(Counter, "status-index").value
        monkeypatch.setattr(issuance, "LIST_CAPACITY", used + 1)
        _, (last, first) = certify(app, 2)
        assert [row_of(app, number).status_list_id for number in (last, first)] == [1, 2]
        app.revoke(first, "court-order")
        assert bits(app, first) == (True, False)
        assert sum(byte.bit_count() for byte in listed(app, "revocation-2").bits) == 1

    def test_a_place_is_drawn_again_until_it_is_free(self, app):
        _, (number,) = certify(app, 1)
        taken = row_of(app, number).status_index
        free = [(taken + step) % status_list.LIST_LENGTH for step in (9, 5, 7)]
        draws = iter([taken, free[0], free[0], free[1], free[0], free[2]])
        with app.database.session() as session:
            assert issuance.reserve_status_indexes(session, lambda _: next(draws), 3) == [(1, index) for index in free]


class TestSigned:
    def test_anew_before_it_grows_old_and_no_sooner(self, app):
        app.clock.advance(days=1)
        first = fetch(app, "revocation-1").text
        app.clock.advance(seconds=RESIGN_AFTER.total_seconds() - 1)
        assert fetch(app, "revocation-1").text == first
        app.clock.advance(seconds=1)
        assert fetch(app, "revocation-1").text != first
        found = listed(app, "revocation-1")
        assert found.valid_from == app.clock()
        assert found.valid_until > app.clock() + timedelta(days=3)

    def test_all_workers_serve_the_same_text(self, app):
        with running_app(app.database.url, app.settings.data_dir.parent, app.clock) as second:
            assert fetch(second, "revocation-1").text == fetch(app, "revocation-1").text

    def test_anew_by_another_key_and_after_a_clock_went_back(self, app, tmp_path):
        first = fetch(app, "revocation-1").text
        app.clock.advance(hours=-1)
        assert fetch(app, "revocation-1").text != first
        lists = app.container.status_lists
        other = certificate_signer(tmp_path / "other.pem", lists.issuer)
        with signing_by(app, other):
            token = fetch(app, "revocation-1").text
        assert jws.verify(token, typ="vc+jwt", keys={other.kid: other.public})
        listed(app, "revocation-1")  # by the published key again

    def test_nothing_is_served_that_does_not_verify(self, app, take):
        real = app.container.status_lists.signer()

        class Broken:
            kid, public = real.kid, real.public

            def sign(self, payload, *, typ):
                head, body, signature = real.sign(payload, typ=typ).split(".")
                return ".".join([head, body, signature[::-1]])

        app.revoke(take()[0], "court-order")
        with signing_by(app, Broken()):
            assert fetch(app, "revocation-1").status_code == 503
        assert fetch(app, "revocation-1").status_code == 200


@contextmanager
def signing_by(app, signer):
    with app.with_services(status_lists=replace(app.container.status_lists, signer=lambda: signer)):
        yield


def change(app, **values):
    with app.database.session() as session:
        session.execute(sa.update(StatusListRow).where(StatusListRow.purpose == "revocation").values(**values))
        session.commit()


def test_mik_doctor_only_status_lists(app, take, monkeypatch):
    """Last of all: it damages the lists of the shared app."""
    monkeypatch.setenv("MIK_DATABASE_URL", app.database.url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))

    def run(*words):
        return CliRunner().invoke(mik, ["doctor", "--only", "status-lists", *words])

    number, other, gone = take(3)
    index = row_of(app, number).status_index
    before = fetch(app, "revocation-1").text
    app.revoke(gone, "false-documents")
    with app.database.session() as session:
        status_list_repository.create_list(session, 2)  # a test before this one may have opened it already
        session.commit()
    lists = [f"{purpose}-{list_id}" for list_id in (1, 2) for purpose in Purpose]
    for name in lists:
        fetch(app, name)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "status-lists: passed\n  4 lists agree with all certificates.\n")
    assert '"wrong": null' in run("--json").stdout

    with app.database.read_session() as session:
        sound = session.get(StatusListRow, (1, "revocation"))
        good = {"bits": sound.bits, "token": sound.token}
        taken = {index for _, index, _ in status_list_repository.iterate_statuses(session, 1)}
    free = next(place for place in range(131_072) if place not in taken)
    for values, words in (
        (
            {"bits": status_list.set_bit(good["bits"], index, value=True)},
            f"Bit {index} is set, but certificate {number} is",
        ),
        ({"bits": status_list.set_bit(good["bits"], free, value=True)}, f"Bit {free} is set, but no certificate"),
        ({"bits": b""}, "It has 0 bits"),
        ({"token": "a.b.c"}, "does not verify"),
        ({"token": app.token(number)}, "This is not the credential of a status list"),
        ({"token": fetch(app, "suspension-1").text}, "is that of another list"),
        ({"token": fetch(app, "revocation-2").text}, "is that of another list"),
        ({"token": before}, "does not hold the bits of its row"),
    ):
        change(app, **(good | values))
        result = run()
        assert (result.exit_code, words in result.stdout) == (1, True), result.stdout
    assert '"wrong": "revocation-1: ' in run("--json").stdout

    with app.database.session() as session:
        session.execute(sa.delete(StatusListRow))
        session.commit()
    assert "The list revocation-1 is missing" in run().stdout
    assert fetch(app, "revocation-1").status_code == 404
    # The next change finds the list gone, and makes it from its certificates.
    app.owner.act(f"/v1/certificates/{other}/suspend", {"cause": "hearing"})
    assert bits(app, other) == (False, True)
    with app.database.read_session() as session:
        assert session.get(StatusListRow, (1, "revocation")).bits == good["bits"]
