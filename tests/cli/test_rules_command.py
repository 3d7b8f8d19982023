"""`mik rules test`: a table of cases against a scheme file, and an end in words for every wrong file."""

import json
from importlib.resources import files

import pytest
from typer.testing import CliRunner

from app.cli import app

MIK = str(files("app.schemes") / "marks" / "MIK.toml")
GOOD = """
[[case]]
id = "coil"
facts = { lines = [{ hs4 = "7208", from = "TR", value = 400 }] }
want = { "C-06" = "pass_cth", criterion = "CTH", rvc = "60.0", outcome = "pass" }
"""
OTHER = """
[[case]]
id = "of another mark"
facts = { scheme = "MIA" }
want = { "A-01" = "pass" }

[[case]]
id = "packed only"
given = "nothing but packing"
facts = { scheme = "MIK", steps = [{ op = "packing", at = "Ağdam" }] }
want = { "C-08" = "pass" }
"""


@pytest.fixture
def run(tmp_path):
    def run(cases, *options, mark=MIK):
        path = tmp_path / "cases.toml"
        path.write_bytes(cases if isinstance(cases, bytes) else cases.encode())
        return CliRunner().invoke(app, ["rules", "test", str(mark), str(path), *options])

    return run


def test_cases_as_wanted_end_with_0(run):
    answer = run(GOOD)
    assert answer.exit_code == 0
    assert "coil" in answer.stdout
    assert "1 cases: 1 ok, 0 wrong." in answer.stdout
    assert "Branches that no case reached" in answer.stdout


def test_json_says_what_was_never_reached(run):
    answer = json.loads(run(GOOD, "--json").stdout)
    assert answer["scheme"] == "MIK"
    assert answer["cases"] == [{"id": "coil", "ok": True, "differs": []}]
    assert answer["counts"]["outcomes"]["pass"] >= 20
    assert answer["unreached"]["K-01"] == ["fail", "incomplete", "manual", "not_assessed"]


def test_what_differs_is_shown_and_other_marks_are_skipped(run):
    answer = run(OTHER)
    assert answer.exit_code == 1
    assert "1 cases are for other marks and were skipped." in answer.stdout
    told = json.loads(run(OTHER, "--json").stdout)
    assert (told["counts"]["wrong"], told["counts"]["skipped"]) == (1, 1)
    assert told["cases"][0]["differs"][0].startswith("C-08: fail, expected pass. Only simple operations are done here")


def test_in_a_table_for_several_marks_k_rules_are_made_in_karabakhs(run):
    mixed = OTHER + '\n[[case]]\nid = "site"\nfacts = { site = "Bakı" }\nwant = { "K-01" = "fail" }'
    assert [case["id"] for case in json.loads(run(mixed, "--json").stdout)["cases"]] == ["packed only", "site"]


def case(facts="", want='"C-06" = "pass"'):
    return f'[[case]]\nid = "X-1"\nfacts = {{ {facts} }}\nwant = {{ {want} }}'


