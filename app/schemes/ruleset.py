"""Define marks and their rulesets as data. A published ruleset never changes.

Its digest proves that.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.core import canonical_json
from app.core.text.marking import SANDBOX_PREFIX
from app.core.text.normalize import fold_alphanumeric
from app.schemes.closed_lists import load_lists
from app.schemes.material_origin import OriginSettings
from app.schemes.rules import AnyRule
from app.schemes.rules.base import BilingualText, RuleContext, SetName
from app.schemes.rules.history import HistoryRule
from app.schemes.rules.names import NamesRule
from app.schemes.rules.origin import OriginRule
from app.schemes.rules.residency import ResidencyRule

SchemeCode = Annotated[str, Field(pattern=r"^[A-Z]{3,8}$")]
PlaceCode = Annotated[
    str,
    Field(min_length=1, description="code of an economic region or a municipality, or the name of a district in az"),
]
AssessmentLevel = Literal[
    "authority-benchmark",
    "authority-mandate",
    "authority-globalmra",
    "authority-peer",
    "authority-extended-mra",
    "scheme-self",
    "scheme-cab",
    "no-endorsement",
]
"""Who is responsible for an assessment, in UNTP 0.7.0's terms."""
REQUIRED_LANGUAGES = ("az", "en", "ru")


class SchemeKind(StrEnum):
    """Legal kind of the mark."""

    TRADEMARK_LICENCE = "trademark_licence"
    COLLECTIVE = "collective"
    CERTIFICATION = "certification"
    LOCAL_BRAND = "local_brand"


class RulesetStatus(StrEnum):
    DRAFT = "draft"
    IN_FORCE = "in_force"


class Ruleset(BaseModel):
    """Rules with their parameters and reasons, and the digest of the closed lists they read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: SchemeCode
    version: str = Field(pattern=r"^[0-9]{4}\.[0-9]{1,3}$")
    in_force_from: date
    status: RulesetStatus
    confirmed: bool = Field(description="false: thresholds are a proposal that the mark's owner has not confirmed")
    lists_digest: str = Field(default_factory=lambda: load_lists().digest, pattern=r"^[0-9a-f]{64}$")
    territory_sets: Mapping[SetName, tuple[PlaceCode, ...]] = {}
    origin: OriginSettings = OriginSettings()
    short_term_consent_days: int = Field(
        default=30, ge=0, description="a certificate that would end in fewer days needs the applicant's consent"
    )
    rules: tuple[AnyRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def rules_are_distinct_and_territories_known(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if twice := sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1}):
            raise ValueError(f"rules listed twice: {', '.join(twice)}")
        for rule in self.rules:
            if unknown := sorted(set(rule.territory_set_names()) - self.territory_sets.keys()):
                raise ValueError(f"{rule.id}: unknown territory set {', '.join(unknown)}")
        if self.origin_rule is None:
            raise ValueError("no rule on origin: every certificate names the criterion by which its goods originate")
        return self

    @property
    def origin_rule(self) -> OriginRule | None:
        """Return the rule that determines the origin criterion."""
        rules = (rule for rule in self.rules if isinstance(rule, OriginRule))
        return next((rule for rule in rules if rule.asks == "criterion"), None)

    @property
    def name_alike_pct(self) -> int:
        """Return the similarity from which two names denote the same goods, for the history rule."""
        rules = (rule.name_alike_pct for rule in self.rules if isinstance(rule, HistoryRule))
        return next(rules, 100)

    @property
    def is_residency_based(self) -> bool:
        """Check that certificates of this mark depend on the holder's park residency."""
        return any(isinstance(rule, ResidencyRule) and rule.asks == "status" for rule in self.rules)

    @cached_property
    def has_brand_rule(self) -> bool:
        """Check that a rule compares brands of other holders, which reads every certificate."""
        return any(isinstance(rule, NamesRule) and rule.asks == "unique" for rule in self.rules)

    @cached_property
    def context(self) -> RuleContext:
        """Return data that all rules share: folded places, origin settings, closed lists."""
        places = {
            name: frozenset(each) | {fold_alphanumeric(place) for place in each}
            for name, each in self.territory_sets.items()
        }
        return RuleContext(places, self.origin, load_lists())

    def content(self) -> dict[str, Any]:
        """Return everything as JSON values, as stored and parsed by `Ruleset.model_validate`."""
        return self.model_dump(mode="json")

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of the content."""
        return canonical_json.digest(self.content())


class Authority(BaseModel):
    """Owner of the mark, with contact data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Mapping[str, str] = Field(description="language → name; at least az, en, ru")
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str | None = Field(default=None, pattern=r"^\+[0-9 ]{7,20}$")
    address: str | None = Field(default=None, min_length=1, description="as on an envelope")

    @field_validator("names")
    @classmethod
    def names_cover_the_working_languages(cls, names: Mapping[str, str]) -> Mapping[str, str]:
        return _require_working_languages(names)


def _require_working_languages(names: Mapping[str, str]) -> Mapping[str, str]:
    if missing := [language for language in REQUIRED_LANGUAGES if not names.get(language, "").strip()]:
        raise ValueError(f"no name in {', '.join(missing)}")
    return names


class Scheme(BaseModel):
    """A mark: names, owner, terms, and the ruleset of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: SchemeCode
    kind: SchemeKind
    owner: str = Field(min_length=1)
    names: Mapping[str, str] = Field(description="language → name; at least az, en, ru")
    emblem: str | None = Field(
        default=None, description="file of app/schemes/emblems without its ending; without it the neutral one"
    )
    authority: Authority | None = None
    legal_notes: tuple[BilingualText, ...]
    term_months: int = Field(ge=1, le=120)
    assessment_level: AssessmentLevel = Field(
        default="scheme-cab",
        description="declared in certificates; `authority-mandate` only with a mandate of the state",
    )
    ruleset: Ruleset

    @field_validator("names")
    @classmethod
    def names_cover_the_working_languages(cls, names: Mapping[str, str]) -> Mapping[str, str]:
        return _require_working_languages(names)

    @field_validator("code")
    @classmethod
    def the_code_is_no_number_of_a_sandbox(cls, code: str) -> str:
        if code.startswith(SANDBOX_PREFIX):
            raise ValueError(f"{SANDBOX_PREFIX} begins the numbers of the sandbox: choose another code")
        return code

    @model_validator(mode="after")
    def the_ruleset_is_this_marks(self) -> Self:
        if self.ruleset.scheme != self.code:
            raise ValueError(f"the ruleset belongs to {self.ruleset.scheme}, not to {self.code}")
        return self

    @property
    def is_residency_based(self) -> bool:
        return self.ruleset.is_residency_based

    def content_without_ruleset(self) -> dict[str, Any]:
        """Return the mark without its ruleset, as JSON values."""
        return self.model_dump(mode="json", exclude={"ruleset"})
