"""Files of `mik apply`: what is read, and every fault by its line."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from app.cli.company.application_file import FileRejected, read_application_file
from app.cli.company.dry_run import assess_file, load_rules

EXAMPLE = Path(__file__).parents[2] / "clients" / "python" / "examples" / "apply"
TODAY = date(2026, 11, 28)


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "apply"))


def changed(folder, *pairs):
    text = (folder / "product.yaml").read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return read(folder, text)


def read(folder, text):
    file = folder / "changed.yaml"
    file.write_text(text, "utf-8")
    return read_application_file(file, TODAY)


def faults(folder, *pairs):
    with pytest.raises(FileRejected) as refused:
        changed(folder, *pairs)
    return {(each.line, each.pointer) for each in refused.value.faults}


def test_codes_and_figures_are_kept_as_they_are_written(folder):
    file = changed(folder, ("hs6: 730630", "hs6: 010221"), ("origin_country: TR", "origin_country: NO"))
    assert file.product["hs6"] == "010221"  # YAML alone would read an octal number
    assert file.product["materials"][0]["origin_country"] == "NO"  # and false
    assert file.product["ex_works"] == "1450"
    assert file.product["materials"][0]["originating"] is False
    assert file.product["steps"][0]["name"] == "Slitting"
    assert [each.kind for each in file.documents][:2] == ["authority-to-sign", "permit"]


def test_json_is_read_as_well(folder):
    file = changed(folder)
    text = json.dumps({"scheme": "MIK", "site": dict(file.site), "product": dict(file.product), "reference": "x"})
    assert read(folder, text).product == file.product


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("scheme: MIK", "sceme: MIK", (2, "/sceme")),
        ("hs6: 730630", "hs6: 73063", (12, "/product/hs6")),
        ("hs4: 7208", "hs4: 72O8", (16, "/product/materials/0/hs4")),
        ("basis: cif", "basis: fob", (16, "/product/materials/0/basis")),
        ("basis: cif", "basis: cif, colour: red", (16, "/product/materials/0/colour")),
        ("basis: cif", "basis: cif, proofs: [nope.pdf]", (16, "/product/materials/0/proofs")),
        ("amount: 143", "amount: much", (22, "/product/costs/1/amount")),
        ("kind: permit", "kind: permission", (27, "/documents/1/kind")),
        ("file: permit.pdf", "file: nope.pdf", (27, "/documents/1/file")),
        ("file: permit.pdf", "file: permit.pdf, pages: 3", (27, "/documents/1/pages")),
        ("licence_no: M-0042", "licence: M-0042", (39, "/documents/5/values/licence")),
        ("issued_on: 2026-01-12", "issued_on: 12.01.2026", (26, "/documents/0/issued_on")),
        ("issued_on: 2026-01-12", "issued_on: 2027-01-12", (26, "/documents/0/issued_on")),
        ("reference: tube-60", "", (10, "/product/reference")),
        ("district: Ağdam", "", (5, "/site/district")),
        ("scheme: MIK", "scheme: MIK\nscheme: MIA", (3, "/scheme")),
        ("name: Hall 1", "name: &a Hall 1\n  country: *a", (8, "")),
        ("site:", "site: [", (7, "")),
    ],
)
def test_each_fault_is_named_where_it_is(folder, old, new, place):
    found = faults(folder, (old, new))
    assert place in found or (place[1] == "" and len(found) == 1), found


def test_all_faults_come_at_once(folder):
    assert len(faults(folder, ("hs6: 730630", "hs6: 1"), ("hs4: 7208", "hs4: x"), ("kind: permit", "kind: x"))) == 3


@pytest.mark.parametrize("text", ["", "3", "- a", "a: " + "[" * 50 + "]" * 50, "\x00", "a: !!x y"])
def test_what_is_no_application_is_refused(folder, text):
    with pytest.raises(FileRejected):
        read(folder, text)


def test_a_huge_file_and_a_missing_one_are_refused(folder):
    (folder / "product.yaml").write_text("#" * 1_000_001, "utf-8")
    for name in ("product.yaml", "none.yaml"):
        with pytest.raises(FileRejected):
            read_application_file(folder / name, TODAY)


def test_a_dry_run_gives_every_criterion(folder):
    rules = load_rules("MIK")
    assessment = assess_file(changed(folder), rules, TODAY)
    found = {each.rule: each.outcome.value for each in assessment.findings}
    assert found.keys() == {each.id for each in rules.rules}
    assert {found[each] for each in ("C-03", "C-06", "C-07", "C-11", "K-01", "K-06", "K-07", "K-11")} == {"pass"}
    assert {found[each] for each in ("C-12", "K-02", "K-09")} == {"not_assessed"}
    worse = assess_file(changed(folder, ("hs4: 7208", "hs4: 7306"), ("value: 830", "value: 1300")), rules, TODAY)
    assert {each.rule: each.outcome.value for each in worse.findings}["C-06"] == "fail"
