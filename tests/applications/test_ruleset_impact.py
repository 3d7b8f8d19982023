"""What another version of the rules would change: over HTTP, at the terminal, in bounded memory."""

import gc
import json
import os
import tracemalloc
from importlib.resources import files

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.applications.assessment import ruleset_impact
from app.certificates.model import Certificate
from app.cli import app as commands
from app.core import canonical_json
from app.core.actor import Role
from app.core.database import new_id
from app.core.dates import baku_day
from app.organisations.model import Site
from app.products.model import CostItem, Material, ProcessStep, Product
from app.schemes import publishing
from app.schemes.model import RulesetRow
from tests.factories import publish
from tests.played import played

pytestmark = pytest.mark.pg_sampled
STRICT = [("K-06", "pass_at", "99"), ("K-06", "review_at", "1")]


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def ask(caller, version="2099.1", scheme="MIK"):
    return caller.get(f"/v1/schemes/{scheme}/impact?version={version}")


@played
def filled(app):
    """A certificate in force, a suspended one, one given back, a submitted case and a draft."""
    company = app.set_up_company()
    numbers = [app.certify(company) for _ in range(3)]
    company.act(f"/v1/certificates/{numbers[2]}/surrender")
    app.owner.act(f"/v1/certificates/{numbers[1]}/suspend", {"cause": "surveillance"})
    case = company.apply()
    company.draft()
    return company, numbers, case


def test_each_product_whose_outcome_differs_is_named_with_the_rules(app, filled):
    company, numbers, case = filled
    version = publish(app, "MIK", "2099.1").version  # in force now, as good as the one before
    publish(app, "MIK", "2099.2", STRICT)
    publish(app, "MIK", "2099.3")
    about, *changed, summary = lines(ask(app.owner, "2099.2"))
    assert version == "2099.1"
    assert (about["type"], about["scheme"], about["as_of"]) == ("impact", "MIK", baku_day(app.clock()).isoformat())
    assert (about["now"]["version"], about["then"]["version"]) == ("2099.3", "2099.2")
    by_id = {each["id"]: each for each in changed}
    assert numbers[2] not in by_id
    for subject, its_id in (("certificate", numbers[0]), ("certificate", numbers[1]), ("case", case)):
        each = by_id[its_id]
        assert (each["type"], each["subject"], each["holder"]) == ("changed", subject, company.name)
        assert each["product"]["names"]["en"] == "Welded steel tube"
        share = next(rule for rule in each["rules"] if rule["rule"] == "K-06")
        assert (share["before"]["outcome"], share["after"]["outcome"]) == ("pass", "manual")
        assert "99" in share["after"]["reason"]
    assert (summary["type"], summary["judged"], summary["changed"]) == ("summary", 3, len(changed))
    assert sum(each["count"] for each in summary["counts"]) == 3
    assert {each["subject"] for each in summary["counts"]} == {"certificate", "case"}


def test_a_version_that_changes_nothing_names_nothing(app, filled):
    publish(app, "MIK", "2099.1", [("K-06", "pass_at", "39")])
    publish(app, "MIK", "2099.2")
    about, summary = lines(ask(app.auditor))
    assert (about["then"]["version"], summary["changed"], summary["judged"]) == ("2099.1", 0, 3)


def test_a_rule_that_one_version_does_not_have(app, filled):
    publish(app, "MIK", "2099.1", STRICT)
    publish(app, "MIK", "2099.2", without=["K-06"])
    _, *changed, summary = lines(ask(app.owner))
    assert summary["changed"] == len(changed) == 3
    assert all(each["rules"][-1]["before"] is None for each in changed if each["rules"][-1]["rule"] == "K-06")


def test_it_is_for_the_owner_and_for_auditors(app):
    publish(app, "MIK", "2099.1")
    for role in Role:
        if role in (Role.APPLICANT, Role.SYSTEM):
            continue
        allowed = role in (Role.OWNER, Role.AUDITOR)
        assert ask(app.staff(role)).status_code == (200 if allowed else 403), role
    assert ask(app.set_up_company(evidence=False)).status_code == 403
    assert ask(app.anonymous).status_code == 401


def test_what_is_not_there(app):
    assert ask(app.owner, "1999.1").status_code == 404
    assert ask(app.owner, scheme="NONE").status_code == 404
    assert app.owner.get("/v1/schemes/MIK/impact").status_code == 422


def store_ruleset(app, version, **changes):
    """A ruleset as another version of the service published it."""
    with app.database.session() as session:
        content = publishing.current_scheme(session, "MIK").ruleset.content() | {"version": version} | changes
        content = {name: value for name, value in content.items() if value is not None}
        row = RulesetRow(
            scheme_code="MIK",
            version=version,
            digest=canonical_json.digest(content),
            content=content,
            published_at=app.clock(),
        )
        session.add(row)
        session.commit()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lists_digest": None}, "earlier edition"),
        ({"lists_digest": "0" * 64}, "other closed lists"),
        ({"rules": [{"id": "C-06", "kind": "tax_number"}]}, "earlier edition"),
    ],
)
def test_a_version_that_nothing_can_be_judged_by(app, changes, says):
    store_ruleset(app, "2026.0", **changes)
    refusal = ask(app.owner, "2026.0")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "ruleset-not-judged")
    assert says in refusal.json()["detail"]
    shown = app.http.get("/v1/schemes/MIK/rulesets").json()["items"]
    assert "2026.0" in {each["version"] for each in shown}  # and all the same it can be read


