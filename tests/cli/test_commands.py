"""The commands as somebody at a terminal meets them: their words, their exit codes, and what they leave behind."""

import json
import stat

import pytest
from typer.testing import CliRunner

from app.auth import demo_staff, user_repository
from app.bootstrap import prepare
from app.cli import app as mik
from app.cli import common
from app.commit_pipeline import open_database
from app.core.dates import utc_now
from app.core.settings import Settings
from tests.factories import ok, running_app

pytestmark = [pytest.mark.pg_sampled, pytest.mark.short]
HEADER = "party_id,legal_name_az,legal_name_en,legal_form,voen,zone_code,district,district_iso,economic_region,status\n"
LINE = "X01,Nümunə-X MMC,Sample X (fictional),MMC,0010000101,AGDAM-SP,Ağdam,AZ-AGM,QARABAG,{status}\n"


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    """Run `mik …` on a migrated database; gives the result with stdout, stderr and exit_code."""
    monkeypatch.setenv("MIK_DATABASE_URL", database_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words, **more):
        return CliRunner().invoke(mik, [str(word) for word in words], **more)

    return command


@pytest.fixture
def certified(database_url, tmp_path):
    """Number and token of a certificate in that database, and the service's keys in a file."""
    with running_app(database_url, tmp_path) as app:
        number = app.certify()
        keys = tmp_path / "jwks.json"
        keys.write_text(app.anonymous.get("/.well-known/jwks.json").text)
        return number, app.token(number), keys


def test_staff_are_created_with_a_password_that_nobody_sees(run, database_url):
    made = run(
        *("admin", "users", "create", "--email", "Owner@Staff.Example", "--name", "Demo Owner", "--role", "owner"),
        input="a long enough password\n",
    )
    assert made.exit_code == 0, made.output
    assert "owner@staff.example created with role owner" in made.output
    assert "a long enough password" not in made.output
    with open_database(database_url).read_session() as session:
        user = user_repository.find_user_by_email(session, "owner@staff.example")
        assert user.is_staff
        assert user.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (
            ("--email", "a@b.example", "--name", "A", "--role", "applicant"),
            "a long enough password",
            "cannot be granted",
        ),
        (("--email", "nobody", "--name", "A", "--role", "owner"), "a long enough password", "e-mail address"),
        (("--email", "a@b.example", "--name", "A", "--role", "owner"), "short", "12 to 256"),
        (("--email", "a@b.example", "--name", "A", "--role", "owner"), "aaaaaaaaaaaaaaaaaaa", "too few"),
    ],
)
def test_bad_staff_are_refused_in_words(run, words, typed, says):
    refused = run("admin", "users", "create", *words, input=typed + "\n")
    assert refused.exit_code == 2
    assert says in refused.output


def test_the_same_address_twice_is_refused(run):
    words = ("admin", "users", "create", "--email", "a@b.example", "--name", "A", "--role", "auditor")
    assert run(*words, input="a long enough password\n").exit_code == 0
    again = run(*words, input="a long enough password\n")
    assert again.exit_code == 2
    assert "registered already" in again.output


def test_a_register_is_imported_once_and_shown_line_by_line(run, tmp_path):
    file = tmp_path / "register.csv"
    file.write_text(HEADER + LINE.format(status="resident"))
    ok_park = run("admin", "import-residents", file, "--dry-run")
    assert "AGDAM-SP" in ok_park.output  # nothing is seeded yet: the park is unknown, and the line says so
    assert ok_park.exit_code == 2


def test_an_imported_cancellation_names_and_suspends_the_certificates(run, database_url, tmp_path):
    with running_app(database_url, tmp_path) as app:
        file = tmp_path / "register.csv"
        file.write_text(HEADER + LINE.format(status="resident"))
        assert run("admin", "import-residents", file).exit_code == 0
        assert "1 unchanged" in run("admin", "import-residents", file).output
        company = app.confirm(app.register("0010000101"))
        site = ok(company.get("/v1/sites"))["items"][0]
        body = {"name": "Hall", "production_started_on": "2024-03-01"}
        ok(company.put(f"/v1/sites/{site['id']}", version="now", json=body))
        residency = ok(company.get("/v1/residencies"))["items"][0]
        ok(app.registrar.put(f"/v1/residencies/{residency['id']}/stage", version="now", json={"stage": "operating"}))
        company.site_id = site["id"]
        app.document(company)
        number = app.certify(company)

        file.write_text(HEADER + LINE.format(status="cancelled"))
        planned = run("admin", "import-residents", file, "--dry-run")
        assert f"certificate {number}: suspended" in planned.output
        assert app.verify(number)["verdict"] == "valid"

        assert run("admin", "import-residents", file).exit_code == 0
        assert app.verify(number)["verdict"] == "suspended"


