"""List the fifteen kinds of rules.

A scheme file selects a kind by `kind`; another mark needs no further Python.
"""

from typing import Annotated

from pydantic import Field

from app.schemes.rules.capacity import CapacityRule
from app.schemes.rules.condition import ConditionRule
from app.schemes.rules.consistency import ConsistencyRule
from app.schemes.rules.declaration import DeclarationRule
from app.schemes.rules.evidence import EvidenceRule
from app.schemes.rules.history import HistoryRule
from app.schemes.rules.listed import ListedRule
from app.schemes.rules.names import NamesRule
from app.schemes.rules.origin import OriginRule
from app.schemes.rules.process import OperationsRule, StepsRule
from app.schemes.rules.residency import ResidencyRule
from app.schemes.rules.share import ShareRule
from app.schemes.rules.territory import TerritoryRule
from app.schemes.rules.visit import VisitRule

AnyRule = Annotated[
    ConditionRule
    | EvidenceRule
    | ListedRule
    | ShareRule
    | OriginRule
    | OperationsRule
    | StepsRule
    | TerritoryRule
    | ResidencyRule
    | HistoryRule
    | NamesRule
    | CapacityRule
    | ConsistencyRule
    | DeclarationRule
    | VisitRule,
    Field(discriminator="kind"),
]
