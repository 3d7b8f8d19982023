"""Load marks from files: each mark is one TOML file, and another one needs no other change.

`common.toml` has rules that marks share. A mark uses one by `like = "C-04"` and may replace its id, title, clause,
single parameters and single reasons. The result is self-contained: the published ruleset contains every text and
number, so a later change of the shared file cannot affect it unnoticed (the digest would differ).
"""

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from app.core.errors import Invalid
from app.schemes import emblems
from app.schemes.evidence_kinds import load_evidence_kinds
from app.schemes.rules import AnyRule
from app.schemes.rules.evidence import EvidenceRule
from app.schemes.ruleset import Scheme

COMMON_FILE = "common.toml"


def load_schemes(folder: Traversable | None = None) -> Mapping[str, Scheme]:
    """Load marks by code from the files of a folder, by default those of the service.

    Raises `Invalid` naming the file and every error in it.
    """
    shipped = files("app.schemes") / "marks"
    place = shipped if folder is None else folder
    common = parse_common((shipped / COMMON_FILE).read_text("utf-8"))
    schemes: dict[str, Scheme] = {}
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        if entry.name == COMMON_FILE or not entry.name.endswith(".toml"):
            continue
        scheme = parse_scheme(entry.read_text("utf-8"), common, entry.name)
        if scheme.code in schemes:
            raise Invalid(f"{entry.name}: the mark {scheme.code} is defined twice.")
        schemes[scheme.code] = scheme
    return MappingProxyType(schemes)


def parse_common(text: str) -> Mapping[str, Mapping[str, Any]]:
    """Parse the shared rules by id."""
    rules: Mapping[str, Mapping[str, Any]] = parse_toml(text, COMMON_FILE)["rules"]
    return rules


def parse_scheme(text: str, common: Mapping[str, Mapping[str, Any]], name: str = "scheme file") -> Scheme:
    """Parse the mark of one scheme file. Raises `Invalid` naming every error."""
    raw = parse_toml(text, name)
    ruleset = raw.get("ruleset")
    if not isinstance(ruleset, dict) or not isinstance(ruleset.get("rules"), list):
        raise Invalid(f"{name}: the table [ruleset] with its [[ruleset.rules]] is missing.")
    rules = [merge_common_rule(rule, common, name) for rule in ruleset["rules"]]
    try:
        scheme = Scheme.model_validate(raw | {"ruleset": ruleset | {"scheme": raw.get("code"), "rules": rules}})
    except ValidationError as error:
        faults = [
            {"pointer": "/" + "/".join(str(part) for part in fault["loc"]), "detail": fault["msg"]}
            for fault in error.errors()
        ]
        listed = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults)
        raise Invalid(f"{name}: {listed}", faults) from error
    if strange := [fault for rule in scheme.ruleset.rules for fault in unknown_evidence_errors(rule)]:
        raise Invalid(f"{name}: {'; '.join(strange)}.")
    if scheme.emblem is not None and scheme.emblem not in emblems.list_emblem_names():
        raise Invalid(
            f"{name}: there is no emblem {scheme.emblem}; there are {', '.join(sorted(emblems.list_emblem_names()))}."
        )
    return scheme


def unknown_evidence_errors(rule: AnyRule) -> Iterator[str]:
    """Yield the kinds and values that the rule reads but no evidence document can have."""
    for code in rule.evidence_kinds():
        kind = load_evidence_kinds().get(code)
        if kind is None:
            yield f"{rule.id}: there is no kind of evidence {code}"
            continue
        for value in rule.value_names():
            if value not in kind.values:
                yield f"{rule.id}: evidence of the kind {code} has no value {value}"
            elif isinstance(rule, EvidenceRule) and value == rule.value and rule.accepted:
                placed = rule.accepted + rule.review + rule.refused
                if odd := set(placed) ^ set(kind.values[value].choices):
                    yield f"{rule.id}: of {value}, neither or not rightly placed: {', '.join(sorted(odd))}"


def parse_toml(text: str, name: str) -> dict[str, Any]:
    try:
        # Decimals, because a threshold must be exactly the number in the file.
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # also for endless numbers and endless tables
        raise Invalid(f"{name} is not TOML: {error}") from error


def merge_common_rule(rule: Any, common: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    """Merge a rule with the shared rule that it names."""
    if not isinstance(rule, dict) or "like" not in rule:
        return rule
    like = rule["like"]
    if not isinstance(like, str) or like not in common:
        raise Invalid(f"{name}: there is no shared rule {like}; there are {', '.join(common)}.")
    base = common[like]
    own = {key: value for key, value in rule.items() if key != "like"}
    return {"id": like} | dict(base) | {"reasons": {}, "shared_reasons": base.get("reasons", {})} | own
