"""What is generated from docs/openapi.json is what stands in the repository."""

import importlib.util
import json
from pathlib import Path

import pytest

from made_in_karabakh import Client
from made_in_karabakh.resources import AsyncResources, Resources

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "python"
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))


def generator():
    spec = importlib.util.spec_from_file_location("client_generator", PACKAGE / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["models.py", "resources.py"])
def test_the_client_is_that_of_the_api(name):
    stored = (PACKAGE / "made_in_karabakh" / name).read_text("utf-8")
    assert stored == generator().modules(DOCUMENT)[name], "python clients/python/generate.py"


def test_every_operation_is_a_method_and_both_clients_have_the_same():
    made = generator()
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    with Client("http://localhost") as mik:
        for each in operations:
            if each["tags"][0] not in made.WITHOUT:
                resource = getattr(mik, each["tags"][0].replace(" ", "_"))
                assert hasattr(resource, made.method_name(each["operationId"], each["tags"][0])), each["operationId"]
    sync, asynchronous = vars(Resources(None)), vars(AsyncResources(None))
    assert sync.keys() == asynchronous.keys()
    for name, resource in sync.items():
        assert methods(resource) == methods(asynchronous[name])


def methods(resource):
    return {each for each in dir(resource) if not each.startswith("_")}


def test_two_operations_with_one_name_are_refused():
    twice = {"/v1/a": {"get": {"operationId": "list_sites", "tags": ["sites"], "responses": {"204": {}}}}}
    twice["/v1/b"] = {"get": dict(twice["/v1/a"]["get"], operationId="list_site")}
    with pytest.raises(ValueError, match="sites: two operations"):
        generator().resources({"paths": twice, "components": {"schemas": {}}})


def test_the_package_needs_nothing_of_the_service():
    for module in (PACKAGE / "made_in_karabakh").glob("*.py"):
        imports = [line for line in module.read_text("utf-8").splitlines() if line.startswith(("import", "from"))]
        assert not [line for line in imports if line.split()[1].split(".")[0] in {"app", "tests"}], module


def test_both_packages_have_the_version_of_the_service():
    version = f'version = "{DOCUMENT["info"]["version"]}"'
    assert version in (PACKAGE / "pyproject.toml").read_text("utf-8")
    other = json.loads((PACKAGE.parent / "typescript" / "package.json").read_text("utf-8"))
    assert other["version"] == DOCUMENT["info"]["version"]