WRONG_TABLES = [
    ("case = 3", "`case` is a list of tables"),
    ("[[case]]", "has no `id`"),
    ("cases = []", "there is no 'cases' in a table of cases; there are: case, defaults"),
    ("defaults = { foo = 1 }", "in [defaults], facts: there is no 'foo'"),
    ("", "no case of this table is for MIK"),
    (case() + "\n" + case(), "the case X-1 is there twice"),
    (case() + '\nfoo = "x"', "Case X-1: there is no 'foo' in a case"),
    ('[[case]]\nid = "X-1"\nfacts = 3\nwant = {}', "Case X-1: facts: this is a table."),
    (case(want=""), "Case X-1: want: this is a table that names at least one rule."),
    (case(want='"C-06" = true'), "Case X-1: want.C-06: this is an outcome, a case or a figure."),
    (case(want='"Z-06" = "pass"'), "Case X-1: want: MIK has no rule 'Z-06'; there are: C-01"),
    (case(want='"C-06" = "pas"'), "Case X-1: want.C-06: the rule never answers 'pas'; its cases: pass_wo"),
    (case(want='criterion = "XYZ"'), "Case X-1: want.criterion: 'XYZ' is none of: WO"),
    (case(want='outcome = "good"'), "Case X-1: want.outcome: 'good' is none of: pass"),
    (case("foo = 1"), "Case X-1: facts: there is no 'foo'; there are: hs, hs_each"),
    (case('exw = "dear"'), "Case X-1: facts.exw: 'dear' is no figure"),
    (case("exw = true"), "Case X-1: facts.exw: True is no figure"),
    (case("exw = nan"), "Case X-1: facts.exw: this is no finite figure"),
    (case("exw = 1e99"), "Case X-1: facts.exw: this figure is too large or too small"),
    (case('day = "2026-13-01"'), "Case X-1: facts.day: '2026-13-01' is no day"),
    (case('day = ""'), "Case X-1: facts.day: a case has a day."),
    (case("day = 2026-12-01T10:00:00"), "Case X-1: facts.day: '2026-12-01 10:00:00' is no day"),
    (case('site = "Quda"'), "Case X-1: facts.site: 'Quda' is no district of Azerbaijan. Is Quba"),
    (case("hs_each = []"), "Case X-1: facts.hs_each: this is a list of HS codes as text."),
    (case("scheme = 3"), "Case X-1: facts.scheme: this is the code of a mark."),
    (case("lines = 3"), "Case X-1: facts.lines: this is a list of tables."),
    (case('lines = [{ from = "XX" }]'), "Case X-1: facts.lines[0].from: 'XX' is no country code"),
    (case("lines = [{ name = 3 }]"), "Case X-1: facts.lines[0].name: this is text."),
    (case('lines = [{ claim = "yes" }]'), "Case X-1: facts.lines[0].claim: this is true or false."),
    (case('lines = [{ proofs = "x" }]'), "Case X-1: facts.lines[0].proofs: this is a list."),
    (case('lines = [{ basis = "free" }]'), "Case X-1: facts.lines[0].basis: 'free' is none of: cif, domestic, own."),
    (case('steps = [{ at = "Mars" }]'), "A step is at a country code or a district."),
    (case("costs = { MARS = 1 }"), "Case X-1: facts.costs: there is no 'MARS'; there are: KARABAKH"),
    (case("params = 3"), "Case X-1: facts.params: this is a table of parameters."),
    (case("params = { nothing = 1 }"), "Case X-1: There is no parameter 'nothing' in MIK"),
    (case("params = { rvc_at_least = 1000 }"), "Case X-1: facts.params: rvc_at_least: Input should be less than"),
    (case("evidence = { passport = {} }"), "Case X-1: facts.evidence: there is no 'passport'; there are: company-"),
    (case("evidence = { permit = { foo = 1 } }"), "Case X-1: facts.evidence.permit: there is no 'foo'; there are: id"),
    (
        case('evidence = { tax-status = { taxpayer_status = "asleep" } }'),
        "Case X-1: facts.evidence.tax-status.taxpayer_status: Enter one of: active",
    ),
    (case("past = [{}]"), "Case X-1: facts.past[0]: `on` is needed"),
    (case('volumes = { claims = [{ volume = "" }] }'), "facts.volumes.claims[0].volume: a figure is needed here."),
    (case('product = { unit = "furlong" }'), "Case X-1: facts.product.unit: 'furlong' is no unit of the list: t, kg"),
    (case('flags = ["x"]'), "Case X-1: facts.flags: 'x' is no flag of the list: excise"),
    (case('absent = ["product"]'), "Case X-1: facts.absent: 'product' is none of: applicant"),
    ("a = " + "9" * 5000, "is not TOML that can be read"),
    ("a = " + "[" * 5000, "is not TOML that can be read"),
    (b"\xff\xfe", "is no text in UTF-8"),
]


@pytest.mark.parametrize(("cases", "words"), WRONG_TABLES, ids=lambda value: repr(value)[:60])
def test_a_wrong_table_ends_with_2_and_says_what_to_do(run, cases, words):
    answer = run(cases)
    assert answer.exit_code == 2
    assert words in answer.stderr.replace("\n", " ")
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: "", "the table [ruleset]"),
        (lambda text: text.replace('["QARABAG"]', '["QARABAQ"]'), "unknown places in the territory sets: QARABAQ"),
        (lambda text: text.replace('like = "C-04"', 'like = ["C-04"]'), "there is no shared rule ['C-04']"),
        (lambda text: text.replace("{district}", "{district", 1), "field name"),
        (lambda text: text.replace("pass_at = 40", "pass_at = 9e99999999"), "less than or equal to 100"),
        (lambda text: text + '\n[[ruleset.rules]]\nlike = "C-04"\nreasons = 3', "reasons"),
    ],
)
def test_a_wrong_scheme_file_ends_with_2(run, tmp_path, change, words):
    mark = tmp_path / "MARK.toml"
    mark.write_text(change((files("app.schemes") / "marks" / "MIK.toml").read_text("utf-8")), "utf-8")
    answer = run(GOOD, mark=mark)
    assert answer.exit_code == 2
    assert words in answer.stderr


@pytest.mark.parametrize(("path", "words"), [("/", "is a folder"), ("/no/such/file", "cannot be read")])
def test_what_is_no_file_ends_with_2(run, path, words):
    assert words in run(GOOD, mark=path).stderr
    answer = CliRunner().invoke(app, ["rules", "test", MIK, path])
    assert answer.exit_code == 2
    assert words in answer.stderr


def test_a_file_without_end_is_not_read(run, tmp_path):
    mark = tmp_path / "large.toml"
    mark.write_bytes(b"#" * (5 * 2**20 + 1))
    assert "more than 5 MB" in run(GOOD, mark=mark).stderr
