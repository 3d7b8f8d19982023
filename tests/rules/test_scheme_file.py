"""Marks are data: what the shipped files say, what a wrong file is told, and a fourth mark without a line of Python."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError
from rules_support import GOOD, residency

import app.schemes
from app.errors import Invalid
from app.registry.territory import territory
from app.schemes.eligibility import assess
from app.schemes.facts import ResidencyState
from app.schemes.nomenclature import is_chapter, is_heading, is_subheading
from app.schemes.outcome import Outcome
from app.schemes.rules.base import fill, placeholders, seen
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_file import load_schemes, read_common, read_scheme

PACKAGE = Path(app.schemes.__file__).parent
COMMON = read_common((PACKAGE / "marks" / "common.toml").read_text("utf-8"))
SCHEMES = load_schemes()

FOURTH = """
code = "DEMO"
kind = "local_brand"
owner = "A municipality"
term_months = 12
legal_notes = []
names = { az = "Nümunə", en = "Sample", ru = "Образец" }

[ruleset]
version = "2027.1"
in_force_from = 2027-01-01
status = "draft"
confirmed = false
territory_sets = { NORTH = ["QUBA-XACMAZ"] }

[[ruleset.rules]]
like = "C-04"

[[ruleset.rules]]
like = "C-05"
id = "D-01"
codes = ["7306"]
reasons = { fail = { en = "No tubes: {matched}.", az = "Boru olmaz: {matched}." } }

[[ruleset.rules]]
like = "C-06"
rvc_at_least = 62.5

