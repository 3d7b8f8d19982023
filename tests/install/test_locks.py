"""The locks are complete: who installs them without resolution has everything, at the versions that are tested."""

import re
import sysconfig
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.install.helpers import DEVELOPMENT, ROOT, RUNTIME, entries, pins

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SERVICE = [Requirement(each) for each in PYPROJECT["project"]["dependencies"]]
TOOLS = [Requirement(each) for each in PYPROJECT["dependency-groups"]["dev"]]
PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "win32": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=lambda lock: lock.name)
def test_every_entry_has_a_version_and_hashes_and_no_entry_has_an_address(lock):
    text = lock.read_text("utf-8")
    named = re.findall(r"^[^\s#]+", text, flags=re.MULTILINE)
    assert len(named) == len(entries(lock)) > 50
    assert "".join(found.group() for found in entries(lock).values()) == text
    assert "://" not in text
    assert " @ " not in text


def test_both_locks_agree():
    service, tools = pins(RUNTIME), pins(DEVELOPMENT)
    assert {name: tools[name] for name in service.keys() & tools} == {
        name: service[name] for name in service.keys() & tools
    }


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    ("roots", "locks"), [(SERVICE, [RUNTIME]), (SERVICE + TOOLS, [RUNTIME, DEVELOPMENT])], ids=["service", "all"]
)
def test_whatever_is_needed_is_locked(roots, locks, python, platform):
    environment = {"python_version": python, "python_full_version": f"{python}.0", **PLATFORMS[platform]}
    locked = pins(*locks)
    wanted = [each for each in roots if each.marker is None or each.marker.evaluate(environment)]
    for needed, by in needs(wanted, environment):
        if needed.name == "pip":
            continue  # it installs the lock, so it is there before it
        pin = locked.get(canonicalize_name(needed.name))
        assert pin is not None, f"{by} needs {needed}, which is not locked"
        assert pin.holds(environment), f"{by} needs {needed}, which is locked for other machines only"
        assert needed.specifier.contains(pin.version, prereleases=True), f"{by} needs {needed}, not {pin.version}"


def test_what_builds_the_project_is_locked():
    (builder,) = [Requirement(each) for each in PYPROJECT["build-system"]["requires"]]
    assert builder.specifier.contains(pins(RUNTIME)[builder.name].version)


def test_what_is_locked_is_installed():
    """More may be there: who develops may have tools of his own."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    installed = {canonicalize_name(each.name): each.version for each in metadata.distributions(path=list(places))}
    locked = {name: pin.version for name, pin in pins(RUNTIME, DEVELOPMENT).items() if pin.holds()}
    assert {name: installed.get(name) for name in locked} == locked


def needs(roots, environment):
    """Every requirement that the roots lead to there, extras included, with who asks. Metadata is that of the installed
    versions; what another system alone needs is not installed here, and is taken to need nothing more.
    """
    waiting = [(root, "pyproject.toml") for root in roots]
    seen = set()
    while waiting:
        needed, by = waiting.pop()
        yield needed, by
        name = canonicalize_name(needed.name)
        for extra in {"", *needed.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                asked = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
            for text in asked:
                further = Requirement(text)
                if further.marker is None or further.marker.evaluate({**environment, "extra": extra}):
                    waiting.append((further, name))
