"""Kinds of evidence: what may be stated, what a confirmation needs, and what the rules get to see."""

import json
import tomllib
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.closed_lists import load_lists
from app.schemes.evidence_kinds import (
    FieldRequirement,
    Supplier,
    ValueType,
    load_evidence_kinds,
    to_facts,
    validate_values,
)

pytestmark = pytest.mark.pure

NOTHING = {"issued_on": False, "valid_until": False, "number": False}
GIVEN = {"issued_on": True, "valid_until": False, "number": False}


def wrong(kind, values, present=GIVEN, *, complete=True):
    return {
        each["pointer"]: each["detail"]
        for each in validate_values(load_evidence_kinds()[kind], values, present, complete=complete)[1]
    }


def kept(kind, values):
    return validate_values(load_evidence_kinds()[kind], values, GIVEN, complete=False)[0]


def test_the_kinds_that_ship():
    assert list(load_evidence_kinds())[:2] == ["company-registration", "park-residency"]
    for code, kind in load_evidence_kinds().items():
        assert kind.code == code
        assert kind.name.en != kind.name.az
        for value in kind.values.values():
            assert bool(value.choices) == (value.type is ValueType.CHOICE)
    staff = {code for code, kind in load_evidence_kinds().items() if kind.supplied_by == (Supplier.STAFF,)}
    assert staff == {
        *("tax-status", "background-check", "register-snapshot", "specification-check", "trademark-search"),
        "inspection-record",
    }
    assert load_evidence_kinds()["tax-status"].issued_on is FieldRequirement.REQUIRED


def test_scopes_are_those_of_the_list():
    listed = tomllib.loads((files("app.schemes") / "lists.toml").read_text("utf-8"))["scope"]
    newest = listed.pop("newest_counts")
    assert {code: kind.scope for code, kind in load_evidence_kinds().items()} == {
        code: scope for scope, codes in listed.items() for code in codes
    }
    assert load_lists().newest_counts == set(newest)


def test_a_confirmation_needs_what_the_kind_asks_for_and_an_upload_does_not():
    values = {"form": "CT1", "hs4": "7306", "about": "material", "country": "TR"}
    assert wrong("origin-document", {}, NOTHING) == {
        "/issued_on": "This is needed.",
        "/number": "This is needed.",
        "/values/form": "This is needed.",
        "/values/hs4": "This is needed.",
        "/values/about": "This is needed.",
        "/values/country": "This is needed.",
    }
    assert wrong("origin-document", {}, NOTHING, complete=False) == {}
    assert wrong("origin-document", values, GIVEN | {"number": True}) == {}
    assert wrong("ownership-statement", {"state_share_pct": "0", "state_controlled": None}) == {}


def test_what_the_kind_does_not_bear_is_refused():
    assert wrong("photo", {"colour": "red", "\0": 1}, GIVEN, complete=False) == {
        "/issued_on": "Evidence of the kind photo has none.",
        "/values/colour": "Evidence of the kind photo has no such value.",
        "/values/\ufffd": "Evidence of the kind photo has no such value.",
    }


