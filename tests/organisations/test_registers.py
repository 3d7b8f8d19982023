"""Answers of registers of others: dropped as files or asked for, kept with their date, applied whole or not at all."""

import hashlib
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from app.certificates.registers import intake
from app.core.crypto.signer import access_signer
from app.core.errors import Invalid
from app.core.settings import Profile, find_unsafe_settings
from app.demo.context import sample
from app.jobs.job_type import JobRun
from app.organisations.registers.sources import (
    SIGNATURE_HEADER,
    FileDrop,
    HttpPull,
    ReceivedAnswer,
    RegisterUnavailable,
)
from app.organisations.registers.tax_file import parse_tax_file
from app.worker.handlers import READ_RESIDENTS, READ_TAXPAYERS, build_handlers
from tests.factories import ok
from tests.helpers import count, rows

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
URL = "https://register.example/residents.csv"
TAX = "voen,taxpayer_status\n"


def read(app, job_type, **settings):
    with app.with_services(settings=app.settings.model_copy(update=settings)):
        build_handlers(app.container)[job_type](
            JobRun(None, {}, 1, app.clock(), lambda _done, _total: None, lambda: False)
        )


def test_a_file_of_residents_is_taken_once_and_kept(app, tmp_path):
    (tmp_path / "2026-11.csv").write_bytes(sample("residents.csv"))
    (tmp_path / "half.csv.part").write_bytes(b"x")
    for _ in range(2):
        read(app, READ_RESIDENTS, resident_register=str(tmp_path))
    (row,) = rows(app, "SELECT register, source, sha256, applied FROM register_answers")
    assert (row.register, row.source, bool(row.applied)) == ("residents", "2026-11.csv", True)
    assert (app.settings.registers_dir / row.sha256).read_bytes() == sample("residents.csv")
    assert ok(app.registrar.get("/v1/organisations?status=listed"))["items"]


def test_a_wrong_file_is_kept_with_its_faults_and_changes_nothing(app, tmp_path):
    (tmp_path / "wrong.csv").write_bytes(sample("residents.csv").replace(b"00", b"x0"))
    for _ in range(2):
        read(app, READ_RESIDENTS, resident_register=str(tmp_path))
    (row,) = rows(app, "SELECT applied, report FROM register_answers")
    assert not row.applied and "message" in str(row.report)
    assert ok(app.registrar.get("/v1/organisations?status=listed"))["items"] == []


def test_a_holder_that_is_no_active_taxpayer_gets_a_matter_once(app, tmp_path):
    company = app.set_up_company()
    app.certify(company)
    (tmp_path / "1.csv").write_text(f"{TAX}{company.voen},active\n")
    read(app, READ_TAXPAYERS, tax_register=str(tmp_path))
    assert ok(app.owner.get("/v1/matters"))["items"] == []
    (tmp_path / "2.csv").write_text(f"{TAX}{company.voen},liquidated\n")
    (tmp_path / "3.csv").write_text(f"{TAX}{company.voen},liquidated\n1234567891,suspended\n")
    read(app, READ_TAXPAYERS, tax_register=str(tmp_path))
    (matter,) = ok(app.owner.get("/v1/matters"))["items"]
    assert "liquidated" in matter["text"] and count(app, "register_answers") == 3


def test_a_missing_folder_is_a_failure_that_staff_see(app, tmp_path):
    with pytest.raises(RegisterUnavailable, match="cannot be read"):
        read(app, READ_TAXPAYERS, tax_register=str(tmp_path / "none"))
    read(app, READ_TAXPAYERS)  # no register: nothing to do


@pytest.mark.parametrize(
    "content",
    [b"", b"voen\n", b"\xff", TAX.encode() + b"1,active\n", TAX.encode() + b"1234567891,alive\n",
     TAX.encode() + b"1234567891,active\n1234567891,active\n", TAX.encode() + b"1234567891\n"],
)  # fmt: skip
def test_a_tax_file_is_taken_whole_or_not_at_all(content):
    with pytest.raises(Invalid):
        parse_tax_file(content)


def test_a_file_may_not_be_too_large(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"12345")
    with pytest.raises(RegisterUnavailable, match="larger"):
        list(FileDrop(tmp_path, 4).read(NOW))


class TestPull:
    """A signed answer of an address."""

    @pytest.fixture
    def signer(self, tmp_path):
        return access_signer(tmp_path / "k.pem")

    def pull(self, signer, body=b"a,b\n", *, limit=100, status=200, **claims):
        said = {"register": "residents", "sha256": hashlib.sha256(body).hexdigest(), "iat": int(NOW.timestamp())}
        signature = signer.sign(said | claims, typ=claims.pop("typ", "register+jwt"))
        headers = {SIGNATURE_HEADER: signature, "location": "http://inner.example/"}
        transport = httpx.MockTransport(lambda _request: httpx.Response(status, headers=headers, content=body))
        return list(HttpPull("residents", URL, {signer.kid: signer.public}, limit, transport).read(NOW))

    def test_a_signed_answer_is_read(self, signer):
        (answer,) = self.pull(signer)
        assert (answer.content, answer.stated_at) == (b"a,b\n", NOW) and answer.signature

    @pytest.mark.parametrize(
        "claims",
        [
            {"sha256": "0" * 64}, {"register": "tax"}, {"iat": int((NOW - timedelta(days=3)).timestamp())},
            {"iat": int((NOW + timedelta(hours=1)).timestamp())}, {"iat": "1"}, {"iat": 10**30}, {"limit": 3},
            {"status": 302}, {"status": 500}, {"typ": "vc+jwt"},
        ],
    )  # fmt: skip
    def test_others_are_not(self, signer, claims):
        with pytest.raises(RegisterUnavailable):
            self.pull(signer, **claims)

    def test_another_key_is_refused(self, signer, tmp_path):
        other = access_signer(tmp_path / "other.pem")
        body = b"a"
        claims = {"register": "residents", "sha256": hashlib.sha256(body).hexdigest(), "iat": int(NOW.timestamp())}
        for headers in ({SIGNATURE_HEADER: other.sign(claims, typ="register+jwt")}, {}):
            transport = httpx.MockTransport(lambda _r, h=headers: httpx.Response(200, headers=h, content=body))
            with pytest.raises(RegisterUnavailable, match="signature"):
                list(HttpPull("residents", URL, {signer.kid: signer.public}, 9, transport).read(NOW))


def test_an_older_answer_of_an_address_is_not_taken_again(app):
    def known(content, hours):
        answer = ReceivedAnswer(URL, content, hashlib.sha256(content).hexdigest(), NOW + timedelta(hours=hours), "s")
        with app.database.session() as session:
            found = intake.is_known(session, intake.TAX, answer)
            if not found:
                intake.take_answer(session, intake.TAX, answer, 1_000, NOW + timedelta(hours=hours))
                session.commit()
        return found

    first, second = TAX.encode(), f"{TAX}1234567891,active\n".encode()
    taken = [known(first, 0), known(first, 1), known(second, 2), known(first, 1), known(first, 3)]
    assert taken == [False, True, False, True, False]


def test_production_names_keys_and_whole_paths(app):
    settings = app.settings.model_copy(
        update={"profile": Profile.PRODUCTION, "resident_register": URL, "tax_register": "x"}
    )
    found = "\n".join(find_unsafe_settings(settings))
    assert "MIK_REGISTER_KEYS" in found and "MIK_TAX_REGISTER=x" in found
