"""The lock files as data, and a copy of the project to install."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
PROJECT = "made-in-karabakh"
_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ]+)(?: ; (?P<marker>[^\\\n]+?))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n(?P<why>(?:    #.*\n)+)",
    flags=re.MULTILINE,
)


@dataclass(frozen=True)
class Pin:
    version: str
    marker: Marker | None

    def holds(self, environment=None):
        """Whether it is installed there; without an environment: here."""
        return self.marker is None or self.marker.evaluate(environment)


def entries(lock):
    return {canonicalize_name(found["name"]): found for found in _ENTRY.finditer(lock.read_text("utf-8"))}


def pins(*locks):
    return {
        name: Pin(found["version"], Marker(found["marker"]) if found["marker"] else None)
        for lock in locks
        for name, found in entries(lock).items()
    }


def fresh_copy(folder):
    """What an installation needs, and nothing that an earlier one left."""
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE", "alembic.ini", RUNTIME.name, DEVELOPMENT.name):
        shutil.copy(ROOT / name, folder / name)
    for name in ("app", "clients", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    return folder


def bare_environment(**more):
    """Nothing of the `make` that runs the tests, and no setting of the service."""
    ours = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "VENV", "PYTHON", "PYTHONPATH", "VIRTUAL_ENV"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("MIK_")}
    return inherited | more
