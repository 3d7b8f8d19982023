"""Load the closed lists that rules read: operations, units, flags, goods, code names.

The files are `operations.toml` and `lists.toml`. Their digest is part of every ruleset, so that a changed list needs a
new version of each ruleset. A value that is not on a list counts as `other` or unknown and never passes.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from babel import Locale

from app.core.canonical_json import digest
from app.core.text.normalize import fold_alphanumeric

NATURE = "nature"
NEWEST = "newest_counts"
JOINT_PRODUCTION = "joint_production_"
"""Prefix of a flag that ends with the partner's country code."""


class OperationClass(StrEnum):
    SIMPLE = "simple"  # never sufficient, alone or with other simple ones
    SUBSTANTIAL = "substantial"  # sufficient for the goods of its codes
    ASSEMBLY = "assembly"  # a person decides
    OTHER = "other"  # a person decides


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of process step. `codes` are HS prefixes; empty means all goods."""

    code: str
    operation_class: OperationClass
    names: Mapping[str, str]  # language → name: az, en, ru
    basis: str  # the text of origin law that names it, `nature` or `practice`
    only_in: tuple[str, ...] = ()  # goods for which a substantial operation is one
    enough_in: tuple[str, ...] = ()  # goods for which a simple operation is enough

    @property
    def is_of_nature(self) -> bool:
        """Check for growing, raising, catching or mining, which claim own produce."""
        return self.basis == NATURE

    def name(self, language: str) -> str:
        """Return the name in a language, or the English one."""
        return self.names.get(language) or self.names["en"]

    def class_for_code(self, hs6: str | None, lists: "ClosedLists") -> OperationClass:
        """Return the class for goods of an HS code.

        A substantial operation counts as `other` for goods that are not among its codes.
        """
        if self.operation_class is OperationClass.SIMPLE and has_prefix(hs6, self.enough_in):
            return OperationClass.SUBSTANTIAL
        if self.operation_class is not OperationClass.SUBSTANTIAL:
            return self.operation_class
        if self.is_of_nature and not lists.is_good_of_nature(hs6):
            return OperationClass.OTHER
        in_codes = not self.only_in or has_prefix(hs6, self.only_in)
        return OperationClass.SUBSTANTIAL if in_codes else OperationClass.OTHER


@dataclass(frozen=True, slots=True)
class GrowingInputs:
    """Goods of nature, and the headings of the inputs with which they are grown or raised."""

    goods: tuple[str, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class ClosedLists:
    version: str
    operations_version: str
    digest: str  # SHA-256 over both files
    confirmed: bool  # false: a proposal that the owner of the marks has not confirmed
    operations: Mapping[str, Operation]
    units: tuple[str, ...]
    nature_codes: tuple[str, ...]
    nature_except: tuple[str, ...]
    packing_headings: frozenset[str]
    excise_codes: tuple[str, ...]
    excise_flags: tuple[str, ...]
    karabakh_regions: tuple[str, ...]  # whose costs and materials count as Karabakh's under every mark
    left_out: frozenset[str]  # headings that are no raw material of food: water, salt
    counts_for: Mapping[str, tuple[str, ...]]  # left-out heading → headings of products that it counts for
    grown_with: tuple[GrowingInputs, ...]
    scope: Mapping[str, str]  # kind of evidence document → its scope: company, site, product, lot, any
    newest_counts: frozenset[str]  # kinds of which the newest document counts, not the one valid longest
    names: Mapping[str, Mapping[str, Mapping[str, str]]]  # group → code → language → name

    @cached_property
    def _operations_by_name(self) -> Mapping[str, Operation]:
        operations_by_name: dict[str, Operation] = {}
        for operation in self.operations.values():
            for name in (operation.code, *operation.names.values()):
                operations_by_name.setdefault(fold_alphanumeric(name), operation)
        return operations_by_name

    @cached_property
    def _units_by_name(self) -> Mapping[str, str]:
        return self._by_name(self.units, "unit_in_full", "unit")

    @cached_property
    def _flags_by_name(self) -> Mapping[str, str]:
        return self._by_name(self.flags, "flag")

    def _by_name(self, codes: Sequence[str], *groups: str) -> Mapping[str, str]:
        """Map folded codes and names to codes; a code takes precedence over another code's name."""
        names = {
            fold_alphanumeric(name): code
            for group in groups
            for code in codes
            for name in self.names[group][code].values()
        }
        return names | {fold_alphanumeric(code): code for code in codes}

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Return the flag codes; `joint_production_XX` is valid for any foreign country XX too."""
        return tuple(self.names["flag"])

    def find_operation(self, text: str | None) -> Operation | None:
        """Find an operation by code or by name in any language; None if it is not listed."""
        return self._operations_by_name.get(fold_alphanumeric(text or ""))

    def find_unit(self, text: str | None) -> str | None:
        """Find a unit by code, sign or name (“1000 pcs” is `1000_pcs`); None if it is not listed."""
        return self._units_by_name.get(fold_alphanumeric(text or ""))

    def find_flag(self, text: str | None) -> str | None:
        """Find a flag by code or name; None if it is not listed."""
        return self._flags_by_name.get(fold_alphanumeric(text or ""))

    def is_good_of_nature(self, code: str | None) -> bool:
        """Check that goods of a code are grown, raised, caught or mined; the longest prefix decides."""
        listed, excepted = longest_prefix(code, self.nature_codes), longest_prefix(code, self.nature_except)
        return listed > excepted

    def is_grown_with(self, product: str | None, heading: str | None) -> bool:
        """Check that a heading is an input with which the product is grown, not the product."""
        if not product or not heading or product.startswith(heading):
            return False
        return any(has_prefix(product, item.goods) and has_prefix(heading, item.inputs) for item in self.grown_with)

    def is_left_out(self, product: str, heading: str) -> bool:
        """Check that a heading is no raw material of a food, such as water and salt.

        For products in `counts_for` the heading counts, because it gives them their character.
        """
        return heading in self.left_out and not has_prefix(product, self.counts_for.get(heading, ()))

    def find_name(self, group: str, code: str | None, language: str) -> str:
        """Return the display name of a code, or the code itself."""
        entry = self.names.get(group, {}).get(code or "", {})
        return entry.get(language) or entry.get("en") or code or ""


def has_prefix(code: str | None, prefixes: Iterable[str]) -> bool:
    return bool(code) and any(code.startswith(prefix) for prefix in prefixes)  # type: ignore[union-attr]  # bool(code)


def longest_prefix(code: str | None, prefixes: Iterable[str]) -> int:
    """Return the length of the longest prefix of the code; 0 where none matches."""
    return max((len(prefix) for prefix in prefixes if code and code.startswith(prefix)), default=0)


def parse_lists(operations_text: str, lists_text: str) -> ClosedLists:
    """Parse the closed lists from the two TOML files.

    The files ship with the service: an error in them is an ordinary exception.
    """
    operations, lists = tomllib.loads(operations_text), tomllib.loads(lists_text)
    return ClosedLists(
        version=lists["version"],
        operations_version=operations["version"],
        digest=digest([_to_json(operations), _to_json(lists)]),
        confirmed=operations["confirmed"] and lists["confirmed"],
        operations={code: _parse_operation(code, entry) for code, entry in operations["operations"].items()},
        units=tuple(lists["units"]),
        nature_codes=tuple(lists["nature_codes"]),
        nature_except=tuple(lists["nature_except"]),
        packing_headings=frozenset(lists["packing_headings"]),
        excise_codes=tuple(lists["excise_codes"]),
        excise_flags=tuple(lists["excise_flags"]),
        karabakh_regions=tuple(lists["karabakh_regions"]),
        left_out=frozenset(lists["left_out"]),
        counts_for={heading: tuple(codes) for heading, codes in lists["counts_for"].items()},
        grown_with=tuple(
            GrowingInputs(tuple(entry["goods"]), tuple(entry["inputs"])) for entry in lists["grown_with"].values()
        ),
        scope={kind: scope for scope, kinds in lists["scope"].items() if scope != NEWEST for kind in kinds},
        newest_counts=frozenset(lists["scope"][NEWEST]),
        names=lists["names"],
    )


def _parse_operation(code: str, entry: Mapping[str, Any]) -> Operation:
    return Operation(
        code=code,
        operation_class=OperationClass(entry["class"]),
        names=entry["name"],
        basis=entry["basis"],
        only_in=tuple(entry.get("only_in", ())),
        enough_in=tuple(entry.get("enough_in", ())),
    )


def _to_json(value: Any) -> Any:
    """Convert TOML to JSON values: dates and numbers as text."""
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    return value if isinstance(value, bool) else str(value)


@cache
def load_lists() -> ClosedLists:
    """Load the lists that ship with the service."""
    folder = files("app.schemes")
    return parse_lists((folder / "operations.toml").read_text("utf-8"), (folder / "lists.toml").read_text("utf-8"))


@cache
def country_name(code: str, language: str) -> str:
    """Return a country's CLDR name (“Türkiyə”, “Türkiye”), or the code itself."""
    return str(Locale.parse(language).territories.get(code, code))