@pytest.mark.parametrize(
    ("kind", "name", "value", "told"),
    [
        ("tax-status", "taxpayer_status", "asleep", "one of: active, suspended"),
        ("tax-status", "taxpayer_status", "", "not empty"),
        ("tax-status", "taxpayer_status", 1, "Enter text"),
        ("background-check", "tax_debt", "no", "true or false"),
        ("background-check", "tax_debt", 0, "true or false"),
        ("ownership-statement", "state_share_pct", "100.1", "from 0 to 100"),
        ("ownership-statement", "state_share_pct", "-1", "from 0 to 100"),
        ("ownership-statement", "state_share_pct", "half", "Enter a number"),
        ("ownership-statement", "state_share_pct", True, "Enter a number"),
        ("ownership-statement", "state_share_pct", None, "This is needed"),
        ("ownership-statement", "state_share_pct", "1e1", "Enter a number"),
        ("ownership-statement", "state_share_pct", "١٢", "Enter a number"),
        ("ownership-statement", "state_share_pct", "1_0", "Enter a number"),
        ("ownership-statement", "state_share_pct", "0.0000001", "more than 6 decimal places"),
        ("ownership-statement", "state_share_pct", Decimal("NaN"), "Enter a number"),
        ("ownership-statement", "state_share_pct", [], "Enter a number"),
        ("volume-statement", "claimed_volume", "1000000000001", "not between 0 and"),
        ("volume-statement", "claimed_volume", 10**400, "Enter a number"),
        ("export-record", "export_years", "1.5", "a whole number"),
        ("origin-document", "hs4", "9998", "four digits"),
        ("origin-document", "hs4", "73061", "four digits"),
        ("resident-project", "approved_goods", "7306", "a list"),
        ("resident-project", "approved_goods", [], "a list"),
        ("resident-project", "approved_goods", ["73"] * 201, "a list"),
        ("resident-project", "approved_goods", ["73", "7399"], "7399 is no chapter"),
        ("resident-project", "approved_goods", [73], "as text in quotes"),
        ("municipality-letter", "municipality", "два", "letters, digits"),
        ("municipality-letter", "municipality", "x" * 41, "letters, digits"),
        ("name-consent", "protected_name", "a\0b", "not text"),
        ("name-consent", "protected_name", "x" * 121, "longer than 120"),
        ("ownership-statement", "other_voen", "123456789", "exactly 10 digits"),
        ("ownership-statement", "other_voen", "١٢٣٤٥٦٧٨٩٠", "exactly 10 digits"),
        ("supplier-declaration", "country", "tr", "two capital letters"),
        ("supplier-declaration", "country", "XX", "two capital letters"),
        ("supplier-declaration", "period_from", "2026-02-30", "Enter a date"),
        ("supplier-declaration", "period_from", "20260201", "Enter a date"),
        ("supplier-declaration", "period_from", 20260201, "Enter text"),
        ("supplier-declaration", "criterion", "NONE", "one of: WO, PE, CTH, RVC"),
        ("production-record", "ground", "meadow", "one of: field, herd"),
        ("capacity-statement", "unit", "bushel", "no unit of the list"),
        ("authority-to-sign", "signer", "Aysel", "the id of a user"),
        ("inspection-record", "findings", {}, "a list of at most"),
        ("inspection-record", "findings", [{"class": "major"}], "has a `class`, a `text`"),
        ("inspection-record", "findings", [{"class": "major", "text": "x", "by": "y"}], "has a `class`, a `text`"),
        ("inspection-record", "findings", [{"class": "bad", "text": "x"}], "one of: critical, major, minor"),
        ("inspection-record", "findings", [{"class": ["major"], "text": "x"}], "one of: critical, major, minor"),
        ("inspection-record", "findings", [{"class": "major", "text": " "}], "1 to 500 characters"),
        ("inspection-record", "findings", [{"class": "major", "text": "x\0y"}], "not text"),
        ("inspection-record", "findings", [{"class": "major", "text": "x", "closed_on": 1}], "Enter a date"),
        ("inspection-record", "findings", [{"class": "minor", "text": "x"}] * 101, "at most 100"),
    ],
)
def test_a_value_that_cannot_be_right_is_told_what_is_wrong(kind, name, value, told):
    assert told in wrong(kind, {name: value})[f"/values/{name}"]


def test_values_are_kept_in_one_spelling_and_handed_over_as_values():
    assert kept("ownership-statement", {"state_share_pct": Decimal("10.50"), "state_controlled": True}) == {
        "state_share_pct": "10.5",
        "state_controlled": True,
    }
    assert kept("volume-statement", {"claimed_volume": 1200}) == {"claimed_volume": "1200"}
    assert kept("name-consent", {"protected_name": " Şuşa "}) == {"protected_name": "Şuşa"}
    assert to_facts(
        load_evidence_kinds()["ownership-statement"], {"state_share_pct": "10.5", "state_controlled": True}
    ) == {
        "state_share_pct": Decimal("10.5"),
        "state_controlled": True,
    }
    goods = kept("resident-project", {"approved_goods": ["73", "392111"]})
    assert to_facts(load_evidence_kinds()["resident-project"], goods) == {"approved_goods": ("73", "392111")}
    assert to_facts(load_evidence_kinds()["tax-status"], {"taxpayer_status": "active", "gone": 1}) == {
        "taxpayer_status": "active"
    }


