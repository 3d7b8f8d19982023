"""The kinds of rules. A scheme file chooses among them by `kind`; a further mark needs no further Python."""

from typing import Annotated

from pydantic import Field

from app.schemes.rules.company import ProductionStartedRule, ResidencyHolderRule, ResidencyRule, TaxNumberRule
from app.schemes.rules.goods import BarredGoodsRule, HsCodeRule, SpecialGoodsRule
from app.schemes.rules.place import SiteCountryRule, SiteTerritoryRule
from app.schemes.rules.process import FinishedInTerritoryRule, LastEssentialStepRule, MoreThanSimpleRule
from app.schemes.rules.shares import CostShareRule, LocalRawMaterialRule
from app.schemes.rules.substance import OriginRule, ValueContentRule

AnyRule = Annotated[
    TaxNumberRule
    | ResidencyRule
    | ResidencyHolderRule
    | ProductionStartedRule
    | HsCodeRule
    | BarredGoodsRule
    | SpecialGoodsRule
    | SiteTerritoryRule
    | SiteCountryRule
    | MoreThanSimpleRule
    | LastEssentialStepRule
    | FinishedInTerritoryRule
    | CostShareRule
    | LocalRawMaterialRule
    | OriginRule
    | ValueContentRule,
    Field(discriminator="kind"),
]
