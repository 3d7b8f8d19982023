"""Marks are data: what the shipped files say, what a wrong file is told, and a fourth mark without a line of Python."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

import app.schemes
from app.core.errors import Invalid
from app.reference.hs_nomenclature import load_titles
from app.reference.territory import load_territory
from app.schemes import emblems
from app.schemes.closed_lists import load_lists
from app.schemes.evaluator import evaluate
from app.schemes.evidence_kinds import Supplier, load_evidence_kinds
from app.schemes.facts import ParkResidencyStatus
from app.schemes.outcome import Outcome
from app.schemes.rules import AnyRule
from app.schemes.rules.base import placeholder_names, sanitize
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_loader import load_schemes, parse_common, parse_scheme, unknown_evidence_errors
from tests.schemes.factories import GOOD, made, residency

pytestmark = pytest.mark.pure

PACKAGE = Path(app.schemes.__file__).parent
COMMON = parse_common((PACKAGE / "marks" / "common.toml").read_text("utf-8"))
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
reasons = { fail_listed = { en = "No tubes: {matched}.", az = "Boru olmaz: {matched}." } }

[[ruleset.rules]]
like = "C-06"
rvc_at_least = 62.5

[[ruleset.rules]]
id = "D-02"
kind = "territory"
clause = { en = "by-law 2", az = "2-ci bənd" }
title = { en = "Site in the north", az = "Şimalda yer" }
accepted = ["NORTH"]
[ruleset.rules.reasons]
pass = { en = "In the north.", az = "Şimaldadır." }
fail = { en = "{district} is not in the north.", az = "{district} şimalda deyil." }
incomplete = { en = "Where?", az = "Harada?" }
not_assessed = { en = "-", az = "–" }
"""


def fourth(old="", new=""):
    assert old in FOURTH
    return parse_scheme(FOURTH.replace(old, new, 1) if old else FOURTH, COMMON, "DEMO.toml")


def test_the_marks_that_ship():
    assert sorted(SCHEMES) == ["MIA", "MIK", "URVA"]
    karabakh, azerbaijan, urva = SCHEMES["MIK"], SCHEMES["MIA"], SCHEMES["URVA"]
    assert karabakh.names["az"] == "Qarabağda istehsal olunub – Azərbaycanın ürəyi"
    common = [f"C-{number:02d}" for number in range(1, 18)]
    local = [rule for rule in common if rule not in ("C-05", "C-14")]
    assert [rule.id for rule in karabakh.ruleset.rules] == common + [f"K-{number:02d}" for number in range(1, 12)]
    assert [rule.id for rule in azerbaijan.ruleset.rules] == common + [f"A-{number:02d}" for number in range(1, 9)]
    assert [rule.id for rule in urva.ruleset.rules] == local + [f"U-{number:02d}" for number in range(1, 11)]
    assert [len(scheme.ruleset.rules) for scheme in (karabakh, azerbaijan, urva)] == [28, 25, 25]
    assert [scheme.is_residency_based for scheme in (karabakh, azerbaijan, urva)] == [True, False, False]
    assert [scheme.ruleset.has_brand_rule for scheme in (karabakh, azerbaijan, urva)] == [False, False, True]
    assert [scheme.owner for scheme in (karabakh, azerbaijan, urva)] == ["AZPROMO", "AZPROMO", "Urva Municipality"]
    for scheme in SCHEMES.values():
        assert (scheme.term_months, scheme.ruleset.confirmed) == (36, False)
        assert "ruleset" not in scheme.content_without_ruleset()


def test_fifteen_kinds_carry_all_rules():
    used = {rule.kind for scheme in SCHEMES.values() for rule in scheme.ruleset.rules}
    kinds_known = {each.model_fields["kind"].annotation.__args__[0] for each in get_args(get_args(AnyRule)[0])}
    assert len(kinds_known) == 15
    assert used == kinds_known


@pytest.mark.parametrize("mark", sorted(SCHEMES))
def test_every_case_has_a_sentence_in_both_languages(mark):
    for rule in SCHEMES[mark].ruleset.rules:
        assert set(rule.reasons) == rule.reason_keys() >= set(rule.cases())
        for text in rule.reasons.values():
            assert text.en != text.az
            assert placeholder_names(text.en) == placeholder_names(text.az), rule.id


@pytest.mark.parametrize("mark", sorted(SCHEMES))
def test_every_rule_says_in_one_sentence_what_it_asks_for(mark):
    for rule in SCHEMES[mark].ruleset.rules:
        asked = rule.requirement
        assert asked.en.endswith(".") and asked.az.endswith(".") and ". " not in asked.en
        assert placeholder_names(asked.en) == placeholder_names(asked.az) <= rule.parameters().keys(), rule.id


