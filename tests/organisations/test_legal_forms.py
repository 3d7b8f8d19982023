"""Legal forms: who is a legal person, and names with and without their form."""

import pytest

from app.organisations.legal_forms import (
    is_legal_person,
    load_legal_forms,
    name_with_form,
    name_without_form,
    public_voen,
)

pytestmark = [pytest.mark.pure, pytest.mark.short]


@pytest.mark.parametrize(
    "form", ["MMC", "mmc", "M.M.C.", "ASC", "QSC", "Məhdud Məsuliyyətli Cəmiyyət", "ООО", "Kooperativ"]
)
def test_a_legal_person(form):
    assert is_legal_person("0010000101", form)


@pytest.mark.parametrize(
    ("voen", "form"),
    [
        ("0010003552", "MMC"),  # the number says: a natural person
        ("0010000101", "fiziki şəxs"),  # the form says so
        ("0010000101", "Fərdi sahibkar"),
        ("0010000101", "fiziki_shexs"),
        ("0010000101", "Ailə təsərrüfatı"),
        ("0010000101", "something else"),  # not known
        ("0010000101", ""),
        ("0010000103", "MMC"),
        ("001000101", "MMC"),
        ("00100001011", "MMC"),
        ("001000010١", "MMC"),
        ("00100001\n1", "MMC"),
        ("", "MMC"),
    ],
)
def test_who_is_none_or_not_known(voen, form):
    assert not is_legal_person(voen, form)


def test_a_number_is_shown_of_legal_persons_only():
    assert public_voen("0010000101", is_legal=True) == "0010000101"
    assert public_voen("0010000101", is_legal=False) is None
    assert public_voen("0010000102", is_legal=True) is None  # whatever a row says


@pytest.mark.parametrize(
    ("name", "form", "whole"),
    [
        ("“Nümunə-Boru”", "MMC", "“Nümunə-Boru” MMC"),
        ("“Nümunə-Boru” MMC", "MMC", "“Nümunə-Boru” MMC"),
        ("“Nümunə-Boru” M.M.C.", "MMC", "“Nümunə-Boru” M.M.C."),
        ("“Nümunə-Boru” Məhdud Məsuliyyətli Cəmiyyəti", "MMC", "“Nümunə-Boru” Məhdud Məsuliyyətli Cəmiyyəti"),
        ("MMC “Nümunə-Boru”", "MMC", "MMC “Nümunə-Boru”"),
        ("“Nümunə-Dəmirbeton”", "Qapalı Səhmdar Cəmiyyəti", "“Nümunə-Dəmirbeton” Qapalı Səhmdar Cəmiyyəti"),
        ("MMC", "QSC", "MMC QSC"),
        ("Aysel Nümunə", "fiziki şəxs", "Aysel Nümunə"),
        ("Nümunə-Urva Balı (fərdi sahibkar)", "fiziki şəxs", "Nümunə-Urva Balı (fərdi sahibkar)"),
        ("Aysel Nümunə", "fərdi sahibkar", "Aysel Nümunə fərdi sahibkar"),
        ("Nümunə kənd bələdiyyəsi", "bələdiyyə", "Nümunə kənd bələdiyyəsi"),
        ("Nümunə Tədqiqat", "KFT", "Nümunə Tədqiqat KFT"),
        ("Nümunə Tədqiqat KFT", "kft.", "Nümunə Tədqiqat KFT"),
        ("Nümunə", "—", "Nümunə"),
    ],
)
def test_a_name_with_its_form(name, form, whole):
    assert name_with_form(name, form) == whole


def test_a_name_without_its_form():
    assert name_without_form("“Nümunə”, M. M. C.") == "“Nümunə”"
    assert name_without_form("общество с ограниченной ответственностью Пример") == "Пример"
    assert name_without_form("Limited Steel") == "Limited Steel"
    assert name_without_form("MMC") == "MMC"


def test_no_form_is_of_both_kinds():
    assert set(load_legal_forms().kind_by_form.values()) == {"legal", "natural"}
    assert load_legal_forms().before_or_after <= load_legal_forms().after <= load_legal_forms().kind_by_form.keys()