def test_a_file_with_faults_changes_nothing_and_names_them(run, database_url, tmp_path):
    with running_app(database_url, tmp_path) as app:
        file = tmp_path / "register.csv"
        file.write_text(HEADER + LINE.format(status="resident") + LINE.format(status="perhaps"))
        refused = run("admin", "import-residents", file)
        assert refused.exit_code == 2
        assert "status" in refused.output
        assert ok(app.registrar.get("/v1/organisations"))["items"] == []
        missing = run("admin", "import-residents", tmp_path / "absent.csv")
        assert missing.exit_code == 2
        assert "cannot be read" in missing.output


def test_a_number_is_verified_against_the_register(run, certified):
    number, token, _ = certified
    good = run("verify", number.lower().replace("-", " "))
    assert good.exit_code == 0
    assert good.output.startswith("valid\n")
    assert number in good.output
    assert run("verify", token).output.startswith("valid\n")
    wrong = run("verify", number[:-1] + ("A" if number[-1] != "A" else "B"))
    assert (wrong.exit_code, wrong.output.splitlines()[0]) == (1, "mistyped")
    header, payload, signature = token.split(".")
    forged = run("verify", f"{header}.{payload}.{'A' * len(signature)}")
    assert (forged.exit_code, forged.output.splitlines()[0]) == (1, "forged")


def test_a_token_checked_by_keys_alone_is_never_called_valid(run, certified, tmp_path):
    _, token, keys = certified
    good = run("verify", token, "--jwks", keys)
    assert good.exit_code == 0
    assert good.output.splitlines()[0] == "signature valid, status not checked"
    bad = run("verify", token[:-8] + "AAAAAAAA", "--jwks", keys)
    assert (bad.exit_code, bad.output.splitlines()[0]) == (1, "forged")
    for content, says in (("{}", "not a JWKS"), ("no json", "not JSON")):
        file = tmp_path / "keys.json"
        file.write_text(content)
        refused = run("verify", token, "--jwks", file)
        assert refused.exit_code == 2
        assert says in refused.output
    assert run("verify", token, "--jwks", tmp_path / "absent.json").exit_code == 2


def test_without_a_register_nothing_is_verified(tmp_path, monkeypatch):
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("MIK_DATABASE_URL", raising=False)
    refused = CliRunner().invoke(mik, ["verify", "MIK-2026-000001-F"])
    assert refused.exit_code == 2
    assert "no database here" in refused.output


def test_settings_that_cannot_be_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MIK_BASE_URL", "ftp://example.org")
    refused = CliRunner().invoke(mik, ["admin", "migrate"])
    assert refused.exit_code == 2
    assert "MIK_BASE_URL" in refused.output


def test_migrate_makes_the_tables_of_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MIK_DATA_DIR", str(tmp_path / "fresh"))
    monkeypatch.delenv("MIK_DATABASE_URL", raising=False)
    assert CliRunner().invoke(mik, ["admin", "migrate"]).exit_code == 0
    assert CliRunner().invoke(mik, ["admin", "migrate"]).exit_code == 0
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o700


def test_production_refuses_an_unmigrated_database_and_serves_nothing(tmp_path, monkeypatch):
    for name, value in {
        "MIK_PROFILE": "production",
        "MIK_DATA_DIR": str(tmp_path),
        "MIK_DATABASE_URL": f"sqlite:///{tmp_path / 'mik.sqlite3'}",
        "MIK_BASE_URL": "https://verify.example.az",
        "MIK_ISSUER": "did:web:verify.example.az",
        "MIK_SMTP_URL": "smtp://mail.example.az",
        "MIK_MAIL_FROM": "noreply@verify.example.az",
    }.items():
        monkeypatch.setenv(name, value)
    refused = CliRunner().invoke(mik, ["serve"])
    assert refused.exit_code == 2
    assert "mik admin migrate" in refused.output


def test_the_demo_profile_keeps_its_accounts_in_a_file_of_its_own(tmp_path):
    settings = Settings(data_dir=tmp_path / "demo")
    prepare(settings, utc_now())
    with common.open_database(settings) as database:
        demo_staff.ensure_demo_staff(database, settings, utc_now())
    file = settings.data_dir / demo_staff.ACCOUNTS_FILE
    first = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(demo_staff.STAFF) <= set(first)
    keys = {email: demo_staff.authenticator_file(settings.data_dir, email).read_bytes() for email in demo_staff.STAFF}
    with common.open_database(settings) as database:
        demo_staff.ensure_demo_staff(database, settings, utc_now())
    assert all(demo_staff.authenticator_file(settings.data_dir, each).read_bytes() == key for each, key in keys.items())
    assert json.loads(file.read_text()) == first