def test_a_requirement_names_only_parameters_and_may_be_left_out():
    asked = 'requirement = { en = "In {where}.", az = "{where}." }'
    with pytest.raises(Invalid, match="D-02, requirement: unknown placeholder where"):
        fourth('accepted = ["NORTH"]', f'accepted = ["NORTH"]\n{asked}')
    rule = fourth().ruleset.rules[-1]
    assert rule.requirement is None and "requirement" not in rule.model_dump()


def test_the_published_versions_have_not_changed():
    """A change of any word or number needs a new version; put its digest here together with the new version."""
    assert {code: (s.ruleset.version, s.ruleset.digest) for code, s in SCHEMES.items()} == {
        "MIA": ("2026.4", "bdfe407cec4809e6eade06fc8c38dd3b69f76371d98a4df630dc0f80fb33dd1d"),
        "MIK": ("2026.4", "f63d8d15acc03e26c49a978f78323a2d98e4fcf6f54ab3948a07c2a1d692ac66"),
        "URVA": ("2026.4", "9fb23d5f2fb14e4b997e5e981536bd8b619a3eb3967e2a1d91f4a83a886ea885"),
    }


@pytest.mark.parametrize("mark", sorted(SCHEMES))
def test_a_stored_ruleset_is_read_back_as_it_was(mark):
    ruleset = SCHEMES[mark].ruleset
    stored = Ruleset.model_validate(ruleset.content())
    assert stored == ruleset
    assert stored.digest == ruleset.digest
    other = Ruleset.model_validate(ruleset.content() | {"version": "2030.1"})
    assert other.digest != ruleset.digest


def test_how_alike_names_have_to_be_comes_from_the_rule_on_the_past():
    ruleset = SCHEMES["MIK"].ruleset
    assert ruleset.name_alike_pct == 80
    without = tuple(rule for rule in ruleset.rules if rule.kind != "history")
    assert ruleset.model_copy(update={"rules": without}).name_alike_pct == 100


def test_every_code_in_the_files_exists():
    for scheme in SCHEMES.values():
        for rule in scheme.ruleset.rules:
            capped = tuple(code for cap in getattr(rule, "caps", ()) for code in cap.codes)
            listed = (*getattr(rule, "codes", ()), *getattr(rule, "goods", ()), *getattr(rule, "counted", ()))
            for each in listed + capped + getattr(rule, "unavailable", ()):
                assert each in load_titles()


def test_what_the_rules_read_some_evidence_can_say():
    for scheme in SCHEMES.values():
        for rule in scheme.ruleset.rules:
            assert list(unknown_evidence_errors(rule)) == []
            staff_only = [
                load_evidence_kinds()[kind].supplied_by == (Supplier.STAFF,) for kind in rule.evidence_kinds()
            ]
            missing_stops = rule.cases().get("incomplete_missing") and not rule.may_be_supplied_later
            assert not (all(staff_only) and missing_stops and staff_only), rule.id  # nobody could ever submit


def test_territory_sets_of_marks_and_registry_agree():
    districts = {district.name for district in load_territory().districts}
    known = load_territory().regions.keys() | load_territory().municipalities.keys() | districts
    for scheme in SCHEMES.values():
        for name, places in scheme.ruleset.territory_sets.items():
            assert set(places) <= known
            sets = load_territory().sets | load_territory().municipality_sets
            assert sets.get(name, set(places)) == set(places)
    assert set(load_lists().karabakh_regions) == load_territory().sets["MIK_CORE"] | load_territory().sets["MIK_EXT"]


def test_municipalities_lie_in_districts_that_are_known():
    for municipality in load_territory().municipalities.values():
        assert load_territory().district_by_name(municipality.district).name == municipality.district


def test_no_mark_product_or_code_of_goods_is_named_in_the_code():
    for source in PACKAGE.rglob("*.py"):
        text = source.read_text("utf-8")
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", text)
        assert not re.search(r"\bMI[AK]\b|URVA|QARABAG|ZENGEZUR", code), source
        digits = set(re.findall(r'"([0-9]{2,6})"', code))
        assert digits <= {"99", "9999", "999999", "00"}, source  # fillers of the nomenclature, end of a heading


def test_every_mark_has_an_emblem_of_its_own_or_none():
    own = [scheme.emblem for scheme in SCHEMES.values()]
    assert len(set(own)) == len(own) and set(own) | {emblems.NEUTRAL_EMBLEM} == emblems.list_emblem_names()
    for name in emblems.list_emblem_names():
        picture = emblems.read_emblem(name)
        assert picture.startswith(emblems.SVG_HEAD) and picture.endswith("</svg>")
        assert not re.search("script|href|style|url|on[a-z]+=", emblems.read_emblem_content(name))
    assert emblems.read_emblem("another") == emblems.read_emblem(None) == emblems.read_emblem(emblems.NEUTRAL_EMBLEM)


def test_an_emblem_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "DEMO.toml").write_text(FOURTH.replace("kind = ", 'emblem = "../x"\nkind = ', 1), "utf-8")
    with pytest.raises(Invalid, match="there is no emblem"):
        load_schemes(tmp_path)


