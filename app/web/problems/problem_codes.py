"""What each problem code means: status, cause, remedy and an example (problems.toml), published at /problems/{code}."""

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
    """`detail` and `members` are an example; the sentence of a real answer has its own values."""

    code: str
    status: int
    cause: str
    remedy: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def address(base_url: str, code: str) -> str:
    """The `type` of a problem document. Without a base address it is relative (RFC 9457, 3.1.1)."""
    return f"{base_url}{PATH}/{code}"


@cache
def problem_codes() -> Mapping[str, ProblemCode]:
    """Every code in alphabetical order."""
    table = tomllib.loads((files("app.web.problems") / "problems.toml").read_text("utf-8"))
    return MappingProxyType({code: ProblemCode(code, **table[code]) for code in sorted(table)})