[[ruleset.rules]]
id = "D-02"
kind = "site_territory"
clause = { en = "by-law 2", az = "2-ci bənd" }
title = { en = "Site in the north", az = "Şimalda yer" }
accepted = ["NORTH"]
[ruleset.rules.reasons]
pass = { en = "In the north.", az = "Şimaldadır." }
manual = { en = "-", az = "–" }
fail = { en = "{district} is not in the north.", az = "{district} şimalda deyil." }
incomplete = { en = "Where?", az = "Harada?" }
not_assessed = { en = "-", az = "–" }
"""


def fourth(old="", new=""):
    assert old in FOURTH
    return read_scheme(FOURTH.replace(old, new, 1) if old else FOURTH, COMMON, "DEMO.toml")


def test_the_marks_that_ship():
    assert sorted(SCHEMES) == ["MIA", "MIK"]
    karabakh, azerbaijan = SCHEMES["MIK"], SCHEMES["MIA"]
    assert karabakh.names["az"] == "Qarabağda istehsal olunub – Azərbaycanın ürəyi"
    assert [rule.id for rule in karabakh.ruleset.rules][-6:] == ["K-01", "K-02", "K-03", "K-05", "K-06", "K-08"]
    assert [rule.id for rule in azerbaijan.ruleset.rules][-3:] == ["A-01", "A-04", "A-05"]
    assert karabakh.rests_on_residency
    assert not azerbaijan.rests_on_residency
    for scheme in SCHEMES.values():
        assert (scheme.owner, scheme.term_months) == ("AZPROMO", 36)
        assert (scheme.ruleset.version, scheme.ruleset.confirmed) == ("2026.1", False)
        assert "ruleset" not in scheme.profile()


def test_the_published_versions_have_not_changed():
    """A change of any word or number needs a new version; put its digest here together with the new version."""
    assert {code: (s.ruleset.version, s.ruleset.digest) for code, s in SCHEMES.items()} == {
        "MIA": ("2026.1", "01d18340c224160d59059910eb67000a605b9dbc0583fc06dd828da2457e2328"),
        "MIK": ("2026.1", "a67244c7bf2ae7deae4fa0c2d7d78f93bb0f371da910bb9b51f1c78b9a1b6e06"),
    }


@pytest.mark.parametrize("mark", sorted(SCHEMES))
def test_a_stored_ruleset_is_read_back_as_it_was(mark):
    ruleset = SCHEMES[mark].ruleset
    stored = Ruleset.model_validate(ruleset.content())
    assert stored == ruleset
    assert stored.digest == ruleset.digest
    assert stored.model_copy(update={"version": "2026.2"}).version != ruleset.version


def test_every_code_in_the_files_exists():
    for scheme in SCHEMES.values():
        for rule in scheme.ruleset.rules:
            for chapter in getattr(rule, "chapters", ()) + getattr(rule, "material_chapters", ()):
                assert is_chapter(chapter)
            for each in getattr(rule, "codes", ()) + getattr(rule, "unavailable", ()):
                assert is_heading(each) or is_subheading(each)


def test_territory_sets_of_marks_and_registry_agree():
    for scheme in SCHEMES.values():
        for name, regions in scheme.ruleset.regions.items():
            assert territory().sets[name] == regions
            assert regions <= territory().regions.keys()


def test_no_mark_product_or_code_of_goods_is_named_in_the_code():
    for source in PACKAGE.rglob("*.py"):
        text = source.read_text("utf-8")
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", text)
        assert not re.search(r"\bMI[AK]\b|URVA|QARABAG|ZENGEZUR", code), source
        digits = set(re.findall(r'"([0-9]{2,6})"', code))
        assert digits <= {"99", "9999", "999999"}, source  # the fillers of the nomenclature package


def test_a_fourth_mark_is_one_file(tmp_path):
    (tmp_path / "DEMO.toml").write_text(FOURTH, "utf-8")
    (tmp_path / "notes.txt").write_text("not a mark", "utf-8")
    ruleset = load_schemes(tmp_path)["DEMO"].ruleset
    assessment = assess(ruleset, GOOD)
    assert [(each.rule, each.outcome.value) for each in assessment.findings] == [
        ("C-04", "pass"),
        ("D-01", "fail"),
        ("C-06", "pass"),
        ("D-02", "fail"),
    ]
    assert assessment.findings[1].reason == "No tubes: 7306. (criterion C-05)"
    assert assessment.findings[3].reason == "Ağdam is not in the north. (by-law 2)"
    assert ruleset.rules[2].rvc_at_least == Decimal("62.5")
    assert ruleset.in_force_from == date(2027, 1, 1)
    assert assess(ruleset, residency(status=ResidencyState.CANCELLED)).of(Outcome.MANUAL) == ()


def test_two_files_may_not_define_one_mark(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(FOURTH, "utf-8")
    with pytest.raises(Invalid, match=r"b\.toml: the mark DEMO is defined twice"):
        load_schemes(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('code = "DEMO"', 'code = "demo"', "/code"),
        ('code = "DEMO"', "code = ", "is not TOML"),
        ('like = "C-04"', 'like = "X-99"', "there is no shared rule X-99"),
        ('like = "C-04"', 'like = "C-04"\nsurprise = 1', "Extra inputs are not permitted"),
        ('like = "C-04"', 'kind = "magic"', "kind"),
        ('like = "C-04"', 'like = "C-06"', "rules listed twice: C-06"),
        ("rvc_at_least = 62.5", "rvc_at_least = 101", "less than or equal to 100"),
        ("rvc_at_least = 62.5", "rvc_at_least = nan", "rvc_at_least"),
        ('codes = ["7306"]', 'codes = ["73.06"]', "String should match pattern"),
        ('codes = ["7306"]', "chapters = []", "neither a chapter nor a code is barred"),
        ('accepted = ["NORTH"]', 'accepted = ["SOUTH"]', "unknown territory set SOUTH"),
        ('accepted = ["NORTH"]', 'accepted = ["NORTH"]\nreview = ["NORTH"]', "both accepted and for review: NORTH"),
        ('pass = { en = "In', 'maybe = { en = "?", az = "?" }\npass = { en = "In', "never answers maybe"),
        ('incomplete = { en = "Where?", az = "Harada?" }', "", "no reason for incomplete"),
        ("{district} is not", "{secret} is not", "unknown placeholder secret"),
        ("{district} is not", "{district.name} is not", "a placeholder is a name in braces"),
        ("{district} is not", "{district!r} is not", "a placeholder is a name in braces"),
        ("{district} is not", "{district:>9} is not", "a placeholder is a name in braces"),
        ("{district} is not", "{} is not", "a placeholder is a name in braces"),
        ('ru = "Образец"', 'de = "Muster"', "no name in ru"),
        ('version = "2027.1"', 'version = "latest"', "/ruleset/version"),
        ("term_months = 12", "term_months = 0", "/term_months"),
    ],
)
def test_a_wrong_file_is_told_what_is_wrong(old, new, told):
    with pytest.raises(Invalid) as refusal:
        fourth(old, new)
    assert told in str(refusal.value)


@pytest.mark.parametrize("text", ['code = "X"', "ruleset = 1", "[ruleset]\nrules = 1"])
def test_a_file_without_rules_is_told_so(text):
    with pytest.raises(Invalid, match=r"the table \[ruleset\] with its \[\[ruleset.rules\]\] is missing"):
        read_scheme(text, COMMON)


def test_a_rule_that_is_no_table_is_told_so():
    with pytest.raises(Invalid, match="/ruleset/rules/0"):
        read_scheme("[ruleset]\nrules = [1]", COMMON)


def test_thresholds_must_be_in_order():
    content = SCHEMES["MIK"].ruleset.content()
    rule = next(each for each in content["rules"] if each["id"] == "K-06")
    rule["review_at"] = 41
    with pytest.raises(ValidationError, match="review_at is above pass_at"):
        Ruleset.model_validate(content)


def test_process_rules_name_known_territories():
    content = SCHEMES["MIK"].ruleset.content()
    content["territory_sets"] = {"MIK_CORE": ["QARABAG"]}
    with pytest.raises(ValidationError, match="unknown territory set MIK_EXT"):
        Ruleset.model_validate(content)


def test_a_ruleset_belongs_to_its_mark():
    scheme = SCHEMES["MIK"]
    with pytest.raises(ValidationError, match="belongs to MIA"):
        type(scheme).model_validate(scheme.profile() | {"ruleset": SCHEMES["MIA"].ruleset.content()})


def test_reasons_are_filled_with_bare_names_only():
    assert placeholders("{a} and {{not}} {b}") == {"a", "b"}
    assert fill("{a}|{b}|{c}|{d}|{e}", {"a": (), "b": None, "c": ("x", "y"), "d": 0, "e": "{a}"}) == "–|–|x, y|0|{a}"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (None, None),
        ("Ağdam", "Ağdam"),
        ("a\0b\ud800c\u202ed", "a\ufffdb\ufffdc\ufffdd"),
        ("a\nb\u00a0c", "a b c"),
        ("قره\u200cباغ", "قره\u200cباغ"),
        ("x" * 121, "x" * 120 + "…"),
    ],
)
def test_text_from_outside_is_made_safe_to_keep(text, safe):
    assert seen(text) == safe