def test_a_fourth_mark_is_one_file(tmp_path):
    (tmp_path / "DEMO.toml").write_text(FOURTH, "utf-8")
    (tmp_path / "notes.txt").write_text("not a mark", "utf-8")
    ruleset = load_schemes(tmp_path)["DEMO"].ruleset
    assessment = evaluate(ruleset, GOOD)
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
    assert evaluate(ruleset, residency(status=ParkResidencyStatus.CANCELLED)).findings_with(Outcome.MANUAL) == ()


def test_two_files_may_not_define_one_mark(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(FOURTH, "utf-8")
    with pytest.raises(Invalid, match=r"b\.toml: the mark DEMO is defined twice"):
        load_schemes(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('like = "C-04"', 'like = "C-11"\nevidence = "horoscope"', "C-11: there is no kind of evidence horoscope"),
        ('like = "C-04"', 'like = "C-02"\nvalue = "stars"', "evidence of the kind tax-status has no value stars"),
        ('like = "C-04"', 'like = "C-02"\nreview = []', "not rightly placed: suspended"),
        ('like = "C-04"', 'like = "C-02"\nreasons = { star = { en = "x", az = "y" } }', "this kind never answers star"),
        ('like = "C-04"', 'like = "C-02"\nrefused = ["struck_off"]', "not rightly placed: liquidated, not_registered"),
        ('like = "C-04"', 'like = "C-02"\naccepted = ["struck_off"]', "listed twice: struck_off"),
        ('like = "C-06"\nrvc_at_least = 62.5', 'like = "C-07"', "no rule on origin"),
        ('code = "DEMO"', 'code = "demo"', "/code"),
        ('code = "DEMO"', "code = ", "is not TOML"),
        ('like = "C-04"', 'like = "X-99"', "there is no shared rule X-99"),
        ('like = "C-04"', 'like = "C-04"\nsurprise = 1', "Extra inputs are not permitted"),
        ('like = "C-04"', 'kind = "magic"', "kind"),
        ('like = "C-04"', 'like = "C-06"', "rules listed twice: C-06"),
        ("rvc_at_least = 62.5", "rvc_at_least = 101", "less than or equal to 100"),
        ("rvc_at_least = 62.5", "rvc_at_least = nan", "rvc_at_least"),
        ('codes = ["7306"]', 'codes = ["73.06"]', "String should match pattern"),
        ('codes = ["7306"]', "codes = []", "no code is listed"),
        ('accepted = ["NORTH"]', 'accepted = ["SOUTH"]', "unknown territory set SOUTH"),
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
        parse_scheme(text, COMMON)


def test_a_rule_that_is_no_table_is_told_so():
    with pytest.raises(Invalid, match="/ruleset/rules/0"):
        parse_scheme("[ruleset]\nrules = [1]", COMMON)


def test_process_rules_name_known_territories():
    content = SCHEMES["MIK"].ruleset.content()
    content["territory_sets"] = {"MIK_CORE": ["QARABAG"]}
    with pytest.raises(ValidationError, match="unknown territory set MIK_EXT"):
        Ruleset.model_validate(content)


def test_a_ruleset_belongs_to_its_mark():
    scheme = SCHEMES["MIK"]
    with pytest.raises(ValidationError, match="belongs to MIA"):
        type(scheme).model_validate(scheme.content_without_ruleset() | {"ruleset": SCHEMES["MIA"].ruleset.content()})


def test_placeholders_are_bare_names():
    assert placeholder_names("{a} and {{not}} {b}") == {"a", "b"}


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
    assert sanitize(text) == safe


SHARE = {"kind": "share", "pass_at": 40, "review_at": 30}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (SHARE | {"of": "cost", "review_at": 41}, "review_at is above pass_at"),
        (SHARE | {"of": "weight"}, "names its goods and what is counted"),
        (SHARE | {"of": "statement"}, "names the kind of document and the value"),
        ({"kind": "condition", "fact": "site.country", "branches": [{"case": "pass"}]}, "compares with nothing"),
        ({"kind": "names", "asks": "protected"}, "no name is protected"),
        ({"kind": "names", "asks": "unique"}, "a search needs its kind of document"),
        ({"kind": "capacity", "against": "caps"}, "caps are listed where volumes are compared with caps"),
        ({"kind": "listed", "list": "flags"}, "no flag is listed"),
        ({"kind": "listed", "list": "document"}, "only a list in a document names"),
        ({"kind": "evidence", "evidence": "permit", "register_counts": True}, "names the value that holds the number"),
        ({"kind": "evidence", "evidence": "permit", "accepted": ["x"]}, "words are listed, but not the value"),
        ({"kind": "territory", "accepted": ["X"], "review": ["X"]}, "both accepted and for review: X"),
        ({"kind": "territory", "place": "municipality", "accepted": ["X"]}, "a municipality is read from a document"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(parameters, told):
    with pytest.raises(ValidationError, match=told):
        made(**parameters)