@pytest.mark.parametrize(
    ("kind", "first", "last", "told"),
    [
        ("production-record", "2025-01-01", "2025-12-31", None),
        ("production-record", "2024-12-31", "2025-12-31", "longer than 12 months"),
        ("grower-letter", "2025-10-31", "2025-03-01", "would end before it begins"),
        ("cost-statement", "2025-07-01", "2026-06-30", None),
        ("cost-statement", "2025-07-01", "2026-07-01", "longer than 12 months"),
        ("supplier-declaration", "2024-01-01", "2027-12-31", None),  # accepted; it holds 24 months
    ],
)
def test_periods_have_their_length(kind, first, last, told):
    period = load_evidence_kinds()[kind].period
    _, wrong = validate_values(
        load_evidence_kinds()[kind], {period.begins: first, period.ends: last}, GIVEN, complete=False
    )
    if told is None:
        assert wrong == []
    else:
        assert [each["pointer"] for each in wrong] == [f"/values/{period.ends}"]
        assert told in wrong[0]["detail"]


def test_what_only_the_caller_can_look_up_is_stored_as_found():
    def district(text):
        if text != "Agdam":
            raise ValueError("No such district.")
        return "Ağdam"

    def look(text):
        lookups = {ValueType.DISTRICT: district}
        return validate_values(
            load_evidence_kinds()["origin-document"], {"district": text}, GIVEN, complete=False, lookups=lookups
        )

    assert look(" Agdam ") == ({"district": "Ağdam"}, [])
    assert look("Baku") == ({}, [{"pointer": "/values/district", "detail": "No such district."}])


def test_new_types_are_handed_over_as_values():
    findings = [
        {"class": "critical", "text": " Open\nlock "},
        {"class": "minor", "text": "x"},
        {"class": "major", "text": "y", "closed_on": "2026-11-01"},
    ]
    stored = kept("inspection-record", {"findings": findings})
    assert stored["findings"][0] == {"class": "critical", "text": "Open lock"}
    assert to_facts(load_evidence_kinds()["inspection-record"], stored) == {"findings": ("critical", "minor")}
    assert to_facts(load_evidence_kinds()["inspection-record"], kept("inspection-record", {"findings": []})) == {
        "findings": ()
    }
    stated = kept("cost-statement", {"period_from": "2026-01-01", "signed": True, "other_karabakh": "563.50"})
    assert to_facts(load_evidence_kinds()["cost-statement"], stated) == {
        "period_from": date(2026, 1, 1),
        "signed": True,
        "other_karabakh": Decimal("563.5"),
    }
    assert kept("capacity-statement", {"unit": "1000 pcs"}) == {"unit": "1000_pcs"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(), lambda each: st.lists(each, max_size=3)
)


@given(
    st.sampled_from(sorted(load_evidence_kinds())),
    st.dictionaries(
        st.sampled_from(sorted({name for kind in load_evidence_kinds().values() for name in kind.values})) | st.text(),
        ANYTHING,
        max_size=4,
    ),
    st.booleans(),
)
def test_no_values_crash_it_and_what_is_kept_can_be_stored(kind, values, complete):
    stored, _ = validate_values(load_evidence_kinds()[kind], values, NOTHING, complete=complete)
    text = json.dumps(stored, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text
    text.encode("utf-8")
    to_facts(load_evidence_kinds()[kind], stored)
    assert validate_values(load_evidence_kinds()[kind], stored, NOTHING, complete=False) == (stored, [])
