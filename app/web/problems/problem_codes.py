"""Load the problem codes (problems.toml): status, cause, remedy, example; published at /problems/{code}."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

PATH = "/problems"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """Describe one code. `detail` and `members` are an example; a response has its own values."""

    code: str
    status: int
    cause: str
    remedy: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def address(base_url: str, code: str) -> str:
    """Return the `type` of a problem document; relative without a base address (RFC 9457, 3.1.1)."""
    return f"{base_url}{PATH}/{code}"


@cache
def problem_codes() -> Mapping[str, ProblemCode]:
    """Return every code in alphabetical order."""
    table = tomllib.loads((files("app.web.problems") / "problems.toml").read_text("utf-8"))
    return MappingProxyType({code: ProblemCode(code, **table[code]) for code in sorted(table)})
