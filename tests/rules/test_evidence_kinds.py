"""Kinds of evidence: what may be stated, what a confirmation needs, and what the rules get to see."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.evidence_kinds import Need, Supplier, ValueType, as_facts, check, kinds

NOTHING = {"issued_on": False, "valid_until": False, "number": False}
GIVEN = {"issued_on": True, "valid_until": False, "number": False}


def wrong(kind, values, present=GIVEN, *, complete=True):
    return {each["pointer"]: each["detail"] for each in check(kinds()[kind], values, present, complete=complete)[1]}


def kept(kind, values):
    return check(kinds()[kind], values, GIVEN, complete=False)[0]


def test_the_kinds_that_ship():
    assert list(kinds())[:2] == ["company-registration", "park-residency"]
    for code, kind in kinds().items():
        assert kind.code == code
        assert kind.name.en != kind.name.az
        for value in kind.values.values():
            assert bool(value.choices) == (value.type is ValueType.CHOICE)
    staff = {code for code, kind in kinds().items() if kind.supplied_by == (Supplier.STAFF,)}
    assert staff == {"tax-status", "background-check", "register-snapshot", "specification-check", "trademark-search"}
    assert kinds()["tax-status"].issued_on is Need.NEEDED


def test_a_confirmation_needs_what_the_kind_asks_for_and_an_upload_does_not():
    values = {"form": "CT1", "hs4": "7306"}
    assert wrong("origin-document", {}, NOTHING) == {
        "/issued_on": "This is needed.",
        "/number": "This is needed.",
        "/values/form": "This is needed.",
        "/values/hs4": "This is needed.",
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
        ("tax-status", "taxpayer_status", 1, "This is text"),
        ("background-check", "tax_debt", "no", "true or false"),
        ("background-check", "tax_debt", 0, "true or false"),
        ("ownership-statement", "state_share_pct", "100.1", "from 0 to 100"),
        ("ownership-statement", "state_share_pct", "-1", "from 0 to 100"),
        ("ownership-statement", "state_share_pct", "half", "This is a number"),
        ("ownership-statement", "state_share_pct", True, "This is a number"),
        ("ownership-statement", "state_share_pct", None, "This is needed"),
        ("ownership-statement", "state_share_pct", "1e1", "This is a number"),
        ("ownership-statement", "state_share_pct", "١٢", "This is a number"),
        ("ownership-statement", "state_share_pct", "1_0", "This is a number"),
        ("ownership-statement", "state_share_pct", "0.0000001", "At most 6 decimal places"),
        ("ownership-statement", "state_share_pct", Decimal("NaN"), "This is a number"),
        ("ownership-statement", "state_share_pct", [], "This is a number"),
        ("volume-statement", "claimed_volume", "1000000000001", "not between 0 and"),
        ("volume-statement", "claimed_volume", 10**400, "This is a number"),
        ("export-record", "export_years", "1.5", "a whole number"),
        ("origin-document", "hs4", "9998", "four digits"),
        ("origin-document", "hs4", "73061", "four digits"),
        ("resident-project", "approved_goods", "7306", "a list"),
        ("resident-project", "approved_goods", [], "a list"),
        ("resident-project", "approved_goods", ["73"] * 201, "a list"),
        ("resident-project", "approved_goods", ["73", "7399"], "7399 is no chapter"),
        ("resident-project", "approved_goods", [73], "a number is no chapter"),
        ("municipality-letter", "municipality", "два", "letters, digits"),
        ("municipality-letter", "municipality", "x" * 41, "letters, digits"),
        ("name-consent", "protected_name", "a\0b", "not text"),
        ("name-consent", "protected_name", "x" * 121, "longer than 120"),
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
    assert as_facts(kinds()["ownership-statement"], {"state_share_pct": "10.5", "state_controlled": True}) == {
        "state_share_pct": Decimal("10.5"),
        "state_controlled": True,
    }
    goods = kept("resident-project", {"approved_goods": ["73", "392111"]})
    assert as_facts(kinds()["resident-project"], goods) == {"approved_goods": ("73", "392111")}
    assert as_facts(kinds()["tax-status"], {"taxpayer_status": "active", "gone": 1}) == {"taxpayer_status": "active"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(), lambda each: st.lists(each, max_size=3)
)


@given(
    st.sampled_from(sorted(kinds())),
    st.dictionaries(
        st.sampled_from(sorted({name for kind in kinds().values() for name in kind.values})) | st.text(),
        ANYTHING,
        max_size=4,
    ),
    st.booleans(),
)
def test_no_values_crash_it_and_what_is_kept_can_be_stored(kind, values, complete):
    stored, _ = check(kinds()[kind], values, NOTHING, complete=complete)
    text = json.dumps(stored, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text
    text.encode("utf-8")
    as_facts(kinds()[kind], stored)
    assert check(kinds()[kind], stored, NOTHING, complete=False) == (stored, [])
