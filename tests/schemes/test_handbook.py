"""docs/rules.md says what the scheme files say."""

import subprocess
import sys
from pathlib import Path

from app.cli.rules.rule_docs import render_page
from app.schemes.evidence_kinds import load_evidence_kinds
from app.schemes.scheme_loader import load_schemes

SCHEMES = load_schemes()
DOCS = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_in_step_with_the_scheme_files():
    assert DOCS.read_text("utf-8") == render_page(SCHEMES.values()), "python -m app.cli.rules.rule_docs > docs/rules.md"


def test_the_command_prints_the_page():
    made = subprocess.run([sys.executable, "-m", "app.cli.rules.rule_docs"], capture_output=True, check=True)
    assert made.stdout.decode("utf-8") == DOCS.read_text("utf-8")


def test_the_page_names_every_rule_its_cases_and_who_supplies_the_evidence():
    text = render_page(SCHEMES.values())
    for scheme in SCHEMES.values():
        mark = text.split(f"## {scheme.code}: ")[1].split("\n## ")[0]
        for rule in scheme.ruleset.rules:
            section = mark.split(f"### {rule.id} {rule.title.en}\n")[1].split("\n### ")[0]
            assert rule.title.az in section
            assert rule.clause.en in section
            for case, outcome in rule.cases().items():
                assert f"| {outcome.value.replace('_', ' ')} | {rule.reasons[case].en}" in section
            for code in rule.evidence_kinds():
                assert f"evidence `{code}` ({load_evidence_kinds()[code].name.en}), supplied by " in section
            for name, value in rule.parameters().items():
                if name != "branches" and value not in (None, False, [], {}, ""):
                    assert f"- `{name}`: " in section
            for key in rule.reason_keys():
                assert rule.reasons[key].en in section
    assert all(f"| `{code}` | " in text for code in load_evidence_kinds())


def test_the_page_names_the_method_and_the_basis_of_value():
    text = render_page(SCHEMES.values())
    assert "Build-down value content: RVC = (EXW − VNM) / EXW × 100." in text
    for said in (
        "CIF value at importation",
        "customs\n  duty left out",
        "without VAT",
        "the one that holds longest counts",
    ):
        assert said in text
    assert "laid before" not in text
    assert "- `packing_max_pct`: 10" in text
    assert "- `cumulation`: none" in text


def test_branches_of_a_condition_are_sentences():
    text = render_page(SCHEMES.values())
    assert "- `manual`, where it is above 50\n" in text
    assert "- `manual_control`, where `evidence:ownership-statement.state_controlled` is yes\n" in text
    assert "- `incomplete_not_operating`, where `site.stage` is not operating\n" in text
    assert "- `pass`, where it is not after the day\n" in text


def test_another_text_is_another_page():
    changed = SCHEMES["MIK"].model_copy(update={"owner": "Somebody else"})
    assert render_page([changed]) != render_page([SCHEMES["MIK"]])
