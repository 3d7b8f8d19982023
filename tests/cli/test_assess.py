import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli.assess import assess

SAMPLE = files("app.demo") / "sample"
RESIDENTS, OTHERS, PRODUCTS = (str(SAMPLE / name) for name in ("residents.csv", "others.csv", "products.csv"))

UNFED = (
    *("C-01", "C-02", "C-03", "C-08", "C-09", "C-11", "C-12", "C-13", "C-15", "C-16", "C-17"),
    *("K-03", "K-04", "K-05", "K-07", "K-08", "K-09", "K-10", "K-11"),
)

app = typer.Typer()
app.command("assess")(assess)
app.command("other")(lambda: None)  # with a second command typer keeps the names


def run(*arguments, scheme="MIK", registers=(RESIDENTS, OTHERS), products=PRODUCTS):
    options = [part for register in registers for part in ("--register", register)]
    return CliRunner().invoke(app, ["assess", "--scheme", scheme, *options, "--products", products, *arguments])


@pytest.mark.parametrize("scheme", ["MIK", "mia "])
def test_one_json_object_for_each_product(scheme):
    answer = run("--json", scheme=scheme)
    assert (answer.exit_code, answer.stderr) == (0, "")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["product_id"] for line in lines][:3] == ["P001", "P002", "P003"]
    assert len(lines) == 31
    for line in lines:
        assert list(line) == ["product_id", "outcome", "scheme", "ruleset", "origin", "rules"]
        assert all(list(rule) == ["id", "outcome", "reason", "values"] for rule in line["rules"])
        assert all(rule["reason"] for rule in line["rules"])
    first = lines[0]
    assert (first["outcome"], first["ruleset"]) == ("pass", "2026.4")
    assert first["origin"] == {"criterion": "CTH", "rvc_pct": "42.8"}
    assert first["rules"][0].pop("values")["voen"] is None
    assert first["rules"][0] == {
        "id": "C-01",
        "outcome": "not_assessed",
        "reason": "Not assessed here: this check needs the applicant's taxpayer number. (criterion C-01)",
    }


def test_json_is_utf_8_as_written():
    assert "Cəbrayıl" in run("--json").stdout


def test_a_table_for_people(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    answer = run()
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert "Karabakh share of manufacturing cost is 39.0 %: below 40 %, but at least 30 %" in answer.stdout
    assert "P043 Ready-mixed concrete" in answer.stdout
    assert "RVC 94.3 %" in answer.stdout
    assert "20 pass, 3 fail, 7 manual, 1 incomplete" in answer.stdout
    told = "Not assessed, because files do not contain the facts: "
    assert f"{told}{', '.join(UNFED)}." in answer.stdout


# The rules that a file can feed (the note at the head of `domain.md` §5); all others are not assessed from files. Flags
# stand for C-08, C-09 and K-08, which are not assessed without them.
FROM_FILES = {
    "MIK": {"K-01", "K-02", "K-06", "C-04", "C-05", "C-06", "C-07", "C-10", "C-14"},
    "MIA": {"A-04", "A-05", "C-04", "C-05", "C-06", "C-07", "C-10", "C-14"},
}
BY_FLAGS = {"C-08", "C-09", "K-08"}


@pytest.mark.parametrize("scheme", FROM_FILES)
def test_files_feed_these_rules_and_no_others(scheme):
    for line in map(json.loads, run("--json", scheme=scheme).stdout.splitlines()):
        silent = {rule["id"] for rule in line["rules"] if rule["outcome"] == "not_assessed"}
        fed = {rule["id"] for rule in line["rules"]} - silent
        assert fed - BY_FLAGS == FROM_FILES[scheme]


def test_the_outcomes_of_the_sample_are_those_of_the_sample():
    rows = {row["product_id"]: row for row in csv.DictReader(Path(PRODUCTS).read_text("utf-8").splitlines())}
    for scheme, column in (("MIK", "expected_mik_result"), ("MIA", "expected_mia_result")):
        judged = {
            line["product_id"]: line["outcome"]
            for line in map(json.loads, run("--json", scheme=scheme).stdout.splitlines())
        }
        assert judged == {product_id: row[column] for product_id, row in rows.items()}


def test_an_origin_that_cannot_be_determined_is_a_dash(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    products = tmp_path / "products.csv"
    header, first = Path(PRODUCTS).read_text("utf-8").splitlines()[:2]
    products.write_text(f"{header}\n{first.replace(',1450,830,', ',,830,')}", "utf-8")
    answer = run(products=str(products))
    assert answer.exit_code == 0
    assert "or the ex-works price is missing" in answer.stdout
    assert json.loads(run("--json", products=str(products)).stdout)["origin"] == {"criterion": None, "rvc_pct": None}


def test_an_unknown_mark_is_told_which_exist():
    answer = run(scheme="XYZ")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == "There is no mark “XYZ”. There are: MIA, MIK, URVA.\n"


def test_an_unknown_owner_names_file_and_line():
    answer = run("--json", registers=[RESIDENTS])
    assert (answer.exit_code, answer.stdout) == (2, "")
    told = answer.stderr.splitlines()
    assert told[0] == f"{PRODUCTS}: line 30, column owner_id: There is no company V01 in the register."
    assert len(told) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "file: The file is empty."),
        (b"\x7fELF\0\0", "file: This is not a text file."),
        (b"a,b\n1,2\n", "line 1, column party_id: This column is missing"),
        (b"\xff\n", "line 1: The text is not UTF-8."),
    ],
)
def test_a_wrong_register_is_named(tmp_path, content, told):
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(content)
    answer = run(registers=[RESIDENTS, str(wrong)])
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert f"{wrong}: {told}" in answer.stderr


def test_files_that_cannot_be_read(tmp_path):
    for path in (str(tmp_path), str(tmp_path / "none.csv")):
        answer = run(products=path)
        assert (answer.exit_code, answer.stdout) == (2, "")
        assert answer.stderr.startswith(f"{path}: cannot be read (")


def test_a_file_that_is_too_large(tmp_path):
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * 5_000_001)
    assert "larger than 5,000,000 bytes" in run(products=str(large)).stderr


def test_a_company_is_in_one_register_only(tmp_path):
    answer = run(registers=[RESIDENTS, OTHERS, RESIDENTS])
    assert answer.exit_code == 2
    assert f"{RESIDENTS}: line 2: R01 is already in another register file." in answer.stderr
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(Path(RESIDENTS).read_text("utf-8").replace("\nR", "\nQ"), "utf-8")
    told = run(registers=[RESIDENTS, str(renamed)]).stderr
    assert f"{renamed}: line 2: the company 0010000101 is already in {RESIDENTS}." in told


def test_remarks_go_to_the_other_stream(tmp_path):
    products = tmp_path / "products.csv"
    products.write_text(Path(PRODUCTS).read_text("utf-8").replace("hs_ambiguous", "curious"), "utf-8")
    answer = run("--json", products=str(products))
    assert answer.exit_code == 0
    assert len(answer.stdout.splitlines()) == 31
    assert answer.stderr == f"{products}: line 15, column flags: Unknown flag “curious”; it is ignored. (remark)\n"
