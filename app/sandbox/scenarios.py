"""Read the table of magic taxpayer numbers and make numbers that fit it. Pure but for the file that ships with it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from app.organisations.tax_number import Voen, parse_voen

SERIALS: Final = 10_000
"""How many serials a prefix has; one in eleven has no check digit."""


class Scenario(StrEnum):
    APPROVED = "approved"
    REFUSED = "refused"
    ASKED = "asked"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class MagicNumbers:
    """The taxpayer numbers that begin with `prefix` (four digits); `text`: what happens to their applications."""

    scenario: Scenario
    prefix: str
    text: str


@cache
def load_scenarios() -> Mapping[Scenario, MagicNumbers]:
    raw = tomllib.loads((files("app.sandbox") / "scenarios.toml").read_text("utf-8"))["scenarios"]
    return {Scenario(code): MagicNumbers(Scenario(code), entry["prefix"], entry["text"]) for code, entry in raw.items()}


def scenario_of(voen: str) -> Scenario | None:
    """Return the scenario of a taxpayer number; None for one that is not magic."""
    return next((each.scenario for each in load_scenarios().values() if voen.startswith(each.prefix)), None)


def magic_number(scenario: Scenario, serial: int) -> str | None:
    """Return the number of a legal entity with this serial (0–9999), or None where no check digit fits."""
    stem = f"{load_scenarios()[scenario].prefix}{serial:04d}"
    for check_digit in range(10):
        read = parse_voen(f"{stem}{check_digit}1")
        if isinstance(read, Voen) and not read.needs_review:
            return read.digits
    return None