# At the terminal


@pytest.fixture
def run(app, monkeypatch):
    monkeypatch.setenv("MIK_DATABASE_URL", app.settings.sqlalchemy_url)
    monkeypatch.setenv("MIK_DATA_DIR", str(app.settings.data_dir))
    monkeypatch.setattr("app.cli.rules.impact.utc_now", app.clock)
    return lambda *words: CliRunner().invoke(commands, ["rules", "impact", *map(str, words)])


@pytest.fixture
def strict_file(tmp_path):
    """The scheme file of MIK with a Karabakh share that is for a person."""
    text = (files("app.schemes") / "marks" / "MIK.toml").read_text("utf-8")
    before, rule = text.split('id = "K-06"', 1)
    rule = rule.replace("pass_at = 40", "pass_at = 99", 1).replace("review_at = 30", "review_at = 1", 1)
    path = tmp_path / "MIK.toml"
    path.write_text(f'{before}id = "K-06"{rule}', "utf-8")
    return path


def test_the_command_says_the_same(app, run, strict_file):
    number = app.certify()
    answer = run("--scheme", "mik", "--file", strict_file, "--json")
    assert answer.exit_code == 0, answer.output
    about, changed, summary = (json.loads(line) for line in answer.stdout.splitlines())
    assert (about["type"], changed["id"], summary["changed"]) == ("impact", number, 1)
    said = run("--scheme", "MIK", "--file", strict_file)
    assert f"certificate {number}, " in said.stdout
    assert "pass → manual" in said.stdout
    assert "1 assessed, 1 changed" in said.stdout
    assert "1 assessed, 0 changed" in run("--scheme", "MIK").stdout  # the file that comes with the service


def test_a_published_version_at_the_terminal(app, run):
    publish(app, "MIK", "2099.1", STRICT)
    assert "compared with 2099.1" in run("--scheme", "MIK", "--version", "2099.1").stdout


def test_wrong_options_end_with_words_and_2(app, run, strict_file):
    for words, says in (
        (("--scheme", "NONE"), "There is no such scheme."),
        (("--scheme", "MIA", "--file", strict_file), "not of MIA"),
        (("--scheme", "MIK", "--version", "1999.1"), "There is no such ruleset."),
        (("--scheme", "MIK", "--version", "2099.1", "--file", strict_file), "not both"),
    ):
        answer = run(*words)
        assert (answer.exit_code, says in answer.output) == (2, True), answer.output


# Memory


def copied(row, **changes):
    return type(row)(**{column.key: getattr(row, column.key) for column in sa.inspect(type(row)).columns} | changes)


def copy_certificate(app, number, serials):
    """Further certificates like this one, each for a product of its own, twenty for a site."""
    with app.database.session() as session:
        certificate = session.scalars(sa.select(Certificate).where(Certificate.number == number)).one()
        product = session.get(Product, certificate.product_id)
        site = session.get(Site, certificate.site_id)
        children = [
            row
            for table in (Material, ProcessStep, CostItem)
            for row in session.scalars(sa.select(table).where(table.product_id == product.id))
        ]
        for serial in serials:
            if serial % 20 == 0:
                place = copied(site, id=new_id())
                session.add(place)
                session.flush()
            made = copied(product, id=new_id(), site_id=place.id)
            session.add(made)
            session.flush()
            session.add_all(
                copied(child, product_id=made.id, **({"id": new_id()} if hasattr(child, "id") else {}))
                for child in children
            )
            session.add(
                copied(
                    certificate,
                    id=new_id(),
                    number=f"{number}-{serial}",
                    serial=100_000 + serial,
                    status_index=100_000 + serial,
                    product_id=made.id,
                    site_id=place.id,
                )
            )
        session.commit()


def peak(app, compared):
    """Bytes at most held while the report is read and thrown away, and how many were judged."""
    last = None
    tracemalloc.start()
    for piece in ruleset_impact.stream_report(app.database.read_session, compared, baku_day(app.clock())):
        last = piece[-1] if piece else last
        gc.collect()  # sessions are cycles: when they are collected is not the question here
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, last["judged"]


FEW, MANY = (int(each) for each in os.environ.get("MIK_TEST_IMPACT", "60,400").split(","))


@pytest.mark.long
def test_memory_does_not_grow_with_the_certificates(app):
    number = app.certify()
    publish(app, "MIK", "2099.1", STRICT)
    publish(app, "MIK", "2099.2")
    with app.database.read_session() as session:
        compared = ruleset_impact.load_rulesets(session, "MIK", "2099.1")
    copy_certificate(app, number, range(FEW))
    peak(app, compared)  # what is read once in a process is in memory now
    few, judged_few = peak(app, compared)
    copy_certificate(app, number, range(FEW, MANY))
    many, judged_many = peak(app, compared)
    assert (judged_few, judged_many) == (FEW + 1, MANY + 1)
    assert many < few * 1.25, (few, many)
