"""What a release consists of: one version everywhere, and a bill of materials that names what the lock names."""

import json
from importlib import metadata

import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from app.core.version import VERSION
from tests.install.helpers import PROJECT, ROOT, RUNTIME, entries
from tools.sbom import bill_of_materials

PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def bill():
    return json.loads(bill_of_materials(PYPROJECT, RUNTIME.read_text("utf-8")))


def test_the_version_is_that_of_the_installed_package():
    assert metadata.version(PROJECT) == VERSION
    assert CliRunner().invoke(mik, ["--version"]).output == f"mik {VERSION}\n"


def test_the_changelog_has_a_section_for_the_version_of_the_project():
    version = PYPROJECT.partition('\nversion = "')[2].partition('"')[0]
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_bill_names_each_locked_package_with_all_hashes(bill):
    locked = {
        name: (entry["version"], entry["hashes"].count("sha256:"), entry["marker"])
        for name, entry in entries(RUNTIME).items()
    }
    named = {}
    for each in bill["components"]:
        values = [(found["name"], found["value"]) for found in each["properties"]]
        hashes = [value for name, value in values if name == "mik:sha256-of-file"]
        named[each["name"]] = (each["version"], len(hashes), dict(values).get("mik:marker"))
    assert named == locked


def test_the_bill_says_what_needs_what(bill):
    needs = {each["ref"].partition("@")[0]: str(each.get("dependsOn")) for each in bill["dependencies"]}
    assert "pkg:pypi/fastapi@" in needs[f"pkg:pypi/{PROJECT}"]
    assert "pkg:pypi/starlette@" in needs["pkg:pypi/fastapi"]
    assert "pkg:pypi/starlette@" not in needs[f"pkg:pypi/{PROJECT}"]
    needed = {ref for each in bill["dependencies"] for ref in each.get("dependsOn", [])}
    assert {each["bom-ref"] for each in bill["components"]} == needed


def test_the_same_lock_gives_the_same_bill_and_a_wheel_adds_its_hash(bill, tmp_path):
    wheel = tmp_path / "x.whl"
    wheel.write_bytes(b"wheel")
    again = json.loads(bill_of_materials(PYPROJECT, RUNTIME.read_text("utf-8"), wheel))
    (stated,) = again["metadata"]["component"].pop("hashes")
    assert stated["alg"] == "SHA-256"
    assert again == bill
